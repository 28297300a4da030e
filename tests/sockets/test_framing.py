"""Requests that two readers could read differently: refused, and not a byte of them reaches the provider."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from .client import Client
from .conftest import providers
from .service import ATTACK, BENIGN, CHAT, Service, chat
from .upstream import Peer, Received, Upstream, answer

pytestmark = pytest.mark.sockets

BODY = chat(BENIGN)
SMUGGLED = b"POST /v1/proxy/openai/v1/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
JSON = b"Content-Type: application/json"
CHUNKED_BODY = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.fixture(scope="module")
def impatient(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that waits two seconds for a head or a body: a request that never ends is told by that."""
    config = "[proxy]\nhead_timeout = 2\nbody_timeout = 2\n" + providers(upstream.url)
    with Service(tmp_path_factory.mktemp("impatient"), config).ready() as running:
        yield running


def refused(service: Service, raw: bytes, method: bytes = b"POST") -> int:
    """Send; the status of the one answer. 0: closed without one. Nothing that follows may be taken for a request."""
    with service.client() as client:
        client.try_send(raw)
        got = client.answer_if_any(method)
        if client.try_send(service.head(b"GET", b"/health")):
            with contextlib.suppress(OSError):
                client.half_close()
        after = client.answer_if_any(b"GET") if got else None
        assert after is None, "a connection whose framing is in doubt is not used again"
    return got.status if got else 0


# --- lengths and chunks

