"""TLS on both sides: the same wire, and not one byte of HTTP to a provider whose certificate is not right."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from .bytestream import DEADLINE
from .certificates import LOOPBACK, Authority
from .client import Client
from .conftest import providers
from .service import ATTACK, BENIGN, CHAT, SecureService, Service, chat
from .test_lifecycle import failed
from .upstream import Peer, Received, Script, Upstream, say_and_close

pytestmark = pytest.mark.sockets

MB = 1 << 20
PROMISED = 1.0
"""Seconds within which the provider's connection is given up after the client has left."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secure_upstream(authority: Authority) -> Iterator[Upstream]:
    """A provider behind TLS, with a certificate that is right."""
    with Upstream(authority.issue(*LOOPBACK).context()) as listening:
        yield listening


@pytest.fixture(autouse=True)
def _afresh(secure_upstream: Upstream) -> Iterator[None]:
    secure_upstream.reset()
    yield
    assert not secure_upstream.faults, secure_upstream.faults


@pytest.fixture(scope="module")
def wrong_upstreams(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Upstream]]:
    """Providers whose certificates are for another name, too old, or signed by nobody whom we know."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    made = {
        "other-name": Upstream(authority.issue(x509.DNSName("other.example")).context()),
        "expired": Upstream(authority.issue(*LOOPBACK, days=-1).context()),
        "stranger": Upstream(stranger.issue(*LOOPBACK).context()),
    }
    yield made
    for listening in made.values():
        listening.close()


@pytest.fixture(scope="module")
def secure(
    upstream: Upstream,
    secure_upstream: Upstream,
    wrong_upstreams: dict[str, Upstream],
    authority: Authority,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Service]:
    """A service behind TLS that trusts the tests' authority and no other."""
    own = authority.issue(*LOOPBACK)
    more = {"secure": secure_upstream, **wrong_upstreams}
    config = providers(upstream.url) + "".join(
        f'[providers.{slug}]\ndialect = "openai"\nbase_url = "{other.url}"\n' for slug, other in more.items()
    )
    directory = tmp_path_factory.mktemp("secure")
    with SecureService(directory, config, own, authority.roots).ready() as running:
        yield running


SECURE = b"/v1/proxy/secure/v1/chat/completions"


@pytest.mark.parametrize("target", [CHAT, SECURE], ids=["plain provider", "secure provider"])
def test_requests_pass_and_are_blocked(
    secure: Service, upstream: Upstream, secure_upstream: Upstream, target: bytes
) -> None:
    heard = upstream if target == CHAT else secure_upstream
    with secure.client() as client:
        client.send(secure.post(target, chat(BENIGN)))
        assert client.answer().status == 200
        client.send(secure.post(target, chat(ATTACK)))
        assert client.answer().status == 400
    assert [request.body for request in heard.requests] == [chat(BENIGN)]


def test_http2_is_not_spoken(secure: Service) -> None:
    """Offered by the client and, where the h2 package happens to be installed, by Twisted."""
    with secure.client() as client:
        assert isinstance(client.sock, ssl.SSLSocket)
        assert client.sock.selected_alpn_protocol() in {None, "http/1.1"}
        assert client.sock.version() in {"TLSv1.2", "TLSv1.3"}


def test_old_versions_are_not_spoken(secure: Service) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):  # noqa: PT011 - an alert, a reset or an end, as OpenSSL likes
        Client(secure.address, tls=context)


def test_certificates_between_its_own_and_a_root_are_sent_along(
    upstream: Upstream, authority: Authority, tmp_path: Path
) -> None:
    """Clients know roots only. In ``certKey`` all but the first certificate is ignored."""
    between = Authority(tmp_path, by=authority)
    own = between.issue(*LOOPBACK)
    with SecureService(tmp_path, providers(upstream.url), own, authority.roots, between=between.own).ready() as service:
        assert service.ask(service.chat(BENIGN)).status == 200
    alone = SecureService(tmp_path, providers(upstream.url), own, authority.roots)
    with alone.ready(), pytest.raises(ssl.SSLCertVerificationError):
        alone.client()


@pytest.mark.parametrize(
    ("key", "certificate", "word"),
    [
        ("own", "nobody.pem", "nobody.pem"),
        ("own", "empty.pem", "PEM"),
        ("empty.pem", "own", "PEM"),
        ("another", "own", "do not match"),
    ],
)
def test_certificates_that_cannot_serve_are_told_at_the_start(
    authority: Authority, tmp_path: Path, key: str, certificate: str, word: str
) -> None:
    (tmp_path / "empty.pem").write_text("")
    known = {name: authority.issue(*LOOPBACK) for name in ("own", "another")}
    key_path = known[key].key if key in known else tmp_path / key
    path = known[certificate].chain if certificate in known else tmp_path / certificate
    text = failed(Service(tmp_path, listen=[f"ssl:{{port}}:privateKey={key_path}:certKey={path}"]))
    assert word in text
    assert "extraCertChain" in text


def test_plain_http_to_the_secure_port_is_closed(secure: Service, upstream: Upstream) -> None:
    with Client(secure.address) as client:
        client.send(secure.chat(BENIGN))
        assert client.closed_within(10)
    assert upstream.heard_nothing()


