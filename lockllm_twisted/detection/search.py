"""Rules at work on a view.

Responsible for: `Rules`: a set of rules, and the search for all their matches.
Must never: hand the regex engine more than a page at once, but for a rule that starts at one place.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256

import attrs

from lockllm_twisted.detection.rules import Rule
from lockllm_twisted.detection.starts import LATIN, Starting, starts_of
from lockllm_twisted.detection.steps import matches
from lockllm_twisted.detection.view import View

SCRIPTS = {
    "cyrillic": re.compile("[\u0400-\u04ff][\u0400-\u04ff][\u0400-\u04ff]"),
    "han": re.compile("[\u4e00-\u9fff][\u4e00-\u9fff]"),
    "japanese": re.compile("[\u3040-\u30ff\u4e00-\u9fff][\u3040-\u30ff\u4e00-\u9fff]"),
    "hangul": re.compile("[\uac00-\ud7af][\uac00-\ud7af]"),
    "arabic": re.compile("[\u0600-\u06ff][\u0600-\u06ff][\u0600-\u06ff]"),
    "devanagari": re.compile("[\u0900-\u097f][\u0900-\u097f][\u0900-\u097f]"),
}
"""Where words have no borders or many endings, the script of a window takes the place of its words."""

_ANY_SCRIPT = re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


@attrs.frozen
class Match:
    """Where a rule matched in a view's text."""

    rule: Rule
    start: int
    end: int


class Rules:
    """A set of rules. ``starts_of``: in Python, or compiled."""

    def __init__(self, rules: Iterable[Rule], starts_of: Callable[[Sequence[Rule]], Starting] = starts_of) -> None:
        self.rules = tuple(rules)
        self.worded = [each for each in self.rules if each.script is None]
        self._starts = starts_of(self.worded)
        self._scripted: dict[str, list[Rule]] = defaultdict(list)
        for each in self.rules:
            if each.script is not None:
                self._scripted[each.script].append(each)

    @property
    def version(self) -> str:
        """A digest of all that a finding depends on in the rules."""
        told = ((r.name, r.category.value, r.score, r.written, sorted(map(sorted, r.needs))) for r in self.rules)
        return sha256(repr(list(told)).encode()).hexdigest()[:12]

    def search(self, view: View) -> Iterator[Match]:
        """All matches in a view."""
        seen: set[tuple[str, int]] = set()
        for each, match in self._found(view):
            start, text = match.start(), match.string
            if (each.name, start) in seen or (start and text[start - 1] in LATIN and text[start] in LATIN):
                continue  # found in the page before; inside of a word (a look-behind would cost more)
            seen.add((each.name, start))
            yield Match(each, start, match.end())

    def _found(self, view: View) -> Iterator[tuple[Rule, re.Match[str]]]:
        latin = view.latin
        for number, at, end in self._starts.of(latin):
            each = self.worded[number]
            if end >= 0:
                yield from ((each, match) for match in each.pattern.finditer(latin, at, end))
            elif (match := each.pattern.match(latin, at)) is not None:
                yield each, match
        if latin is not view.text:
            for each, start, end in self._in_scripts(view):
                yield from ((each, match) for match in each.pattern.finditer(view.text, start, end))

    def _in_scripts(self, view: View) -> Iterator[tuple[Rule, int, int]]:
        if next(matches(_ANY_SCRIPT, view.text), None) is None:
            return
        for window in view.windows:
            for script, letters in SCRIPTS.items():
                if letters.search(view.text, window.start, window.end):
                    yield from ((each, window.start, window.end) for each in self._scripted[script])
