"""The provider table: which path each request of an SDK becomes."""

from __future__ import annotations

import pytest

from lockllm_twisted.builtin.providers import TABLE, TableProvider, from_settings
from lockllm_twisted.hooks import BEARER
from lockllm_twisted.settings import ProviderSettings
from lockllm_twisted.testing import check_provider

BY_SLUG = {row.slug: row for row in TABLE}


def declared(slug: str, base_url: str, dialect: str | None = None) -> TableProvider:
    section = ProviderSettings(base_url=base_url, dialect=dialect)  # type: ignore[arg-type]
    return {row.slug: row for row in from_settings({slug: section})}[slug]


@pytest.mark.parametrize(
    ("slug", "tail", "target"),
    [
        # OpenAI's SDKs with and without /v1 in the base URL.
        ("openai", b"/chat/completions", b"/v1/chat/completions"),
        ("openai", b"/v1/chat/completions", b"/v1/chat/completions"),
        ("openai", b"/v1", b"/v1"),
        ("openai", b"/v1?", b"/v1?"),
        ("openai", b"/v10/x", b"/v1/v10/x"),
        ("openai", b"/", b"/v1/"),
        ("openai", b"/responses/r/input_items?include[]=a&b=%2f", b"/v1/responses/r/input_items?include[]=a&b=%2f"),
        ("openai", b"/models/ft:a%3Ab", b"/v1/models/ft:a%3Ab"),
        # The version may only stand in the path: what a query holds is not looked at.
        ("openai", b"/files?after=/v1/", b"/v1/files?after=/v1/"),
        # Anthropic's SDKs add /v1 themselves; ai-sdk does not; a base URL with /v1 doubles it.
        ("anthropic", b"/v1/messages", b"/v1/messages"),
        ("anthropic", b"/messages", b"/v1/messages"),
        ("anthropic", b"/v1/v1/messages", b"/v1/messages"),
        ("anthropic", b"/v1/messages?beta=true", b"/v1/messages?beta=true"),
        ("anthropic", b"/chat/completions", b"/v1/chat/completions"),
        # google-genai in Python, in Node, LiteLLM, uploads, and OpenAI clients.
        ("gemini", b"/v1/models/m:generateContent", b"/v1/models/m:generateContent"),
        (
            "gemini",
            b"/v1beta/models/m:streamGenerateContent?alt=sse",
            b"/v1beta/models/m:streamGenerateContent?alt=sse",
        ),
        ("gemini", b"/v1alpha/models/m:generateContent", b"/v1alpha/models/m:generateContent"),
        ("gemini", b"/models/m:generateContent?key=k", b"/v1beta/models/m:generateContent?key=k"),
        ("gemini", b"/upload/v1beta/files", b"/upload/v1beta/files"),
        ("gemini", b"/download/v1beta/files/f:download", b"/download/v1beta/files/f:download"),
        ("gemini", b"/chat/completions", b"/v1beta/openai/chat/completions"),
        ("gemini", b"/v1/chat/completions", b"/v1beta/openai/chat/completions"),
        ("gemini", b"/openai/chat/completions", b"/v1beta/openai/chat/completions"),
        ("gemini", b"/v1beta/openai/embeddings", b"/v1beta/openai/embeddings"),
        ("gemini", b"/embeddings", b"/v1beta/openai/embeddings"),
        ("gemini", b"/models", b"/v1beta/models"),
        ("gemini", b"/chatter", b"/v1beta/chatter"),
    ],
)
def test_every_path_that_sdks_send(slug: str, tail: bytes, target: bytes) -> None:
    assert BY_SLUG[slug].target(tail) == target


@pytest.mark.parametrize(
    ("slug", "dialect", "base_url", "tail", "target"),
    [
        ("openai", None, "http://127.0.0.1:9/prefix", b"/chat/completions", b"/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/prefix/v1", b"/chat/completions", b"/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/prefix/v1/", b"/v1/chat/completions", b"/prefix/v1/chat/completions"),
        ("openai", None, "http://127.0.0.1:9/dev1", b"/models", b"/dev1/v1/models"),
        ("openai", None, "http://127.0.0.1:9", b"/models?", b"/v1/models?"),
        ("gemini", None, "https://g.example/v1beta/openai", b"/chat/completions", b"/v1beta/openai/chat/completions"),
        ("gemini", None, "https://g.example/v1beta", b"/models/m:countTokens", b"/v1beta/models/m:countTokens"),
        ("vllm", "openai", "http://127.0.0.1:8000/v1", b"/chat/completions", b"/v1/chat/completions"),
        ("vllm", "openai", "http://127.0.0.1:8000/v1", b"/v1/chat/completions", b"/v1/chat/completions"),
        ("zai", "openai", "https://z.example/api/paas/v4", b"/chat/completions", b"/api/paas/v4/chat/completions"),
        ("zai", "anthropic", "https://z.example/anthropic", b"/v1/messages", b"/anthropic/v1/messages"),
        ("zai", "anthropic", "https://z.example/anthropic/v1", b"/v1/v1/messages", b"/anthropic/v1/messages"),
        ("goog", "gemini", "https://g.example/x", b"/v1beta/models/m:predict", b"/x/v1beta/models/m:predict"),
        ("plain", "openai", "https://p.example", b"/v1/embeddings?a=b?c", b"/v1/embeddings?a=b?c"),
    ],
)
def test_a_base_url_is_put_before_the_path_and_says_nothing_twice(
    slug: str, dialect: str | None, base_url: str, tail: bytes, target: bytes
) -> None:
    provider = declared(slug, base_url, dialect)
    assert provider.slug == slug
    assert provider.target(tail) == target
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
    assert rows == list(TABLE)


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
    ],
)
def test_a_prefix_changes_no_dialect(slug: str, tail: bytes, prefix: str) -> None:
    provider = declared(slug, f"http://127.0.0.1:9{prefix}")
    dialect = provider.dialect(provider.target(tail))
    assert dialect is not None
    assert dialect is BY_SLUG[slug].dialect(BY_SLUG[slug].target(tail))


def test_an_openai_client_at_gemini_is_read_as_one() -> None:
    gemini, openai = BY_SLUG["gemini"], BY_SLUG["openai"]
    for tail in (b"/chat/completions", b"/v1/chat/completions", b"/embeddings"):
        assert gemini.dialect(gemini.target(tail)) is openai.dialect(openai.target(tail))
    assert gemini.dialect(b"/v1beta/models/m:generateContent") is not gemini.dialect(b"/v1beta/openai/chat/completions")


def test_a_path_of_nobody_has_no_dialect() -> None:
    for slug in ("openai", "anthropic"):
        assert BY_SLUG[slug].dialect(BY_SLUG[slug].target(b"/nothing/like/it")) is None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.slug)
def test_the_rows_keep_the_protocol(row: TableProvider) -> None:
    check_provider(row)
    assert row.doc.startswith("https://")


def test_a_stored_key_sits_where_the_path_wants_it() -> None:
    gemini = BY_SLUG["gemini"]
    assert gemini.credential(b"/v1beta/models/m:generateContent").name == b"x-goog-api-key"
    assert gemini.credential(gemini.target(b"/chat/completions")) == BEARER
    behind = declared("gemini", "http://127.0.0.1:9/house")
    assert behind.credential(behind.target(b"/chat/completions")) == BEARER