HEADS: dict[str, list[bytes]] = {
    "length and chunked": [LENGTH, CHUNKED],
    "chunked and length": [CHUNKED, LENGTH],
    "two lengths": [LENGTH, b"Content-Length: 0"],
    "two equal lengths": [LENGTH, LENGTH],
    "a list of lengths": [LENGTH + b", %d" % len(BODY)],
    "a list of different lengths": [LENGTH + b", 0"],
    "length +": [b"Content-Length: +%d" % len(BODY)],
    "length -": [b"Content-Length: -1"],
    "length hex": [b"Content-Length: 0x%x" % len(BODY)],
    "length float": [b"Content-Length: %d.0" % len(BODY)],
    "length exponent": [b"Content-Length: 1e1"],
    "length underscore": [b"Content-Length: 1_0"],
    "length empty": [b"Content-Length:"],
    "length of words": [b"Content-Length: ten"],
    "length quoted": [b'Content-Length: "10"'],
    "length in other digits": ["Content-Length: \u0661\u0660".encode()],
    "length inside": [b"Content-Length: 1 0"],
    "identity and length": [b"Transfer-Encoding: identity", LENGTH],
    "two codings": [CHUNKED, b"Transfer-Encoding: identity"],
    "chunked twice": [CHUNKED, CHUNKED],
    "chunked, identity": [b"Transfer-Encoding: chunked, identity"],
    "identity, chunked": [b"Transfer-Encoding: identity, chunked"],
    "gzip, chunked": [b"Transfer-Encoding: gzip, chunked"],
    "xchunked": [b"Transfer-Encoding: xchunked"],
    "quoted chunked": [b'Transfer-Encoding: "chunked"'],
    "chunked with a parameter": [b"Transfer-Encoding: chunked;q=1"],
    "chunked with a vertical tab": [b"Transfer-Encoding: \x0bchunked"],
    "chunked with a NUL": [b"Transfer-Encoding: chunked\x00"],
    "empty coding": [b"Transfer-Encoding:", LENGTH],
    "blank before the colon": [b"Transfer-Encoding : chunked", LENGTH],
    "blank before the colon of the length": [b"Content-Length : %d" % len(BODY)],
    "folded coding": [b"Transfer-Encoding:\r\n chunked", LENGTH],
    "folded length": [b"Content-Length:\r\n %d" % len(BODY)],
    "a header that is folded": [b"X-A: b\r\n c", LENGTH],
    "a first line that is folded": [b" X-A: b", LENGTH],
    "no colon": [b"X-A", LENGTH],
    "no name": [b": x", LENGTH],
    "a blank in a name": [b"X A: x", LENGTH],
    "a colon after a NUL": [b"X\x00A: x", LENGTH],
    "NUL in a value": [b"X-A: a\x00b", LENGTH],
    "carriage return in a value": [b"X-A: a\rb", LENGTH],
    "line feed in a value": [b"X-A: a\nTransfer-Encoding: chunked", LENGTH],
    "line feeds for ends": [b"X-A: a\nX-B: b\nX-C: c", LENGTH],
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("framing", ["as length", "as chunked"])
def test_a_doubtful_head_is_refused(impatient: Service, upstream: Upstream, head: str, framing: str) -> None:
    """Whatever a lenient reader takes for the body, the rest of the bytes is nobody's request."""
    body = BODY if framing == "as length" else CHUNKED_BODY
    assert refused(impatient, impatient.head(b"POST", CHAT, JSON, *HEADS[head]) + body + SMUGGLED) in {0, 400, 501}
    assert upstream.heard_nothing()


CHUNKS: dict[str, bytes] = {
    "hex prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "underscore": b"1_0\r\n" + b"h" * 16 + b"\r\n0\r\n\r\n",
    "blank before": b" 5\r\nhello\r\n0\r\n\r\n",
    "blank after": b"5 \r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "words": b"five\r\nhello\r\n0\r\n\r\n",
    "too long a size": b"f" * 17 + b"\r\nhello\r\n0\r\n\r\n",
    "an endless size": b"0" * 100_000 + b"5\r\nhello\r\n0\r\n\r\n",
    "an endless extension": b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n",
    "a line feed in the extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "line feed for an end": b"5\nhello\n0\n\n",
    "carriage return for an end": b"5\rhello\r0\r\r",
    "too short": b"4\r\nhello\r\n0\r\n\r\n",
    "too long": b"6\r\nhello\r\n0\r\n\r\n",
    "no end of a chunk": b"5\r\nhello0\r\n\r\n",
    "semicolon only": b";\r\nhello\r\n0\r\n\r\n",
    "an endless trailer": b"5\r\nhello\r\n0\r\n" + b"X-A: b\r\n" * 50_000 + b"\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS)
def test_a_doubtful_chunk_is_refused(impatient: Service, upstream: Upstream, chunks: str) -> None:
    raw = impatient.head(b"POST", CHAT, JSON, CHUNKED) + CHUNKS[chunks] + SMUGGLED
    assert refused(impatient, raw) in {0, 400, 408, 413, 431}
    assert upstream.heard_nothing()


def test_chunks_as_they_should_be(service: Service, upstream: Upstream) -> None:
    """The twin of the doubtful ones: cut anywhere, with extensions and a trailer, the body is the same."""
    chunks = b"".join(
        b'%X;a=b;c="d"\r\n%s\r\n' % (len(BODY[at : at + 7]), BODY[at : at + 7]) for at in range(0, len(BODY), 7)
    )
    raw = service.head(b"POST", CHAT, JSON, b"transfer-encoding: Chunked", b"Trailer: X-After") + chunks
    assert service.ask(raw + b"000\r\nX-After: 1\r\nX-LockLLM-Key: trailer\r\n\r\n").status == 200
    assert upstream.last.body == BODY
    assert len(upstream.last.head.every(b"content-length") + upstream.last.head.every(b"transfer-encoding")) == 1
    assert not upstream.last.head.every(b"trailer")
    assert not upstream.last.head.every(b"x-after")


def test_a_body_that_stops_short_is_never_sent_on(impatient: Service, upstream: Upstream) -> None:
    with impatient.client() as client:
        client.send(impatient.post(CHAT, BODY)[:-1])
        client.half_close()
        got = client.answer_if_any()
        assert got is None or got.status in {400, 408}
    assert upstream.heard_nothing()


def test_what_follows_a_body_is_not_a_request_unless_it_is_one(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        client.send(service.post(CHAT, BODY) + b"garbage that goes on\r\n\r\n")
        assert client.answer().status == 200
        assert client.closed_within(10)
    assert [got.body for got in upstream.requests] == [BODY]


def test_pipelined_requests_are_answered_in_order(service: Service, upstream: Upstream) -> None:
    def script(peer: Peer, request: Received) -> None:
        answer(request.head.one(b"x-turn") or b"")(peer, request)

    upstream.script = script
    with service.client() as client:
        client.send(b"".join(service.post(CHAT, BODY, b"X-Turn: %d" % turn) for turn in range(8)))
        assert [client.answer().body for _ in range(8)] == [b"%d" % turn for turn in range(8)]


def test_each_pipelined_request_is_scanned(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        client.send(service.chat(BENIGN) + service.chat(ATTACK) + service.chat(BENIGN))
        assert [client.answer().status for _ in range(3)] == [200, 400, 200]
    assert [got.body for got in upstream.requests] == [BODY, BODY]


def test_each_pipelined_request_needs_its_own_key(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        client.send(service.chat(BENIGN) + service.chat(BENIGN, b"X-LockLLM-Key: wrong"))
        assert client.answer().status == 200
        assert client.answer().status == 401
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PUT", b"PATCH", b"OPTIONS", b"QUERY", b"HEAD"])
def test_a_body_is_scanned_whatever_the_method(service: Service, upstream: Upstream, method: bytes) -> None:
    with service.client() as client:
        client.send(service.post(CHAT, chat(ATTACK), method=method))
        assert client.answer(method).status in {400, 405, 501}
    assert upstream.heard_nothing()


def test_a_client_that_asks_to_close_is_obeyed(service: Service) -> None:
    for request in (service.post(CHAT, BODY, b"Connection: close"), service.chat(BENIGN).replace(b"/1.1", b"/1.0", 1)):
        with service.client() as client:
            client.send(request)
            assert client.answer().status == 200
            assert client.closed_within(2)


# --- versions, methods, upgrades


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/proxy/openai/v1/models",
        b"GET /v1/proxy/openai/v1/models HTTP/0.9",
        b"GET /v1/proxy/openai/v1/models HTTP/2.0",
        b"GET /v1/proxy/openai/v1/models HTTP/3",
        b"GET /v1/proxy/openai/v1/models HTTP/1.10",
        b"GET /v1/proxy/openai/v1/models HTTP/1.",
        b"GET /v1/proxy/openai/v1/models http/1.1",
        b"GET /v1/proxy/openai/v1/models ICAP/1.0",
        b"GET /v1/proxy/openai/v1/models and more HTTP/1.1",
        b"G@T /v1/proxy/openai/v1/models HTTP/1.1",
        b"G\x00T /v1/proxy/openai/v1/models HTTP/1.1",
        b"GET v1/proxy/openai/v1/models HTTP/1.1",
        b"GET * HTTP/1.1",
        b"GET /v1/proxy/openai/v1/mod\x7fels HTTP/1.1",
        b"GET /v1/proxy/openai/v1/mod\xe9ls HTTP/1.1",
        b"GET /v1/proxy/openai/v1/mod\x01els HTTP/1.1",
        b"GET",
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_a_doubtful_request_line_is_refused(impatient: Service, upstream: Upstream, line: bytes) -> None:
    raw = line + impatient.head(b"GET", b"/").removeprefix(b"GET / HTTP/1.1")
    with impatient.client() as client:
        client.try_send(raw)
        got = client.answer_if_any(b"GET")
    assert got is None or got.status in {400, 404, 405, 408, 501, 505}
    assert upstream.heard_nothing()


def test_an_http2_preface_is_closed_cleanly(impatient: Service, upstream: Upstream) -> None:
    raw = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
    assert refused(impatient, raw) in {0, 400, 405, 501, 505}
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "request_line",
    [b"TRACE", b"TRACK", b"CONNECT"],
)
def test_methods_that_are_never_forwarded(impatient: Service, upstream: Upstream, request_line: bytes) -> None:
    with impatient.client() as client:
        client.send(impatient.head(request_line, b"/v1/proxy/openai/v1/models"))
        assert client.answer(request_line).status in {400, 405, 501}
    assert upstream.heard_nothing()


def test_connect_is_no_tunnel(impatient: Service, upstream: Upstream) -> None:
    target = b"127.0.0.1:%d" % upstream.port
    with impatient.client() as client:
        client.send(impatient.head(b"CONNECT", target) + b"GET /tunnelled HTTP/1.1\r\nHost: x\r\n\r\n")
        got = client.answer_if_any(b"CONNECT")
    assert got is None or got.status in {400, 404, 405, 501}
    assert upstream.heard_nothing()


WEBSOCKET = [
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


@pytest.mark.parametrize("upgrade", [b"Upgrade: websocket", b"upgrade: WebSocket", b"Upgrade: foo, websocket"])
def test_a_websocket_is_refused(service: Service, upstream: Upstream, upgrade: bytes) -> None:
    """Its prompts come in frames, where nothing is scanned."""
    headers = [WEBSOCKET[0], upgrade, *WEBSOCKET[2:]]
    got = service.ask(service.head(b"GET", b"/v1/proxy/openai/v1/realtime?model=gpt-4o", *headers), b"GET")
    assert got.status == 501
    assert got.error["message"]
    assert upstream.heard_nothing()


def test_an_upgrade_to_http2_is_not_passed_on(service: Service, upstream: Upstream) -> None:
    """Ignoring it is what RFC 9110 section 7.8 lets a server do, and what curl falls back on."""
    upgrade = [b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQAAP__"]
    got = service.ask(service.post(CHAT, BODY, *upgrade))
    assert got.status in {200, 501}
    for request in upstream.requests:
        assert not request.head.every(b"upgrade")
        assert not request.head.every(b"http2-settings")


def test_continue_is_said_and_not_passed_on(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        client.send(service.head(b"POST", CHAT, JSON, LENGTH, b"Expect: 100-continue"))
        assert client.head().line.startswith(b"HTTP/1.1 100")
        client.send(BODY)
        got = client.answer()
    assert (got.status, got.interim) == (200, ())
    assert upstream.last.body == BODY
    assert upstream.last.head.every(b"expect") == []


# --- targets


@pytest.mark.parametrize(
    "target",
    [
        b"/v1/proxy/openai/v1/../admin",
        b"/v1/proxy/openai/v1/./admin",
        b"/v1/proxy/openai/..",
        b"/v1/proxy/openai/../anthropic/v1/messages",
        b"/v1/proxy/openai/v1/%2e%2e/admin",
        b"/v1/proxy/openai/v1/%2E./admin",
        b"/v1/proxy/openai/v1/.%2e/admin",
        b"/v1/proxy/openai/v1/%2e/admin",
        b"/v1/proxy/openai/v1/%252e%252e/admin",
        b"/v1/proxy/openai/v1/..;/admin",
        b"/v1/proxy/openai/v1/..;a=b/admin",
        b"/v1/proxy/openai/v1/..%3b/admin",
        b"/v1/proxy/openai/v1/..%2fadmin",
        b"/v1/proxy/openai/v1/..%5cadmin",
        b"/v1/proxy/openai/v1\\..\\admin",
        b"/v1/proxy/openai/v1\\admin",
        b"/v1/proxy/openai/v1/a%5Cb",
        b"/v1/proxy/openai/v1/a%2Fb",
        b"/v1/proxy/openai/v1/a%2fb",
        b"/v1/proxy/openai/v1//admin",
        b"/v1/proxy/openai//v1/models",
        b"/v1/proxy//openai/v1/models",
        b"//v1/proxy/openai/v1/models",
        b"/v1//proxy/openai/v1/models",
        b"//evil.example/v1/proxy/openai/v1/models",
        b"/v1/proxy/openai/v1/a%00b",
        b"/v1/proxy/openai/v1/models%00",
        b"/v1/proxy/openai/v1/models#fragment",
        b"/v1/proxy/openai/v1/models?a=b#fragment",
        b"/v1/proxy/%6fpenai/v1/models",
        b"/v1/proxy/OpenAI/v1/models",
        b"/v1/%70roxy/openai/v1/models",
        b"/V1/proxy/openai/v1/models",
        b"/v1/proxy/openai%2fv1/models",
        b"/v1/proxyopenai/v1/models",
        b"/v1/proxy/openai@evil.example/v1/models",
        b"/v1/proxy/openai:80/v1/models",
        b"/v1/proxy/nosuch/v1/models",
        b"/v1/proxy/http://127.0.0.1/v1/models",
        b"/v1/proxy/",
        b"/v1/proxy",
        b"/health/../v1/proxy/openai/v1/models",
        b"/health/v1/proxy/openai/v1/models",
        b"/v1/scan/../proxy/openai/v1/models",
        b"http://localhost/v1/proxy/openai/v1/models",
        b"http://evil.example/v1/proxy/openai/v1/models",
        b"HTTPS://evil.example:443/",
    ],
)
def test_a_doubtful_target_goes_nowhere(service: Service, upstream: Upstream, target: bytes) -> None:
    with service.client() as client:
        client.send(service.head(b"GET", target))
        got = client.answer(b"GET")
    assert got.status in {400, 404, 405}, got
    assert upstream.heard_nothing()


def test_no_host_is_refused(service: Service, upstream: Upstream) -> None:
    got = service.ask(service.post(CHAT, BODY).replace(b"Host: localhost\r\n", b"", 1))
    assert got.status == 400
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "hosts",
    [
        [b"Host: localhost", b"Host: other"],
        [b"Host: localhost", b"Host: localhost"],
        [b"Host: localhost/v1"],
        [b"Host: user@localhost"],
        [b"Host: local host"],
    ],
)
def test_a_doubtful_host_is_refused(service: Service, upstream: Upstream, hosts: list[bytes]) -> None:
    """RFC 9112 section 3.2: a 400 to more than one Host field, or one with an invalid value."""
    assert service.ask(service.post(CHAT, BODY, *hosts)).status == 400
    assert upstream.heard_nothing()


def test_the_host_of_a_request_chooses_nothing(service: Service, upstream: Upstream) -> None:
    assert service.ask(service.post(CHAT, BODY, b"Host: evil.example:1")).status == 200
    assert upstream.last.head.every(b"host") == [b"127.0.0.1:%d" % upstream.port]


def test_an_unknown_provider_is_told_in_json(service: Service) -> None:
    got = service.ask(service.post(b"/v1/proxy/nosuch/v1/chat/completions", BODY))
    assert got.status == 404
    assert "nosuch" in json.dumps(got.error) or got.error["code"]


# --- sizes


@pytest.mark.parametrize(
    ("make", "statuses"),
    [
        (lambda service: service.head(b"GET", b"/v1/proxy/openai/v1/" + b"a" * 300_000), {400, 414, 431}),
        (lambda service: service.head(b"GET", b"/v1/proxy/openai/v1/?q=" + b"a" * 1_000_000), {400, 414, 431}),
        (lambda service: service.head(b"GET", CHAT, b"X-A: " + b"a" * 300_000), {431}),
        (lambda service: service.head(b"GET", CHAT, b"X-" + b"a" * 300_000 + b": a"), {431}),
        (lambda service: service.head(b"GET", CHAT, *[b"X-%d: a" % n for n in range(10_000)]), {431}),
        (lambda service: service.head(b"GET", CHAT, *[b"X-%d: %s" % (n, b"a" * 4000) for n in range(100)]), {431}),
    ],
    ids=["path", "query", "value", "name", "count", "sum"],
)
def test_heads_have_a_limit(
    service: Service, upstream: Upstream, make: Callable[[Service], bytes], statuses: set[int]
) -> None:
    assert refused(service, make(service), b"GET") in statuses
    assert upstream.heard_nothing()


def test_real_heads_fit(service: Service, upstream: Upstream) -> None:
    """Cloud tokens and cookies run to several kB each."""
    sizes = [b"X-%d: %s" % (n, b"a" * 4000) for n in range(3)] + [b"Cookie: " + b"c" * 7000]
    assert service.ask(service.post(CHAT, BODY, *sizes)).status == 200
    assert upstream.last.head.one(b"cookie") == b"c" * 7000


def test_a_request_may_come_byte_by_byte(service: Service, upstream: Upstream) -> None:
    with service.client() as client:
        for byte in service.post(CHAT, BODY):
            client.send(bytes([byte]))
        assert client.answer().status == 200
    assert upstream.last.body == BODY


def test_line_feeds_alone_do_not_hang(impatient: Service, upstream: Upstream) -> None:
    raw = impatient.post(CHAT, BODY).replace(b"\r\n", b"\n")
    with Client(impatient.address) as client:
        client.send(raw)
        got = client.answer_if_any()
    assert got is None or got.status in {400, 408}
    assert upstream.heard_nothing()
