"""The load: HTTP/1.1 connections in raw bytes, so that the client is never what limits.

Responsible for: requests as the OpenAI SDK sends them, closed loops over them, streams, and checking every answer.
Must never: count a request whose answer was not the provider's.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable
from itertools import count
from typing import Self

_SDK_HEADERS = (
    b"Accept: application/json\r\n"
    b"Accept-Encoding: identity\r\n"  # the SDK says gzip; LiteLLM would compress, and the check below could not read it
    b"Connection: keep-alive\r\n"
    b"Content-Type: application/json\r\n"
    b"User-Agent: OpenAI/Python 3.54.0\r\n"
    b"X-Stainless-Arch: x64\r\n"
    b"X-Stainless-Async: false\r\n"
    b"X-Stainless-Lang: python\r\n"
    b"X-Stainless-OS: Linux\r\n"
    b"X-Stainless-Package-Version: 3.54.0\r\n"
    b"X-Stainless-Runtime: CPython\r\n"
    b"X-Stainless-Runtime-Version: 3.11.7\r\n"
    b"X-Stainless-Retry-Count: 0\r\n"
)
_SYSTEM = (
    "You are the assistant of a travel agency. Answer in two or three plain sentences, name the sources that you used, "
    "and say so when you do not know. Prices are in euros, times in the local time of the place that is talked about."
)
_TEXT = """\
We arrive by the night train and would like to leave our bags somewhere near the station.
My parents walk slowly, so nothing that needs more than twenty minutes on foot.
Is the old harbour still open on Sunday mornings in November?
The children want to see the castle, and I want a quiet coffee afterwards.
Last year the ferry to the island was cancelled because of the wind.
How much is a day ticket for the trams, and does it cover the bus to the airport?
I read that the fish market closes at noon, but a friend told me two o'clock.
Please suggest a restaurant where a table for six can be had without booking weeks ahead.
We have been to the big museum twice, so something smaller would be nice.
Would you rather take the road along the lake or the one over the mountain?
It has been raining since Tuesday and our shoes are wet.
Can we swim anywhere in the town without joining a club?
The hotel says breakfast ends at half past nine, which is too early for us.
I need a present for my sister, who collects postcards and old maps.
What do people here usually eat on a cold evening?
Our flight home leaves at six, so we should be at the airport by four.
There is a concert in the church on Friday, but I could not find the price.
Does the bridge open for ships at fixed times, or only when one comes?
A bicycle for three days would be enough, with a seat for a small child.
We would pay a little more for a room that looks over the river.
Is it true that the shops close for two hours after lunch?
My cousin lives in the next village and can pick us up in the evening.
Tell me briefly what there is to know about the village on the other shore.
If the weather turns, we could spend the afternoon in the botanical garden.
"""
_SENTENCES = _TEXT.splitlines()
_NUMBERS = count(1)
_CHANCE = random.Random(1)
"""One for the whole run: a text that comes again in a later round would be answered from the verdict cache."""

_TIMES = re.compile(rb"t=(\d+);")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def head(method: str, path: str, headers: bytes, length: int | None = None) -> bytes:
    """A request's head as an SDK sends it. ``headers``: lines with the credentials."""
    framing = b"" if length is None else b"Content-Length: %d\r\n" % length
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n".encode() + _SDK_HEADERS + headers + framing + b"\r\n"


