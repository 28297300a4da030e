"""The wire: what the provider says reaches the client as it was said, when it was said; a cut is seen as a cut."""

from __future__ import annotations

import gzip
import hashlib
import threading
import zlib
from collections.abc import Callable

import pytest

from .bytestream import DEADLINE, Head, Header
from .client import Client
from .service import CHAT, PROVIDER_KEY, Service, chat
from .upstream import Peer, Received, Script, Upstream, answer, reached_within, say, say_and_close

pytestmark = pytest.mark.sockets

MB = 1 << 20
HELLO = "Say hello."
PROMISED = 1.0
"""Seconds within which the provider's connection is given up after the client has left."""
FRAMINGS: dict[str, Callable[[list[bytes]], tuple[bytes, list[bytes], bytes]]] = {
    "length": lambda parts: (b"Content-Length: %d\r\n" % sum(map(len, parts)), parts, b""),
    "chunked": lambda parts: (
        b"Transfer-Encoding: chunked\r\n",
        [b"%x\r\n%s\r\n" % (len(part), part) for part in parts],
        b"0\r\n\r\n",
    ),
    "close": lambda parts: (b"Connection: close\r\n", parts, b""),
}
OURS = (b"x-lockllm-", b"x-scan-mode", b"x-request-id", b"request-id", b"x-amzn-requestid")
FRAMING_NAMES = {b"transfer-encoding", b"content-length", b"connection", b"keep-alive"}


def theirs(head: Head) -> list[Header]:
    """The headers that the provider has said: neither ours nor the framing."""
    return [pair for pair in head.headers if not pair[0].startswith(OURS) and pair[0] not in FRAMING_NAMES]


def grouped(headers: list[Header]) -> dict[bytes, list[bytes]]:
    together: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        together.setdefault(name.lower(), []).append(value)
    return together


# --- the moment each byte is available


def test_the_head_leaves_before_the_body_begins(service: Service, upstream: Upstream) -> None:
    seen = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        assert seen.wait(DEADLINE)
        peer.send(b"late")

    upstream.script = script
    with service.client() as client:
        client.send(service.chat(HELLO))
        head = client.head()
        seen.set()
        assert client.rest_of(head).body == b"late"


@pytest.mark.parametrize("framing", FRAMINGS)
def test_each_event_leaves_when_it_arrives(service: Service, upstream: Upstream, framing: str) -> None:
    events = [b'data: {"n":%d}\n\n' % n for n in range(25)]
    header, parts, end = FRAMINGS[framing](events)
    turn = threading.Semaphore(0)

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + header + b"\r\n")
        for part in parts:
            assert turn.acquire(timeout=DEADLINE)
            peer.send(part)
        peer.send(end)
        if framing == "close":
            peer.close()

    upstream.script = script
    with service.client() as client:
        client.send(service.post(CHAT, chat(HELLO, stream=True)))
        pieces = client.reader.pieces(client.head())
        got = b""
        for n in range(len(events)):
            turn.release()
            while len(got) < len(b"".join(events[: n + 1])):
                got += next(pieces)
        assert got == b"".join(events)
        assert list(pieces) == []
        assert client.reader.complete


def test_fifty_streams_run_side_by_side(service: Service, upstream: Upstream) -> None:
    everyone_is_here = threading.Barrier(50)

    def script(peer: Peer, request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n<\r\n")
        everyone_is_here.wait(DEADLINE)
        mark = request.head.one(b"x-mark") or b""
        peer.send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(mark), mark))

    upstream.script = script
    clients = [service.client() for _ in range(50)]
    try:
        for number, client in enumerate(clients):
            client.send(service.chat(HELLO, b"X-Mark: %d" % number))
        for number, client in enumerate(clients):
            got = client.answer()
            assert got.complete
            assert got.body == b"<%d" % number
    finally:
        for client in clients:
            client.close()


# --- a cut is seen as a cut


