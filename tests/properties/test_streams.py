"""Promise: a stream is not held back. Every piece of an answer leaves when it arrives, byte for byte, in every format that
providers stream in.
"""

from __future__ import annotations

import itertools
import json
import struct
import zlib
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tests.memory import Stage, chat, heard, request

PLAIN = chat("What is the capital of France?")
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def sse(text: str) -> bytes:
    return b"data: " + json.dumps({"delta": text}).encode() + b"\n\n"


def named(text: str) -> bytes:
    return b"event: content_block_delta\ndata: " + json.dumps({"delta": text}, ensure_ascii=False).encode() + b"\n\n"


def comment(text: str) -> bytes:
    return b": " + text.encode().replace(b"\n", b" ").replace(b"\r", b" ") + b"\n\n"


def odd_sse(text: str) -> bytes:
    return b"id: 1\r\nretry: 10\r\ndata:" + json.dumps(text).encode() + b"\r\ndata\r\n\r\n"


def ndjson(text: str) -> bytes:
    return json.dumps({"response": text, "done": False}).encode() + b"\n"


def array(text: str) -> bytes:
    return b",\r\n" + json.dumps({"candidates": [text]}).encode()


def aws_event(text: str) -> bytes:
    """An AWS event stream message: two lengths, their CRC, one header, the payload, the CRC of it all."""
    name, kind = b":event-type", b"contentBlockDelta"
    headers = bytes([len(name)]) + name + b"\x07" + struct.pack(">H", len(kind)) + kind
    payload = json.dumps({"delta": {"text": text}}).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    head = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return head + struct.pack(">I", zlib.crc32(head))


FORMATS: dict[str, tuple[bytes, list[Callable[[str], bytes]]]] = {
    "server-sent events": (b"text/event-stream; charset=utf-8", [sse, comment]),
    "named events": (b"text/event-stream", [named, comment, odd_sse]),
    "lines of JSON": (b"application/x-ndjson", [ndjson]),
    "Cohere's lines": (b"application/stream+json", [ndjson]),
    "a JSON array": (b"application/json; charset=UTF-8", [array]),
    "AWS events": (b"application/vnd.amazon.eventstream", [aws_event]),
    "no type": (b"", [sse, aws_event]),
}


@given(st.data(), st.sampled_from(sorted(FORMATS)), st.booleans(), st.lists(WORD, min_size=1, max_size=6))
def test_every_piece_leaves_when_it_arrives(
    stage: Stage, data: st.DataObject, form: str, in_chunks: bool, words: list[str]
) -> None:
    stage.clear()
    kind, makers = FORMATS[form]
    events = [data.draw(st.sampled_from(makers))(word) for word in words]
    client = stage.connect()
    client.feed(request(body=PLAIN))
    provider = stage.accept()
    head = [b"HTTP/1.1 200 OK", *([b"Content-Type: " + kind] if kind else [])]
    whole = b"".join(events)
    head.append(b"Transfer-Encoding: chunked" if in_chunks else b"Content-Length: %d" % len(whole))
    provider.feed(b"\r\n".join([*head, b"", b""]))
    assert client.written.endswith(b"\r\n\r\n"), "the head does not wait for the body"

    # Segments as a network makes them: they need not end where an event does.
    cuts = sorted(data.draw(st.sets(st.integers(1, max(1, len(whole) - 1)), max_size=4)))
    came = b""
    for start, end in itertools.pairwise([0, *(cut for cut in cuts if cut < len(whole)), len(whole)]):
        piece = whole[start:end]
        before = len(client.written)
        provider.feed(b"%x\r\n%b\r\n" % (len(piece), piece) if in_chunks else piece)
        came += piece
        assert piece in client.written[before:], "a piece is held back or changed"
        assert heard(client)[1] == came
    if in_chunks:
        assert not heard(client)[2], "the end is told only when it comes"
        provider.feed(b"0\r\n\r\n")
    response, body, complete = heard(client)
    assert complete
    assert body == whole
    assert [bytes(value) for name, value in response.headers if name == b"content-type"] == ([kind] if kind else [])


@given(st.sampled_from(sorted(FORMATS)), st.lists(WORD, min_size=1, max_size=3), st.booleans())
def test_a_stream_that_breaks_off_is_not_ended(stage: Stage, form: str, words: list[str], in_chunks: bool) -> None:
    stage.clear()
    kind, makers = FORMATS[form]
    whole = b"".join(makers[0](word) for word in words)
    client = stage.connect()
    client.feed(request(body=PLAIN))
    provider = stage.accept()
    framing = b"Transfer-Encoding: chunked" if in_chunks else b"Content-Length: %d" % (len(whole) + 1)
    provider.feed(b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n%b\r\n\r\n" % (kind, framing))
    provider.feed(b"%x\r\n%b\r\n" % (len(whole), whole) if in_chunks else whole)
    provider.leave()
    _, body, complete = heard(client)
    assert (body, complete) == (whole, False)
    assert client.closed is not None