def chats(path: str, headers: bytes, *, stream: str | None = None, repeat: bool = False) -> Callable[[], bytes]:
    """A source of chat completion requests, each with a new user text, or all with one. ``stream``: see `upstream`."""

    def request() -> bytes:
        text = f"Question {next(_NUMBERS)}: " + " ".join(_CHANCE.sample(_SENTENCES, k=4))
        body: dict[str, object] = {
            "model": "gpt-4o-mini",
            "messages": [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": text}],
            "temperature": 0.2,
        }
        if stream is not None:
            body |= {"stream": True, "user": stream}
        data = json.dumps(body).encode()
        return head("POST", path, headers, len(data)) + data

    if repeat:
        fixed = request()
        return lambda: fixed
    return request


def _complete(answer: bytes) -> bool:
    start, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    length = _LENGTH.search(start)
    return len(body) >= int(length[1]) if length else body.endswith(b"\r\n0\r\n\r\n")


class _Connection(asyncio.Protocol):
    """One keep-alive connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.answer = b""
        self.first: float | None = None
        request = self._load.source()
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if _complete(self.answer):
            self._load.answered(self, time.perf_counter() - self.sent)

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)


class Load:
    """A closed loop over ``connections``: each asks again as soon as it has its answer.

    ``seconds`` holds how long each answer took. For the time to the first chunk, ask for streams of one chunk.
    """

    def __init__(self, port: int, source: Callable[[], bytes], connections: int, expected: bytes) -> None:
        self.source = source
        self.seconds: list[float] = []
        self._port = port
        self._count = connections
        self._expected = expected
        self._protocols: list[_Connection] = []
        self.problem: asyncio.Future[None]
        self._running = False

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self.problem = loop.create_future()
        self._running = True
        for _ in range(self._count):
            _, protocol = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            self._protocols.append(protocol)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running = False
        for protocol in self._protocols:
            protocol.transport.abort()
        if self.problem.done():
            self.problem.exception()

    def answered(self, connection: _Connection, seconds: float) -> None:
        if not self._running:
            return
        if connection.answer[9:12] != b"200" or self._expected not in connection.answer:
            self._fail(f"an answer is not the provider's: {connection.answer[:400]!r}")
            return
        self.seconds.append(seconds)
        connection.ask()

    def lost(self, connection: _Connection) -> None:
        if self._running:
            self._fail(f"a connection was closed: {connection.answer[:400]!r}")

    async def during(self, seconds: float) -> None:
        """Let it run. Raises `RuntimeError` if it went wrong."""
        await asyncio.wait([self.problem], timeout=seconds)
        if self.problem.done():
            await self.problem

    async def until(self, count: int) -> None:
        """Let it run until there are so many answers, for 30 seconds at most."""
        for _ in range(300):
            if len(self.seconds) >= count:
                return
            await self.during(0.1)
        raise RuntimeError(f"only {len(self.seconds)} of {count} answers within 30 s")

    def _fail(self, message: str) -> None:
        self._running = False
        if not self.problem.done():
            self.problem.set_exception(RuntimeError(message))


class _Stream(asyncio.Protocol):
    def __init__(self, streams: Streams, request: bytes) -> None:
        self._streams = streams
        self._request = request
        self._status = b""
        self.begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._status:
            self._status = data[9:12]
        now = time.monotonic_ns()
        for moment in _TIMES.findall(data):
            self.begun = self._status == b"200"
            self._streams.delays.append((now - int(moment)) / 1e9)

    def connection_lost(self, exc: Exception | None) -> None:
        self.begun = False


class Streams:
    """Open streams. ``delays``: of each chunk, from the provider's writing to our reading, in seconds."""

    def __init__(self, port: int, source: Callable[[], bytes], count: int) -> None:
        self.delays: list[float] = []
        self._port = port
        self._source = source
        self._count = count
        self._open: list[_Stream] = []

    async def __aenter__(self) -> Self:
        """Open them all, and wait until each has had its first chunk."""
        loop = asyncio.get_running_loop()
        for number in range(self._count):
            _, stream = await loop.create_connection(lambda: _Stream(self, self._source()), "127.0.0.1", self._port)
            self._open.append(stream)
            await asyncio.sleep(0.01 if number % 10 == 0 else 0.001)  # no two in step, no queue of connections
        for _ in range(300):
            if all(stream.begun for stream in self._open):
                return self
            await asyncio.sleep(0.1)
        await self.__aexit__()
        raise RuntimeError(f"{sum(not stream.begun for stream in self._open)} of {self._count} streams did not begin")

    async def __aexit__(self, *_: object) -> None:
        for stream in self._open:
            stream.transport.abort()

    async def during(self, seconds: float) -> None:
        """Let them run. Raises `RuntimeError` if one ended."""
        await asyncio.sleep(seconds)
        if not all(stream.begun for stream in self._open):
            raise RuntimeError("a stream ended")
