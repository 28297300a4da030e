"""Limits: of size, of time, of patience. Whoever goes over one is told so, and costs nobody else anything."""

from __future__ import annotations

import json
import random
import threading
import zlib
from collections.abc import Callable, Iterator

import pytest

from .client import Client
from .conftest import providers
from .service import ATTACK, BENIGN, CHAT, Service, chat
from .upstream import Peer, Received, Upstream, reached_within, say

pytestmark = pytest.mark.sockets

MB = 1 << 20
MAX_BODY = 100_000
JSON = b"Content-Type: application/json"
CHUNKED = b"Transfer-Encoding: chunked"
LIMITS = f"""
[proxy]
max_body = {MAX_BODY}
head_timeout = 1.5
body_timeout = 2
upstream_timeout = 1.5
idle_timeout = 1.5
attachments = "block"
"""


@pytest.fixture(scope="module")
def tight(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with every limit set low."""
    with Service(tmp_path_factory.mktemp("tight"), LIMITS + providers(upstream.url)).ready() as running:
        yield running


def padded(size: int) -> bytes:
    """A harmless chat completion of exactly this many bytes."""
    body = chat(BENIGN, user="")
    filler = b"A quiet walk along the river. " * (size // 30 + 1)
    return body[:-2] + filler[: size - len(body)] + body[-2:]


# --- size of a body


def test_a_body_at_the_limit_passes(tight: Service, upstream: Upstream) -> None:
    assert len(padded(MAX_BODY)) == MAX_BODY
    assert tight.ask(tight.post(CHAT, padded(MAX_BODY))).status == 200
    assert upstream.last.body == padded(MAX_BODY)


def test_a_body_over_the_limit_is_refused_before_it_is_sent(tight: Service, upstream: Upstream) -> None:
    for length in (MAX_BODY + 1, 10**12, 10**20, 10**300):
        with tight.client() as client:
            client.send(tight.head(b"POST", CHAT, JSON, b"Content-Length: %d" % length))
            got = client.answer()
        assert got.status in ({413} if length < 10**19 else {400, 413})
        assert got.error["message"]
    assert upstream.heard_nothing()


def test_a_refusal_comes_instead_of_a_continue(tight: Service, upstream: Upstream) -> None:
    with tight.client() as client:
        client.send(tight.head(b"POST", CHAT, JSON, b"Content-Length: %d" % (MAX_BODY + 1), b"Expect: 100-continue"))
        got = client.answer()
    assert (got.status, got.interim) == (413, ())
    assert upstream.heard_nothing()


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_client_that_keeps_sending_can_read_the_refusal(tight: Service, upstream: Upstream, framing: str) -> None:
    """Closing at once would reset the connection, and the reset would take the answer along."""
    size = 4 * MB
    with tight.client() as client:
        if framing == "length":
            client.send(tight.head(b"POST", CHAT, JSON, b"Content-Length: %d" % size))
        else:
            client.send(tight.head(b"POST", CHAT, JSON, CHUNKED))
        piece = b"x" * 65536 if framing == "length" else b"10000\r\n" + b"x" * 65536 + b"\r\n"
        for _ in range(size // 65536):
            if not client.try_send(piece):
                break
        got = client.answer()
    assert got.status == 413
    assert got.error["message"]
    assert upstream.heard_nothing()


def test_a_refused_body_is_not_the_next_request(tight: Service, upstream: Upstream) -> None:
    smuggled = tight.post(b"/v1/proxy/openai/v1/smuggled", chat(BENIGN))
    with tight.client() as client:
        client.send(tight.head(b"POST", CHAT, JSON, b"Content-Length: %d" % (MAX_BODY + 1)) + smuggled * 50)
        assert client.answer().status == 413
        assert client.closed_within(10)
    assert upstream.heard_nothing()


def test_without_a_key_the_body_is_not_waited_for(tight: Service, upstream: Upstream) -> None:
    for framing in (b"Content-Length: 50000", CHUNKED):
        with tight.client() as client:
            client.send(tight.head(b"POST", CHAT, b"X-LockLLM-Key: wrong", framing))
            got = client.answer()
        assert got.status == 401
        assert got.error["code"] == "unauthorized"
    assert upstream.heard_nothing()


def test_a_client_without_a_key_that_sends_on_can_read_why(service: Service) -> None:
    with service.client() as client:
        client.send(service.head(b"POST", CHAT, b"X-LockLLM-Key: wrong", b"Content-Length: %d" % (4 * MB)))
        for _ in range(64):
            if not client.try_send(b"x" * 65536):
                break
        assert client.answer().error["code"] == "unauthorized"


def _bomb(size: int) -> bytes:
    """``size`` blanks and then the end of a JSON object, gzipped: each MB of them takes about a kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = packer.compress(b'{"model":"m","messages":[{"role":"user","content":"')
    start += packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(b" " * MB) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (size // MB)


def test_a_bomb_does_not_go_off(service: Service, upstream: Upstream) -> None:
    bomb = _bomb(1024 * MB)
    assert len(bomb) < 2 * MB
    peak = before = service.rss()
    with service.client() as client:
        client.send(service.post(CHAT, bomb, b"Content-Encoding: gzip"))
        client.sock.settimeout(0.1)
        for _ in range(100):
            peak = max(peak, service.rss())
            try:
                client.reader.more()
                break
            except TimeoutError:
                continue
        client.sock.settimeout(5)
        got = client.answer()
    assert got.status in {400, 413, 415}
    assert max(peak, service.rss()) - before < 150 * MB
    assert upstream.heard_nothing()


# --- shapes that are hard to read


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"messages":[{"role":"user","content":' + b"[" * 1000 + b'"x"' + b"]" * 1000 + b"}]}",
        b'[{"a":' * 50_000,
    ],
    ids=["open", "lists", "objects", "thousand", "mixed"],
)
def test_depth_has_a_limit(service: Service, upstream: Upstream, body: bytes) -> None:
    got = service.ask(service.post(CHAT, body))
    assert got.status == 400
    assert got.error["message"]
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "body",
    [
        chat("[" * 100_000 + "]" * 100_000),
        chat('{"a":' * 50_000 + "1" + "}" * 50_000),
        chat(json.dumps(json.dumps(json.dumps(json.dumps("deep"))))),
        b'{"model":"m","max_tokens":' + b"9" * 10_000 + b',"messages":[]}',
        b'{"model":"m","temperature":1e999999,"messages":[]}',
        b'{"model":"m","temperature":' + b"0." + b"1" * 100_000 + b',"messages":[]}',
        b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(100_000)) + b"}",
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}] * 20_000}).encode(),
        json.dumps({"model": "m" * 100_000, "messages": []}).encode(),
    ],
    ids=["brackets", "objects in text", "quotes in quotes", "long integer", "huge float", "long float", "many keys",
         "many messages", "long model"],
)  # fmt: skip
def test_odd_shapes_are_no_crash(service: Service, body: bytes) -> None:
    assert service.ask(service.post(CHAT, body)).status in {200, 400, 413}


