"""The rules of the wire: what is forwarded and what is stripped, in both directions, and which targets are refused.

Responsible for: pure rules over bytes. Header lists are ``(name, value)`` pairs in order; names compare without case.
Must never: do I/O, decode a body, or re-encode a target: what passes, passes as the bytes that came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import compress
from typing import Self

from lockllm_twisted.errors import BadRequest

try:
    from lockllm_twisted import _wire
except ImportError:  # there was no compiler
    _wire = None  # type: ignore[assignment]

HeaderPairs = Sequence[tuple[bytes, bytes]]
Named = Mapping[bytes, Sequence[bytes]]
"""The values of each header, in order, by its lower-case name."""

MAX_TARGET = 8192
"""Bytes of a request target. RFC 9110 §4.1 asks for at least 8,000."""

_FIELD_LINES = re.compile(rb"(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+\Z")
_FIELD = re.compile(rb"([^:]++):[ \t]*+([^\r]*+)\r\n")

_HOP_BY_HOP = frozenset(
    (
        # RFC 9110 §7.6.1: "Intermediaries … MUST remove" these, listed in Connection or not.
        b"connection",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
        # RFC 9110 §11.7: meant for the next hop only.
        b"proxy-authenticate",
        b"proxy-authorization",
        # Trailers are not forwarded (RFC 9110 §6.5.1 allows it), so they are not announced either.
        b"trailer",
        # RFC 7540 §3.2.1: "a server MUST NOT upgrade" without it, and it names this connection only.
        b"http2-settings",
    )
)
_FRAMING = frozenset((b"content-length", b"host", b"expect"))
_CLIENT_CLAIMS = frozenset((b"forwarded", b"x-real-ip"))
_OURS = b"x-lockllm-"
_NOT_NOMINABLE = frozenset((b"authorization", b"cookie", b"host", b"x-api-key", b"api-key", b"x-goog-api-key"))
"""A ``Connection: authorization`` from a client must not change what the provider is asked."""


class Fields:
    """Header fields: ``pairs`` in order as they came, ``names`` of each in lower case, and their values by name.

    Made anew for each message: a Python step per field would take a tenth of a request.
    """

    __slots__ = ("named", "names", "pairs")

    def __init__(self, pairs: Sequence[tuple[bytes, bytes]]) -> None:
        self.pairs = pairs
        names, values = zip(*pairs, strict=True) if pairs else ((), ())
        self.names: Sequence[bytes] = [*map(bytes.lower, names)]
        self.named: Named = dict(zip(self.names, zip(values)))  # noqa: B905 # two of one length, and one alone
        if len(self.named) < len(names):
            several: dict[bytes, list[bytes]] = {}
            for name, value in zip(self.names, values, strict=True):
                several.setdefault(name, []).append(value)
            self.named = several

    @classmethod
    def parse(cls, block: bytes) -> Self | None:
        """The fields of header lines, each with its CRLF; ``None`` where one of them is malformed. Compiled where it was built."""
        if _wire is None:
            pairs = header_lines(block)
            return None if pairs is None else cls(pairs)
        found = _wire.fields(block)
        if found is None:
            return None
        fields = cls.__new__(cls)
        fields.pairs, fields.names, fields.named = found
        return fields


def forwarded_request_headers(fields: Fields) -> list[tuple[bytes, bytes]]:
    """The end-to-end headers of a request, in order, with exact values; the caller adds Host and framing."""
    return _without_nominated(list(compress(fields.pairs, map(_leaves, fields.names))), fields.named)


def forwarded_response_headers(fields: Fields) -> list[tuple[bytes, bytes]]:
    """The end-to-end headers of an answer, in order, with exact values; no provider can speak in our name.

    ``Content-Length`` is dropped here: the relay sets it again from the framing that was really seen.
    """
    return _without_nominated(list(compress(fields.pairs, map(_returns, fields.names))), fields.named)


@lru_cache(maxsize=256)  # a name may be as long as a head: 16 MB at worst
def _leaves(name: bytes) -> bool:
    return not (
        name in _HOP_BY_HOP or name in _FRAMING or name in _CLIENT_CLAIMS or name.startswith((_OURS, b"x-forwarded-"))
    )


@lru_cache(maxsize=256)
def _returns(name: bytes) -> bool:
    return not (name in _HOP_BY_HOP or name in (b"content-length", b"x-scan-mode") or name.startswith(_OURS))


def header_lines(block: bytes) -> list[tuple[bytes, bytes]] | None:
    """The names and values of header lines, each with its CRLF; ``None`` where one of them is malformed.

    RFC 9110 §5.5 (control bytes but tabs are "invalid"), and RFC 9112 §5.1: no space before the colon. A folded line is malformed (§5.2: "A server that receives
    an obs-fold … MUST either reject the message …"). The whole block is matched at once: line by line takes twice as long.
    """
    if _FIELD_LINES.match(block) is None:
        return None
    found = _FIELD.findall(block)
    if b" \r" in block or b"\t\r" in block:
        found = [(name, value.rstrip(b" \t")) for name, value in found]
    return found


def tokens(values: Iterable[bytes]) -> set[bytes]:
    """The lower-case members of a comma-separated list header (RFC 9110 §5.6.1)."""
    return {token.strip(b" \t").lower() for value in values for token in value.split(b",")} - {b""}


def lists(named: Named, name: bytes, token: bytes) -> bool:
    """Whether a list header has a member, which is given in lower case."""
    values = named.get(name)
    return values is not None and token in tokens(values)


def _without_nominated(headers: list[tuple[bytes, bytes]], named: Named) -> list[tuple[bytes, bytes]]:
    """Without what ``Connection`` makes hop-by-hop (RFC 9110 §7.6.1)."""
    values = named.get(b"connection", ())
    if not values or list(values) == [b"keep-alive"]:
        return headers
    nominated = {name for name in tokens(values) if name not in _NOT_NOMINABLE and not name.startswith(b"content-")}
    return [pair for pair in headers if pair[0].lower() not in nominated]


_LEGAL = re.compile(rb"/[\x21\x22\x24-\x7e]*\Z")  # visible ASCII but "#": a fragment is never sent (RFC 9112 §3.2.1)
_TRICKS = re.compile(
    rb"//"
    rb"|\\|%5[cC]"  # some servers take a backslash for a slash
    rb"|%(?:25)*00"
    rb"|%25(?:2[eEfF]|5[cC])"  # a dot or slash encoded twice
    # Dot segments, plain or encoded, with path parameters or without; an encoded slash ends a segment for some servers.
    rb"|(?:/|%2[fF])(?:\.|%2[eE]){1,2}(?=[/;]|%2[fF]|%3[bB]|\Z)"
)
_ENCODED_SLASH = re.compile(rb"%2[fF]")


def check_target(target: bytes, *, encoded_slash: bool = False) -> None:
    """Refuse a target (path and query) that two servers could read in two ways.

    Raises `BadRequest`: not origin-form, bytes outside visible ASCII, dot segments in any encoding, ``//``, backslash,
    NUL, and ``%2F`` in the path unless the provider's path rules know it.
    """
    if len(target) > MAX_TARGET:
        raise BadRequest(f"The URL is longer than {MAX_TARGET} bytes.", code="url_too_long", status=414)
    if not _LEGAL.match(target):
        raise BadRequest("The URL must start with / and hold visible ASCII only, without #.", code="invalid_target")
    path = target.partition(b"?")[0]
    if _TRICKS.search(path) or (not encoded_slash and _ENCODED_SLASH.search(path)):
        raise BadRequest(
            "The URL path holds a dot segment, an empty segment, a backslash, or an encoded slash or NUL: "
            "send the path in its plain form.",
            code="invalid_target",
        )


def raw_tail(uri: bytes, segments: int) -> bytes:
    """What stands behind the first ``segments`` path segments, byte for byte, with the query; starts with ``/``.

    >>> raw_tail(b"/v1/proxy/openai/a%3Ab?", 3)
    b'/a%3Ab?'
    """
    path, mark, query = uri.partition(b"?")
    return b"/" + b"/".join(path.split(b"/")[1 + segments :]) + mark + query
