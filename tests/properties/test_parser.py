"""Promise: an answer is read as h11 reads it, in any segmentation; what h11 refuses is never taken for whole."""

from __future__ import annotations

import itertools

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.upstream.parser import MAX_HEAD, MAX_INTERIM, Head, ProtocolError, ResponseParser

TOKEN = st.from_regex(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True)
FRAMING_NAMES = {b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"trailer"}
NAME = TOKEN.filter(lambda name: name.lower() not in FRAMING_NAMES)
VISIBLE = st.sampled_from([bytes([code]) for code in [*range(0x21, 0x7F), *range(0x80, 0x100)]])
VALUE = st.lists(st.one_of(VISIBLE, VISIBLE, st.just(b" "), st.just(b"\t")), max_size=30).map(b"".join).map(bytes.strip)
HEADERS = st.lists(st.tuples(NAME, VALUE), max_size=8)
STATUS = st.integers(200, 599)
FRAMING = st.sampled_from(["length", "chunked", "close"])
CUTS = st.lists(st.integers(0, 400), max_size=12)


def chunked(body: bytes, sizes: list[int]) -> bytes:
    out, rest = [], body
    for size in sizes:
        piece, rest = rest[:size], rest[size:]
        if piece:
            out.append(b"%x\r\n%b\r\n" % (len(piece), piece))
    if rest:
        out.append(b"%X;ext=1\r\n%b\r\n" % (len(rest), rest))
    return b"".join(out) + b"0\r\n\r\n"


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, bytes, bytes]:
    """Framing, the answer's bytes, its body."""
    framing, status, headers, body = draw(FRAMING), draw(STATUS), draw(HEADERS), draw(st.binary(max_size=300))
    if status in (204, 304):
        body = b""
    lines = [b"HTTP/1.1 %d %s" % (status, draw(st.sampled_from([b"OK", b"", b"Odd \xe9 phrase"])))]
    lines += [name + b": " + value for name, value in headers]
    payload = body
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == "chunked":
        lines.append(b"transfer-encoding: Chunked")
        payload = chunked(body, draw(st.lists(st.integers(1, 60), max_size=6)))
    if status in (204, 304):
        payload = b""
    return framing, b"\r\n".join([*lines, b"", b""]) + payload, body


class Heard:
    """What a parser said."""

    def __init__(self, method: bytes = b"GET") -> None:
        self.head: Head | None = None
        self.body = b""
        self.ended = False
        self.parser = ResponseParser(method, self._on_head, self._on_data, self._on_end)

    def _on_head(self, head: Head) -> None:
        self.head = head

    def _on_data(self, data: bytes) -> None:
        self.body += data

    def _on_end(self) -> None:
        self.ended = True


