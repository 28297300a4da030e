"""What leaves for each provider, in both styles of authentication; and what is said where nothing can leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lockllm_twisted.builtin.providers import OWN_ADDRESS, TABLE
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.hooks import BEARER
from lockllm_twisted.registry import load
from tests.memory import Stage, asked, chat, heard, request, settings

ROWS = {row.slug: row for row in (*TABLE, *OWN_ADDRESS)}
BODY = chat("What is the capital of France?")
KEYS = {b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"}
ASKED = {b"authorization": b"Bearer %b", b"x-api-key": b"%b", b"api-key": b"%b", b"x-goog-api-key": b"%b"}

SDK_HEADER = {"anthropic": b"x-api-key", "gemini": b"x-goog-api-key", "azure": b"api-key"}
"""Where the vendor's own SDK puts its key, if not in Authorization."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    text = "".join(
        f'\n[providers.{slug}]\nbase_url = "http://127.0.0.{host}:9"\n'
        for host, slug in enumerate((slug for slug in ROWS if slug not in ("openai", "anthropic", "gemini")), 5)
    )
    stage = Stage(settings(tmp_path_factory.mktemp("state"), text))
    _, key = stage.resource.core.store.create_key("test")
    for slug in ROWS:
        stage.resource.core.store.set_provider_key(slug, f"sk-stored-{slug}")
    stage.key = key.encode()  # type: ignore[attr-defined]
    yield stage
    stage.close()


def sent(
    stage: Stage, slug: str, tail: bytes, headers: list[tuple[bytes, bytes]]
) -> tuple[bytes, dict[bytes, bytes], str]:
    """The target, the headers and the address of what left."""
    stage.clear()
    stage.connect().feed(request(target=b"/v1/proxy/" + slug.encode() + tail, headers=headers, body=BODY))
    head, body = asked(stage.accept())
    assert body == BODY
    return bytes(head.target), {bytes(n): bytes(v) for n, v in head.headers}, stage.reactor.tcpClients[0][0]


@pytest.mark.parametrize("slug", sorted(ROWS))
def test_style_a_passes_the_callers_key_and_keeps_ours(stage: Any, slug: str) -> None:
    own = SDK_HEADER.get(slug, b"authorization")
    value = ASKED[own] % b"sk-own"
    target, headers, host = sent(stage, slug, b"/v1/chat/completions", [(own, value), (b"X-LockLLM-Key", stage.key)])
    assert {name: headers[name] for name in headers if name in KEYS} == {own: value}
    assert stage.key not in repr((target, headers)).encode()
    assert host == stage.resource.core.registry.providers[slug].origin.split("/")[2].split(":")[0]
    assert target == ROWS[slug].target(b"/v1/chat/completions")


@pytest.mark.parametrize("place", sorted(KEYS))
@pytest.mark.parametrize("slug", sorted(ROWS))
def test_style_b_puts_the_stored_key_where_the_provider_looks(stage: Any, slug: str, place: bytes) -> None:
    target, headers, _ = sent(stage, slug, b"/v1/chat/completions", [(place, ASKED[place] % stage.key)])
    wanted = ROWS[slug].credential(target)
    assert wanted is not None
    stored = wanted.prefix + f"sk-stored-{slug}".encode()
    assert {name: headers[name] for name in headers if name in KEYS} == {wanted.name: stored}
    assert stage.key not in repr((target, headers)).encode()


def test_replacing_one_of_two_keys_replaces_both(stage: Any) -> None:
    """Foundry's Anthropic client sends two."""
    two = [(b"x-api-key", stage.key), (b"api-key", stage.key)]
    _, headers, _ = sent(stage, "azure", b"/anthropic/v1/messages", two)
    assert {name: headers[name] for name in headers if name in KEYS} == {b"api-key": b"sk-stored-azure"}
    two = [(b"authorization", b"Bearer " + stage.key), (b"api-key", b"another")]
    _, headers, _ = sent(stage, "azure", b"/chat/completions", two)
    assert {name: headers[name] for name in headers if name in KEYS} == {b"api-key": b"sk-stored-azure"}


def test_an_entra_token_passes_at_azure(stage: Any) -> None:
    token = [(b"authorization", b"Bearer ey.J.x"), (b"X-LockLLM-Key", stage.key)]
    _, headers, _ = sent(stage, "azure", b"/openai/deployments/d/chat/completions?api-version=1", token)
    assert {name: headers[name] for name in headers if name in KEYS} == {b"authorization": b"Bearer ey.J.x"}


def test_an_openai_client_lists_geminis_models_in_its_own_language(stage: Any) -> None:
    target, headers, _ = sent(stage, "gemini", b"/models", [(b"authorization", b"Bearer " + stage.key)])
    assert target == b"/v1beta/openai/models"
    assert headers[b"authorization"] == b"Bearer sk-stored-gemini"
    target, headers, _ = sent(stage, "gemini", b"/models?key=" + stage.key, [])
    assert target == b"/v1beta/models"
    assert headers[b"x-goog-api-key"] == b"sk-stored-gemini"


