"""What is measured, of one row at a time.

Responsible for: the meaning of each figure; times in microseconds, memory in the unit that a name says.
Must never: mix figures of different runs.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time

from client import Load, Streams, chats, head
from servers import Row, Running
from upstream import BIG

CONNECTIONS = 64
STREAMS = 50
MIB = 1 << 20

Figures = dict[str, float]

_CHAT = "/v1/chat/completions"
_ANSWER = b"The harbour wakes"


async def warm(row: Row, at: Running) -> Figures:
    """Let everything be imported and connected that the first requests need: LiteLLM takes seconds."""
    for stream, expected in ((None, _ANSWER), ("bench-once", b"t=")):
        async with Load(at.port, chats(row.prefix + _CHAT, at.headers, stream=stream), 4, expected) as load:
            await load.until(100)
    return {}


async def cpu(row: Row, at: Running, seconds: float) -> Figures:
    """A small chat completion over busy keep-alive connections: the proxy's CPU for each."""
    source = chats(row.prefix + _CHAT, at.headers, repeat=row.repeat)
    async with Load(at.port, source, CONNECTIONS, _ANSWER) as load:
        await load.until(CONNECTIONS)
        await load.during(seconds / 6)
        spent, count, began = at.cpu(), len(load.seconds), time.perf_counter()
        await load.during(seconds)
        await load.until(count + 2 * CONNECTIONS)
        spent, count, began = at.cpu() - spent, len(load.seconds) - count, time.perf_counter() - began
    return {"cpu_us_per_request": spent / count * 1e6, "requests_per_second": count / began}


async def latency(row: Row, at: Running, seconds: float) -> Figures:
    """One request at a time: whole answers, then the first chunk of a stream."""
    figures: Figures = {}
    for name, stream, expected in (("answer", None, _ANSWER), ("first_chunk", "bench-once", b"t=")):
        source = chats(row.prefix + _CHAT, at.headers, stream=stream, repeat=row.repeat)
        async with Load(at.port, source, 1, expected) as load:
            await load.during(seconds / 6)
            load.seconds.clear()
            await load.during(seconds / 2)
        steps = statistics.quantiles(load.seconds, n=100)
        figures |= {f"{name}_us_p50": steps[49] * 1e6, f"{name}_us_p99": steps[98] * 1e6}
    return figures


async def sse(row: Row, at: Running, seconds: float) -> Figures:
    """Streams with a chunk every 40 ms: CPU for each chunk, and how long after its writing it is read."""
    source = chats(row.prefix + _CHAT, at.headers, stream="bench-every")
    async with Streams(at.port, source, STREAMS) as streams:
        await streams.during(seconds / 6)
        streams.delays.clear()
        spent = at.cpu()
        await streams.during(seconds)
        spent = at.cpu() - spent
        steps = statistics.quantiles(streams.delays, n=100)
    return {
        "cpu_us_per_chunk": spent / len(streams.delays) * 1e6,
        "chunk_us_p50": steps[49] * 1e6,
        "chunk_us_p99": steps[98] * 1e6,
    }


async def memory(row: Row, at: Running, seconds: float) -> Figures:
    """A fresh process: its size after some requests, with idle streams, and while a slow reader takes 1 GB."""
    await warm(row, at)
    async with Load(at.port, chats(row.prefix + _CHAT, at.headers), CONNECTIONS, _ANSWER) as load:
        await load.during(seconds / 2)
    await asyncio.sleep(1)
    idle = at.memory()
    async with Streams(at.port, chats(row.prefix + _CHAT, at.headers, stream="bench-idle"), row.streams) as streams:
        await streams.during(1)
        grown = at.memory() - idle
    figures = {"idle_mib": idle / MIB, "kib_per_stream": grown / row.streams / 1024}
    if row.files:
        await asyncio.sleep(1)
        figures["slow_reader_mib"] = _slow_reader(row, at) / MIB
    return figures


def _slow_reader(row: Row, at: Running) -> int:
    """Bytes by which the process grows at most: the reader waits for two seconds, then takes 50 MB a second."""
    before = most = at.memory()
    with socket.create_connection(("127.0.0.1", at.port), 60) as reader:
        reader.sendall(head("GET", f"{row.prefix}/v1/bench/files/1", at.headers))
        time.sleep(2)
        began, got, start = time.perf_counter(), 0, b""
        while data := reader.recv(MIB):
            got, start = got + len(data), start or data[:300]
            if got >= BIG:
                break
            most = max(most, at.memory())
            time.sleep(max(0.0, began + got / 50e6 - time.perf_counter()))
    if got < BIG:
        raise RuntimeError(f"the answer ended after {got} bytes: {start!r}")
    return most - before
