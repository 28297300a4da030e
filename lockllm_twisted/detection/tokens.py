"""A normalised text as the tokens that the model knows: words, and the marks that tell where a sentence ends.

Responsible for: `tokens`; `places`, which tells where in the text each of them stands; `blocks`, which have their tokens to themselves;
`in_ascii`, a text that a glance can read.
Must never: drop a word, or look at more than one text.

A word is a run of letters and digits, apostrophes taken out of it (``don't`` is ``dont``). Scripts that write no spaces, and
Hangul, whose words have too many endings, come letter by letter. A mark is a token too; other signs only part words, and so do a
full stop and a colon within a number, a time, an address or a name.
"""

from __future__ import annotations

import re
import unicodedata

from lockllm_twisted.detection.steps import substitute, translated

try:
    from lockllm_twisted.detection import _quick
except ImportError:  # there was no compiler
    _quick = None  # type: ignore[assignment]

LINE = "|"
"""The token of a line's end."""

ENDS = frozenset({".", "!", "?", ":", LINE})
"""Marks that end a sentence."""

MARKS = frozenset({*ENDS, '"', "<", "[", "#"})
"""Tokens of one sign: where sentences end, what is quoted, tagged, or a heading."""

_APART = tuple((mark, f" {mark} ") for mark in sorted(MARKS))
_STOPS = "。।॥۔｡؛"
_ALIKE: dict[str, str | None] = (
    {";": ".", "\n": LINE, "'": None, "|": " "}
    | dict.fromkeys(_STOPS, ".")
    | {"؟": "?"}
    | dict.fromkeys("«»「」『』《》", '"')
)

_ALONE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_IS_ALONE = re.compile(f"[{_ALONE}]")


def _stands_for(char: str) -> str | None:
    if char in _ALIKE:
        return _ALIKE[char]
    if char in MARKS:
        return char
    if _IS_ALONE.match(char):
        return f" {char} "
    return char if unicodedata.category(char)[0] in "LMN" else " "


class _Signs(dict[int, str | None]):
    """Worked out on first sight, for `str.translate`."""

    def __missing__(self, code: int) -> str | None:
        self[code] = plain = _stands_for(chr(code))
        return plain


_SIGNS = _Signs()


_INSIDE = re.compile(rf"[.{_STOPS}](?<=[a-z0-9].)(?=[a-z0-9])|:(?<=[0-9].)(?=[0-9])")
"""No sentence ends there: 17.00, 10:30, orders.example."""


def _parted(text: str) -> str:
    """A text, as long, in which only what ends a sentence looks like it."""
    return substitute(_INSIDE, lambda _: " ", text)


_BLOCK = 512
"""Characters, at least."""
_CUT = re.compile(rf"[\s{_ALONE}]")


def blocks(text: str) -> list[int]:
    """The borders of parts of a text whose tokens, one part's behind the other's, are the tokens of the text."""
    borders = [0]
    while (cut := _CUT.search(text, borders[-1] + _BLOCK)) is not None:
        borders.append(cut.end())
    if borders[-1] < len(text) or not text:
        borders.append(len(text))
    return borders


def tokens(text: str) -> list[str]:
    """The tokens of a normalised text, in order."""
    if _quick is not None and text.isascii():
        return _quick.tokens(text)
    text = translated(_parted(text), _SIGNS)
    for mark, apart in _APART:
        if mark in text:
            text = text.replace(mark, apart)
    return text.split()


_FOREIGN = re.compile("[^\0-\x7f]+")
APART = "_"
"""What stands for a sign that is no part of a word."""


class _InAscii(dict[int, str]):
    """Signs that are not ASCII as others; ``letter``: what stands for one of a word."""

    def __init__(self, letter: str) -> None:
        super().__init__()
        self._letter = letter

    def __missing__(self, code: int) -> str:
        plain = _SIGNS[code]
        self[code] = sign = APART if plain == " " else plain if plain in MARKS else self._letter
        return sign


_LETTERS = {letter: _InAscii(letter) for letter in (APART, "x")}


def in_ascii(text: str, letter: str = APART) -> str:
    """A folded text with another sign for each that is not ASCII: as long, and of the same tokens, but for words that hold one.

    ``letter``: what stands for a letter of another script: `APART`, or an x.
    """
    table = _LETTERS[letter]
    return substitute(_FOREIGN, lambda match: match[0].translate(table), text)


class _Kinds(dict[int, str]):
    """Each sign as one letter: a part of a word, a token by itself, nothing, or a gap."""

    def __missing__(self, code: int) -> str:
        char, plain = chr(code), _SIGNS[code]
        kind = "'" if plain is None else " " if plain == " " else "w" if plain == char and char not in MARKS else "1"
        self[code] = kind
        return kind


_KINDS = _Kinds()
_TOKEN = re.compile("w(?:[w']*w)?|1")


def places(text: str) -> list[tuple[int, int]]:
    """The span of each of a text's tokens."""
    return [match.span() for match in _TOKEN.finditer(translated(_parted(text), _KINDS))]
