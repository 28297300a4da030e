"""Promise: a request's head is read as h11 reads it, or refused; what h11 refuses is never let in."""

from __future__ import annotations

import contextlib

import h11
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.head import MAX_HEAD, RequestHead, parse_head
from tests.properties.test_parser import HEADERS, TOKEN

METHOD = st.sampled_from([b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"QUERY"])
TARGET = st.binary(max_size=30).map(lambda raw: b"/" + bytes(code for code in raw if 0x21 <= code <= 0x7E))
FRAMING = st.sampled_from([(), ((b"Content-Length", b"5"),), ((b"transfer-encoding", b"CHUNKED"),)])


@st.composite
def heads(draw: st.DrawFn) -> bytes:
    fields = [(b"Host", b"x.test"), *draw(HEADERS), *draw(FRAMING)]
    fields = [pair for place, pair in enumerate(fields) if place == 0 or pair[0].lower() != b"host"]
    lines = [draw(METHOD) + b" " + draw(TARGET) + b" HTTP/1.1", *(name + b": " + value for name, value in fields)]
    return b"\r\n".join(lines)


def by_h11(head: bytes) -> tuple[h11.Request, list[type]]:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=2 * MAX_HEAD)
    connection.receive_data(head + b"\r\n\r\n")
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    return request, [type(connection.next_event())]


def same(head: RequestHead, request: h11.Request) -> bool:
    return (head.method, head.target) == (bytes(request.method), bytes(request.target)) and [
        (name.lower(), value) for name, value in head.fields.pairs if name.lower() != b"transfer-encoding"
    ] == [
        (bytes(name), bytes(value)) for name, value in request.headers if name != b"transfer-encoding"
    ]  # h11 lower-cases the value of this one


@given(heads())
def test_a_head_is_read_as_h11_reads_it(raw: bytes) -> None:
    head = parse_head(raw)
    request, following = by_h11(raw)
    assert same(head, request)
    assert (head.length == 0) is (following == [h11.EndOfMessage])


@given(heads(), st.data())
def test_what_h11_refuses_is_refused(raw: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(raw) - 1))
    raw = raw[:place] + data.draw(st.binary(min_size=1, max_size=3)) + raw[place + 1 :]
    try:
        head = parse_head(raw)
    except BadRequest:
        return
    if b"\r\n\r\n" in raw + b"\r\n\r"[:3]:
        return  # the site would have ended the head there
    request, _ = by_h11(raw)
    assert same(head, request)


@given(TOKEN, st.binary(max_size=60))
def test_any_bytes_are_a_head_or_an_error(token: bytes, junk: bytes) -> None:
    with contextlib.suppress(BadRequest):
        assert parse_head(token + b" /" + junk).target.startswith(b"/")