CUTS = {
    "length": (b"Content-Length: 10\r\n\r\n", b"12345"),
    "length, no byte": (b"Content-Length: 10\r\n\r\n", b""),
    "length, one short": (b"Content-Length: 10\r\n\r\n", b"123456789"),
    "chunked, between chunks": (b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\n"),
    "chunked, no chunk": (b"Transfer-Encoding: chunked\r\n\r\n", b""),
    "chunked, inside a chunk": (b"Transfer-Encoding: chunked\r\n\r\n", b"a\r\n12345"),
    "chunked, inside a size": (b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\n1"),
    "chunked, after the last size": (b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\n0\r\n"),
    "chunked, nonsense": (b"Transfer-Encoding: chunked\r\n\r\n", b"5\r\n12345\r\nzz\r\n"),
}


@pytest.mark.parametrize("ending", ["fin", "reset"])
@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_answer_never_ends_cleanly(service: Service, upstream: Upstream, cut: str, ending: str) -> None:
    header, part = CUTS[cut]
    delivered = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\n" + header + part)
        assert delivered.wait(DEADLINE)  # a reset sooner could take the head along
        (peer.reset if ending == "reset" else peer.close)()

    upstream.script = script
    with service.client() as client:
        client.send(service.chat(HELLO))
        head = client.head()
        delivered.set()
        got = client.rest_of(head)
    assert not got.complete
    assert b"12345".startswith(got.body[:5])
    assert len(upstream.requests) == 1, "what has begun to be answered is never asked again"


def test_an_http_1_0_client_sees_a_cut_too(service: Service, upstream: Upstream) -> None:
    """Without a length or chunks the only way to tell is a reset."""
    delivered = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n")
        assert delivered.wait(DEADLINE)
        peer.close()

    upstream.script = script
    with service.client() as client:
        client.send(service.chat(HELLO).replace(b" HTTP/1.1", b" HTTP/1.0", 1))
        head = client.head()
        delivered.set()
        assert not client.rest_of(head).complete


def test_an_http_1_0_client_gets_no_chunks(service: Service, upstream: Upstream) -> None:
    upstream.script = say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    got = service.ask(service.chat(HELLO).replace(b" HTTP/1.1", b" HTTP/1.0", 1))
    assert got.head.one(b"transfer-encoding") is None
    assert got.complete
    assert got.body == b"abcde"


# --- the client leaves


def _silent(peer: Peer, _request: Received) -> None:
    peer.wait_gone()


def _one_event(peer: Peer, _request: Received) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    peer.wait_gone()


def _a_flood(peer: Peer, _request: Received) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    peer.send_until_gone(b"1000\r\n" + b"x" * 4096 + b"\r\n")


@pytest.mark.parametrize("leave", [Client.close, Client.reset], ids=["close", "reset"])
@pytest.mark.parametrize("script", [_silent, _one_event, _a_flood])
def test_the_provider_is_left_when_the_client_leaves(
    service: Service, upstream: Upstream, script: Script, leave: Callable[[Client], None]
) -> None:
    upstream.script = script
    with service.client() as client:
        client.send(service.chat(HELLO))
        upstream.wait_for_requests(1)
        if script is not _silent:
            assert client.head().line == b"HTTP/1.1 200 OK"
        leave(client)
        assert upstream.last.peer.gone.wait(PROMISED)


def test_a_client_that_leaves_with_a_pipelined_request_is_noticed(service: Service, upstream: Upstream) -> None:
    """Bytes that wait behind a request hide the end of the connection from a server that has stopped reading."""
    upstream.script = _one_event
    with service.client() as client:
        client.send(service.chat(HELLO) + service.chat(HELLO * 3000))
        client.head()
    assert upstream.last.peer.gone.wait(PROMISED)
    assert len(upstream.requests) == 1


# --- big bodies


def _slowly(service: Service, upstream: Upstream, size: int) -> tuple[int, int]:
    """Relay ``size`` bytes to a client that reads nothing until all is stuck: bytes taken by then, growth of RSS."""
    block = bytes(range(256)) * 256
    stuck = threading.Event()
    taken: list[int] = []

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        view = memoryview(block)
        left = size
        while left:
            if not stuck.is_set() and peer.stalled(1.0):
                taken.append(size - left)
                stuck.set()
            sent = peer.sock.send(view[: min(left, len(block))]) if stuck.is_set() else peer.sock.send(view[:4096])
            left -= sent
            view = view[sent:] or memoryview(block)
        stuck.set()

    upstream.script = script
    before = peak = service.rss()
    wanted, got = hashlib.sha256(), hashlib.sha256()
    for _ in range(size // len(block)):
        wanted.update(block)
    with service.client(receive_buffer=1 << 14) as client:
        client.send(service.chat(HELLO))
        head = client.head()
        assert stuck.wait(DEADLINE * 2)
        peak = max(peak, service.rss())
        read = 0
        for piece in client.reader.pieces(head):
            got.update(piece)
            if read // (8 * MB) != (read + len(piece)) // (8 * MB):
                peak = max(peak, service.rss())
            read += len(piece)
        assert client.reader.complete
        assert read == size
    assert got.digest() == wanted.digest()
    return (taken or [size])[0], peak - before


def test_a_slow_reader_costs_no_memory(service: Service, upstream: Upstream) -> None:
    _slowly(service, upstream, 16 * MB)  # what any relay allocates once
    upstream.reset()
    taken, growth = _slowly(service, upstream, 256 * MB)
    assert taken < 32 * MB, "the provider was not held back"
    assert growth < 20 * MB


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_big_upload_arrives_whole(service: Service, upstream: Upstream, framing: str) -> None:
    body = chat("The quick brown fox jumps over the lazy dog. " * (10 * MB // 45))
    head = service.head(b"POST", CHAT, b"Content-Type: application/json", b"Content-Length: %d" % len(body))
    with service.client() as client:
        if framing == "length":
            client.send(head + body)
        else:
            client.send(head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked"))
            for at in range(0, len(body), 70_000):
                piece = body[at : at + 70_000]
                client.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            client.send(b"0\r\n\r\n")
        assert client.answer().status == 200
    assert upstream.last.body == body


def test_an_answer_that_comes_during_the_upload_is_delivered(service: Service, upstream: Upstream) -> None:
    """A provider may refuse a body before it has read it."""
    upstream.respond_to_head = say(b"HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
    got = service.ask(service.chat("The quick brown fox. " * 500_000))
    assert (got.status, got.reason, got.body) == (413, b"Too Much", b"big")


# --- kept connections


def test_connections_are_kept(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        for _ in range(5):
            client.send(service.chat(HELLO))
            assert client.answer().status == 200
    assert upstream.connections <= 1


def closes_at(number: int, *data: bytes) -> Script:
    """Answer every request but a connection's ``number``-th, which gets these bytes and the end."""

    def script(peer: Peer, request: Received) -> None:
        if peer.served == number:
            say_and_close(*data)(peer, request)
        else:
            answer(b"fine")(peer, request)

    return script


@pytest.fixture
def kept(service: Service, upstream: Upstream) -> Upstream:
    """The provider with exactly one connection that is kept, and has served one request."""
    for peer in upstream.peers:
        peer.close()
    upstream.script = answer(b"fine")
    assert reached_within(lambda: service.ask(service.chat(HELLO)).status == 200 and upstream.peers[-1].served == 1)
    upstream.reset()
    return upstream


def test_a_kept_connection_that_just_died_is_replaced_once(service: Service, kept: Upstream) -> None:
    """The provider's idle time-out and the next POST cross on the wire: nothing was answered, so it is asked again."""
    kept.script = closes_at(2)
    got = service.ask(service.chat(HELLO))
    assert (got.status, got.body) == (200, b"fine")
    first, second = kept.requests
    assert first == second


def test_a_request_is_not_asked_again_once_answering_has_begun(service: Service, kept: Upstream) -> None:
    kept.script = closes_at(2, b"HTTP/1.1 2")
    got = service.ask(service.chat(HELLO))
    assert got.status == 502
    assert got.error["code"] == "provider_error"
    assert len(kept.requests) == 1


def test_a_request_is_asked_again_only_once(service: Service, kept: Upstream) -> None:
    kept.script = say_and_close()
    assert service.ask(service.chat(HELLO)).status == 502
    assert len(kept.requests) == 2


def test_a_new_connection_that_dies_is_not_replaced(service: Service, upstream: Upstream) -> None:
    for peer in upstream.peers:
        peer.close()
    upstream.script = say_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
    assert service.ask(service.chat(HELLO)).status == 200
    upstream.reset()
    upstream.script = say_and_close()
    assert service.ask(service.chat(HELLO)).status == 502
    assert len(upstream.requests) == 1


def test_bytes_after_an_answer_reach_nobody(service: Service, upstream: Upstream) -> None:
    """A poisoned queue would hand one tenant's answer to the next."""
    extra = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL"
    upstream.script = say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine" + extra)
    for _ in range(3):
        got = service.ask(service.chat(HELLO))
        assert (got.status, got.body) in [(200, b"fine"), (502, got.body)]
        assert b"EVIL" not in got.body


def test_a_body_where_none_belongs_reaches_nobody(service: Service, upstream: Upstream) -> None:
    upstream.script = say(b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL")
    for _ in range(3):
        assert b"EVIL" not in service.ask(service.chat(HELLO)).body


# --- nothing is added, nothing is lost


def test_headers_come_as_they_were_said(service: Service, upstream: Upstream) -> None:
    said: list[Header] = [
        (b"Content-Type", b"application/x-odd; charset=\xff"),
        (b"set-cookie", b"a=1; Path=/"),
        (b"X-Odd", b"\x80\xfe \t~ latin-\xe9"),
        (b"SET-COOKIE", b"b=2"),
        (b"x-odd", b""),
        (b"X-Odd", b"third, with comma"),
        (b"X-Request-Id", b"req_of_the_provider"),
        (b"openai-organization", b"org"),
        (b"Retry-After", b"0"),
        (b"WWW-Authenticate", b'Bearer realm="x"'),
    ]
    upstream.script = answer(b"{}", *said)
    got = service.ask(service.chat(HELLO))
    assert grouped(theirs(got.head)) == grouped([pair for pair in said if pair[0] != b"X-Request-Id"])
    assert got.head.every(b"x-request-id") == [b"req_of_the_provider"]
    assert got.head.one(b"x-lockllm-request-id")
    assert got.head.one(b"x-lockllm-safe") == b"true"
    assert got.head.one(b"content-length") == b"2"


def test_no_header_is_invented(service: Service, upstream: Upstream) -> None:
    upstream.script = answer(b"<html>")
    assert theirs(service.ask(service.chat(HELLO)).head) == []


def test_request_headers_come_as_they_were_said(service: Service, upstream: Upstream) -> None:
    said = [
        b"Accept-Encoding: br;q=0.1",
        b"accept: \x80\xff",
        b"Cookie: a=b; c=d",
        b"X-Two: 1",
        b"x-two: 2",
        b"anthropic-version: 2023-06-01",
        b"User-Agent: me/1.0 (x)",
        b"X-Empty:",
        b"Range: bytes=0-1",
        b'If-None-Match: "x"',
    ]
    service.ask(service.post(CHAT, chat(HELLO), *said))
    head = upstream.last.head
    expected = [(name.lower(), value.strip()) for name, _, value in (line.partition(b":") for line in said)]
    mine = [
        (b"host", b"127.0.0.1:%d" % upstream.port),
        (b"authorization", b"Bearer " + PROVIDER_KEY),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(chat(HELLO))),
    ]
    got = [pair for pair in head.headers if pair[0] != b"connection"]
    assert grouped(got) == grouped(expected + mine)


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/x;a=b:c/@!$&'()*+,=~-._",
        b'/v1/a?include[]=x&q=%zz|{}<>"`^\\&e=',
        b"/v1/a?",
        b"/v1/a?b=c?d=/../e//f",
        b"/v1/models/gpt-4o%3Aft%20x",
        b"/v1/%c3%a9%FF",
        b"/v1/a/",
    ],
)
def test_a_target_is_not_rewritten(service: Service, upstream: Upstream, target: bytes) -> None:
    got = service.ask(service.head(b"GET", b"/v1/proxy/openai" + target), b"GET")
    assert got.status == 200, got.body
    assert upstream.last.target == target


@pytest.mark.parametrize("method", [b"GET", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"])
def test_methods_go_through(service: Service, upstream: Upstream, method: bytes) -> None:
    assert service.ask(service.post(b"/v1/proxy/openai/v1/files", chat(HELLO), method=method), method).status == 200
    assert (upstream.last.method, upstream.last.body) == (method, chat(HELLO))


def test_a_body_of_no_length_stays_one(service: Service, upstream: Upstream) -> None:
    service.ask(service.head(b"PATCH", b"/v1/proxy/openai/v1/x", b"Content-Length: 0"), b"PATCH")
    assert upstream.last.head.every(b"content-length") == [b"0"]
    service.ask(service.head(b"GET", b"/v1/proxy/openai/v1/x"), b"GET")
    assert upstream.last.head.every(b"content-length") == []


PACKED = gzip.compress(b'{"ok":true}' * 50)


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"gzip", PACKED),
        (b"gzip", PACKED[:-7]),
        (b"gzip", b"not gzip at all"),
        (b"gzip", b""),
        (b"GZIP", PACKED),
        (b"br", b"\x0b\x02\x80not really brotli\x03"),
        (b"deflate", zlib.compress(b"abc")),
        (b"", b"plain"),
    ],
)
def test_codings_are_not_touched(service: Service, upstream: Upstream, coding: bytes, body: bytes) -> None:
    upstream.script = answer(body, (b"Content-Encoding", coding))
    got = service.ask(service.chat(HELLO, b"Accept-Encoding: gzip, br"))
    assert got.complete
    assert got.body == body
    assert got.head.every(b"content-encoding") == [coding]
    assert upstream.last.head.every(b"accept-encoding") == [b"gzip, br"]


def test_redirects_are_the_clients_to_follow(service: Service, upstream: Upstream) -> None:
    for status in (b"301 Moved", b"302 Found", b"303 See", b"307 Temp", b"308 Perm"):
        upstream.reset()
        upstream.script = answer(b"go", (b"Location", upstream.url.encode() + b"/elsewhere"), status=status)
        for request, method in ((service.chat(HELLO), b"POST"), (service.head(b"GET", CHAT), b"GET")):
            got = service.ask(request, method)
            assert b"%d %s" % (got.status, got.reason) == status
            assert got.head.one(b"location") == upstream.url.encode() + b"/elsewhere"
        assert len(upstream.requests) == 2


def test_cookies_are_remembered_for_nobody(service: Service, upstream: Upstream) -> None:
    upstream.script = answer(b"{}", (b"Set-Cookie", b"__cf_bm=tenant-a; Path=/; HttpOnly"), (b"Set-Cookie", b"b=\xe9"))
    assert len(service.ask(service.chat(HELLO)).head.every(b"set-cookie")) == 2
    service.ask(service.chat(HELLO))
    assert upstream.last.head.every(b"cookie") == []
    service.ask(service.chat(HELLO, b"Cookie: own=1"))
    assert upstream.last.head.every(b"cookie") == [b"own=1"]


def test_answers_to_head_have_no_body(service: Service, upstream: Upstream) -> None:
    upstream.script = say(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nX-A: b\r\n\r\n")
    with service.client() as client:
        for _ in range(2):
            client.send(service.head(b"HEAD", b"/v1/proxy/openai/v1/models"))
            got = client.answer(b"HEAD")
            assert (got.status, got.head.every(b"content-length")) == (200, [b"1234"])


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_that_have_no_body_end_at_once(service: Service, upstream: Upstream, status: bytes) -> None:
    upstream.script = say(b"HTTP/1.1 " + status + b'\r\nETag: "x"\r\n\r\n')
    with service.client() as client:
        for _ in range(2):
            client.send(service.head(b"GET", b"/v1/proxy/openai/v1/models"))
            got = client.answer(b"GET")
            assert b"%d %s" % (got.status, got.reason) == status
            assert got.head.one(b"etag") == b'"x"'
            assert not got.head.every(b"transfer-encoding")


def test_interim_answers_are_not_the_answer(service: Service, upstream: Upstream) -> None:
    upstream.script = say(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 2\r\n\r\nok",
    )
    got = service.ask(service.chat(HELLO))
    assert (got.status, got.reason, got.body) == (201, b"Made", b"ok")
    assert got.head.every(b"link") == []


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 299 Strange But \xe9 True", 299, b"Strange But \xe9 True"),
        (b"HTTP/1.1 418 I'm a teapot", 418, b"I'm a teapot"),
        (b"HTTP/1.1 529 Overloaded", 529, b"Overloaded"),
        (b"HTTP/1.1 599 ", 599, b""),
        (b"HTTP/1.0 200 Fine", 200, b"Fine"),
    ],
)
def test_status_and_reason_are_kept(
    service: Service, upstream: Upstream, line: bytes, status: int, reason: bytes
) -> None:
    upstream.script = say(line + b"\r\nContent-Length: 2\r\n\r\nok")
    got = service.ask(service.chat(HELLO))
    assert (got.status, got.reason, got.body) == (status, reason, b"ok")


def test_errors_of_the_provider_are_its_own(service: Service, upstream: Upstream) -> None:
    for status, body, header in (
        (b"429 Too Many", b'{"error":{"type":"rate_limit"}}', (b"Retry-After", b"7")),
        (b"500 Oops", b"<html>not json", (b"Content-Type", b"text/html")),
        (b"401 Unauthorized", b'{"error":"your provider key"}', (b"X-Should-Retry", b"false")),
    ):
        upstream.script = answer(body, header, status=status)
        got = service.ask(service.chat(HELLO))
        assert b"%d %s" % (got.status, got.reason) == status
        assert got.body == body
        assert got.head.one(header[0]) == header[1]


def test_hop_by_hop_headers_of_an_answer_stay_behind(service: Service, upstream: Upstream) -> None:
    upstream.script = say(
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nUpgrade: h2c\r\n"
        b"Proxy-Connection: x\r\nTrailer: X-After\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-After: 1\r\n\r\n"
    )
    with service.client() as client:
        for _ in range(2):
            client.send(service.chat(HELLO))
            got = client.answer()
            assert got.body == b"ok"
            names = {name for name, _ in theirs(got.head)}
            assert not names & {b"x-hop", b"upgrade", b"proxy-connection", b"trailer", b"x-after"}


# --- a provider that talks nonsense


def _endless_headers(peer: Peer, _request: Received) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n")
    line = b"".join(b"X-%d: %s\r\n" % (n, b"x" * 1000) for n in range(100))
    for _ in range(2000):
        peer.send(line)
    peer.send(b"Content-Length: 0\r\n\r\n")


def _endless_interim(peer: Peer, _request: Received) -> None:
    peer.send_until_gone(b"HTTP/1.1 102 Processing\r\nX: " + b"x" * 1000 + b"\r\n\r\n")


TAIL = b"\r\nContent-Length: 2\r\n\r\nok"
NONSENSE: dict[str, Script] = {
    "nothing": say_and_close(),
    "a reset": say_and_close(reset=True),
    "half a status line": say_and_close(b"HTTP/1.1 20"),
    "half a head": say_and_close(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "a greeting": say_and_close(b"220 smtp.example ESMTP\r\n"),
    "HTTP/0.9": say_and_close(b"<html>hello</html>\r\n\r\n"),
    "another protocol": say_and_close(b"\x16\x03\x01\x00\x05hello" * 10 + b"\r\n\r\n"),
    "HTTP/2 settings": say_and_close(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
    "status 99": say(b"HTTP/1.1 99 Low" + TAIL),
    "status 600": say(b"HTTP/1.1 600 High" + TAIL),
    "status 20000": say(b"HTTP/1.1 20000 Long" + TAIL),
    "status -200": say(b"HTTP/1.1 -200 Negative" + TAIL),
    "status of letters": say(b"HTTP/1.1 abc What" + TAIL),
    "status 101": say_and_close(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes"),
    "NUL in a header": say(b"HTTP/1.1 200 OK\r\nX-A: a\x00b" + TAIL),
    "line feed in a header": say(b"HTTP/1.1 200 OK\r\nX-A: a\nX-LockLLM-Safe: true" + TAIL),
    "no colon": say(b"HTTP/1.1 200 OK\r\nX-A a" + TAIL),
    "blank in a name": say(b"HTTP/1.1 200 OK\r\nX A: a" + TAIL),
    "no name": say(b"HTTP/1.1 200 OK\r\n: a" + TAIL),
    "both framings": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked" + TAIL),
    "two lengths": say(b"HTTP/1.1 200 OK\r\nContent-Length: 3" + TAIL),
    "a negative length": say(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
    "a length with a sign": say(b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok"),
    "an unknown transfer coding": say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "a line of 1 MB": say(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * MB + TAIL),
    "200 MB of headers": _endless_headers,
    "interim answers for ever": _endless_interim,
}


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_nonsense_from_the_provider_is_a_502(service: Service, upstream: Upstream, nonsense: str) -> None:
    before = service.rss()
    upstream.script = NONSENSE[nonsense]
    got = service.ask(service.chat(HELLO))
    assert got.status == 502
    assert got.error["type"] == "upstream_error"
    assert got.error["code"] == "provider_error"
    assert got.head.one(b"content-type") == b"application/json"
    assert service.rss() - before < 50 * MB
    upstream.reset()
    assert service.ask(service.chat(HELLO)).status == 200, "the next request is not affected"


def test_no_provider_at_all_is_a_502(service: Service, upstream: Upstream) -> None:
    got = service.ask(service.post(b"/v1/proxy/closed/v1/chat/completions", chat(HELLO)))
    assert got.status == 502
    assert got.error["code"] == "provider_error"
    assert upstream.heard_nothing()
