"""``lockllm providers test``: one real call, and what came back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from .certificates import LOOPBACK, Authority
from .upstream import OK, Script, Upstream, answer, say, say_and_close

pytestmark = pytest.mark.sockets

KEY = "sk-canary-0123456789abcdef"
JSON = (b"Content-Type", b"application/json")


class Ran:
    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr


def probe(tmp_path: Path, slug: str, section: str, *more: str, **environment: str) -> Ran:
    """The command as a person runs it; the key is never shown."""
    config = tmp_path / "lockllm.toml"
    config.write_text(f"[providers.{slug}]\n{section}\n")
    main = "import sys; from lockllm_twisted.cli import main; sys.exit(main())"
    arguments = ["--state", str(tmp_path / "state"), "--config", str(config), "providers", "test", slug, *more]
    done = subprocess.run(
        [sys.executable, "-c", main, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )
    assert KEY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return Ran(done)


def section(upstream: Upstream, key: str = KEY) -> str:
    return f'base_url = "{upstream.url}"\napi_key = "{key}"'


@pytest.mark.parametrize(
    ("slug", "target", "header", "value"),
    [
        ("openai", b"/v1/models", b"authorization", b"Bearer " + KEY.encode()),
        ("anthropic", b"/v1/models", b"x-api-key", KEY.encode()),
        ("gemini", b"/v1beta/models", b"x-goog-api-key", KEY.encode()),
        ("azure", b"/openai/v1/models", b"api-key", KEY.encode()),
        ("openrouter", b"/api/v1/key", b"authorization", b"Bearer " + KEY.encode()),
        ("replicate", b"/v1/account", b"authorization", b"Bearer " + KEY.encode()),
    ],
)
def test_it_asks_as_the_service_would(
    tmp_path: Path, upstream: Upstream, slug: str, target: bytes, header: bytes, value: bytes
) -> None:
    upstream.script = answer(b'{"data": [{"id": "a"}, {"id": "b"}]}', JSON)
    ran = probe(tmp_path, slug, section(upstream))
    assert ran.code == 0, ran.err
    first, second = ran.out.splitlines()
    assert first.startswith(f"{upstream.url}{target.decode()}: 200 OK, 0.")
    assert second.strip() == "2 models"
    (request,) = upstream.requests
    assert (request.method, request.target) == (b"GET", target)
    headers = {name.lower(): value for name, value in request.head.headers}
    assert headers[header] == value
    assert (b"anthropic-version" in headers) == (slug == "anthropic")


@pytest.mark.parametrize(
    ("script", "line", "words"),
    [
        (
            answer(
                json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}.", "code": "invalid"}}).encode(),
                JSON,
                status=b"401 Unauthorized",
            ),
            "401 Unauthorized",
            "Incorrect API key provided: ….",
        ),
        (
            answer(b'{"message": "no such model", "id": "x"}', JSON, status=b"404 Not Found"),
            "404 Not Found",
            "no such model",
        ),
        (
            answer(b'{"error": "words of Ollama"}', JSON, status=b"400 Bad Request"),
            "400 Bad Request",
            "words of Ollama",
        ),
        (answer(b'{"detail": [{"loc": 1}]}', JSON, status=b"422 X"), "422 X", '{"detail": [{"loc": 1}]}'),
        (answer(b"<h1>busy\x1b[2J</h1>", status=b"503 Busy"), "503 Busy", "<h1>busy\\x1b[2J</h1>"),
    ],
)
def test_the_providers_own_words_are_told(
    tmp_path: Path, upstream: Upstream, script: Script, line: str, words: str
) -> None:
    upstream.script = script
    ran = probe(tmp_path, "groq", section(upstream))
    assert ran.code == 1
    first, second = ran.out.splitlines()
    assert f"/openai/v1/models: {line}, 0." in first
    assert second.strip() == words


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (say_and_close(b""), "closed the connection without an answer"),
        (say(b"nonsense\r\n\r\n"), "gave no valid answer"),
    ],
)
def test_no_answer_is_told(tmp_path: Path, upstream: Upstream, script: Script, words: str) -> None:
    upstream.script = script
    ran = probe(tmp_path, "openai", section(upstream))
    assert ran.code == 2
    assert "no answer" in ran.out
    assert words in ran.out


def test_nobody_there_and_no_such_name(tmp_path: Path) -> None:
    ran = probe(tmp_path, "openai", f'base_url = "http://127.0.0.1:1"\napi_key = "{KEY}"')
    assert (ran.code, "nobody listens at 127.0.0.1:1" in ran.out) == (2, True)
    ran = probe(tmp_path, "openai", f'base_url = "https://nobody.invalid"\napi_key = "{KEY}"')
    assert (ran.code, "the name nobody.invalid is not known to DNS" in ran.out) == (2, True)


def test_what_it_says_without_a_key_without_an_address_and_without_anybody_to_ask(tmp_path: Path) -> None:
    for slug, words in (
        ("openai", "no key is stored for openai"),
        ("azure", "azure has no address yet"),
        ("echo", "answers by itself"),
    ):
        ran = probe(tmp_path, slug, "")
        assert (ran.code, ran.out) == (2, "")
        assert words in ran.err


def test_a_provider_that_needs_no_key_is_asked_without_one(tmp_path: Path, upstream: Upstream) -> None:
    upstream.script = OK
    ran = probe(tmp_path, "ollama", f'base_url = "{upstream.url}"', "--json")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert (told["provider"], told["url"], told["status"]) == ("ollama", f"{upstream.url}/v1/models", 200)
    assert all(name.lower() != b"authorization" for name, _ in upstream.last.head.headers)


PLUGIN = """
from attrs import evolve
from lockllm_twisted.dialects import OPENAI
from lockllm_twisted.hooks import hookimpl
from lockllm_twisted.table import TableProvider

