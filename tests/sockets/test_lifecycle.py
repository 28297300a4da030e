"""The process: it comes up whole or not at all, says why, and goes down without cutting anybody off."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from .bytestream import DEADLINE
from .client import Client, NoAnswer
from .conftest import providers
from .service import (
    ATTACK,
    BENIGN,
    CHAT,
    PROVIDER_KEY,
    SCRIPTS,
    START_DEADLINE,
    STORED_KEY,
    Service,
    chat,
    free_port,
    run_cli,
)
from .upstream import Peer, Received, Upstream, reached_within

pytestmark = pytest.mark.sockets

SIGNALLED = {0, -15, 143}
"""twistd raises the signal that ended it again (rc 143 in a shell), after an orderly stop."""


def refuses(address: tuple[str, int]) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(address, 1).close()
    except OSError:
        return True
    return False


# --- coming up


def test_health_needs_no_key(service: Service, upstream: Upstream) -> None:
    for method in (b"GET", b"HEAD"):
        raw = method + b" /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert service.ask(raw, method).status == 200
    assert upstream.heard_nothing()


def test_it_listens_wherever_it_is_told_to(upstream: Upstream, tmp_path: Path) -> None:
    ports, path = (free_port(), free_port()), tmp_path / "socket"
    listen = [f"tcp:{port}:interface=127.0.0.1" for port in ports] + [f"unix:{path}"]
    with Service(tmp_path, providers(upstream.url), listen=listen).ready() as service:
        assert service.log.wait_for("listening")
        for address in (("127.0.0.1", ports[0]), ("127.0.0.1", ports[1]), str(path)):
            with Client(address) as client:
                client.send(service.chat(BENIGN))
                assert client.answer().status == 200
                client.send(service.chat(ATTACK))
                assert client.answer().status == 400
    assert len(upstream.requests) == 3


def test_when_it_says_listening_it_listens(upstream: Upstream, tmp_path: Path) -> None:
    """Nothing listens before every scanner and provider is loaded, and something does once it is said."""
    with Service(tmp_path, providers(upstream.url)) as service:
        service.ready()
        assert service.ask(service.head(b"GET", b"/health"), b"GET").status == 200
        assert service.ask(service.chat(ATTACK)).status == 400


def test_it_comes_up_without_any_config(tmp_path: Path) -> None:
    """And makes a key, which it prints: one of the words of its output opens the door."""
    with Service(tmp_path, key=False).ready() as service:
        assert service.log.wait_for("listening")
        words = {word.strip(".,;:'\"()`") for word in re.split(r"\s+", service.log.text())}
        likely = [word.encode() for word in words if 20 <= len(word) <= 200 and word.isascii()]
        body = json.dumps({"input": BENIGN}).encode()

        def opens(key: bytes) -> bool:
            return service.ask(service.post(b"/v1/scan", body, b"Authorization: Bearer " + key)).status == 200

        made = [word for word in likely if opens(word)]
        assert made, service.log.text()
    with Service(tmp_path, key=False).ready() as again:
        text = again.stop()
    assert not any(key.decode() in text for key in made), "it is shown once"


def test_observing_turns_a_block_into_a_flag(upstream: Upstream, tmp_path: Path) -> None:
    with Service(tmp_path, providers(upstream.url), arguments=["--observe"]).ready() as service:
        got = service.ask(service.chat(ATTACK))
        assert got.status == 200
        assert got.head.one(b"x-lockllm-safe") == b"false"
        assert got.head.one(b"x-lockllm-scan-warning") == b"true"
        assert upstream.last.body == chat(ATTACK)
        asked = service.ask(service.chat(ATTACK, b"X-LockLLM-Scan-Action: block"))
        assert asked.status == 200, "one choke point: not even a header blocks"
        twice = b'{"model":"m","model":"n"}'
        assert service.ask(service.post(CHAT, twice)).status == 200
        assert upstream.last.body == twice
        assert service.ask(service.chat(BENIGN, b"X-LockLLM-Key: wrong")).status == 401, "it observes, it does not open"
        got = service.ask(service.chat(BENIGN))
        assert got.head.one(b"x-lockllm-safe") == b"true"


def test_a_stored_key_may_come_from_a_file_or_the_environment(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"sk-from-file\n")
    config = f"""
