"""The provider table: which path each request of an SDK becomes, at which address, and where a stored key sits."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from lockllm_twisted.builtin.providers import ELSEWHERE, OWN_ADDRESS, TABLE, from_settings
from lockllm_twisted.builtin.unset import UnsetProvider
from lockllm_twisted.dialects import OPENAI, Family
from lockllm_twisted.errors import ConfigurationProblem, SettingsError
from lockllm_twisted.hooks import BEARER, LocalRequest, Provider
from lockllm_twisted.registry import load
from lockllm_twisted.settings import ProviderSettings, Settings
from lockllm_twisted.table import TableProvider
from lockllm_twisted.testing import check_provider

RESOURCE = "https://res.openai.azure.com"
BY_SLUG = {row.slug: row for row in (*TABLE, *OWN_ADDRESS)}
PRODUCT = [
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "deepseek",
    "xai",
    "cohere",
    "openrouter",
    "perplexity",
    "groq",
    "together",
    "fireworks",
    "anyscale",
    "huggingface",
    "bedrock",
    "azure",
    "vertex-ai",
]
BEYOND = ["ollama", "vllm", "cerebras", "nvidia", "sambanova", "moonshot", "ai21", "replicate"]

ORIGINS = {
    "openai": "https://api.openai.com",
    "anthropic": "https://api.anthropic.com",
    "gemini": "https://generativelanguage.googleapis.com",
    "mistral": "https://api.mistral.ai",
    "deepseek": "https://api.deepseek.com",
    "xai": "https://api.x.ai",
    "cohere": "https://api.cohere.com",
    "openrouter": "https://openrouter.ai",
    "perplexity": "https://api.perplexity.ai",
    "groq": "https://api.groq.com",
    "together": "https://api.together.ai",
    "fireworks": "https://api.fireworks.ai",
    "anyscale": "https://api.endpoints.anyscale.com",
    "huggingface": "https://router.huggingface.co",
    "cerebras": "https://api.cerebras.ai",
    "nvidia": "https://integrate.api.nvidia.com",
    "sambanova": "https://api.sambanova.ai",
    "moonshot": "https://api.moonshot.ai",
    "replicate": "https://api.replicate.com",
    "ai21": "https://api.ai21.com",
    "ollama": "http://127.0.0.1:11434",
}

# What stands before OpenAI's own paths at each provider: an OpenAI client may be pointed at every slug, LockLLM's own
# wrappers do it, with a base URL that ends in the slug or in /v1.
OPENAI_HOME = {
    "gemini": "/v1beta/openai",
    "deepseek": "",
    "cohere": "/compatibility/v1",
    "openrouter": "/api/v1",
    "perplexity": "",
    "groq": "/openai/v1",
    "fireworks": "/inference/v1",
    "ai21": "/studio/v1",
    "azure": "/openai/v1",
}

PATHS = [
    # OpenAI's SDKs with and without /v1 in the base URL.
    ("openai", "/chat/completions", "/v1/chat/completions"),
    ("openai", "/v1/chat/completions", "/v1/chat/completions"),
    ("openai", "/v1", "/v1"),
    ("openai", "/v1?", "/v1?"),
    ("openai", "/v10/x", "/v1/v10/x"),
    ("openai", "/", "/v1/"),
    ("openai", "/responses/r/input_items?include[]=a&b=%2f", "/v1/responses/r/input_items?include[]=a&b=%2f"),
    ("openai", "/models/ft:a%3Ab", "/v1/models/ft:a%3Ab"),
    # The version may only stand in the path: what a query holds is not looked at.
    ("openai", "/files?after=/v1/", "/v1/files?after=/v1/"),
    # Anthropic's SDKs add /v1 themselves; ai-sdk does not; a base URL with /v1 doubles it.
    ("anthropic", "/v1/messages", "/v1/messages"),
    ("anthropic", "/messages", "/v1/messages"),
    ("anthropic", "/v1/v1/messages", "/v1/messages"),
    ("anthropic", "/v1/messages?beta=true", "/v1/messages?beta=true"),
    ("anthropic", "/chat/completions", "/v1/chat/completions"),
    # google-genai in Python, in Node, LiteLLM, uploads, and OpenAI clients.
    ("gemini", "/v1/models/m:generateContent", "/v1/models/m:generateContent"),
    ("gemini", "/v1beta/models/m:streamGenerateContent?alt=sse", "/v1beta/models/m:streamGenerateContent?alt=sse"),
    ("gemini", "/v1alpha/models/m:generateContent", "/v1alpha/models/m:generateContent"),
    ("gemini", "/models/m:generateContent?key=k", "/v1beta/models/m:generateContent?key=k"),
    ("gemini", "/upload/v1beta/files", "/upload/v1beta/files"),
    ("gemini", "/download/v1beta/files/f:download", "/download/v1beta/files/f:download"),
    ("gemini", "/ws/google.ai.X", "/ws/google.ai.X"),
    ("gemini", "/openai/chat/completions", "/v1beta/openai/chat/completions"),
    ("gemini", "/v1beta/openai/embeddings", "/v1beta/openai/embeddings"),
    ("gemini", "/models", "/v1beta/models"),
    ("gemini", "/chatter", "/v1beta/chatter"),
    ("mistral", "/v1/chat/completions", "/v1/chat/completions"),
    ("mistral", "/v1/conversations", "/v1/conversations"),
    ("mistral", "/fim/completions", "/v1/fim/completions"),
    ("deepseek", "/chat/completions", "/chat/completions"),
    ("deepseek", "/v1/chat/completions", "/v1/chat/completions"),
    ("deepseek", "/beta/completions", "/beta/completions"),
    ("deepseek", "/anthropic/v1/messages", "/anthropic/v1/messages"),
    ("deepseek", "/anthropic/messages", "/anthropic/v1/messages"),
    ("deepseek", "/v1/messages", "/anthropic/v1/messages"),
    ("deepseek", "/messages", "/anthropic/v1/messages"),
    ("xai", "/v1/v1/messages", "/v1/messages"),
    ("xai", "/images/generations", "/v1/images/generations"),
    ("cohere", "/v2/chat", "/v2/chat"),
    ("cohere", "/v1/chat", "/v1/chat"),
    ("cohere", "/chat", "/v2/chat"),
    ("cohere", "/rerank", "/v2/rerank"),
    ("cohere", "/v1/rerank", "/v1/rerank"),
    ("cohere", "/compatibility/v1/chat/completions", "/compatibility/v1/chat/completions"),
    ("cohere", "/v1/embeddings", "/compatibility/v1/embeddings"),
    ("openrouter", "/api/v1/chat/completions", "/api/v1/chat/completions"),
    ("openrouter", "/v1/messages", "/api/v1/messages"),
    ("openrouter", "/api/v1/v1/messages", "/api/v1/messages"),
    ("openrouter", "/models/meta%2Fllama", "/api/v1/models/meta%2Fllama"),
    ("perplexity", "/chat/completions", "/chat/completions"),
    ("perplexity", "/v1/chat/completions", "/chat/completions"),
    ("perplexity", "/v1/async/chat/completions/r", "/async/chat/completions/r"),
    ("perplexity", "/search", "/search"),
    ("perplexity", "/v1/responses", "/v1/responses"),
    ("perplexity", "/responses", "/v1/responses"),
    ("perplexity", "/embeddings", "/v1/embeddings"),
    ("groq", "/openai/v1/chat/completions", "/openai/v1/chat/completions"),
    ("together", "/v1/rerank", "/v1/rerank"),
    ("together", "/v2/x", "/v2/x"),
    # fireworks-ai with a base URL of its own sends /v1/… where it otherwise sends /inference/v1/…
    ("fireworks", "/v1/chat/completions", "/inference/v1/chat/completions"),
    ("fireworks", "/inference/v1/chat/completions", "/inference/v1/chat/completions"),
    ("fireworks", "/v1/messages", "/inference/v1/messages"),
    ("fireworks", "/v1/accounts/a/datasets/d:upload", "/v1/accounts/a/datasets/d:upload"),
    ("fireworks", "/accounts/a/models", "/v1/accounts/a/models"),
    ("fireworks", "/v1/accountsx", "/inference/v1/accountsx"),
    ("huggingface", "/v1/chat/completions", "/v1/chat/completions"),
    ("huggingface", "/hf-inference/models/ORG/M", "/hf-inference/models/ORG/M"),
    ("huggingface", "/hf-inference/models/ORG%2FM", "/hf-inference/models/ORG%2FM"),
    ("huggingface", "/fal-ai/fal-ai/flux/dev", "/fal-ai/fal-ai/flux/dev"),
    ("azure", "/openai/deployments/D/chat/completions?api-version=1", "/openai/deployments/D/chat/completions?api-version=1"),
    ("azure", "/deployments/D/chat/completions?api-version=1", "/openai/deployments/D/chat/completions?api-version=1"),
    ("azure", "/openai/responses?api-version=1", "/openai/responses?api-version=1"),
    ("azure", "/openai/v1/responses", "/openai/v1/responses"),
    ("azure", "/anthropic/v1/messages", "/anthropic/v1/messages"),
    ("azure", "/v1/messages", "/anthropic/v1/messages"),
    ("azure", "/models/chat/completions?api-version=1", "/models/chat/completions?api-version=1"),
    ("azure", "/models/gpt-4o", "/openai/v1/models/gpt-4o"),
    ("vllm", "/v1/chat/completions", "/v1/chat/completions"),
    ("vllm", "/v1/v1/messages", "/v1/messages"),
    ("vllm", "/tokenize", "/tokenize"),
    ("vllm", "/v2/rerank", "/v2/rerank"),
    ("ollama", "/api/chat", "/api/chat"),
    ("ollama", "/v1/chat/completions", "/v1/chat/completions"),
    ("cerebras", "/v1/tcp_warming", "/v1/tcp_warming"),
    ("moonshot", "/v1/messages", "/anthropic/v1/messages"),
    ("moonshot", "/anthropic/v1/messages", "/anthropic/v1/messages"),
    ("replicate", "/v1/models/O/N/predictions", "/v1/models/O/N/predictions"),
    ("replicate", "/predictions", "/v1/predictions"),
    ("ai21", "/chat/completions", "/studio/v1/chat/completions"),
    ("ai21", "/studio/v1/maestro/runs", "/studio/v1/maestro/runs"),
    ("ai21", "/v1/chat/completions", "/studio/v1/chat/completions"),
]  # fmt: skip


def declared(slug: str, base_url: str, dialect: str | None = None, **more: str) -> TableProvider:
    section = ProviderSettings(base_url=base_url, dialect=dialect, **more)  # type: ignore[arg-type]
    row = {row.slug: row for row in from_settings({slug: section})}[slug]
    assert isinstance(row, TableProvider)
    return row


def test_every_provider_of_the_product_and_those_beyond_are_here() -> None:
    assert {*BY_SLUG, *ELSEWHERE} == {*PRODUCT, *BEYOND}
    assert {row.slug: row.origin for row in TABLE} == ORIGINS


@pytest.mark.parametrize(("slug", "tail", "target"), PATHS)
def test_every_path_that_sdks_send(slug: str, tail: str, target: str) -> None:
    assert BY_SLUG[slug].target(tail.encode()) == target.encode()


@pytest.mark.parametrize("query", ["", "?", "?a[]=%2F:x?"])
@pytest.mark.parametrize("path", ["/chat/completions", "/embeddings"])
@pytest.mark.parametrize("slug", sorted(BY_SLUG))
def test_an_openai_client_may_be_pointed_at_every_slug(slug: str, path: str, query: str) -> None:
    row = BY_SLUG[slug]
    home = "/v1" if (slug, path) == ("perplexity", "/embeddings") else OPENAI_HOME.get(slug, "/v1")
    asked = f"{home}{path}{query}".encode()
    assert row.target(f"{path}{query}".encode()) == asked
    with_version = row.target(f"/v1{path}{query}".encode())
    assert with_version == (b"/v1" + asked if slug == "deepseek" else asked)  # DeepSeek serves both
    for target in (asked, with_version):
        dialect = row.dialect(target.partition(b"?")[0])
        assert dialect is OPENAI(b"/v1" + path.encode())


@pytest.mark.parametrize(
    ("slug", "dialect", "base_url", "tail", "target"),
    [
        ("openai", None, "http://127.0.0.1:9/prefix", "/chat/completions", "/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/prefix/v1", "/chat/completions", "/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/prefix/v1/", "/v1/chat/completions", "/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/dev1", "/models", "/dev1/v1/models"),
        ("openai", None, "http://127.0.0.1:9", "/models?", "/v1/models?"),
        ("gemini", None, "https://g.example/v1beta/openai", "/chat/completions", "/v1beta/openai/chat/completions"),
        ("gemini", None, "https://g.example/v1beta", "/models/m:countTokens", "/v1beta/models/m:countTokens"),
        ("groq", None, "https://g.example/openai/v1", "/openai/v1/models", "/openai/v1/models"),
        ("groq", None, "https://g.example/openai/v1", "/models", "/openai/v1/models"),
        ("deepseek", None, "https://g.example/x/v1", "/chat/completions", "/x/v1/chat/completions"),
        ("deepseek", None, "https://g.example/x/v1", "/v1/chat/completions", "/x/v1/chat/completions"),
        ("azure", None, f"{RESOURCE}/openai/v1", "/openai/deployments/D/x", "/openai/deployments/D/x"),
        ("azure", None, f"{RESOURCE}/openai", "/chat/completions", "/openai/v1/chat/completions"),
        ("azure", None, f"{RESOURCE}/apim", "/anthropic/v1/messages", "/apim/anthropic/v1/messages"),
        ("vllm", None, "http://127.0.0.1:8000/v1", "/tokenize", "/tokenize"),
        ("vllm", None, "http://127.0.0.1:8000/gpu0/v1", "/chat/completions", "/gpu0/v1/chat/completions"),
        ("mine", "openai", "http://127.0.0.1:8000/v1", "/chat/completions", "/v1/chat/completions"),
        ("vllm", "openai", "http://127.0.0.1:8000/v1", "/v1/chat/completions", "/v1/chat/completions"),
        ("zai", "openai", "https://z.example/api/paas/v4", "/chat/completions", "/api/paas/v4/chat/completions"),
        ("zai", "anthropic", "https://z.example/anthropic", "/v1/messages", "/anthropic/v1/messages"),
        ("zai", "anthropic", "https://z.example/anthropic", "/messages", "/anthropic/v1/messages"),
        ("zai", "anthropic", "https://z.example/anthropic/v1", "/v1/v1/messages", "/anthropic/v1/messages"),
        ("goog", "gemini", "https://g.example/x", "/v1beta/models/m:predict", "/x/v1beta/models/m:predict"),
        ("plain", "openai", "https://p.example", "/v1/embeddings?a=b?c", "/v1/embeddings?a=b?c"),
    ],
)
def test_a_base_url_is_put_before_the_path_and_says_nothing_twice(
    slug: str, dialect: str | None, base_url: str, tail: str, target: str
) -> None:
    provider = declared(slug, base_url, dialect)
    assert provider.slug == slug
    assert provider.target(tail.encode()) == target.encode()
    assert provider.origin == "/".join(base_url.split("/")[:3])


def test_a_declared_endpoint_has_the_credential_of_its_dialect() -> None:
    places = {
        dialect: declared("mine", "https://m.example", dialect).credential(b"/") for dialect in ("openai", "anthropic")
    }
    assert places["openai"] == BEARER
    assert places["anthropic"] == BY_SLUG["anthropic"].credential(b"/")


def test_a_dialect_makes_an_endpoint_of_its_own_even_under_a_known_slug() -> None:
    provider = declared("anthropic", "https://m.example/v1", "openai")
    assert provider.target(b"/chat/completions") == b"/v1/chat/completions"
    assert provider.credential(b"/") == BEARER


def test_a_section_with_only_a_key_leaves_the_row_as_it_is() -> None:
    rows = list(from_settings({"openai": ProviderSettings(api_key_env="OPENAI_API_KEY"), "none": ProviderSettings()}))
    assert rows[: len(TABLE)] == list(TABLE)
    assert {row.slug for row in rows} == set(BY_SLUG)


@pytest.mark.parametrize("prefix", ["", "/prefix", "/prefix/v1", "/v1"])
@pytest.mark.parametrize(
    ("slug", "tail"),
    [
        ("openai", b"/chat/completions"),
        ("openai", b"/responses"),
        ("anthropic", b"/messages"),
        ("anthropic", b"/messages/count_tokens"),
        ("gemini", b"/models/m:generateContent"),
        ("gemini", b"/chat/completions"),
        ("cohere", b"/v1/chat"),
        ("huggingface", b"/hf-inference/models/o/m"),
        ("ollama", b"/api/generate"),
    ],
)
def test_a_prefix_changes_no_dialect(slug: str, tail: bytes, prefix: str) -> None:
    provider = declared(slug, f"http://127.0.0.1:9{prefix}")
    dialect = provider.dialect(provider.target(tail).partition(b"?")[0])
    assert dialect is not None
    assert dialect is BY_SLUG[slug].dialect(BY_SLUG[slug].target(tail))


def test_an_openai_client_at_gemini_is_read_as_one() -> None:
    gemini, openai = BY_SLUG["gemini"], BY_SLUG["openai"]
    for tail in (b"/chat/completions", b"/v1/chat/completions", b"/embeddings"):
        assert gemini.dialect(gemini.target(tail)) is openai.dialect(openai.target(tail))
    assert gemini.dialect(b"/v1beta/models/m:generateContent") is not gemini.dialect(b"/v1beta/openai/chat/completions")


@pytest.mark.parametrize(
    ("tail", "bearer", "other"),
    [
        (b"/models", b"/v1beta/openai/models", b"/v1beta/models"),
        (b"/v1/models", b"/v1beta/openai/models", b"/v1/models"),
        (b"/models/gemini-x?a", b"/v1beta/openai/models/gemini-x?a", b"/v1beta/models/gemini-x?a"),
        (b"/models/m:generateContent", b"/v1beta/models/m:generateContent", b"/v1beta/models/m:generateContent"),
        (b"/v1beta/models", b"/v1beta/models", b"/v1beta/models"),
        (b"/chat/completions", b"/v1beta/openai/chat/completions", b"/v1beta/openai/chat/completions"),
    ],
)
def test_what_both_languages_of_gemini_have_is_told_by_the_keys_place(tail: bytes, bearer: bytes, other: bytes) -> None:
    gemini = BY_SLUG["gemini"]
    assert gemini.target_for(tail, [(b"Authorization", b"Bearer x")]) == bearer
    assert gemini.target_for(tail, [(b"x-goog-api-key", b"x")]) == other
    assert gemini.target_for(tail, []) == gemini.target(tail) == other
    assert BY_SLUG["openai"].target_for(tail, [(b"authorization", b"Bearer x")]) == BY_SLUG["openai"].target(tail)


def test_a_path_of_nobody_has_no_dialect() -> None:
    for slug in ("openai", "anthropic", "mistral", "cohere"):
        assert BY_SLUG[slug].dialect(BY_SLUG[slug].target(b"/nothing/like/it")) is None


ALL = list(from_settings({"azure": ProviderSettings(base_url=RESOURCE)}))


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.slug)
def test_the_rows_keep_the_protocol(provider: Provider) -> None:
    check_provider(provider)


KEY_PLACES = {
    "anthropic": (b"x-api-key", b""),
    "gemini": (b"x-goog-api-key", b""),
    "azure": (b"api-key", b""),
}


@pytest.mark.parametrize("slug", sorted(BY_SLUG))
def test_a_stored_key_sits_where_the_provider_looks_for_it(slug: str) -> None:
    row = BY_SLUG[slug]
    place = row.credential(row.target(b"/models"))
    assert place is not None
    assert (place.kind, place.name, place.prefix) == ("header", *KEY_PLACES.get(slug, (b"authorization", b"Bearer ")))
    assert place.optional is (slug in ("ollama", "vllm"))


def test_a_stored_key_sits_where_the_path_wants_it() -> None:
    gemini = BY_SLUG["gemini"]
    assert gemini.credential(b"/v1beta/models/m:generateContent") == BY_SLUG["gemini"].key
    assert gemini.credential(gemini.target(b"/chat/completions")) == BEARER
    behind = declared("gemini", "http://127.0.0.1:9/house")
    assert behind.credential(behind.target(b"/chat/completions")) == BEARER
    deepseek = BY_SLUG["deepseek"]
    assert deepseek.credential(deepseek.target(b"/v1/messages")) == BY_SLUG["anthropic"].key
    assert deepseek.credential(deepseek.target(b"/chat/completions")) == BEARER


# Azure.


@pytest.mark.parametrize(
    ("tail", "target"),
    [
        ("/chat/completions", "/openai/deployments/mine/chat/completions?api-version=2024-10-21"),
        ("/v1/chat/completions", "/openai/deployments/mine/chat/completions?api-version=2024-10-21"),
        ("/embeddings?", "/openai/deployments/mine/embeddings?api-version=2024-10-21"),
        ("/audio/speech?a=b", "/openai/deployments/mine/audio/speech?a=b&api-version=2024-10-21"),
        ("/responses", "/openai/responses?api-version=2024-10-21"),
        ("/v1/models", "/openai/models?api-version=2024-10-21"),
        ("/deployments/other/x", "/openai/deployments/other/x?api-version=2024-10-21"),
        # What a client says itself stands.
        ("/chat/completions?api-version=1", "/openai/deployments/mine/chat/completions?api-version=1"),
        ("/openai/deployments/other/x?y&api-version=1", "/openai/deployments/other/x?y&api-version=1"),
        ("/openai/v1/responses", "/openai/v1/responses"),
        ("/anthropic/v1/messages", "/anthropic/v1/messages"),
        ("/models/chat/completions", "/models/chat/completions"),
    ],
)
def test_a_client_that_knows_nothing_of_azure_gets_its_deployment_and_version(tail: str, target: str) -> None:
    azure = declared("azure", RESOURCE, deployment="mine", api_version="2024-10-21")
    assert azure.target(tail.encode()) == target.encode()
    behind = declared("azure", f"{RESOURCE}/apim", deployment="mine", api_version="2024-10-21")
    assert behind.target(tail.encode()) == f"/apim{target}".encode()


def test_a_version_that_is_a_word_belongs_to_the_newer_api() -> None:
    azure = declared("azure", RESOURCE, api_version="preview")
    assert azure.target(b"/responses") == b"/openai/v1/responses?api-version=preview"
    assert azure.target(b"/deployments/d/x") == b"/openai/deployments/d/x"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('deployment = "d"', "api_version"),
        ('deployment = "d"\napi_version = "preview"', "api_version too, a date"),
        ('api_version = "a/b"', "api_version: write a name"),
        ('deploymnet = "d"', "Did you mean deployment?"),
    ],
)
def test_an_azure_section_that_can_not_work_is_refused_with_its_line(tmp_path: Path, line: str, told: str) -> None:
    file = tmp_path / "lockllm.toml"
    file.write_text(f'[providers.azure]\nbase_url = "{RESOURCE}"\n{line}\n')
    with pytest.raises(SettingsError, match=told) as caught:
        Settings.from_toml(file)
    assert "lockllm.toml:3" in caught.value.message


def test_deployments_are_azures_and_need_its_address(tmp_path: Path) -> None:
    file = tmp_path / "lockllm.toml"
    file.write_text('[providers.groq]\nbase_url = "https://g.example"\napi_version = "1"\n')
    with pytest.raises(SettingsError, match=r"lockllm\.toml:3: .*only \[providers\.azure\]"):
        load(Settings.from_toml(file))
    with pytest.raises(SettingsError, match="base_url too"):
        ProviderSettings(api_version="2024-10-21")


@pytest.mark.parametrize("slug", [row.slug for row in OWN_ADDRESS])
def test_an_address_of_your_own_is_asked_for_and_not_guessed(slug: str) -> None:
    provider = {row.slug: row for row in from_settings({})}[slug]
    assert isinstance(provider, UnsetProvider)
    assert provider.origin is None
    with pytest.raises(ConfigurationProblem, match=rf'\[providers\.{slug}\] base_url = "http') as caught:
        provider.answer(LocalRequest(b"POST", b"/x", (), b""))
    assert (caught.value.http_status, caught.value.code) == (400, "no_base_url")


# A plugin's row.


@attrs.frozen(kw_only=True)
class Regional(TableProvider):
    """As a plugin writes it: a row with defaults of its own."""

    slug: str = "regional"
    origin: str = "https://regional.example"
    families: tuple[Family, ...] = (OPENAI,)
    keep: tuple[bytes, ...] = (b"/model", b"/openai")
    bare: bytes = b"/openai/v1"
    region: str


def test_a_plugin_may_make_a_row_of_its_own() -> None:
    row = Regional(region="eu")
    check_provider(row)
    assert row.target(b"/model/m/invoke") == b"/model/m/invoke"
    assert row.target(b"/models") == b"/openai/v1/models"
    moved = row.below("regional", "https://gateway.example", b"/x/openai/v1")
    assert (moved.region, moved.origin) == ("eu", "https://gateway.example")
    assert moved.target(b"/model/m/invoke") == b"/x/model/m/invoke"
