"""Reading a request's head: strict, bounded, and with exactly one meaning or none.

Responsible for: RFC 9112's grammar and framing of a request, as pure functions. The pairs keep the names' own case and
the order in which they came.
Must never: repair anything. A head that two servers could read in two ways is a `BadRequest` that says why.
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.wire import Fields, Named, lists

MAX_HEAD: Final = 65536
"""Bytes of a request's head. Cloud tokens take 4 KB a header, and cookies more; nginx allows 32 KB, Node 16 KB."""

MAX_HEADERS: Final = 200
"""SDKs send 10 to 25 header lines; a browser with its client hints about 40."""

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) (HTTP/1\.[01])\Z")
_HOST = re.compile(rb"[0-9A-Za-z.:\[\]_%~-]*\Z")
_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"QUERY"))
_PREFACE = b"PRI * HTTP/2.0\r\n"


@attrs.frozen
class RequestHead:
    """A request's head. ``length``: bytes of body, or ``None`` for a chunked one."""

    method: bytes
    target: bytes
    version: bytes
    fields: Fields = attrs.field(repr=False)
    length: int | None
    persistent: bool
    expects_continue: bool


def is_http2(data: bytes) -> bool:
    """Whether a connection begins as HTTP/2 does (RFC 9113 §3.4)."""
    return data.startswith(_PREFACE)


def too_large() -> BadRequest:
    """The error for a head over the limits."""
    return BadRequest(
        f"The request's head is larger than {MAX_HEAD} bytes or {MAX_HEADERS} lines.", code="head_too_large", status=431
    )


def parse_head(head: bytes) -> RequestHead:
    """Read a head, without the empty line that ends it. Raises `BadRequest` with the status to answer."""
    first, _, rest = head.partition(b"\r\n")
    request_line = _REQUEST_LINE.match(first)
    if request_line is None:
        raise _malformed("The request line is not METHOD target HTTP/1.1.")
    method, target, version = request_line.groups()
    fields = Fields.parse(rest + b"\r\n" if rest else b"")
    if fields is None:
        raise _malformed("A header line is malformed, or folded over several lines.")
    if len(fields.pairs) > MAX_HEADERS:
        raise too_large()
    if method not in _METHODS:
        raise BadRequest("This method is not accepted.", code="method_not_allowed", status=405)
    named = fields.named
    hosts = named.get(b"host", ())
    if len(hosts) > 1 or (not hosts and version == b"HTTP/1.1") or not all(map(_HOST.match, hosts)):
        raise _malformed("Send exactly one well-formed Host header.")  # RFC 9112 §3.2
    if lists(named, b"upgrade", b"websocket"):
        raise BadRequest(
            "WebSocket is not supported: what travels in its frames could not be scanned.",
            code="upgrade_not_supported",
            status=501,
        )
    return RequestHead(
        method,
        target,
        version,
        fields,
        _body_length(named, version),
        version == b"HTTP/1.1" and not lists(named, b"connection", b"close"),
        version == b"HTTP/1.1" and lists(named, b"expect", b"100-continue"),
    )


def _body_length(named: Named, version: bytes) -> int | None:
    """RFC 9112 §6.3, stricter: one framing header or none, once."""
    lengths = named.get(b"content-length", ())
    codings = named.get(b"transfer-encoding", ())
    if codings:
        if lengths or len(codings) > 1 or codings[0].lower() != b"chunked" or version == b"HTTP/1.0":
            raise _malformed("Send either one Content-Length, or exactly Transfer-Encoding: chunked with HTTP/1.1.")
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 18:  # noqa: PLR2004 # below 2**63
        raise _malformed("The Content-Length is not one number.")
    return int(lengths[0])


def _malformed(message: str) -> BadRequest:
    return BadRequest(message, code="malformed_request")