def segments(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def by_h11(data: bytes, method: bytes = b"GET") -> tuple[h11.Response, bytes]:
    """What the oracle reads; raises `h11.RemoteProtocolError`."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    response, body = None, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert response is not None
            return response, body


@given(answers(), CUTS)
def test_an_answer_is_read_as_h11_reads_it(answer: tuple[str, bytes, bytes], cuts: list[int]) -> None:
    framing, data, body = answer
    heard = Heard()
    for segment in segments(data, cuts):
        heard.parser.feed(segment)
    if framing == "close" and heard.head is not None and heard.head.framing == "close":
        assert not heard.ended
    heard.parser.eof()
    response, h11_body = by_h11(data)
    assert heard.head is not None
    assert heard.ended
    assert heard.body == h11_body == body
    assert heard.head.status == response.status_code
    assert heard.head.phrase == response.reason
    assert [(name.lower(), value) for name, value in heard.head.fields.pairs] == [
        (name.lower(), value) for name, value in response.headers
    ] or any(name.lower() == b"transfer-encoding" for name, _ in heard.head.fields.pairs)
    assert not heard.parser.leftover


@given(answers(), st.integers(0, 2000), CUTS)
def test_a_cut_answer_never_looks_whole(answer: tuple[str, bytes, bytes], keep: int, cuts: list[int]) -> None:
    framing, data, body = answer
    data = data[: min(keep, len(data) - 1)]
    heard = Heard()
    for segment in segments(data, cuts):
        heard.parser.feed(segment)
    if heard.ended:
        # What was cut off lies behind the end: nothing of the body is missing.
        assert heard.body == body
        return
    if framing == "close" and heard.head is not None:
        return  # framed by the connection's end: nobody can know
    with pytest.raises(ProtocolError):
        heard.parser.eof()


@given(answers(), st.data())
def test_what_h11_refuses_is_refused(answer: tuple[str, bytes, bytes], data: st.DataObject) -> None:
    """One byte is changed anywhere: whatever we take for a whole answer, h11 takes for the same one."""
    _, raw, _ = answer
    place = data.draw(st.integers(0, len(raw) - 1))
    raw = raw[:place] + data.draw(st.binary(min_size=1, max_size=2)) + raw[place + 1 :]
    heard = Heard()
    try:
        heard.parser.feed(raw)
        heard.parser.eof()
    except ProtocolError:
        return
    assert heard.head is not None
    try:
        response, body = by_h11(raw)
    except h11.RemoteProtocolError as error:
        # h11 reads no phrase or value bytes that RFC 9110 forbids; neither do we. It also refuses to see bytes behind
        # the end, which we see as `leftover` and answer by not reusing the connection.
        assert heard.parser.leftover, error  # noqa: PT017
        return
    assert (heard.head.status, heard.body) == (response.status_code, body)


@given(st.binary(max_size=300), CUTS)
def test_any_bytes_are_an_answer_or_an_error(data: bytes, cuts: list[int]) -> None:
    heard = Heard()
    try:
        for segment in segments(b"HTTP/1.1 200 OK\r\n" + data, cuts):
            heard.parser.feed(segment)
        heard.parser.eof()
    except ProtocolError:
        assert not heard.ended


REFUSED = {
    "status 99": b"HTTP/1.1 99 X\r\n\r\n",
    "status 20000": b"HTTP/1.1 20000 X\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n",
    "not http": b"SSH-2.0-OpenSSH\r\n\r\n",
    "http/2": b"HTTP/2 200\r\n\r\n",
    "bare lf": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n",
    "bare lf in a value": b"HTTP/1.1 200 OK\r\nA: b\nContent-Length: 9\r\n\r\n",
    "a control byte in a value": b"HTTP/1.1 200 OK\r\nA: b\x0b\r\nContent-Length: 0\r\n\r\n",
    "nul in a value": b"HTTP/1.1 200 OK\r\nA: b\0\r\nContent-Length: 0\r\n\r\n",
    "cr in the phrase": b"HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    "endless length": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\na",
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "another coding without a body": b"HTTP/1.1 204 OK\r\nTransfer-Encoding: hunked\r\n\r\n",
    "chunked in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad chunk size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "chunk not ended": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "bad trailer": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n",
    "huge head": b"HTTP/1.1 200 OK\r\n" + b"A: " + b"b" * MAX_HEAD + b"\r\n\r\n",
    "endless trailers": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 30000,
    "endless interim": b"HTTP/1.1 103 Early\r\n\r\n" * (MAX_INTERIM + 1),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("step", [1, 7, 10_000_000])
def test_what_two_readers_could_frame_in_two_ways_is_refused(data: bytes, step: int) -> None:
    heard = Heard()
    with pytest.raises(ProtocolError):  # noqa: PT012
        for start in range(0, len(data), step):
            heard.parser.feed(data[start : start + step])
        heard.parser.eof()
    assert not heard.ended


@pytest.mark.parametrize(
    ("method", "status", "length"), [(b"HEAD", 200, 5), (b"GET", 304, 5), (b"GET", 204, None), (b"HEAD", 200, None)]
)
def test_answers_without_a_body_end_with_their_head(method: bytes, status: int, length: int | None) -> None:
    heard = Heard(method)
    told = b"" if length is None else b"Content-Length: %d\r\n" % length
    heard.parser.feed(b"HTTP/1.1 %d X\r\n%b\r\n" % (status, told))
    assert heard.ended
    assert heard.head is not None
    assert heard.head.told_length == length
    assert heard.head.reusable


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive, CLOSE\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_a_connection_is_reusable_only_where_both_sides_say_so(head: bytes, reusable: bool) -> None:
    heard = Heard()
    heard.parser.feed(head)
    assert heard.head is not None
    assert heard.head.reusable is reusable
