"""The scanner: every rule over every text, as RE2 objects, never as a Python regular expression.

Responsible for: findings with spans in characters, whatever the text.
Must never: look at more than one text at a time, or take longer than linear time.

One RE2 object a rule and not an ``RE2::Set``: a set whose automaton runs out of memory answers "no match", an object
falls back to a slower search that is still linear and still right.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from lockllm_twisted.values import Finding, Passage

from lockllm_re2.rules import RuleFile, compile_pattern

MAX_HITS = 16
"""Findings of one rule in one text. The verdict needs one; the rest is for the reader of the log."""

_CHARS_PER_MS = 250_000
"""Characters that one rule judges in a millisecond: measured 450,000 of ASCII, 140,000 to 370,000 of Cyrillic."""


class Re2Scanner:
    """The scanner ``re2``: the operator's own rules, so its findings are policy violations, not core detections."""

    name = "re2"
    kind: Literal["core", "policy"] = "policy"

    def __init__(self, file: RuleFile) -> None:
        self._rules = [(rule, compile_pattern(rule.pattern)) for rule in file.rules]
        self.version = file.digest
        self.inline_chars = _CHARS_PER_MS // len(self._rules)

    def scan(self, passage: Passage) -> list[Finding]:
        """What the rules for this origin hit."""
        # A lone surrogate has no UTF-8; "?" takes its place, one character for one, so the spans stay right.
        text = passage.text.encode("utf-8", "replace")
        return [
            Finding(self.name, rule.category, rule.score, rule.name, start, end)
            for rule, pattern in self._rules
            if passage.origin in rule.origins
            for start, end in _spans(pattern.finditer(text), text)
        ]


def _spans(matches: Iterator[Any], text: bytes) -> Iterator[tuple[int, int]]:
    """Byte offsets told in characters, in one pass over the text."""
    seen_bytes = seen_chars = 0
    for match in islice(matches, MAX_HITS):
        start = seen_chars + _chars(text[seen_bytes : match.start()])
        end = start + _chars(match.group())
        seen_bytes, seen_chars = match.end(), end
        yield start, end


def _chars(piece: bytes) -> int:
    # RE2's \C matches one byte of a character, so a piece may begin or end inside one.
    return len(piece.decode("utf-8", "ignore"))
