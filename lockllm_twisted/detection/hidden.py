"""Text in characters that nobody sees: the tag block, and bytes as variation selectors.

Responsible for: `hidden`, which works on the raw text: normalising takes these characters away.
Must never: take flags, emoji or variants of ideographs for a message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lockllm_twisted.detection.decoders import Decoded
from lockllm_twisted.detection.steps import has, join, matches

_TAGS = re.compile("[\U000e0020-\U000e007e][\U000e0020-\U000e007e]*")
_TAG_LETTERS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_FLAG = "\U0001f3f4"
_FLAG_LETTERS = 6
"""The flag of a part of a country is a black flag and the letters of its code as tags: "gbeng"."""

_FEW_TAGS = 3

_SELECTORS = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef][\ufe00-\ufe0e\U000e0100-\U000e01ef]*")
_FEW_SELECTORS = 8
"""An ideograph or two in a text may ask for a variant; a message has more. U+FE0F, the emoji's own, carries none."""


_FIRST_BYTES = (b"\xf3\xa0", b"\xef\xb8")
"""What all of these characters start with in UTF-8."""


def _tags(piece: str) -> str:
    return piece.translate(_TAG_LETTERS)


def _selectors(piece: str) -> str:
    codes = (ord(selector) for selector in piece)
    return "".join(chr(code - 0xFE00 if code < 0xE0000 else code - 0xE00F0) for code in codes)  # noqa: PLR2004


def _is_flag(raw: str, start: int, end: int) -> bool:
    return raw[start - 1 : start] == _FLAG and end - start <= _FLAG_LETTERS


def hidden(raw: str) -> Iterator[Decoded]:
    """Text in characters that nobody sees: the tag block, and bytes as variation selectors. Works on the raw text."""
    if raw.isascii() or not has(_FIRST_BYTES, raw.encode("utf-8", "surrogatepass")):
        return
    for name, pattern, few, decode in (
        ("tags", _TAGS, _FEW_TAGS, _tags),
        ("variation-selectors", _SELECTORS, _FEW_SELECTORS, _selectors),
    ):
        spans = [match.span() for match in matches(pattern, raw) if not _is_flag(raw, *match.span())]
        if sum(end - start for start, end in spans) > few:
            text, pieces = join(((decode(raw[start:end]), start, end) for start, end in spans), "")
            if name == "variation-selectors":
                text = text.encode("latin-1").decode("utf-8", "replace")
            yield (name,), text, (pieces,)
