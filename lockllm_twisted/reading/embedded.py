"""Text inside a string: ``data:`` URLs and base64.

Responsible for: telling text from binary, decoding it, and naming what is no text.
Must never: hold the interpreter for long in one call (a body may be 32 MB of base64), or drop a string that the provider
could take for words.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import attrs

_SNIFF = 4096
_SLICE = 1024 * 1024
"""Base64 characters per call: about 1 ms with the interpreter held, and a multiple of 4."""
_CERTAIN = 64
"""A shorter string may be an English word that happens to be base64: it stays a text beside what it decodes to."""

_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_BLANKS = b" \t\r\n"
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_DATA_URL = re.compile(r"data:([^,]{0,4000}),", re.IGNORECASE)
_TEXTUAL = re.compile(
    r"text/|application/(?:[\w.+-]*\+)?(?:json|xml|yaml)|image/svg|[\w.+-]+/(?:x-)?"
    r"(?:ndjson|jsonl|json-?lines|jsonlines|yaml|toml|csv|markdown|rtf|sql|sh|javascript|ecmascript|typescript|python)\b"
)
_MAGIC = (
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"%PDF", "pdf"),
    (b"ID3", "audio"),
    (b"OggS", "audio"),
    (b"fLaC", "audio"),
    (b"PK\x03\x04", "file"),
    (b"\x1aE\xdf\xa3", "video"),
)
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@attrs.frozen
class Found:
    """What a string holds: ``text`` to read, a ``reason`` why it is not all read, and whether the string is a text too."""

    text: str | None = None
    reason: str | None = None
    keep: bool = True


def data_url(value: str) -> Found | None:
    """RFC 2397. ``None``: no data URL at all."""
    match = _DATA_URL.match(value)
    if match is None:
        return None
    kind, *parameters = match[1].lower().split(";")
    if any(parameter.strip() == "base64" for parameter in parameters):
        return base64(value[match.end() :], kind.strip() or "text/plain", "file")
    return Found(text(unquote_to_bytes(value[match.end() :]), kind or "text/plain"))


def base64(value: str, mime: str | None, word: str | None) -> Found:
    """A string that should be base64. ``mime``: what its neighbours announce; ``word``: the reason where nothing tells more.

    Without either, it is dropped as a text only where its first bytes say what it is, or it decodes to clean text.
    """
    pieces = _decoded(value)
    try:
        head = next(pieces)
        start = head[:_SNIFF]
        reason = kind(start, mime) or word
        textual = text(start, mime, cut=len(value) > _SNIFF) is not None
        rest = b"".join(pieces if textual else (b"" for _ in pieces))
    except ValueError:
        return Found(None, mime and kind(b"", mime))
    keep = len(value) < _CERTAIN
    if textual:
        return Found(text(head + rest, mime, lossy=True), None, keep)
    return Found(None, reason, keep or reason is None)


def _decoded(value: str) -> Iterator[bytes]:
    """Strict base64 of either alphabet, blanks between and missing padding allowed, as lenient decoders do."""
    carry = b""
    for at in range(0, len(value), _SLICE):
        carry += value[at : at + _SLICE].encode("ascii").translate(_URL_SAFE, _BLANKS)
        if at + _SLICE < len(value):
            whole = len(carry) & ~3
            yield binascii.a2b_base64(carry[:whole], strict_mode=True)
            carry = carry[whole:]
    yield binascii.a2b_base64(carry + b"=" * (-len(carry) % 4), strict_mode=True)


def text(data: bytes, mime: str | None, *, cut: bool = False, lossy: bool = False) -> str | None:
    """The text that these bytes are, ``None`` where they are none. Announced text is text, whatever its bytes are.

    ``cut``: the bytes may end inside a character. ``lossy``: they are known to be text.
    """
    announced = mime is not None and _TEXTUAL.match(mime) is not None
    if data[:2] in _UTF16 and (announced or mime is None):
        return data.decode("utf-16", "replace")
    if announced or lossy:
        return data.decode("utf-8", "replace")
    if magic(data) is not None:
        return None
    try:
        found = (data[:-4] if cut else data).decode()
    except UnicodeDecodeError as error:
        if not cut or error.start < len(data) - 8:
            return None
        found = data[: error.start].decode()
    return None if _CONTROLS.search(found) else found


def kind(data: bytes, mime: str | None) -> str | None:
    """The reason word for bytes that are no text."""
    if mime is not None:
        major, _, minor = mime.partition("/")
        if major in {"image", "audio", "video"}:
            return major
        if minor == "pdf":
            return "pdf"
        return magic(data) or "file"
    return magic(data)


def magic(data: bytes) -> str | None:
    """What the first bytes say."""
    for start, word in _MAGIC:
        if data.startswith(start):
            return word
    if data.startswith(b"RIFF"):
        return "image" if data[8:12] == b"WEBP" else "audio"
    return "video" if data[4:8] == b"ftyp" else None