@pytest.mark.parametrize(
    "piece",
    ["a", "a ", " ", "\u200b", "ignore ", "ignore all previous ", "aWdub3Jl", "%69", "&#105;", "\\u0069", "6967", "i g n ",
     "../", "<a ", "((((", "\u0301", "\U000e0041", '{"a":"', "=", "-----BEGIN", "data:text/plain;base64,", "\uff49"],
)  # fmt: skip
def test_no_text_takes_for_ever(service: Service, piece: str) -> None:
    """Half a megabyte of what makes a careless pattern or decoder slow; everybody else is served meanwhile."""
    body = chat(piece * (MB // 2 // len(piece)))
    with service.client() as client:
        client.send(service.post(CHAT, body))
        with service.client() as other:
            other.sock.settimeout(3)
            other.send(service.head(b"GET", b"/health"))
            assert other.answer(b"GET").status == 200
        assert client.answer().status in {200, 400}


@pytest.mark.parametrize("make", [bytes, lambda noise: b'{"model":"m","prompt":"' + noise], ids=["bare", "in JSON"])
def test_what_is_refused_anyway_costs_little(
    service: Service, upstream: Upstream, make: Callable[[bytes], bytes]
) -> None:
    """Eight megabytes of noise are not UTF-8: there is no text in them that would be worth a scan."""
    before = service.rss()
    got = service.ask(service.post(CHAT, make(random.Random(1).randbytes(8 * MB))))
    assert got.status == 400
    assert got.error["type"] == "invalid_request_error"
    assert service.rss() - before < 100 * MB
    assert upstream.heard_nothing()


def test_the_end_of_a_long_text_is_read_too(service: Service, upstream: Upstream) -> None:
    long = "A quiet walk along the river. " * 20_000
    assert service.ask(service.chat(long)).status == 200
    upstream.reset()
    for text in (long + ATTACK, long + ATTACK + long, ATTACK + long):
        assert service.ask(service.chat(text)).status == 400
    assert upstream.heard_nothing()


# --- patience with a client


def test_a_head_has_an_absolute_deadline(tight: Service, upstream: Upstream) -> None:
    """Each byte in time, the whole never: the oldest trick against servers."""
    with tight.client() as client:
        assert client.drip(tight.head(b"POST", CHAT) * 5, every=0.1), "a byte now and then kept the connection"
        got = client.answer_if_any()
    assert got is None or got.status == 408
    assert upstream.heard_nothing()


def test_a_connection_that_says_nothing_is_closed(tight: Service) -> None:
    with tight.client() as client:
        assert client.closed_within(5)


def test_a_second_head_has_the_same_deadline(tight: Service, upstream: Upstream) -> None:
    with tight.client() as client:
        client.send(tight.chat(BENIGN))
        assert client.answer().status == 200
        assert client.drip(tight.head(b"POST", CHAT) * 5, every=0.1)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_has_a_deadline(tight: Service, upstream: Upstream, framing: str) -> None:
    with tight.client() as client:
        if framing == "length":
            client.send(tight.head(b"POST", CHAT, JSON, b"Content-Length: 1000"))
            body = b"x" * 1000
        else:
            client.send(tight.head(b"POST", CHAT, JSON, CHUNKED))
            body = b"1\r\nx\r\n" * 200
        assert client.drip(body, every=0.1), "a byte now and then kept the request"
        got = client.answer_if_any()
    assert got is None or got.status == 408
    assert upstream.heard_nothing()


def test_many_slow_clients_keep_nobody_out(tight: Service) -> None:
    slow = [Client(tight.address) for _ in range(200)]
    try:
        for client in slow:
            client.try_send(b"POST /v1/proxy/openai HTTP/1.1\r\nX-A: ")
        assert tight.ask(tight.chat(BENIGN)).status == 200
        assert all(client.closed_within(10) for client in slow)
    finally:
        for client in slow:
            client.close()


def test_no_descriptor_is_left_behind(service: Service, upstream: Upstream) -> None:
    """A hundred and twenty clients that leave, at every point of an exchange; a database may be opened meanwhile."""
    upstream.script = lambda peer, _request: peer.wait_gone()
    whole = service.chat(BENIGN)
    before = service.descriptors()
    for end in (0, 1, 10, len(whole) - 200, len(whole) - 1, len(whole)):
        for leave in (Client.close, Client.reset):
            for _ in range(10):
                client = service.client()
                client.send(whole[:end])
                leave(client)
    assert reached_within(lambda: service.descriptors() < before + 10), f"{service.descriptors()} open, {before} before"


def test_many_requests_cost_no_memory(service: Service) -> None:
    def ask(count: int) -> int:
        with service.client() as client:
            for _ in range(count):
                client.send(service.chat(BENIGN))
                assert client.answer().status == 200
        return service.rss()

    before = ask(300)
    assert ask(2000) - before < 4 * MB


# --- patience with a provider


def test_a_provider_that_says_nothing_is_a_504(tight: Service, upstream: Upstream) -> None:
    upstream.script = lambda peer, _request: peer.wait_gone()
    got = tight.ask(tight.chat(BENIGN))
    assert got.status == 504
    assert got.error["type"] == "upstream_error"
    assert got.error["code"] == "provider_timeout"
    assert upstream.last.peer.gone.wait(5)
    assert len(upstream.requests) == 1, "what may have been done is not done again"


def test_interim_answers_do_not_buy_time_for_ever(tight: Service, upstream: Upstream) -> None:
    def script(peer: Peer, _request: Received) -> None:
        while not peer.gone.wait(0.2):
            peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")

    upstream.script = script
    assert tight.ask(tight.chat(BENIGN)).status in {502, 504}


def test_a_provider_that_stops_halfway_is_cut(tight: Service, upstream: Upstream) -> None:
    for framing in (b"Content-Length: 10\r\n\r\nhalf ", b"Transfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n"):

        def script(peer: Peer, _request: Received, framing: bytes = framing) -> None:
            peer.send(b"HTTP/1.1 200 OK\r\n" + framing)
            peer.wait_gone()

        upstream.script = script
        got = tight.ask(tight.chat(BENIGN))
        assert (got.status, got.body, got.complete) == (200, b"half ", False)
        assert upstream.last.peer.gone.wait(5)


def test_a_slow_stream_is_not_cut_while_it_goes_on(tight: Service, upstream: Upstream) -> None:
    """Four seconds in all, under limits of one and a half between two bytes."""
    pause = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(8):
            pause.wait(0.5)
            peer.send(b"1\r\n.\r\n")
        peer.send(b"0\r\n\r\n")

    upstream.script = script
    got = tight.ask(tight.chat(BENIGN))
    assert got.complete
    assert got.body == b"." * 8


def test_the_time_limits_leave_a_kept_connection_alone(tight: Service, upstream: Upstream) -> None:
    """A time-out of one request must not strike the next."""
    upstream.script = say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    with tight.client() as client:
        for _ in range(3):
            client.send(tight.chat(BENIGN))
            assert client.answer().body == b"ok"
            assert not client.closed_within(0.7)


# --- what is not read


IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def with_image() -> bytes:
    parts = [{"type": "text", "text": BENIGN}, {"type": "image_url", "image_url": {"url": IMAGE}}]
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": parts}]}).encode()


def test_attachments_can_be_refused(tight: Service, upstream: Upstream) -> None:
    got = tight.ask(tight.post(CHAT, with_image()))
    assert got.status == 400
    assert got.error["message"]
    assert upstream.heard_nothing()
    assert tight.ask(tight.chat(BENIGN)).status == 200


def test_an_attachment_passes_and_is_told_as_not_read(service: Service, upstream: Upstream) -> None:
    got = service.ask(service.post(CHAT, with_image()))
    assert got.status == 200
    assert upstream.last.body == with_image()
    assert any(b"partial" in value for _, value in got.head.named(b"x-lockllm-"))
