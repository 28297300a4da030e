"""The official SDKs over TLS, told of a CA of one's own as docs/operations.md says: by ``SSL_CERT_FILE``."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
import websockets
from google import genai

from tests.sockets.certificates import LOOPBACK, Authority
from tests.sockets.service import SecureService
from tests.sockets.upstream import Upstream, answer

from . import answers
from .clients import Async, Kind, Sync
from .lab import ATTACK, QUESTION
from .upstream import Answer

USER = [{"role": "user", "content": QUESTION}]
UNSAFE = [{"role": "user", "content": ATTACK}]


def _openai(kind: Kind, url: str, key: str) -> Any:
    return (openai.OpenAI if kind is SYNC else openai.AsyncOpenAI)(base_url=f"{url}/openai", api_key=key)


def _anthropic(kind: Kind, url: str, key: str) -> Any:
    make = anthropic.Anthropic if kind is SYNC else anthropic.AsyncAnthropic
    return make(base_url=f"{url}/anthropic", api_key=key)


def _gemini(kind: Kind, url: str, key: str) -> Any:
    client = genai.Client(api_key=key, http_options={"base_url": f"{url}/gemini"})
    return client if kind is SYNC else client.aio


SYNC, ASYNC = Sync(), Async()
Ask = Callable[[Any, Any], Any]
CLIENTS: dict[str, tuple[Callable[[Kind, str, str], Any], Answer, Ask, type[Exception]]] = {
    "openai": (
        _openai,
        answers.CHAT,
        lambda client, messages: client.chat.completions.create(model="gpt-4.1", messages=messages),
        openai.BadRequestError,
    ),
    "anthropic": (
        _anthropic,
        answers.MESSAGE,
        lambda client, messages: client.messages.create(model="claude-example", max_tokens=9, messages=messages),
        anthropic.BadRequestError,
    ),
    "gemini": (
        _gemini,
        answers.GENERATED,
        lambda client, messages: client.models.generate_content(model="g", contents=messages[0]["content"]),
        genai.errors.ClientError,
    ),
}


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SecureService, Upstream, Path]]:
    directory = tmp_path_factory.mktemp("https")
    authority = Authority(directory)
    between = Authority(directory, by=authority)
    with Upstream() as upstream:
        config = "".join(
            f'[providers.{slug}]\nbase_url = "{upstream.url}"\napi_key = "sk-stored"\n' for slug in CLIENTS
        )
        service = SecureService(directory, config, between.issue(*LOOPBACK), authority.roots, between=between.own)
        with service.ready():
            yield service, upstream, authority.roots


@pytest.mark.parametrize("kind", [SYNC, ASYNC], ids=["blocking", "asyncio"])
@pytest.mark.parametrize("name", list(CLIENTS))
def test_over_https(
    secure: tuple[SecureService, Upstream, Path], kind: Kind, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, upstream, roots = secure
    make, scripted, ask, blocked = CLIENTS[name]
    monkeypatch.setenv("SSL_CERT_FILE", str(roots))
    upstream.reset()
    upstream.script = answer(scripted.body, (b"Content-Type", b"application/json"))
    url, key = f"{service.url}/v1/proxy", service.key.decode()
    assert "Paris" in str(kind.call(make(kind, url, key), lambda client: ask(client, USER)))
    assert json.loads(upstream.last.body)
    with pytest.raises(blocked, match="Unsafe prompt"):
        kind.call(make(kind, url, key), lambda client: ask(client, UNSAFE))
    assert len(upstream.requests) == 1
    assert not service.trouble()


def test_a_live_session_is_refused_in_words(secure: tuple[SecureService, Upstream, Path]) -> None:
    """Google's SDK and OpenAI's for Azure make ``wss`` of any URL: they get as far as this over TLS only."""
    service, upstream, roots = secure
    upstream.reset()
    options = {
        "base_url": f"{service.url}/v1/proxy/gemini",
        "async_client_args": {"ssl": ssl.create_default_context(cafile=roots)},
    }

    async def talk() -> None:
        client = genai.Client(api_key=service.key.decode(), http_options=options)  # type: ignore[arg-type]
        async with client.aio.live.connect(model="gemini-live"):
            raise AssertionError("a session that nobody scans")

    with pytest.raises(websockets.InvalidStatus) as caught:
        asyncio.run(talk())
    assert json.loads(caught.value.response.body)["error"]["code"] == "upgrade_not_supported"
    assert upstream.heard_nothing()