@pytest.mark.parametrize("slug", sorted(ROWS))
@pytest.mark.parametrize("tail", [b"/../x", b"/a/%2e%2e/x", b"/a/.%2E", b"//x", b"/a%5cx", b"/a%252fx/y", b"/a/..%2fx"])
def test_no_path_climbs_out(stage: Any, slug: str, tail: bytes) -> None:
    stage.clear()
    client = stage.connect()
    client.feed(request(target=b"/v1/proxy/" + slug.encode() + tail, body=BODY))
    assert heard(client)[0].status_code == 400
    assert stage.opened == 0


def test_a_slash_in_an_id_passes_where_ids_have_one_and_nowhere_else(stage: Any) -> None:
    for slug, row in ROWS.items():
        stage.clear()
        client = stage.connect()
        client.feed(
            request(b"GET", b"/v1/proxy/" + slug.encode() + b"/models/org%2Fname", [(b"authorization", b"Bearer x")])
        )
        if row.encoded_slash:
            assert bytes(asked(stage.accept())[0].target).endswith(b"/models/org%2Fname")
        else:
            assert heard(client)[0].status_code == 400
            assert stage.opened == 0
    with_slash = {slug for slug, row in ROWS.items() if row.encoded_slash}
    assert with_slash == {"huggingface", "openrouter", "groq", "together", "fireworks", "anyscale", "nvidia", "vllm"}


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The core alone, whatever is installed beside it."""
    monkeypatch.setattr("lockllm_twisted.registry._installed", lambda _: iter(()))
    stage = Stage(settings(tmp_path))
    yield stage
    stage.close()


def refused(stage: Stage, target: bytes, headers: list[tuple[bytes, bytes]]) -> tuple[int, Any]:
    client = stage.connect()
    client.feed(request(target=target, headers=headers, body=BODY))
    response, body, _ = heard(client)
    assert stage.opened == 0
    return response.status_code, json.loads(body)["error"]


@pytest.mark.parametrize("slug", ["ollama", "vllm"])
def test_a_provider_that_may_do_without_a_key_is_asked_without_one(tmp_path: Path, slug: str) -> None:
    stage = Stage(settings(tmp_path, f'[providers.{slug}]\nbase_url = "http://127.0.0.9:9"\n'))
    _, key = stage.resource.core.store.create_key("test")
    _, headers, _ = sent(stage, slug, b"/v1/chat/completions", [(b"authorization", b"Bearer " + key.encode())])
    assert not KEYS & set(headers)
    stage.close()


def test_a_provider_that_needs_a_key_says_how_to_store_it(bare: Stage) -> None:
    _, key = bare.resource.core.store.create_key("test")
    for slug in (row.slug for row in TABLE if row.key == BEARER):
        bare.clear()
        status, error = refused(
            bare, f"/v1/proxy/{slug}/chat/completions".encode(), [(b"authorization", b"Bearer " + key.encode())]
        )
        assert (status, error["code"]) == (400, "no_upstream_key")
        assert f"lockllm providers set-key {slug}" in error["message"]


@pytest.mark.parametrize("slug", [row.slug for row in OWN_ADDRESS])
def test_an_address_of_your_own_is_asked_for_and_nothing_is_opened(bare: Stage, slug: str) -> None:
    status, error = refused(bare, f"/v1/proxy/{slug}/chat/completions".encode(), [(b"api-key", b"x")])
    assert (status, error["type"], error["code"]) == (400, "lockllm_config_error", "no_base_url")
    assert f'[providers.{slug}] base_url = "http' in error["message"]


def test_a_section_for_a_plugin_that_is_not_installed_names_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockllm_twisted.registry._installed", lambda _: iter(()))
    with pytest.raises(SettingsError, match=r"lockllm\.toml:\d+: .*not installed: pip install lockllm-vertex"):
        load(settings(tmp_path, "[providers.vertex-ai]\n"))


@pytest.mark.parametrize(("slug", "distribution"), [("bedrock", "lockllm-bedrock"), ("vertex-ai", "lockllm-vertex")])
def test_a_provider_that_is_a_plugin_is_told_by_its_distribution(bare: Stage, slug: str, distribution: str) -> None:
    status, error = refused(bare, f"/v1/proxy/{slug}/model/m/converse".encode(), [])
    assert (status, error["code"]) == (404, "unknown_provider")
    assert f"pip install {distribution}" in error["message"]
    status, error = refused(bare, b"/v1/proxy/bedrok/x", [])
    assert (status, error["code"]) == (404, "unknown_provider")
    assert "lockllm-" not in error["message"]
    assert "anthropic, anyscale, azure" in error["message"]
