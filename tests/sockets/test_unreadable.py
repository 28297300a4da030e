"""What scanner and provider could read differently: refused with a reason, or flagged where the operator says so."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from .conftest import providers
from .service import ATTACK, BENIGN, CHAT, Service, chat
from .test_bypass import V1, b64, blocked, field, multipart, passed
from .upstream import Upstream

pytestmark = pytest.mark.sockets


# --- packed


PACKERS: dict[bytes, Callable[[bytes], bytes]] = {
    b"gzip": gzip.compress,
    b"GZIP": gzip.compress,
    b"deflate": zlib.compress,
    b"identity": bytes,
}


@pytest.mark.parametrize("coding", PACKERS)
def test_a_packed_attack_is_found(service: Service, upstream: Upstream, coding: bytes) -> None:
    blocked(service, upstream, service.post(CHAT, PACKERS[coding](chat(ATTACK)), b"Content-Encoding: " + coding))


@pytest.mark.parametrize("coding", PACKERS)
def test_a_packed_request_stays_packed(service: Service, upstream: Upstream, coding: bytes) -> None:
    body = PACKERS[coding](chat(BENIGN))
    passed(service, upstream, service.post(CHAT, body, b"Content-Encoding: " + coding), body)
    assert upstream.last.head.every(b"content-encoding") == [coding]


PACKED = gzip.compress(chat(BENIGN))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        (b"br", b"\x0b\x02\x80hello\x03"),
        (b"zstd", b"\x28\xb5\x2f\xfd\x04\x58"),
        (b"compress", b"\x1f\x9d"),
        (b"gzip, gzip", gzip.compress(PACKED)),
        (b"gzip, deflate", zlib.compress(PACKED)),
        (b"aws-chunked", chat(BENIGN)),
        (b"gzip;q=1", PACKED),
        (b"gzip", gzip.compress(PACKED)),
        (b"gzip", chat(BENIGN)),
        (b"gzip", zlib.compress(chat(BENIGN))),
        (b"gzip", PACKED[:-1]),
        (b"gzip", PACKED[:-12]),
        (b"gzip", PACKED + b"trailing"),
        (b"gzip", PACKED + PACKED),
        (b"gzip", PACKED[:-8] + b"\x00" * 8),
        (b"deflate", zlib.compress(chat(BENIGN))[:-1]),
        (b"deflate", zlib.compress(chat(BENIGN)) + b"x"),
        (None, PACKED),
    ],
)
def test_what_can_not_be_unpacked_for_sure_is_refused(
    service: Service, upstream: Upstream, coding: bytes | None, body: bytes
) -> None:
    headers = [] if coding is None else [b"Content-Encoding: " + coding]
    got = service.ask(service.post(CHAT, body, *headers))
    assert got.status in {400, 415}
    assert got.error["message"]
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "codings",
    [
        [b"identity, gzip"],
        [b"gzip, identity"],
        [b"gzip", b"identity"],
        [b"identity", b"gzip"],
        [b"", b"gzip"],
        [b",gzip,"],
    ],
)
def test_an_odd_way_to_name_a_coding_hides_nothing(service: Service, upstream: Upstream, codings: list[bytes]) -> None:
    raw = service.post(CHAT, gzip.compress(chat(ATTACK)), *[b"Content-Encoding: " + coding for coding in codings])
    assert service.ask(raw).status in {400, 415}
    assert upstream.heard_nothing()


# --- what two readers could read differently


PLAIN = chat(BENIGN).decode()
UNREADABLE: dict[str, bytes] = {
    "a key twice": b'{"messages":[{"role":"user","content":"a","content":"b"}]}',
    "a key twice, at the top": b'{"model":"m","messages":[],"messages":[]}',
    "a key twice, escaped": b'{"messages":[{"role":"user","content":"a","\\u0063ontent":"b"}]}',
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16 with a mark": PLAIN.encode("utf-16"),
    "UTF-16 LE": PLAIN.encode("utf-16-le"),
    "UTF-16 BE": PLAIN.encode("utf-16-be"),
    "UTF-32": PLAIN.encode("utf-32"),
    "EBCDIC": PLAIN.encode("cp037"),
    "Latin-1": PLAIN.replace("France", "Fran\u00e7aise").encode("latin-1"),
    "overlong": PLAIN.encode().replace(b"France", b"Fr\xc1\xa1nce"),
    "a surrogate in UTF-8": PLAIN.encode().replace(b"France", b"\xed\xa0\x80"),
    "a pair of them": PLAIN.encode().replace(b"France", b"\xed\xa0\xbd\xed\xb8\x80"),
    "a lone surrogate": PLAIN.encode().replace(b"France", b"\\ud800"),
    "surrogates the wrong way": PLAIN.encode().replace(b"France", b"\\udc00\\ud800"),
    "a half escape": PLAIN.encode().replace(b"France", b"\\u12"),
    "an unknown escape": PLAIN.encode().replace(b"France", b"\\x41"),
    "a cut character": PLAIN.encode()[:-2] + b"\xe2\x82",
    "NaN": b'{"model":"m","temperature":NaN,"messages":[]}',
    "Infinity": b'{"model":"m","temperature":-Infinity,"messages":[]}',
    "trailing data": PLAIN.encode() + b'{"model":"m"}',
    "trailing words": PLAIN.encode() + b" and more",
    "a trailing NUL": PLAIN.encode() + b"\x00",
    "two lines": PLAIN.encode() + b"\n" + PLAIN.encode(),
    "a comment": b"/* a */" + PLAIN.encode(),
    "a comment at the end": PLAIN.encode() + b"// a",
    "a guard": b")]}'\n" + PLAIN.encode(),
    "a trailing comma": b'{"model":"m","messages":[],}',
    "single quotes": b"{'model':'m'}",
    "bare names": b'{model:"m"}',
    "a raw line break in a text": PLAIN.encode().replace(b"France", b"Fra\nnce"),
    "a raw NUL in a text": PLAIN.encode().replace(b"France", b"Fra\x00nce"),
    "cut short": PLAIN.encode()[:-1],
    "a leading zero": b'{"model":"m","n":01}',
    "a form feed": b"\x0c" + PLAIN.encode(),
    "a no-break space": "\u00a0".encode() + PLAIN.encode(),
    "nothing but blanks": b"   ",
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_can_be_read_in_two_ways_is_refused(service: Service, upstream: Upstream, kind: str) -> None:
    got = service.ask(service.post(CHAT, UNREADABLE[kind]))
    assert got.status in {400, 415}
    assert got.error["message"]
    assert got.error["code"] not in {"internal_error", "prompt_injection_detected"}
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "charset", [b"utf-16", b"ibm037", b"utf-7", b"iso-8859-1", b'"utf-8", utf-16', b"utf-8; charset=utf-16"]
)
def test_another_charset_is_refused(service: Service, upstream: Upstream, charset: bytes) -> None:
    got = service.ask(service.post(CHAT, chat(BENIGN), b"Content-Type: application/json; charset=" + charset))
    assert got.status in {400, 415}
    assert upstream.heard_nothing()


def test_refused_forms(service: Service, upstream: Upstream) -> None:
    """Forms that two parsers take apart differently."""
    whole = multipart((field(b"a"), b"x"))
    odd = [
        (b"multipart/form-data; boundary=xBOUNDx; boundary=other", whole),
        (b"multipart/form-data; boundary=", whole),
        (b"multipart/form-data; boundary=other", whole),
        (b"multipart/form-data; boundary=xBOUNDx", whole[:-6]),
        (
            b"multipart/form-data; boundary=xBOUNDx",
            multipart((field(b"a") + b"\r\nContent-Transfer-Encoding: base64", b64(ATTACK).encode())),
        ),
        (b"multipart/form-data; boundary=xBOUNDx", multipart((b"X-Nothing: 1", b"x"))),
    ]
    for content_type, body in odd:
        got = service.ask(service.post(V1 + b"files", body, b"Content-Type: " + content_type))
        assert got.status in {400, 415}, (content_type, body)
    assert upstream.heard_nothing()


# --- where the operator lets it pass


@pytest.fixture(scope="module")
def lenient(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that flags what it can't read."""
    config = '[proxy]\nunreadable = "flag"\n' + providers(upstream.url)
    with Service(tmp_path_factory.mktemp("lenient"), config).ready() as running:
        yield running


@pytest.mark.parametrize(
    "kind", ["a key twice", "UTF-16 LE", "cut short", "NaN", "a lone surrogate", "overlong", "trailing data"]
)
def test_what_can_not_be_read_passes_flagged_where_it_may(lenient: Service, upstream: Upstream, kind: str) -> None:
    got = lenient.ask(lenient.post(CHAT, UNREADABLE[kind]))
    assert got.status == 200
    assert upstream.last.body == UNREADABLE[kind]
    told = [value for _, value in got.head.named(b"x-lockllm-")]
    assert got.head.one(b"x-lockllm-scanned") == b"false" or any(b"partial" in v or b"not_scanned" in v for v in told)


def test_what_can_be_read_is_still_blocked_where_the_rest_may_pass(lenient: Service, upstream: Upstream) -> None:
    blocked(lenient, upstream, lenient.chat(ATTACK))
    twice = b'{"messages":[{"role":"user","content":"' + ATTACK.encode() + b'","content":"b"}]}'
    assert lenient.ask(lenient.post(CHAT, twice)).status == 400, "both values of a key are read"
    assert upstream.heard_nothing()
