"""Encodings with an alphabet of their own: base64, base32, hex, binary, decimal codes, morse.

Responsible for: finding encoded pieces by their alphabet and decoding them to readable text.
Must never: be slow where nothing is encoded: each decoder starts with a test that plain prose fails at once.
"""

from __future__ import annotations

import binascii
import re
from base64 import a85decode, b32decode, b85decode
from collections.abc import Callable, Iterator

from lockllm_twisted.detection.doubts import BASE64, BASE85, BINARY, DECIMAL, HEX, MORSE
from lockllm_twisted.detection.steps import Step, has, join, matches, merged
from lockllm_twisted.detection.view import View

try:
    from lockllm_twisted.detection import _quick
except ImportError:  # there was no compiler
    _quick = None  # type: ignore[assignment]

Decoded = tuple[tuple[str, ...], str, tuple[Step, ...]]
"""The decoders' names, the decoded text, and how it was made from `View.folded`."""

Spans = list[tuple[int, int]]

_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\r") + b"\x7f"
_CONTROL_SHARE = 0.08
"""Random bytes hold 11 % control codes, readable text next to none."""

_READABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]{12,}")
"""Twelve readable characters in a row: one place in 100,000 of random bytes."""


def readable(data: bytes) -> str:
    """The text in some bytes, without what can't be text; empty for random bytes."""
    if data.count(0) * 3 > len(data):
        data = data.replace(b"\0", b"")  # UTF-16 or UTF-32 of Latin text
    if len(data.translate(None, _CONTROLS)) < len(data) * (1 - _CONTROL_SHARE):
        return ""
    text = data.decode("utf-8", "replace")
    if "\ufffd" not in text:
        return text
    return "\n".join(match[0] for match in matches(_READABLE, text))


_URL_SAFE = str.maketrans("-_", "+/")
_BASE64 = re.compile(
    r"[A-Za-z0-9+/_-]{16,}(?:\s{1,2}[A-Za-z0-9+/_-]{16,})*(?:\s{1,2}[A-Za-z0-9+/_-]{2,}(?:={1,2}(?![A-Za-z0-9+/_-])|\s*\Z))?"
)
_BASE32 = re.compile(r"[A-Z2-7]{24,}(?:\s{1,2}[A-Z2-7]{8,})*")


def _base64(piece: str) -> str:
    if piece in (piece.lower(), piece.upper()):  # a name, or a line: letters that stand for text are of both cases
        return ""
    packed = "".join(piece.split()).translate(_URL_SAFE).rstrip("=")
    best = ""
    for skip in range(4):  # a letter before it, such as a slash, may look like a part of it
        quads = packed[skip:]
        quads = quads[: len(quads) - 1] if len(quads) % 4 == 1 else quads
        text = readable(binascii.a2b_base64(quads + "=" * (-len(quads) % 4)))
        if len(text) > len(best):
            best = text
        if len(text) * 4 > len(quads) * 2:
            break
    return best


