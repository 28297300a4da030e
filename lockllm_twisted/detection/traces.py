"""What a disguise leaves behind: characters that nobody sees, where ordinary text has none.

Responsible for: invisible text and invisible characters inside of words, whatever they spell.
Must never: mind emoji, flags, or the joiners that Persian, Indic scripts and emoji need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lockllm_twisted.detection.hidden import hidden
from lockllm_twisted.detection.steps import matches

_UNSEEN = "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_INSIDE_WORD = re.compile(f"{_UNSEEN}(?<=[A-Za-z].){_UNSEEN}*(?=[A-Za-z])")
_MANY = 6
"""A copied page may have one or two; a word broken up to pass a filter has one in each gap."""

Trace = tuple[float, str, int, int, tuple[str, ...]]


def traces(text: str) -> Iterator[Trace]:
    """Score, rule, span and decode chain of each trace."""
    if text.isascii():
        return
    for names, inner, steps in hidden(text):
        if len(inner.strip()) >= _MANY and sum(map(str.isprintable, inner)) * 10 >= len(inner) * 9:
            start, end = steps[0].back(0, len(inner))
            yield 0.8, "disguise.hidden_text", start, end, names
    broken = [match.span() for match in matches(_INSIDE_WORD, text)]
    if len(broken) >= _MANY:
        yield 0.5, "disguise.broken_words", broken[0][0], broken[-1][1], ()
