"""Streams in every format that providers use, read without an SDK: each piece arrives before the next is sent."""

from __future__ import annotations

import http.client
import json
import struct
import zlib
from typing import Any

import pytest

from . import answers, vendors
from .lab import QUESTION, Lab
from .upstream import PATIENCE, Answer, Headers

CHAT = {"model": "example", "messages": [{"role": "user", "content": QUESTION}], "stream": True}
CONTENTS = {"contents": [{"parts": [{"text": QUESTION}]}]}


def _stream(kind: str, *pieces: bytes, more: Headers = ()) -> Answer:
    return Answer(headers=(("Content-Type", kind), *more), framing="chunked", pieces=pieces)


def _frame(text: str) -> bytes:
    """One message of ``vnd.amazon.eventstream``: lengths, their CRC, headers, payload, the CRC of all of it."""
    payload = json.dumps({"p": text}).encode()
    headers = b"".join(
        struct.pack("!B", len(name)) + name + b"\x07" + struct.pack("!H", len(value)) + value
        for name, value in ((b":event-type", b"contentBlockDelta"), (b":message-type", b"event"))
    )
    prelude = struct.pack("!II", len(headers) + len(payload) + 16, len(headers))
    message = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack("!I", zlib.crc32(message))


SSE = "text/event-stream"
FORMATS: dict[str, tuple[str, dict[str, Any], Answer]] = {
    "events without names": ("openai/chat/completions", CHAT, answers.CHAT_STREAM),
    "named events": ("anthropic/v1/messages", {**CHAT, "max_tokens": 64}, answers.MESSAGE_STREAM),
    "comments while the model thinks": (
        "openrouter/chat/completions",
        CHAT,
        _stream(
            SSE,
            b": OPENROUTER PROCESSING\n\n",
            b": OPENROUTER PROCESSING\n\n",
            b'data: {"a":1}\n\n',
            b"data: [DONE]\n\n",
        ),
    ),
    "CRLF": ("gemini/v1beta/models/m:streamGenerateContent?alt=sse", CONTENTS, answers.GENERATED_STREAM),
    "CR, and fields of every kind": (
        "house/chat/completions",
        CHAT,
        _stream(SSE, b"\xef\xbb\xbfretry: 10\r\r", b"id: 7\revent: x\rdata: a\rdata: b\r\r", b"data\r\r", b":\r\r"),
    ),
    "no space after the colon": ("huggingface/hf-inference/models/o/m", {"inputs": QUESTION}, vendors.TOKEN_STREAM),
    "a JSON array": (
        "gemini/v1beta/models/m:streamGenerateContent",
        CONTENTS,
        _stream(
            "application/json; charset=UTF-8", b'[{"candidates": []\n}\n', b",\r\n", b'{"candidates": [1]\n}\n', b"]\n"
        ),
    ),
    "NDJSON of Ollama": ("ollama/api/chat", CHAT, vendors.OLLAMA_STREAM),
    "NDJSON of Cohere": ("cohere/v1/chat", {"message": QUESTION, "stream": True}, vendors.COHERE_V1_STREAM),
    "frames with checksums": (
        "house/model/m/converse-stream",
        CHAT,
        _stream("application/vnd.amazon.eventstream", *map(_frame, ("Par", "is", "."))),
    ),
    "byte by byte, through the middle of a letter": (
        "openai/chat/completions",
        CHAT,
        _stream(SSE, *(bytes((byte,)) for byte in 'data: "🗼é"\n\n'.encode())),
    ),
    "packed": ("openai/chat/completions", CHAT, answers.gzipped(answers.CHAT_STREAM)),
    "of a length known before": (
        "openai/chat/completions",
        CHAT,
        Answer(headers=(("Content-Type", SSE),), pieces=(b"data: 1\n\n", b"data: 2\n\n", b"data: [DONE]\n\n")),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_each_piece_arrives_as_it_was_before_the_next_is_sent(lab: Lab, name: str) -> None:
    path, body, answer = FORMATS[name]
    place = lab.proxied(path.partition("/")[0])
    lab.script(answers.stepped(answer))
    connection = http.client.HTTPConnection("127.0.0.1", lab.tap.port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {place.key}", "Content-Type": "application/json", **place.headers}
    connection.request("POST", f"/v1/proxy/{path}", json.dumps(body), headers)
    response = connection.getresponse()
    assert response.status == 200
    received = b""
    for count, piece in enumerate(answer.pieces, start=1):
        lab.upstream.step()
        while len(received) < len(b"".join(answer.pieces[:count])) and (more := response.read1()):
            received += more
        assert received.endswith(piece)
    assert response.read() == b""
    connection.close()
    assert received == answer.body
    for name_, value in answer.headers:
        assert value in (response.headers.get_all(name_) or ())
