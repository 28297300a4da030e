"""A scripted provider: it answers exactly the bytes it was told to, and remembers exactly the bytes it was sent.

Responsible for: one HTTP/1.1 server on loopback, in a thread of its own.
Must never: share code with the proxy under test, nor decide anything: an `Answer` is bytes, not behaviour.

A stepped answer keeps a hand on every piece: piece *n* leaves only after the test has called `Upstream.step` for the
*n*-th time. A test that steps once for each event that its SDK shows it proves that nothing on the way holds events
back, without a clock.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from http import HTTPStatus
from typing import Any, Literal, TypeVar

import attrs

PATIENCE = 15.0
"""Seconds after which a wait counts as failed: no wait of a passing run comes near it."""

Headers = tuple[tuple[str, str], ...]
T = TypeVar("T")


@attrs.frozen
class Request:
    """One request as it came: ``headers`` in order, names lower-cased, values untouched; ``body`` without its framing."""

    method: str
    target: str
    headers: Headers
    body: bytes
    raw_head: bytes = attrs.field(repr=False)

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name.lower()]


@attrs.frozen
class Answer:
    """What to send: ``pieces`` are written one by one. ``cut`` closes the connection before the framing says the end."""

    status: int = 200
    headers: Headers = ()
    pieces: tuple[bytes, ...] = ()
    framing: Literal["length", "chunked"] = "length"
    stepped: bool = False
    cut: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase if self.status != 529 else 'Overloaded'}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        else:
            lines.append(f"Content-Length: {len(self.body) + (1 if self.cut else 0)}")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"

    def framed(self, piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if self.framing == "chunked" else piece


class Upstream:
    """The server. Its methods are called from the test's thread; everything behind them runs in the loop's thread."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.port = 0
        self._answer: Answer | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="upstream", daemon=True)
        self._steps = 0
        self._left = 0
        self._changed = asyncio.Condition()
        self._connections: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []

    def start(self) -> None:
        self._thread.start()
        self.port = self.listen(self._converse)

    def listen(self, converse: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> int:
        """Serve ``converse`` on a free port of loopback, and return the port."""

        async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            if task is not None:
                self._connections.add(task)
                task.add_done_callback(self._connections.discard)
            try:
                await converse(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                writer.transport.abort()
            finally:
                writer.close()

        server = self._run(asyncio.start_server(one, "127.0.0.1", 0, limit=1 << 20))
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

        self._run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def answer(self, answer: Answer) -> None:
        """Give this answer to every request from now on, and forget what was seen before."""

        async def change() -> None:
            self._answer, self._steps, self._left = answer, 0, 0
            self.requests.clear()
            self.problems.clear()

        self._run(change())

    def step(self) -> None:
        """Let one more piece of the stepped answer go, on every connection that waits for it."""

        async def change() -> None:
            async with self._changed:
                self._steps += 1
                self._changed.notify_all()

        self._run(change())

    def wait_until_left(self) -> bool:
        """Whether the client of a stepped answer closed its connection while we had more to send."""

        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: self._left > 0)

        try:
            self._run(asyncio.wait_for(wait(), PATIENCE))
        except TimeoutError:
            return False
        return True

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(PATIENCE * 2)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (request := await _read_request(reader)) is not None:
            self.requests.append(request)
            if self._answer is None:
                self.problems.append(f"nobody expected {request.method} {request.target}")
                return
            if not await self._send(self._answer, reader, writer):
                return

    async def _send(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer.head())
        await writer.drain()
        for number, piece in enumerate(answer.pieces, start=1):
            if answer.stepped and not await self._allowed(number, reader):
                return False
            writer.write(answer.framed(piece))
            await writer.drain()
        if not answer.cut and answer.framing == "chunked":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        return not answer.cut

    async def _allowed(self, number: int, reader: asyncio.StreamReader) -> bool:
        """Wait for the step of piece ``number``; False where the client leaves or the step never comes."""

        async def stepped() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: self._steps >= number)

        go, leave = asyncio.ensure_future(stepped()), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({go, leave}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
            if leave.done():
                async with self._changed:
                    self._left += 1
                    self._changed.notify_all()
            elif not go.done():
                self.problems.append(f"piece {number} was never asked for: piece {number - 1} did not reach the client")
            return go.done() and not leave.done()
        finally:
            for task in (go, leave):
                task.cancel()
            await asyncio.gather(go, leave, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, _version = start.split(" ")
    headers = tuple((name.lower(), value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines))
    fields = dict(headers)
    if "transfer-encoding" in fields:
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    return Request(method=method, target=target, headers=headers, body=body, raw_head=head)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
