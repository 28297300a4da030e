"""Header parameters, URL-encoded fields and multipart bodies, each in exactly one way.

Responsible for: RFC 2046/7578 multipart with one boundary and no transfer encoding; what another parser could split
elsewhere is refused.
Must never: guess where a part ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

import attrs

from lockllm_twisted.reading.collect import MAX_FIELDS, Refused
from lockllm_twisted.values import Unreadable

_PARAMETER = re.compile(rb";[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;\",]*)))?[ \t]*")
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")  # RFC 2046, section 5.1.1
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_PIECE = re.compile(rb"\r\n(.*)\r\n", re.DOTALL)
_MAX_HEADERS = 16


@attrs.frozen
class Part:
    """One part of a multipart body. ``name`` is empty in anything but form-data."""

    name: str
    filename: str | None
    content_type: bytes
    data: bytes = attrs.field(repr=False)


def parameters(value: bytes) -> tuple[bytes, dict[bytes, bytes] | None]:
    """RFC 9110, section 5.6.6: ``a/b; c=d`` -> the lower-case type and its parameters, ``None`` if they are malformed."""
    main, mark, rest = value.partition(b";")
    main = main.strip().lower()
    found: dict[bytes, bytes] = {}
    rest = mark + rest
    at = 0
    while at < len(rest):
        match = _PARAMETER.match(rest, at)
        if match is None:
            return main, None
        at = match.end()
        if match[1] is not None:
            name = match[1].lower()
            if name in found:
                return main, None
            found[name] = match[3] if match[2] is None else match[2]
    return main, found


def form(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """``application/x-www-form-urlencoded`` and query strings: names and values, decoded."""
    for field in data.split(b"&"):
        if field:
            name, _, value = field.partition(b"=")
            yield unquote_to_bytes(name.replace(b"+", b" ")), unquote_to_bytes(value.replace(b"+", b" "))


def multipart(boundary: bytes | None, body: bytes, *, named: bool) -> Iterator[Part]:
    """The parts in order. ``named``: form-data, where each part needs a name. Raises `Refused` where it is unclear."""
    if boundary is None or _BOUNDARY.fullmatch(boundary) is None:
        raise _refused("Content-Type needs exactly one valid boundary")
    mark = b"--" + boundary
    pieces = body.split(mark, MAX_FIELDS)
    if pieces[0]:
        raise _refused("the body does not start with the boundary")
    if pieces[-1] not in {b"--", b"--\r\n"}:
        raise _refused("the body does not end with the closing boundary")
    for piece in pieces[1:-1]:
        lines = _PIECE.fullmatch(piece)
        if lines is None:
            raise _refused("the boundary stands where no line starts, or lines end without CRLF")
        yield _part(lines[1], named=named)


def _part(data: bytes, *, named: bool) -> Part:
    head, blank, content = (b"", b"\r\n", data[2:]) if data.startswith(b"\r\n") else data.partition(b"\r\n\r\n")
    if not blank:
        raise _refused("a part has no empty line behind its headers")
    headers = _headers(head)
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in {b"binary", b"8bit", b"7bit"}:
        raise _refused("a part has a Content-Transfer-Encoding, which RFC 7578 forbids")
    content_type = headers.get(b"content-type", b"")
    if content_type.lower().startswith(b"multipart/"):
        raise _refused("a part is a multipart body itself")
    kind, disposition = parameters(headers.get(b"content-disposition", b""))
    if disposition is None or (named and (kind != b"form-data" or b"name" not in disposition)):
        raise _refused("a part needs one Content-Disposition: form-data with one name")
    filename = disposition.get(b"filename")
    extended = disposition.get(b"filename*")
    if extended is not None:
        filename = unquote_to_bytes(extended.rpartition(b"'")[2])
    name = disposition.get(b"name", b"").decode("utf-8", "replace")
    return Part(name, None if filename is None else filename.decode("utf-8", "replace"), content_type, content)


def _headers(head: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n") if head else ():
        match = _HEADER.fullmatch(line)
        if match is None or match[1].lower() in found or len(found) == _MAX_HEADERS:
            raise _refused("a part has a malformed, repeated or folded header, or too many")
        found[match[1].lower()] = match[2]
    return found


def _refused(why: str) -> Refused:
    return Refused(Unreadable("multipart", f"The multipart body can be split in more than one way: {why}."))
