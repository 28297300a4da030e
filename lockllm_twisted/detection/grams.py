"""The n-grams that the model knows: how words become numbers, numbers keys, and tokens sentences and windows.

Responsible for: what training and scoring must agree on to the bit.
Must never: depend on Python's own hash of a string, which is another in each process.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress, count

HEADS = ("injection", "jailbreak", "extraction", "indirect", "harm", "any")
"""What a weight speaks for: a kind of attack, a request for harm, any attack."""

LAYERS = ("w1", "w2", "w3", "s2", "c2", "c3", "d2")
"""The kinds of n-gram: of words (one, two, three, two with a gap), and of classes of words (two, three, two with a gap)."""

SCOUT_LAYERS = LAYERS[:2]
"""What the scout, which sees every text, looks at."""
SCOUT_HEADS = ("indirect", "harm", "any")

WORD_BITS = 15
CLASS_BITS = 10

SHAPES = ("-0", "-a0", "-é", "-ing", "-ed", "-ly", "-ion", "-s", "-long", "-a")
"""What stands for a word that the model does not know: a number, letters with digits, other scripts, endings, its length."""

LAST_END = 5
"""The numbers 1 to 5 are those of the marks that end a sentence."""

SENTENCE = 48
WINDOW = 96
STEP = 24
"""Tokens: the longest sentence, the size of a window, and how far the next one is."""

_LONG = 18
_STEM = 3
_QUOTATION = 40
"""Tokens."""

Unit = tuple[int, int]
"""The first token of a sentence or window, and the one behind its last."""


def shape(word: str) -> str:
    """What stands for an unknown word."""
    if word.isdigit():
        return "-0"
    if not word.isalpha():
        return "-a0" if word.isascii() else "-é"
    if not word.isascii():
        return "-é"
    if len(word) > _LONG:
        return "-long"
    for ending in ("ing", "ed", "ly", "ion", "s"):
        if word.endswith(ending) and len(word) > len(ending) + _STEM:
            return f"-{ending}"
    return "-a"


def sentences(ids: Sequence[int]) -> list[Unit]:
    """Sentences of two tokens and more. Where there is none, all is one."""
    found: list[Unit] = []
    start = 0
    ends = list(compress(count(1), map(LAST_END.__ge__, ids)))
    ends.append(len(ids))
    for end in ends:
        while end - start > SENTENCE:
            found.append((start, start + SENTENCE))
            start += SENTENCE
        if end - start > 1:
            found.append((start, end))
        start = end
    return found or [(0, len(ids))]


def quoted(ids: Sequence[int], quote: int, line: int) -> list[Unit]:
    """What stands between two quotation marks in one line, the marks aside: short enough to be a quotation."""
    found: list[Unit] = []
    opened = -1
    for at in [at for at, number in enumerate(ids) if number == quote]:
        if opened >= 0 and at - opened <= _QUOTATION and line not in ids[opened:at]:
            found.append((opened + 1, at))
            opened = -1
        else:
            opened = at
    return found


def windows(size: int) -> list[Unit]:
    """Windows over so many tokens; none over a few, which are a sentence."""
    if size <= STEP:
        return []
    return [(start, min(size, start + WINDOW)) for start in range(0, max(1, size - WINDOW + STEP), STEP)]
