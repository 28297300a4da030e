"""Keys: the right one opens, no other does, and none is ever told to anybody else."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import providers
from .service import (
    ATTACK,
    BENIGN,
    CHAT,
    PROVIDER_KEY,
    START_DEADLINE,
    STORED_KEY,
    Service,
    chat,
    cli,
    run_cli,
)
from .upstream import Upstream, answer, reached_within, say

pytestmark = pytest.mark.sockets

MESSAGES = b"/v1/proxy/anthropic/v1/messages"
GENERATE = b"/v1/proxy/gemini/v1beta/models/gemini-2.0-flash:generateContent"
ACME = b"/v1/proxy/acme/v1/chat/completions"
CONTENTS = json.dumps({"contents": [{"role": "user", "parts": [{"text": BENIGN}]}]}).encode()
PROMISED = 1.0
"""Seconds after which the running service knows a new key, and a revoked one no more."""


def heard_of(upstream: Upstream, secret: bytes) -> bool:
    """Whether the provider was told a secret anywhere: start line, headers or body."""
    return any(secret in request.head.raw + request.body for request in upstream.requests)


# --- the provider's key beside ours


def test_the_clients_own_provider_key_passes_and_ours_does_not(service: Service, upstream: Upstream) -> None:
    assert service.ask(service.chat(BENIGN)).status == 200
    assert upstream.last.head.every(b"authorization") == [b"Bearer " + PROVIDER_KEY]
    assert not heard_of(upstream, service.key)
    assert upstream.last.head.named(b"x-lockllm") == []


@pytest.mark.parametrize(
    ("target", "body", "credential"),
    [
        (MESSAGES, chat(BENIGN), b"x-api-key: " + PROVIDER_KEY),
        (MESSAGES, chat(BENIGN), b"Authorization: Bearer " + PROVIDER_KEY),
        (GENERATE, CONTENTS, b"x-goog-api-key: " + PROVIDER_KEY),
        (ACME, chat(BENIGN), b"Authorization: Basic dXNlcjpwYXNz"),
        (ACME, chat(BENIGN), b"api-key: " + PROVIDER_KEY),
    ],
)
def test_every_place_of_a_provider_key_is_left_as_it_is(
    service: Service, upstream: Upstream, target: bytes, body: bytes, credential: bytes
) -> None:
    bare = service.post(target, body, credential)
    if not credential.startswith(b"Auth"):
        bare = bare.replace(b"Authorization: Bearer " + PROVIDER_KEY + b"\r\n", b"")
    assert service.ask(bare).status == 200
    name, _, value = credential.partition(b": ")
    assert upstream.last.head.every(name) == [value]
    assert not heard_of(upstream, STORED_KEY)
    assert not heard_of(upstream, service.key)


def test_a_provider_key_in_the_query_is_left_as_it_is(service: Service, upstream: Upstream) -> None:
    raw = service.post(GENERATE + b"?key=" + PROVIDER_KEY + b"&alt=sse", CONTENTS)
    assert service.ask(raw.replace(b"Authorization: Bearer " + PROVIDER_KEY + b"\r\n", b"")).status == 200
    assert upstream.last.target.endswith(b"?key=" + PROVIDER_KEY + b"&alt=sse")


# --- our key in the provider's place


@pytest.mark.parametrize(
    ("target", "place", "expected"),
    [
        (CHAT, b"Authorization: Bearer %s", (b"authorization", b"Bearer " + STORED_KEY)),
        (CHAT, b"authorization: bearer %s", (b"authorization", b"Bearer " + STORED_KEY)),
        (CHAT, b"x-api-key: %s", (b"authorization", b"Bearer " + STORED_KEY)),
        (CHAT, b"api-key: %s", (b"authorization", b"Bearer " + STORED_KEY)),
        (CHAT, b"X-GOOG-API-KEY: %s", (b"authorization", b"Bearer " + STORED_KEY)),
        (MESSAGES, b"x-api-key: %s", (b"x-api-key", STORED_KEY)),
        (MESSAGES, b"Authorization: Bearer %s", (b"x-api-key", STORED_KEY)),
        (GENERATE, b"x-goog-api-key: %s", (b"x-goog-api-key", STORED_KEY)),
        (GENERATE, b"Authorization: Bearer %s", (b"x-goog-api-key", STORED_KEY)),
        (GENERATE + b"?alt=sse&key=%s", b"X-Nothing: 1", (b"x-goog-api-key", STORED_KEY)),
    ],
)
def test_our_key_in_the_providers_place_is_replaced_by_the_stored_one(
    service: Service, upstream: Upstream, target: bytes, place: bytes, expected: tuple[bytes, bytes]
) -> None:
    raw = (
        service.post(target, CONTENTS if target.startswith(GENERATE) else chat(BENIGN))
        .replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b"")
        .replace(b"Authorization: Bearer " + PROVIDER_KEY, place.replace(b"%s", service.key))
        .replace(b"key=%s", b"key=" + service.key)
    )
    got = service.ask(raw)
    assert got.status == 200, got.body
    assert not heard_of(upstream, service.key)
    places = [b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"]
    assert [(name, value) for name in places for value in upstream.last.head.every(name)] == [expected]
    assert b"key=" not in upstream.last.target
    assert STORED_KEY not in got.head.raw + got.body


def test_without_a_stored_key_the_answer_says_so(service: Service, upstream: Upstream) -> None:
    raw = service.post(ACME, chat(BENIGN), b"Authorization: Bearer " + service.key)
    got = service.ask(raw.replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b""))
    assert got.status == 400
    assert got.error["code"] == "no_upstream_key"
    assert upstream.heard_nothing()


@pytest.mark.parametrize(
    "headers",
    [
        [b"Authorization: Bearer %s"],
        [b"x-api-key: %s"],
        [b"api-key: %s"],
        [b"x-goog-api-key: %s"],
        [b"X-Other: %s"],
        [b"X-Other: Token %s!"],
        [b"Cookie: session=%s"],
        [b"Referer: http://localhost/?key=%s"],
        [b"Proxy-Authorization: Bearer %s"],
        [b"X-LockLLM-Anything: %s", b"x-lockllm-key-2: %s"],
        [b"X-Forwarded-For: %s"],
        [b"Connection: x-lockllm-key"],
    ],
)
def test_our_key_reaches_the_provider_in_no_other_header(
    service: Service, upstream: Upstream, headers: list[bytes]
) -> None:
    """Beside `X-LockLLM-Key`, where it belongs. Refusing such a request is as good as dropping the header."""
    got = service.ask(service.post(CHAT, chat(BENIGN), *[header.replace(b"%s", service.key) for header in headers]))
    assert got.status in {200, 400}
    assert not heard_of(upstream, service.key)
    assert service.key not in got.head.raw + got.body


@pytest.mark.parametrize("tail", [b"?key=%s", b"?a=b&api_key=%s&c=d", b"/%s", b"?%s", b"?Key=%s"])
def test_our_key_reaches_the_provider_in_no_target(service: Service, upstream: Upstream, tail: bytes) -> None:
    got = service.ask(service.post(CHAT + tail.replace(b"%s", service.key), chat(BENIGN)))
    assert got.status in {200, 400}
    assert not heard_of(upstream, service.key)
    assert service.key not in got.head.raw + got.body


def test_another_tenants_key_reaches_the_provider_neither(service: Service, upstream: Upstream) -> None:
    _, other = service.create_key("other tenant")
    assert reached_within(lambda: service.ask(service.chat(BENIGN, b"X-LockLLM-Key: " + other)).status == 200)
    upstream.reset()
    for header in (b"Authorization: Bearer " + other, b"x-api-key: " + other):
        service.ask(service.post(CHAT, chat(BENIGN), header))
    assert not heard_of(upstream, other)


# --- headers that never cross


@pytest.mark.parametrize(
    "header",
    [
        b"X-LockLLM-Sensitivity: high",
        b"x-lockllm-scan-mode: combined",
        b"X-LOCKLLM-Unheard-Of: 1",
        b"X-Forwarded-For: 1.2.3.4",
        b"x-forwarded-proto: https",
        b"X-FORWARDED-HOST: evil.example",
        b"Forwarded: for=1.2.3.4",
        b"X-Real-IP: 1.2.3.4",
        b"Keep-Alive: 5",
        b"Proxy-Connection: keep-alive",
        b"Proxy-Authorization: Basic eDp5",
        b"TE: trailers",
        b"Trailer: X",
    ],
)
def test_headers_that_stay_here(service: Service, upstream: Upstream, header: bytes) -> None:
    assert service.ask(service.post(CHAT, chat(BENIGN), header)).status == 200
    assert upstream.last.head.every(header.partition(b":")[0]) == []


def test_a_nominated_header_is_dropped_and_a_credential_is_not(service: Service, upstream: Upstream) -> None:
    """RFC 9110 section 7.6.1 lets a client nominate; it must not thereby take off what the provider needs."""
    nominated = b"Connection: x-hop, Authorization, host, content-type, cookie, content-length"
    headers = (nominated, b"X-Hop: 1", b"Cookie: own=1", b"X-Stay: 1")
    assert service.ask(service.post(CHAT, chat(BENIGN), *headers)).status == 200
    head = upstream.last.head
    assert head.every(b"x-hop") == []
    assert head.every(b"x-stay") == [b"1"]
    assert head.every(b"authorization") == [b"Bearer " + PROVIDER_KEY]
    assert head.every(b"content-type") == [b"application/json"]
    assert head.every(b"host") == [b"127.0.0.1:%d" % upstream.port]
    assert upstream.last.body == chat(BENIGN)


@pytest.mark.parametrize("text", [BENIGN, ATTACK])
def test_the_provider_can_say_nothing_in_our_name(service: Service, upstream: Upstream, text: str) -> None:
    spoofed = [
        (b"X-LockLLM-Safe", b"true"),
        (b"x-lockllm-safe", b"false"),
        (b"X-LockLLM-Scanned", b"false"),
        (b"X-LOCKLLM-Blocked", b"true"),
        (b"X-LockLLM-Unheard-Of", b"spoofed"),
        (b"X-LockLLM-Request-ID", b"spoofed"),
    ]
    upstream.script = answer(b"{}", *spoofed)
    got = service.ask(service.chat(text, b"X-LockLLM-Scan-Action: allow_with_warning"))
    assert got.status == 200
    assert got.head.every(b"x-lockllm-safe") == [b"true" if text == BENIGN else b"false"]
    assert got.head.every(b"x-lockllm-scanned") == [b"true"]
    assert got.head.every(b"x-lockllm-blocked") in ([], [b"false"])
    assert b"spoofed" not in got.head.raw


# --- who gets in


def status(service: Service, key: bytes) -> int:
    return service.ask(service.chat(BENIGN, b"X-LockLLM-Key: " + key)).status


@pytest.mark.parametrize("target", [CHAT, MESSAGES, GENERATE, b"/v1/scan"])
def test_without_a_key_there_is_nothing(service: Service, upstream: Upstream, target: bytes) -> None:
    raw = service.post(target, chat(BENIGN)).replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b"")
    for attempt in (raw, raw.replace(b"Authorization: Bearer " + PROVIDER_KEY + b"\r\n", b"")):
        got = service.ask(attempt)
        assert got.status == 401
        assert (got.error["type"], got.error["code"]) == ("authentication_error", "unauthorized")
    assert upstream.heard_nothing()


def test_wrong_keys_are_refused(service: Service, upstream: Upstream) -> None:
    key = service.key
    flipped = key[:-1] + (b"a" if key[-1:] != b"a" else b"b")
    for wrong in (
        b"llm_nosuch",
        b"",
        flipped,
        key[:-1],
        key + b"x",
        key.swapcase(),
        key[:8],
        b"\xff\xfe",
        b"'; --",
        b"*",
        b"x" * 6000,
    ):
        assert status(service, wrong) == 401, wrong
    assert upstream.heard_nothing()


def test_two_keys_are_as_bad_as_none(service: Service, upstream: Upstream) -> None:
    key = b"X-LockLLM-Key: " + service.key
    for second in (key, b"x-lockllm-key: other", b"X-LOCKLLM-KEY:"):
        assert service.ask(service.post(CHAT, chat(BENIGN), key, second)).status == 401
    assert upstream.heard_nothing()


def test_a_wrong_key_header_is_not_made_good_by_a_right_bearer(service: Service, upstream: Upstream) -> None:
    raw = service.post(CHAT, chat(BENIGN), b"X-LockLLM-Key: wrong", b"Authorization: Bearer " + service.key)
    assert service.ask(raw).status == 401
    assert upstream.heard_nothing()


def test_keys_come_and_go_while_the_service_runs(service: Service) -> None:
    identity, key = service.create_key("comes and goes")
    assert reached_within(lambda: status(service, key) == 200, PROMISED)
    cli(service.state, "keys", "revoke", identity)
    assert reached_within(lambda: status(service, key) == 401, PROMISED)
    assert status(service, service.key) == 200


def test_a_revoked_key_is_refused_on_a_kept_connection(service: Service) -> None:
    identity, key = service.create_key("kept")
    assert reached_within(lambda: status(service, key) == 200, PROMISED)
    with service.client() as client:
        client.send(service.chat(BENIGN, b"X-LockLLM-Key: " + key))
        assert client.answer().status == 200
        cli(service.state, "keys", "revoke", identity)
        assert reached_within(lambda: status(service, key) == 401, PROMISED)
        client.send(service.chat(BENIGN, b"X-LockLLM-Key: " + key))
        assert client.answer().status == 401


def _stored(state: Path) -> Iterator[bytes]:
    """Every value in every table of every SQLite file, as bytes and as hexadecimal text."""
    for path in state.rglob("*"):
        if not path.is_file() or not path.read_bytes().startswith(b"SQLite format 3"):
            continue
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                for row in database.execute(f'select * from "{table}"'):
                    for value in row:
                        if isinstance(value, bytes):
                            yield from (value, value.hex().encode())
                        elif isinstance(value, str):
                            yield value.encode()


def test_what_is_stored_of_a_key_is_no_key(service: Service, upstream: Upstream) -> None:
    """Pass the hash: whoever reads the database must not be able to come in with it."""
    values = {value for value in _stored(service.state) if 8 <= len(value) <= 512}
    assert values, "the state directory holds no SQLite values at all?"
    assert not any(service.key in value for value in values)
    upstream.reset()
    for value in sorted(values)[:300]:
        if not set(value) & {0, 10, 13}:
            # 400: a raw digest mostly holds control bytes, which no header may.
            assert status(service, value) in {400, 401}
    assert upstream.heard_nothing()


def test_a_key_is_shown_once(service: Service) -> None:
    listed = run_cli(service.state, "keys", "list")
    assert listed.returncode == 0
    assert "tests" in listed.stdout
    assert service.key.decode() not in listed.stdout + listed.stderr


def test_nobody_else_can_read_the_state(service: Service) -> None:
    for path in service.state.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o077 == 0, f"{path.name} can be read by others"


# --- what is told to whom


CANARIES = [
    b"canary-prompt-7731",
    b"canary-tool-7732",
    b"canary-query-7733",
    b"canary-cookie-7734",
    b"canary-answer-7735",
]


def test_no_secret_and_no_prompt_is_kept(upstream: Upstream, tmp_path: Path) -> None:
    """One of everything that is logged, then a look at every byte that the service leaves behind."""
    with Service(tmp_path, providers(upstream.url)).ready() as service:
        key = service.key
        text = f"My name is {CANARIES[0].decode()}."
        tool = {"role": "tool", "tool_call_id": "1", "content": CANARIES[1].decode()}
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": text}, tool]}).encode()
        query = b"?q=" + CANARIES[2] + b"&key=" + PROVIDER_KEY
        upstream.script = answer(b'{"answer":"' + CANARIES[4] + b'"}')
        requests = [
            service.post(CHAT, body, b"Cookie: c=" + CANARIES[3]),
            service.post(CHAT + query, body),
            service.post(MESSAGES, body, b"x-api-key: " + PROVIDER_KEY),
            service.post(CHAT, body, b"X-LockLLM-Key: wrong-" + key),
            service.post(CHAT, body, b"Authorization: Bearer " + key).replace(b"X-LockLLM-Key: " + key + b"\r\n", b""),
            service.post(GENERATE + query.replace(PROVIDER_KEY, key), CONTENTS),
            service.post(b"/v1/proxy/closed/x" + query, body),
            service.post(b"/v1/proxy/nosuch/x" + query, body),
            service.post(b"/nosuch" + query, body),
            service.post(b"/v1/scan", json.dumps({"input": text + ATTACK}).encode()),
            service.chat(f"{text} {ATTACK} {CANARIES[1].decode()}"),
            service.post(CHAT, body[:-1]),
            service.post(CHAT, b'{"' + CANARIES[0] + b'":1,"' + CANARIES[0] + b'":2}'),
            service.post(CHAT + b"/.." + query, body),
            service.post(CHAT + b"/" + key, body),
            service.post(b"/v1/proxy/nosuch/" + key, body),
            service.post(b"/v1/proxy/" + key, body),
            service.post(b"/" + key, body),
        ]
        for request in requests:
            got = service.ask(request)
            told = got.head.raw + got.body
            for secret in (key, STORED_KEY, PROVIDER_KEY, str(tmp_path).encode(), b"Traceback", b"site-packages"):
                assert secret not in told, (secret, told)
        upstream.script = say(b"HTTP/1.1 9999 " + CANARIES[4] + b"\r\n\r\n")
        assert service.ask(service.post(CHAT, body)).status == 502
        printed = service.stop().encode()
        left = b"".join(path.read_bytes() for path in service.state.rglob("*") if path.is_file())
    for secret in [key, STORED_KEY, PROVIDER_KEY, *CANARIES]:
        assert secret not in printed, f"{secret!r} was logged"
        assert secret not in left, f"{secret!r} was stored"


def test_a_log_line_can_not_be_forged(upstream: Upstream, tmp_path: Path) -> None:
    forged = "gpt\r\nFORGED\x1b[31m line"
    with Service(tmp_path, providers(upstream.url)).ready() as service:
        for text in (BENIGN, ATTACK):
            service.ask(service.post(CHAT, json.dumps({"model": forged, forged: text}).encode()))
            service.ask(service.chat(text, b"User-Agent: \x1b[31mred", b"X-Request-Id: \x1b[31mred"))
        service.ask(service.head(b"GET", b"/v1/proxy/openai/v1/%0d%0aFORGED%1b[31m"), b"GET")
        printed = service.stop()
    assert "\x1b" not in printed
    assert not any(line.startswith("FORGED") for line in printed.splitlines())


@pytest.mark.parametrize("text", [BENIGN, ATTACK])
def test_a_header_can_not_be_forged(service: Service, text: str) -> None:
    """The model's name and the pointer come from the client, and go into headers of ours."""
    odd = "x\r\nX-Forged: 1\r\n\r\nHTTP/1.1 200 OK \x00 \u20ac"
    body = json.dumps({"model": odd, odd: text, "k" * 20_000: text}).encode()
    for action in (b"allow_with_warning", b"block"):
        got = service.ask(service.post(CHAT, body, b"X-LockLLM-Scan-Action: " + action, b"X-Request-Id: a\xff"))
        assert got.complete
        assert got.head.every(b"x-forged") == []
        assert len(got.head.raw) < 12 * 1024, "Node's fetch fails between 15 and 17 kB"
        assert all(byte < 128 for byte in got.head.raw), "our headers are ASCII"


# --- no key needed, on this machine only


KEYLESS = "[proxy]\nrequire_key = false\n"


def test_without_required_keys_the_clients_own_is_enough(upstream: Upstream, tmp_path: Path) -> None:
    with Service(tmp_path, KEYLESS + providers(upstream.url), key=False).ready() as service:
        assert service.ask(service.chat(BENIGN)).status == 200
        assert upstream.last.head.every(b"authorization") == [b"Bearer " + PROVIDER_KEY]
        assert service.ask(service.chat(ATTACK)).status == 400


@pytest.mark.parametrize(
    "endpoint",
    [
        "tcp:{port}",
        "tcp:{port}:interface=0.0.0.0",
        "tcp:{port}:interface=\\:\\:",
        "tcp6:{port}",
        "tcp6:{port}:interface=\\:\\:",
    ],
)
def test_without_required_keys_nobody_outside_may_call(tmp_path: Path, endpoint: str) -> None:
    service = Service(tmp_path, KEYLESS, listen=[endpoint], key=False)
    came_up = service.log.wait_for("listening", seconds=START_DEADLINE)
    text = service.stop()
    assert not came_up, text
    assert service.process.returncode not in {0, -15}
    assert "require_key" in text
    assert "Traceback" not in text