def _base32(piece: str) -> str:
    packed = "".join(piece.split())
    packed = packed[: len(packed) // 8 * 8] + packed[len(packed) // 8 * 8 :].ljust(8, "=")
    try:
        return readable(b32decode(packed))
    except binascii.Error:
        return readable(b32decode(packed[:-8]))


_HEX = re.compile(r"[0-9a-fA-F][0-9a-fA-F](?:[ ,:;\n-]{0,2}(?:0x)?[0-9a-fA-F]{2}){7,}")
_HEX_GATE = re.compile(r"[2-7][0-9a-fA-F][ ,:;\n-]{0,2}(?:0x)?[0-9a-fA-F]{2}[ ,:;\n-]{0,2}(?:0x)?[2-7][0-9a-fA-F]")
_HEX_GAPS = str.maketrans("", "", " ,:;\n-")


def _hex(piece: str) -> str:
    packed = piece.replace("0x", "").translate(_HEX_GAPS)
    text = readable(binascii.a2b_hex(packed[: len(packed) // 2 * 2]))
    if text or len(packed) % 2 == 0:
        return text
    return readable(binascii.a2b_hex(packed[1:]))


_BINARY = re.compile(r"[01][01]{6,7}(?:[ ,\n]{0,2}[01]{7,8}){4,}")


def _binary(piece: str) -> str:
    groups = piece.replace(",", " ").split()
    if len(groups) == 1:
        groups = [piece[at : at + 8] for at in range(0, len(piece) // 8 * 8, 8)]
    return readable(bytes(int(group, 2) & 0xFF for group in groups))


_DECIMAL = re.compile(r"\b\d{2,3}(?:[ ,;\n]{1,3}\d{2,3}){7,}\b")


def _decimal(piece: str) -> str:
    codes = [int(code) for code in piece.replace(",", " ").replace(";", " ").split()]
    return readable(bytes(codes)) if max(codes) < 256 else ""  # noqa: PLR2004 # a byte


_MORSE = re.compile(r"[.\-_][.\-_]{0,5}(?:[ /|\n]{1,3}[.\-_]{1,6}){7,}")
_MORSE_CODES = (  # noqa: SIM905 # to be read
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. .----. -.-.-- ---... -....-"
).split()
_MORSE_LETTERS = dict(zip(_MORSE_CODES, "abcdefghijklmnopqrstuvwxyz0123456789.,?'!:-", strict=True))


def _morse(piece: str) -> str:
    words = piece.replace("_", "-").replace("  ", "/").replace("|", "/").replace("\n", "/").split("/")
    return " ".join("".join(_MORSE_LETTERS.get(code, "") for code in word.split()) for word in words)


_BASE85_LEAST = 20
_BASE85 = re.compile(rf"[!-~]{{{_BASE85_LEAST},}}(?:\n[!-~]{{{_BASE85_LEAST},}})*(?:\n[!-~]{{2,}})?")
_BASE85_SIGNS = "$%&*;<=>?@^`"
_BASE85_KINDS = 3
"""Signs that base85 is full of, and of how many kinds twenty letters of it have at least."""


_ASCII85 = re.compile("[!-uz]*")
_RFC1924 = re.compile("[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]*")
"""The alphabets: what holds another sign is neither, and most of what has no space is that."""


def _like_base85(text: str) -> bool:
    return sum([sign in text for sign in _BASE85_SIGNS]) >= _BASE85_KINDS


def _base85(piece: str) -> str:
    packed = "".join(piece.split())
    if not _like_base85(packed):
        return ""
    for decode, alphabet, body in (
        (a85decode, _ASCII85, packed.removeprefix("<~").removesuffix("~>")),
        (b85decode, _RFC1924, packed),
    ):
        if not alphabet.fullmatch(body):
            continue
        try:
            text = readable(decode(body))
        except ValueError:
            continue
        if len(text) * 2 > len(body):
            return text
    return ""


_DECIMAL_GATE = re.compile(r"[1-9]\d{1,2}[ ,;\n]{1,3}\d{2,3}[ ,;\n]{1,3}\d{2,3}[ ,;\n]")
_BINARY_GATE = re.compile(r"[01][01]{6}")
_MORSE_GATE = re.compile(r"[.\-_] ?[.\-_]{1,4} [.\-_]{1,4}[ /]")


def _where(signs: tuple[str, ...], often: str, least: int, gate: re.Pattern[str]) -> Callable[[View], Spans]:
    """All of a text that holds one of some signs, a letter so often, and somewhere a match of the gate."""

    def places(view: View) -> Spans:
        folded = view.folded
        if has(signs, folded) and folded.count(often) >= least and next(matches(gate, folded), None) is not None:
            return [(0, len(folded))]
        return []

    return places


def _long_rows(least: int) -> Callable[[View], Spans]:
    """Where a text has so many signs in a row, and what goes on with them. Without the compiled part, all of it."""

    def places(view: View) -> Spans:
        return [(0, len(view.folded))] if _quick is None else _quick.rows(view.folded, least)

    return places


_PIECES: tuple[tuple[int, str, Callable[[View], Spans], re.Pattern[str], Callable[[str], str]], ...] = (
    (BASE64, "base64", _long_rows(16), _BASE64, _base64),
    (BASE64, "base32", _long_rows(24), _BASE32, _base32),
    (BASE85, "base85", _long_rows(_BASE85_LEAST), _BASE85, _base85),
    (HEX, "hex", _where(("6", "7"), "6", 3, _HEX_GATE), _HEX, _hex),
    (BINARY, "binary", _where(("01",), "0", 12, _BINARY_GATE), _BINARY, _binary),
    (DECIMAL, "decimal", _where(("10", "11"), "1", 4, _DECIMAL_GATE), _DECIMAL, _decimal),
    (MORSE, "morse", _where((".-", "-."), "-", 4, _MORSE_GATE), _MORSE, _morse),
)
"""The doubt, the name, where to look, what a piece looks like, its decoder. A text of eight letters is long enough to be decoded."""


def decoded(view: View, doubts: int) -> Iterator[Decoded]:
    """One text for each encoding in doubt that something of the view is in: all its pieces together."""
    folded = view.folded
    for doubt, name, places, pattern, decode in _PIECES:
        where = places(view) if doubts & doubt else []
        if not where:
            continue
        spans = merged(match.span() for place in where for match in matches(pattern, folded, *place))
        parts = [(text, start, end) for start, end in spans if (text := decode(folded[start:end]))]
        if parts:
            text, pieces = join(parts)
            yield (name,), text, (pieces,)