class Signing(TableProvider):
    def authorize(self, request):
        if self.slug == "broken":
            raise ZeroDivisionError
        return evolve(request, origin={origin!r}, headers=[*request.headers, (b"Authorization", b"Signed now")])

@hookimpl
def lockllm_providers():
    return [Signing(slug, "https://regional.example", (OPENAI,)) for slug in ("signing", "broken")]
"""


def test_a_plugin_that_makes_its_own_credential_is_asked_for_it(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "lockllm_signing.py").write_text(PLUGIN.format(origin=upstream.url))
    info = tmp_path / "lockllm_signing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lockllm-signing\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lockllm_twisted]\nsigning = lockllm_signing\n")
    ran = probe(tmp_path, "signing", "", PYTHONPATH=str(tmp_path))
    assert ran.code == 0, ran.err
    assert ran.out.startswith(f"{upstream.url}/v1/models: 200 OK")
    assert (b"authorization", b"Signed now") in upstream.last.head.headers
    ran = probe(tmp_path, "broken", "", PYTHONPATH=str(tmp_path))
    assert (ran.code, "ZeroDivisionError: the provider's plugin failed" in ran.out) == (2, True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("probe"))


@pytest.fixture
def secure(authority: Authority, request: pytest.FixtureRequest) -> Iterator[Upstream]:
    with Upstream(authority.issue(*request.param).context()) as listening:
        yield listening


@pytest.mark.parametrize("secure", [LOOPBACK], indirect=True)
def test_a_certificate_that_nobody_vouches_for_is_told(tmp_path: Path, secure: Upstream, authority: Authority) -> None:
    ran = probe(tmp_path, "openai", section(secure))
    assert ran.code == 2
    assert "failed, and nothing was sent: " in ran.out
    assert "certificate verify failed" in ran.out
    assert not secure.requests
    trusted = probe(tmp_path, "openai", section(secure), SSL_CERT_FILE=str(authority.roots))
    assert trusted.code == 0


@pytest.mark.parametrize("secure", [(x509.DNSName("other.example"),)], indirect=True)
def test_a_certificate_for_another_name_is_told(tmp_path: Path, secure: Upstream, authority: Authority) -> None:
    ran = probe(tmp_path, "openai", section(secure), SSL_CERT_FILE=str(authority.roots))
    assert ran.code == 2
    assert f"the certificate is not one for 127.0.0.1:{secure.port}" in ran.out
    assert not secure.requests
