"""A scripted provider for the bench: raw bytes, no HTTP library, so that it costs as little as can be.

Responsible for: a chat completion of about 1 KB with the headers that api.openai.com sends; streams; 1 GB.
Must never: be what is measured.

The field ``user`` of a streamed request says what kind of stream is wanted: ``bench-once`` ends after one chunk,
``bench-idle`` stays open after one chunk, anything else gets a chunk every `EVERY` seconds until the client leaves. Each
chunk holds the moment of its writing, in nanoseconds of the clock that all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

EVERY = 0.04
BIG = 1 << 30

_HEADERS = (
    b"Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
    b"access-control-expose-headers: X-Request-ID\r\n"
    b"openai-organization: user-0123456789abcdefghijklmn\r\n"
    b"openai-processing-ms: 412\r\n"
    b"openai-version: 2020-10-01\r\n"
    b"x-envoy-upstream-service-time: 431\r\n"
    b"x-ratelimit-limit-requests: 10000\r\n"
    b"x-ratelimit-limit-tokens: 200000\r\n"
    b"x-ratelimit-remaining-requests: 9999\r\n"
    b"x-ratelimit-remaining-tokens: 199870\r\n"
    b"x-ratelimit-reset-requests: 8.64s\r\n"
    b"x-ratelimit-reset-tokens: 39ms\r\n"
    b"x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
    b"strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    b"cf-cache-status: DYNAMIC\r\n"
    b"set-cookie: __cf_bm=0123456789abcdef; path=/; HttpOnly; Secure; SameSite=None\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"server: cloudflare\r\n"
    b"cf-ray: 0123456789abcdef-FRA\r\n"
)
_ANSWER = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1795435200,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "The harbour wakes before the town does. " * 15},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 135, "total_tokens": 255},
        "system_fingerprint": "fp_0123456789",
    }
).encode()
_WHOLE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(_ANSWER)
    + _HEADERS
    + b"\r\n"
    + _ANSWER
)
_STREAM = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"
    + _HEADERS
    + b"\r\n"
)
_BIG_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % BIG
_BLOCK = bytes(range(256)) * 256
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAMED = re.compile(rb'"stream": ?true')


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _event() -> bytes:
    return _chunk(
        b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1795435200,"model":"gpt-4o-mini",'
        b'"choices":[{"index":0,"delta":{"content":"t=%d;"},"logprobs":null,"finish_reason":null}]}\n\n'
        % time.monotonic_ns()
    )


_END = _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Upstream(asyncio.Protocol):
    """One connection: requests one after the other, each answered when its body is complete."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""
        self._timer: asyncio.TimerHandle | None = None
        self._left = 0
        self._paused = False

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, blank, body = self._buffer.partition(b"\r\n\r\n")
        found = _LENGTH.search(head)
        if blank and len(body) >= (int(found[1]) if found else 0):
            self._buffer = b""
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, target: bytes, body: bytes) -> None:
        if b"/files/" in target:
            self._left = BIG
            self._transport.write(_BIG_HEAD)
            self._more()
        elif _STREAMED.search(body) is None:
            self._transport.write(_WHOLE)
        elif b"bench-once" in body:
            self._transport.write(_STREAM + _event() + _END)
        elif b"bench-idle" in body:
            self._transport.write(_STREAM + _event())
        else:
            self._transport.write(_STREAM)
            self._tick(asyncio.get_running_loop().time())

    def _tick(self, due: float) -> None:
        self._transport.write(_event())
        self._timer = asyncio.get_running_loop().call_at(due + EVERY, self._tick, due + EVERY)

    def _more(self) -> None:
        while self._left and not self._paused:
            block = _BLOCK[: self._left]
            self._left -= len(block)
            self._transport.write(block)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._more()

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = 0
        if self._timer is not None:
            self._timer.cancel()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
