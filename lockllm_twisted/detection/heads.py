"""The words that a pattern can start with, so that it is tried only where one of them stands.

Responsible for: reading the first word off a pattern of ``rules``, or saying that it can't be told.
Must never: leave out a word that a match can start with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ATOM = re.compile(
    r"<(?P<list>[a-z_]+)!?>|(?P<open>\(\?:)|\[(?P<letters>[a-z0-9]+)\]|(?P<letter>[a-z0-9])|"
    r"(?P<gap>[ :;,!=@#%&\"'>~-]|<any\d+>|\[(?:\\[W_]|[^a-z0-9\\^\]])+\])|"
    r"(?P<nowhere>\(\?<[=!](?:\[(?:\\.|[^\]\\])*\]|\\.|[^)\[\\])*\)|\\A)"
)
_OPTIONAL = re.compile(r"\?|\{0,\d+\}")
_AGAIN = re.compile(r"\{1,\d+\}")
_REPEATED = re.compile(r"[*+{]")
_MANY = 400

_Start = tuple[str, bool]
"""The letters so far, and whether the word has ended."""


class _UnknownError(Exception):
    pass


class _Reader:
    """Walks a pattern from left to right; every way to have come this far is a start."""

    def __init__(self, pattern: str, lists: Mapping[str, tuple[str, ...]]) -> None:
        self._pattern = pattern
        self._lists = lists
        self.at = 0

    def alternatives(self, before: set[_Start]) -> set[_Start]:
        found = self._sequence(before)
        while self._next() == "|":
            self.at += 1
            found |= self._sequence(before)
        return found

    def _next(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _sequence(self, starts: set[_Start]) -> set[_Start]:
        while self._next() not in {"", "|", ")"}:
            if all(ended for _, ended in starts):
                self._skip()
                return starts
            longer = self._atom(starts)
            if optional := _OPTIONAL.match(self._pattern, self.at):
                starts = starts | longer
                self.at = optional.end()
            elif again := _AGAIN.match(self._pattern, self.at):
                if not all(ended for _, ended in longer):
                    raise _UnknownError
                starts = longer
                self.at = again.end()
            elif _REPEATED.match(self._pattern, self.at):
                raise _UnknownError
            else:
                starts = longer
        return starts

    def _atom(self, starts: set[_Start]) -> set[_Start]:
        atom = _ATOM.match(self._pattern, self.at)
        if atom is None:
            raise _UnknownError
        self.at = atom.end()
        if atom["open"]:
            inside = self.alternatives(starts)
            if self._next() != ")":
                raise _UnknownError
            self.at += 1
            return inside
        if atom["nowhere"]:
            return starts
        if atom["gap"]:
            return {(word, bool(word)) for word, _ in starts}  # a gap before the first letter ends no word
        if atom["list"]:
            more = {(phrase.partition(" ")[0], " " in phrase) for phrase in self._lists[atom["list"]]}
        else:
            more = {(letter, False) for letter in atom["letters"] or atom["letter"]}
        return {(word, True) if ended else (word + letters, ends) for word, ended in starts for letters, ends in more}

    def _skip(self) -> None:
        """To the end of this alternative."""
        depth = 0
        while self._next() and not (depth == 0 and self._next() in "|)"):
            sign = self._next()
            if sign == "\\":
                self.at += 1
            elif sign == "[":
                self._skip_set()
            elif sign == "(":
                depth += 1
            elif sign == ")":
                depth -= 1
            self.at += 1

    def _skip_set(self) -> None:
        self.at += 1
        while self._next() != "]":
            self.at += 2 if self._next() == "\\" else 1


def first_words(pattern: str, lists: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """All words that a match can start with; ``None`` where that can't be told."""
    reader = _Reader(pattern, lists)
    try:
        starts = reader.alternatives({("", False)})
    except _UnknownError:
        return None
    words = frozenset(word for word, _ in starts)
    return None if reader.at < len(pattern) or "" in words or len(words) > _MANY else words
