"""Reading an HTTP/1.1 answer: strict, bounded, and blind to what the bytes mean.

Responsible for: RFC 9112's message framing, as a pure state machine that is fed bytes and calls back.
Must never: guess. What two readers could frame in two ways is a `ProtocolError`; nothing is repaired.

Why not twisted.web's own client: it has no limit on the size of a head, takes statuses such as 99, bare LF and NUL,
and lets both framing headers stand (facts that the tests hold against h11 as the oracle).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, Literal

import attrs

from lockllm_twisted.chunks import ChunkError, Chunks
from lockllm_twisted.wire import Fields, lists

MAX_HEAD: Final = 65536
"""Bytes of one head. Node reads 16 KiB, nginx 4-8 KiB, curl 300 KiB; OpenAI's and Google's heads are under 4 KiB."""

MAX_INTERIM: Final = 16
"""1xx answers before the final one (RFC 9110 §15.2 sets no limit; an endless row of them is an attack)."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([2-5]\d\d|1\d\d)(?: ([^\x00-\x08\x0a-\x1f\x7f]*))?\Z")


class ProtocolError(Exception):
    """The provider's bytes are not an HTTP/1.1 answer that can be framed in exactly one way."""


@attrs.frozen
class Head:
    """A final answer's head. ``length`` is the body's bytes, or ``None`` where only the end will tell.

    ``fields`` are as they came, names in their own case. ``bodiless``: HEAD, 204, 304. ``reusable``: the
    connection may carry another request once the body has ended. ``told_length`` is the Content-Length that came,
    which a HEAD or 304 answer carries without a body.
    """

    version: bytes
    status: int
    phrase: bytes
    fields: Fields
    framing: Literal["none", "length", "chunked", "close"]
    length: int | None
    told_length: int | None
    reusable: bool


class ResponseParser:
    """Feed bytes with `feed`, the end of the connection with `eof`.

    ``on_head(head)`` once, ``on_data(bytes)`` for each piece of body, ``on_end()`` once the body is complete. The
    three may call nothing back here. Both methods raise `ProtocolError`; afterwards the parser is of no more use.
    """

    def __init__(
        self,
        method: bytes,
        on_head: Callable[[Head], object],
        on_data: Callable[[bytes], object],
        on_end: Callable[[], object],
    ) -> None:
        self._method = method
        self._on_head = on_head
        self._on_data = on_data
        self._on_end = on_end
        self._buffer = b""
        # Not bound: a parser that holds its own methods would be left to the garbage collector, request by request.
        self._step: Callable[[ResponseParser, bytes], bytes | None] = ResponseParser._read_head
        self._left = 0
        self._interim = 0
        self._chunks: Chunks | None = None
        self.head: Head | None = None
        self.done = False

    @property
    def leftover(self) -> bool:
        """Bytes came behind the end of the answer: the connection can't be trusted with another request."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes; raises `ProtocolError`."""
        if self._buffer:
            data = self._buffer + data
        rest: bytes | None = data
        while rest and not self.done:
            data = rest
            rest = self._step(self, data)
        self._buffer = data if rest is None else rest

    def eof(self) -> None:
        """The connection ended. Raises `ProtocolError` unless the answer was complete or framed by this very end."""
        if self.done:
            return
        if self.head is not None and self.head.framing == "close":
            self._finish()
            return
        raise ProtocolError("the connection ended inside the answer" if self.head else "no answer came")

    # Each step takes what there is and returns what it left over, or None if it needs more to go on.

    def _read_head(self, data: bytes) -> bytes | None:
        end = data.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            if len(data) > MAX_HEAD:
                raise ProtocolError("the head is too long")
            if not data.startswith(b"HTTP/1."[: len(data)]):
                raise ProtocolError("the answer is not HTTP/1.x")
            return None
        minor, status, phrase, fields = _head_lines(data[:end])
        rest = data[end + 4 :]
        if status < 200:  # noqa: PLR2004
            # RFC 9110 §15.2.2: 101 answers an Upgrade, and none was asked for.
            self._interim += 1
            if status == 101 or self._interim > MAX_INTERIM:  # noqa: PLR2004
                raise ProtocolError("an interim answer that nobody asked for")
            return rest
        self.head = head = _frame(self._method, minor, status, phrase, fields)
        self._on_head(head)
        if head.framing == "none" or head.length == 0:
            self._finish()
        elif head.framing == "chunked":
            self._chunks = Chunks(padded=True)
            self._step = ResponseParser._read_chunks
        elif head.framing == "length":
            self._left = head.length or 0
            self._step = ResponseParser._read_counted
        else:
            self._step = ResponseParser._read_all
        return rest

    def _read_counted(self, data: bytes) -> bytes:
        piece, rest = data[: self._left], data[self._left :]
        self._left -= len(piece)
        self._on_data(piece)
        if not self._left:
            self._finish()
        return rest

    def _read_all(self, data: bytes) -> bytes:
        self._on_data(data)
        return b""

    def _read_chunks(self, data: bytes) -> bytes:
        chunks = self._chunks
        assert chunks is not None
        try:
            pieces = chunks.feed(data)
        except ChunkError as error:
            raise ProtocolError(str(error)) from None
        if pieces:
            self._on_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if chunks.done:
            self._finish()
        return chunks.rest

    def _finish(self) -> None:
        self.done = True
        self._on_end()


def _head_lines(head: bytes) -> tuple[bytes, int, bytes, Fields]:
    first, _, rest = head.partition(b"\r\n")
    status_line = _STATUS.match(first)
    if status_line is None:
        raise ProtocolError("the status line is malformed")
    minor, code, phrase = status_line.groups(default=b"")
    fields = Fields.parse(rest + b"\r\n" if rest else b"")
    if fields is None:
        raise ProtocolError("a header line is malformed")
    return minor, int(code), phrase, fields


def _told_length(values: Sequence[bytes]) -> int:
    """RFC 9110 §8.6: the same number may be said several times."""
    told = values[0]
    if len(values) > 1 or b"," in told:
        several = {length.strip(b" \t") for value in values for length in value.split(b",")}
        told = several.pop() if len(several) == 1 else b""
    if not told.isdigit() or len(told) > 18:  # noqa: PLR2004 # below 2**63
        raise ProtocolError("the Content-Length is not one number")
    return int(told)


def _frame(method: bytes, minor: bytes, status: int, phrase: bytes, fields: Fields) -> Head:
    """RFC 9112 §6.3, stricter: both framing headers, or two lengths, are an error and not a choice."""
    named = fields.named
    codings = named.get(b"transfer-encoding", ())
    told_length = _told_length(named[b"content-length"]) if b"content-length" in named else None
    reusable = minor == b"1" and not lists(named, b"connection", b"close")
    framing: Literal["none", "length", "chunked", "close"]
    length: int | None = None
    if codings and [coding.lower() for coding in codings] != [b"chunked"]:
        raise ProtocolError("the Transfer-Encoding is not exactly chunked")
    if method == b"HEAD" or status in (204, 304):
        framing, length = "none", 0
    elif codings:
        if told_length is not None or minor == b"0":
            raise ProtocolError("the Transfer-Encoding stands beside a Content-Length, or in HTTP/1.0")
        framing = "chunked"
    elif told_length is not None:
        framing, length = "length", told_length
    else:
        framing, reusable = "close", False
    return Head(b"HTTP/1." + minor, status, phrase, fields, framing, length, told_length, reusable)