[providers.one]
dialect = "openai"
base_url = "{upstream.url}/prefix"
api_key_file = "{tmp_path / "key"}"
[providers.two]
dialect = "openai"
base_url = "{upstream.url}/"
api_key_env = "TWO_KEY"
"""
    with Service(tmp_path, config, environment={"TWO_KEY": "sk-from-env"}).ready() as service:
        for slug, stored, prefix in ((b"one", b"sk-from-file", b"/prefix/"), (b"two", b"sk-from-env", b"/")):
            target = b"/v1/proxy/" + slug + b"/v1/chat/completions"
            raw = service.post(target, chat(BENIGN), b"Authorization: Bearer " + service.key)
            assert service.ask(raw.replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b"")).status == 200
            assert upstream.last.head.every(b"authorization") == [b"Bearer " + stored]
            assert upstream.last.target.startswith(prefix)
            assert upstream.last.target.endswith(b"/chat/completions")
            assert b"//" not in upstream.last.target


# --- not coming up


def failed(service: Service) -> str:
    """What a process says that must not come up: no traceback, and not for ever."""
    came_up = service.log.wait_for("listening", seconds=START_DEADLINE)
    if not came_up:
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.process.wait(START_DEADLINE)
    code = service.process.returncode
    text = service.stop()
    assert not came_up, f"it came up:\n{text}"
    assert code not in SIGNALLED | {None}, f"exit code {code}:\n{text}"
    assert "Traceback" not in text
    return text


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        text = failed(Service(tmp_path, listen=[f"tcp:{port}:interface=127.0.0.1"]))
    assert any(str(port) in line and "use" in line.lower() for line in text.splitlines()), text


BAD_CONFIGS = {
    "an unknown setting": ('[proxy]\nacton = "block"\n', 2, "action"),
    "an unknown table": ('\n[proxi]\naction = "block"\n', 2, "proxy"),
    "an unknown word": ('[proxy]\n\naction = "blok"\n', 3, "block"),
    "text for a number": ('[proxy]\nmax_body = "big"\n', 2, "max_body"),
    "a negative size": ("[proxy]\nmax_body = -1\n", 2, "max_body"),
    "a negative time": ("[proxy]\nidle_timeout = -1\n", 2, "idle_timeout"),
    "a time that is none": ("[proxy]\nhead_timeout = nan\n", 2, "head_timeout"),
    "a number for a switch": ("[proxy]\nrequire_key = 1\n", 2, "require_key"),
    "no TOML at all": ("[proxy]\naction = block\n", 2, ""),
    "a key twice": ('[proxy]\naction = "block"\naction = "flag"\n', 3, ""),
    "a provider's unknown setting": ('[providers.openai]\nbase_uri = "https://example.com"\n', 2, "base_url"),
    "a base URL that is none": ('[providers.openai]\nbase_url = "example.com"\n', 2, "base_url"),
    "a base URL of another kind": ('[providers.openai]\nbase_url = "ftp://example.com"\n', 2, "base_url"),
    "a base URL without TLS": ('[providers.openai]\nbase_url = "http://example.com"\n', 2, "insecure"),
    "a base URL with a user": ('[providers.openai]\nbase_url = "https://u:p@example.com"\n', 2, "base_url"),
    "a base URL with a query": ('[providers.openai]\nbase_url = "https://example.com/?a=b"\n', 2, "base_url"),
    "an unknown dialect": ('[providers.mine]\nbase_url = "https://example.com"\ndialect = "openia"\n', 3, "openai"),
    "a bad slug": ('[providers."my slug"]\nbase_url = "https://example.com"\ndialect = "openai"\n', 1, "my slug"),
    "a custom endpoint without a URL": ('[providers.mine]\ndialect = "openai"\n', 2, "base_url"),
    "a custom endpoint without a dialect": ('[providers.mine]\nbase_url = "https://example.com"\n', 1, "dialect"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_CONFIGS)
def test_a_bad_config_is_told_by_its_line(tmp_path: Path, kind: str) -> None:
    config, line, hint = BAD_CONFIGS[kind]
    path = tmp_path / "lockllm.toml"
    path.write_text(config)
    checked = run_cli(tmp_path / "state", "check", str(path))
    text = checked.stdout + checked.stderr
    assert checked.returncode != 0, text
    assert "Traceback" not in text
    assert f"lockllm.toml:{line}" in text, text
    assert hint in text


@pytest.mark.parametrize("kind", ["an unknown setting", "no TOML at all", "a base URL without TLS"])
def test_with_a_bad_config_it_does_not_come_up(tmp_path: Path, kind: str) -> None:
    config, line, hint = BAD_CONFIGS[kind]
    text = failed(Service(tmp_path, config, key=False))
    assert f"lockllm.toml:{line}" in text
    assert hint in text


@pytest.mark.parametrize(
    ("config", "word"),
    [
        ("[plugins.nosuch]\na = 1\n", "nosuch"),
        ("[scanners.nosuch]\ntimeout = 1\n", "nosuch"),
        ('[providers.openai]\napi_key_file = "/nosuch/key"\n', "lockllm.toml:2"),
        ('[providers.openai]\napi_key_env = "NOSUCH_KEY"\n', "NOSUCH_KEY"),
    ],
)
def test_what_is_missing_is_missed_at_the_start(tmp_path: Path, config: str, word: str) -> None:
    """A guard that is missing is worse than a proxy that is down."""
    assert word in failed(Service(tmp_path, config, key=False))


@pytest.mark.parametrize(
    "arguments",
    [["--config", "/nosuch/lockllm.toml"], ["--listen", "nonsense"], ["--listen", "tcp:notaport"], ["--unheard-of"]],
)
def test_bad_options_are_told(tmp_path: Path, arguments: list[str]) -> None:
    text = failed(Service(tmp_path, arguments=arguments, listen=[], key=False))
    assert arguments[-1].removeprefix("--").split(":")[-1] in text


@pytest.mark.parametrize("command", [["twistd", "lockllm"], ["lockllm"], ["lockllm", "keys", "create"]])
def test_help_is_there(command: list[str]) -> None:
    done = subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:], "--help"],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "--help" in done.stdout or "usage" in done.stdout.lower()


# --- going down


def test_a_stream_is_finished_before_it_goes(upstream: Upstream, tmp_path: Path) -> None:
    go_on = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert go_on.wait(DEADLINE)
        for _ in range(64):
            peer.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        peer.send(b"4\r\nlast\r\n0\r\n\r\n")

    with Service(tmp_path, providers(upstream.url)).ready() as service, service.client() as client:
        upstream.script = script
        client.send(service.chat(BENIGN))
        head = client.head()
        service.signal()
        assert reached_within(lambda: refuses(service.address)), "it still takes new connections"
        assert service.process.poll() is None, "it left while a stream was open"
        go_on.set()
        got = client.rest_of(head)
        assert got.complete
        assert got.body == b"first" + b"x" * 0x4000 * 64 + b"last"
        assert service.process.wait(DEADLINE) in SIGNALLED
        assert not service.trouble().count("Traceback")


def test_a_request_that_has_arrived_is_answered_before_it_goes(upstream: Upstream, tmp_path: Path) -> None:
    go_on = threading.Event()

    def script(peer: Peer, _request: Received) -> None:
        assert go_on.wait(DEADLINE)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Service(tmp_path, providers(upstream.url)).ready() as service, service.client() as client:
        upstream.script = script
        client.send(service.chat(BENIGN))
        upstream.wait_for_requests(1)
        service.signal()
        assert reached_within(lambda: refuses(service.address))
        go_on.set()
        got = client.answer()
        assert (got.body, got.complete) == (b"ok", True)
        assert client.closed_within(5), "a kept connection would keep the process"
        assert service.process.wait(DEADLINE) in SIGNALLED


def test_idle_connections_do_not_keep_it(upstream: Upstream, tmp_path: Path) -> None:
    with (
        Service(tmp_path, providers(upstream.url)).ready() as service,
        service.client() as used,
        service.client() as silent,
        service.client() as halfway,
    ):
        used.send(service.chat(BENIGN))
        assert used.answer().status == 200
        halfway.send(service.chat(BENIGN)[:100])
        service.signal()
        assert service.process.wait(10) in SIGNALLED
        assert used.closed_within(1)
        assert silent.closed_within(1)


def test_a_stream_that_never_ends_is_cut_in_the_end(upstream: Upstream, tmp_path: Path) -> None:
    """And looks cut."""

    def script(peer: Peer, _request: Received) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        peer.wait_gone()

    config = "[proxy]\ndrain_timeout = 1\n" + providers(upstream.url)
    with Service(tmp_path, config).ready() as service, service.client() as client:
        upstream.script = script
        client.send(service.chat(BENIGN))
        head = client.head()
        service.signal()
        assert not client.rest_of(head).complete
        assert service.process.wait(DEADLINE) in SIGNALLED
        assert upstream.last.peer.gone.wait(5)


def test_it_comes_up_again_with_the_keys_it_had(upstream: Upstream, tmp_path: Path) -> None:
    with Service(tmp_path, providers(upstream.url)).ready() as first:
        assert first.ask(first.chat(BENIGN)).status == 200
        first.process.kill()
        first.process.wait(DEADLINE)
    with Service(tmp_path, providers(upstream.url), key=False).ready() as second:
        assert second.ask(second.chat(BENIGN, b"X-LockLLM-Key: " + first.key)).status == 200


def test_what_is_printed_at_the_start_holds_no_key(upstream: Upstream, tmp_path: Path) -> None:
    with Service(tmp_path, providers(upstream.url)).ready() as service:
        text = service.stop()
    for secret in (service.key, STORED_KEY, PROVIDER_KEY):
        assert secret.decode() not in text


def test_two_clients_at_the_very_end(upstream: Upstream, tmp_path: Path) -> None:
    """A connection that comes while it goes down is refused or answered whole, never half."""
    with Service(tmp_path, providers(upstream.url)).ready() as service:
        service.signal()
        for _ in range(50):
            try:
                got = service.ask(service.chat(BENIGN))
            except (OSError, NoAnswer):
                continue
            assert got.complete
        assert service.process.wait(DEADLINE) in SIGNALLED