@pytest.mark.parametrize("slug", ["other-name", "expired", "stranger"])
def test_a_wrong_certificate_gets_not_one_byte(
    secure: Service, wrong_upstreams: dict[str, Upstream], slug: str
) -> None:
    got = secure.ask(secure.post(f"/v1/proxy/{slug}/v1/chat/completions".encode(), chat(BENIGN)))
    assert got.status == 502
    assert got.error["type"] == "upstream_error"
    assert wrong_upstreams[slug].heard_nothing()


def test_without_the_roots_nobody_is_trusted(secure_upstream: Upstream, tmp_path: Path) -> None:
    config = f'[providers.secure]\ndialect = "openai"\nbase_url = "{secure_upstream.url}"\n'
    with Service(tmp_path, config).ready() as service:
        assert service.ask(service.post(SECURE, chat(BENIGN))).status == 502
    assert secure_upstream.heard_nothing()


def test_a_handshake_that_gets_no_answer_has_an_end(upstream: Upstream, tmp_path: Path) -> None:
    """The provider of the other tests waits for a line of HTTP, which TLS never says."""
    url = upstream.url.replace("http:", "https:")
    config = f'[proxy]\nupstream_timeout = 1.5\n[providers.plain]\ndialect = "openai"\nbase_url = "{url}"\n'
    with Service(tmp_path, config).ready() as service:
        got = service.ask(service.post(b"/v1/proxy/plain/v1/chat/completions", chat(BENIGN)))
        assert got.status in {502, 504}
        assert got.error["type"] == "upstream_error"
    assert upstream.requests == []


def test_events_leave_when_they_arrive(secure: Service, secure_upstream: Upstream) -> None:
    turn = threading.Semaphore(0)

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(10):
            assert turn.acquire(timeout=DEADLINE)
            peer.send(b"5\r\nevent\r\n")
        peer.send(b"0\r\n\r\n")

    secure_upstream.script = script
    with secure.client() as client:
        client.send(secure.post(SECURE, chat(BENIGN)))
        pieces = client.reader.pieces(client.head())
        for _ in range(10):
            turn.release()
            assert next(pieces) == b"event"
        assert list(pieces) == []
        assert client.reader.complete


@pytest.mark.parametrize("framing", [b"Content-Length: 9", b"Transfer-Encoding: chunked"])
def test_a_cut_looks_cut(secure: Service, secure_upstream: Upstream, framing: bytes) -> None:
    part = b"5\r\n12345\r\n" if framing.endswith(b"chunked") else b"12345"
    secure_upstream.script = say_and_close(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + part)
    got = secure.ask(secure.post(SECURE, chat(BENIGN)))
    assert got.status == 502 or not got.complete


def test_an_end_without_a_goodbye_is_a_cut(secure: Service, secure_upstream: Upstream) -> None:
    """A body that ends with the connection is whole only if TLS said so (RFC 9112 section 9.8)."""
    secure_upstream.script = say_and_close(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345")
    assert not secure.ask(secure.post(SECURE, chat(BENIGN))).complete


def test_an_end_with_a_goodbye_is_an_end(secure: Service, secure_upstream: Upstream) -> None:
    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345")
        assert isinstance(peer.sock, ssl.SSLSocket)
        peer.sock.unwrap().close()

    secure_upstream.script = script
    got = secure.ask(secure.post(SECURE, chat(BENIGN)))
    assert (got.body, got.complete) == (b"12345", True)


def _quiet(peer: Peer, _request: Received) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n")
    peer.wait_gone()


def _flood(peer: Peer, _request: Received) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send_until_gone(b"1000\r\n" + b"x" * 4096 + b"\r\n")


@pytest.mark.parametrize("script", [_quiet, _flood])
@pytest.mark.parametrize("target", [CHAT, SECURE], ids=["plain provider", "secure provider"])
def test_the_provider_is_left_when_the_client_leaves(
    secure: Service, upstream: Upstream, secure_upstream: Upstream, target: bytes, script: Script
) -> None:
    """Over TLS a polite close waits for an answer that a busy peer never sends."""
    other = upstream if target == CHAT else secure_upstream
    other.script = script
    with secure.client() as client:
        client.send(secure.post(target, chat(BENIGN)))
        client.head()
    assert other.last.peer.gone.wait(PROMISED)


@pytest.mark.parametrize("target", [CHAT, SECURE], ids=["plain provider", "secure provider"])
def test_a_slow_reader_costs_no_memory(
    secure: Service, upstream: Upstream, secure_upstream: Upstream, target: bytes
) -> None:
    other = upstream if target == CHAT else secure_upstream
    size, block = 96 * MB, b"x" * 65536
    stuck = threading.Event()
    taken: list[int] = []

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for sent in range(0, size, len(block)):
            if not stuck.is_set() and peer.stalled(1.0):
                taken.append(sent)
                stuck.set()
            peer.send(block)
        stuck.set()

    def growth() -> int:
        stuck.clear()
        before = secure.rss()
        with secure.client(receive_buffer=1 << 14) as client:
            client.send(secure.post(target, chat(BENIGN)))
            head = client.head()
            assert stuck.wait(DEADLINE)
            peak = secure.rss()
            read = sum(len(piece) for piece in client.reader.pieces(head))
            assert client.reader.complete
            assert read == size
        return max(peak, secure.rss()) - before

    other.script = script
    growth()  # what any relay allocates once
    assert growth() < 20 * MB
    assert taken, "the provider was never held back"
    assert max(taken) < 32 * MB, "the provider was not held back"
