"""A wire tap in front of the service: it carries every byte, in both directions, and remembers them.

Responsible for: what really went over the client's side of the wire: how many requests, which bytes came back.
Must never: change, delay or frame anything. What it recorded is read afterwards, with h11.
"""

from __future__ import annotations

import asyncio

import attrs
import h11

from .upstream import Headers, Request, Upstream


@attrs.frozen
class Response:
    """One response as the client got it; ``complete``: its framing came to its end."""

    status: int
    reason: str
    headers: Headers
    body: bytes
    complete: bool

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]


@attrs.define
class _Recording:
    sent: bytearray = attrs.field(factory=bytearray)
    got: bytearray = attrs.field(factory=bytearray)


class Tap:
    """Listens on a port of its own and carries everything to ``target``."""

    def __init__(self, upstream: Upstream, target: int) -> None:
        self._target = target
        self._recordings: list[_Recording] = []
        self.port = upstream.listen(self._carry)

    def forget(self) -> None:
        """Forget all bytes so far; connections that are still open go on being recorded."""
        for recording in self._recordings:
            recording.sent.clear()
            recording.got.clear()

    def requests(self) -> list[Request]:
        return [request for recording in self._recordings for request in _requests(bytes(recording.sent))]

    def responses(self) -> list[Response]:
        return [
            response
            for recording in self._recordings
            for response in _responses(bytes(recording.got), _requests(bytes(recording.sent)))
        ]

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recording = _Recording()
        self._recordings.append(recording)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", self._target)
        try:
            await asyncio.gather(
                _pipe(reader, back_writer, recording.sent),
                _pipe(back_reader, writer, recording.got),
            )
        finally:
            back_writer.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, record: bytearray) -> None:
    while data := await reader.read(1 << 16):
        record += data
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _requests(data: bytes) -> list[Request]:
    found = []
    while data:
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        parser.receive_data(data)
        head = parser.next_event()
        if not isinstance(head, h11.Request):
            break
        # A request that is answered before its body is here (401, 413) counts as well.
        body, complete = _body(parser)
        found.append(
            Request(
                method=head.method.decode("ascii"),
                target=head.target.decode("ascii"),
                headers=_headers(head),
                body=body,
                raw_head=data[: data.index(b"\r\n\r\n") + 4],
            )
        )
        data = parser.trailing_data[0] if complete else b""
    return found


def _responses(data: bytes, requests: list[Request]) -> list[Response]:
    found = []
    for request in requests:
        if not data:
            break
        parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
        parser.send(h11.Request(method=request.method, target="/", headers=[("Host", "tap")]))
        parser.send(h11.EndOfMessage())
        parser.receive_data(data)
        head = parser.next_event()
        if not isinstance(head, h11.Response):
            break
        body, complete = _body(parser)
        found.append(Response(head.status_code, bytes(head.reason).decode("latin-1"), _headers(head), body, complete))
        data = parser.trailing_data[0]
    return found


def _body(parser: h11.Connection) -> tuple[bytes, bool]:
    body = b""
    while isinstance(event := parser.next_event(), h11.Data):
        body += event.data
    return body, isinstance(event, h11.EndOfMessage)


def _headers(head: h11.Request | h11.Response) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers)
