"""The harness against itself, with no service between: what it can't see here, no other test can."""

from __future__ import annotations

import pytest

from .client import Client, NoAnswer
from .upstream import Upstream, answer, reached_within, say_and_close

pytestmark = pytest.mark.sockets

GET = b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def client(upstream: Upstream) -> Client:
    return Client(("127.0.0.1", upstream.port))


def test_an_exchange_is_seen_whole_on_both_ends(upstream: Upstream, client: Client) -> None:
    upstream.script = answer(b"\x00\xff", (b"X-Two", b"1"), (b"x-two", b"\xe9 2"), status=b"299 So So")
    with client:
        client.send(
            b"PUT /%2f HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n"
        )
        got = client.answer(b"PUT")
        client.send(GET)
        assert client.answer(b"GET").status == 299
    assert (got.status, got.reason, got.body, got.complete) == (299, b"So So", b"\x00\xff", True)
    assert got.head.every(b"X-TWO") == [b"1", b"\xe9 2"]
    first, second = upstream.requests
    assert (first.method, first.target, first.body) == (b"PUT", b"/%2f", b"abcd")
    assert (second.target, second.body) == (b"/a?b", b"")
    assert upstream.connections == 1


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
@pytest.mark.parametrize(
    "cut",
    [
        b"Content-Length: 5\r\n\r\nabcd",
        b"Content-Length: 5\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    ],
)
def test_a_cut_looks_cut(upstream: Upstream, client: Client, cut: bytes, reset: bool) -> None:
    upstream.script = say_and_close(b"HTTP/1.1 200 OK\r\n" + cut, reset=reset)
    with client:
        client.send(GET)
        try:
            assert not client.answer(b"GET").complete
        except NoAnswer:
            assert reset, "a reset may take what was sent before it along"


@pytest.mark.parametrize(
    "whole",
    [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n", b"\r\nabc"],
)
def test_an_end_looks_like_one(upstream: Upstream, client: Client, whole: bytes) -> None:
    upstream.script = say_and_close(b"HTTP/1.1 200 OK\r\n" + whole)
    with client:
        client.send(GET)
        got = client.answer(b"GET")
    assert got.complete
    assert got.body == b"abc"


def test_no_answer_is_told_from_an_empty_one(upstream: Upstream, client: Client) -> None:
    upstream.script = say_and_close()
    with client:
        client.send(GET)
        assert client.answer_if_any(b"GET") is None


def test_a_client_that_leaves_is_noticed(upstream: Upstream, client: Client) -> None:
    upstream.script = lambda peer, _request: peer.send_until_gone(b"x" * 1000)
    with client:
        client.send(GET)
        upstream.wait_for_requests(1)
    assert upstream.peers[-1].gone.wait(1)


def test_silence_is_told_from_a_single_byte(upstream: Upstream) -> None:
    assert upstream.heard_nothing()
    with Client(("127.0.0.1", upstream.port)) as client:
        assert reached_within(lambda: not upstream.heard_nothing())
        assert upstream.heard == 0
        client.send(b"G")
        assert reached_within(lambda: upstream.heard == 1)
