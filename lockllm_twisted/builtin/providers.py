"""All providers on one screen: a new one is a new row.

Responsible for: the table, the table as the settings re-point it, and the endpoints that an operator declares.
Must never: hold a rule that is not data; what is really different has its own module (`azure`, and the plugins' ones).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import attrs

from lockllm_twisted.builtin.azure import AzureProvider
from lockllm_twisted.builtin.unset import UnsetProvider
from lockllm_twisted.dialects import (
    AI21,
    ANTHROPIC,
    COHERE,
    COMPATIBLE,
    GEMINI,
    HUGGINGFACE,
    MISTRAL,
    OLLAMA,
    OPENAI,
    PERPLEXITY,
    REPLICATE,
)
from lockllm_twisted.hooks import BEARER, CredentialPlace, Provider
from lockllm_twisted.settings import ProviderSettings
from lockllm_twisted.table import ANTHROPIC_STYLE, END, OPENAI_STYLE, REPEATED_V1, V1, TableProvider, endpoint

API_KEY = CredentialPlace("header", b"api-key")
X_API_KEY = CredentialPlace("header", b"x-api-key")
X_GOOG_API_KEY = CredentialPlace("header", b"x-goog-api-key")
MAYBE = attrs.evolve(BEARER, optional=True)

_ANTHROPIC_BELOW = (rb"/anthropic(?:/v1)*" + END, b"/anthropic/v1"), (ANTHROPIC_STYLE, b"/anthropic/v1")
_VERSIONED = ((b"anthropic-version", b"2023-06-01"),)
_BOTH = (OPENAI, ANTHROPIC, COMPATIBLE)

# fmt: off
TABLE = (
    TableProvider("openai", "https://api.openai.com", (OPENAI,), keep=(b"/v1",)),
    TableProvider("anthropic", "https://api.anthropic.com", (ANTHROPIC, OPENAI), moves=((REPEATED_V1, b"/v1"),),
                  key=X_API_KEY, probe_headers=_VERSIONED),
    TableProvider("gemini", "https://generativelanguage.googleapis.com", (GEMINI,), bare=b"/v1beta",
                  moves=((OPENAI_STYLE, b"/v1beta/openai"),),
                  moves_of_bearer=((rb"(?:/v1)?(?=/(?:models|files|batches)(?:/[^/:]*)?\Z)", b"/v1beta/openai"),),
                  keep=(b"/v1beta", b"/v1", b"/v1alpha", b"/upload", b"/download", b"/ws"),
                  key=X_GOOG_API_KEY, keys_below=((b"/v1beta/openai/", BEARER),)),
    TableProvider("mistral", "https://api.mistral.ai", (MISTRAL, OPENAI), keep=(b"/v1",)),
    TableProvider("deepseek", "https://api.deepseek.com", (OPENAI, ANTHROPIC), bare=b"", moves=_ANTHROPIC_BELOW,
                  keep=(b"/v1", b"/beta"), keys_below=((b"/anthropic/", X_API_KEY),)),
    TableProvider("xai", "https://api.x.ai", (OPENAI, ANTHROPIC), moves=((REPEATED_V1, b"/v1"),)),
    TableProvider("cohere", "https://api.cohere.com", (COHERE, OPENAI), bare=b"/v2",
                  moves=((rb"(?:/v1)?(?=/(?:chat/completions|embeddings)" + END + rb")", b"/compatibility/v1"),
                         (rb"(?=/models" + END + rb")", b"/v1")),
                  keep=(b"/v1", b"/v2", b"/compatibility")),
    TableProvider("openrouter", "https://openrouter.ai", (OPENAI, ANTHROPIC), bare=b"/api/v1", probe=b"/key",
                  encoded_slash=True, moves=((rb"(?:/api)?(?:/v1)+" + END, b"/api/v1"),), keep=(b"/api",)),
    TableProvider("perplexity", "https://api.perplexity.ai", (PERPLEXITY, OPENAI), bare=b"",
                  moves=((rb"/v1(?=/(?:async/)?chat/completions" + END + rb")", b""),
                         (rb"(?=/(?:responses|embeddings|models|files|batches)" + END + rb")", b"/v1")),
                  keep=(b"/v1",)),
    TableProvider("groq", "https://api.groq.com", (OPENAI,), bare=b"/openai/v1", encoded_slash=True,
                  moves=((V1, b"/openai/v1"),), keep=(b"/openai",)),
    TableProvider("together", "https://api.together.ai", (OPENAI, COMPATIBLE), keep=(b"/v1", b"/v2"),
                  encoded_slash=True),
    # Its SDK sends /v1/… to any base URL but its own, where that path is /inference/v1/…; /v1/accounts is another API.
    TableProvider("fireworks", "https://api.fireworks.ai", _BOTH, bare=b"/inference/v1", encoded_slash=True,
                  moves=((rb"(?:/v1)?(?=/accounts" + END + rb")", b"/v1"), (REPEATED_V1, b"/inference/v1")),
                  keep=(b"/inference",)),
    TableProvider("anyscale", "https://api.endpoints.anyscale.com", (OPENAI,), keep=(b"/v1",), encoded_slash=True),
    TableProvider("huggingface", "https://router.huggingface.co", (OPENAI, HUGGINGFACE), bare=b"",
                  moves=((OPENAI_STYLE, b"/v1"), (rb"(?=/models" + END + rb")", b"/v1"), (rb"", b"")), encoded_slash=True),
    TableProvider("cerebras", "https://api.cerebras.ai", (OPENAI,), keep=(b"/v1",)),
    TableProvider("nvidia", "https://integrate.api.nvidia.com", (OPENAI, COMPATIBLE), keep=(b"/v1",),
                  encoded_slash=True),
    TableProvider("sambanova", "https://api.sambanova.ai", (OPENAI,), keep=(b"/v1",)),
    TableProvider("moonshot", "https://api.moonshot.ai", (OPENAI, ANTHROPIC), moves=_ANTHROPIC_BELOW, keep=(b"/v1",)),
    TableProvider("replicate", "https://api.replicate.com", (REPLICATE, OPENAI), keep=(b"/v1",), probe=b"/account"),
    TableProvider("ai21", "https://api.ai21.com", (AI21, OPENAI), bare=b"/studio/v1",
                  probe=b"/library/files", moves=((V1, b"/studio/v1"),), keep=(b"/studio",)),
    TableProvider("ollama", "http://127.0.0.1:11434", (OLLAMA, OPENAI, ANTHROPIC), keep=(b"/api",),
                  moves=((REPEATED_V1, b"/v1"),), key=MAYBE),
)
"""The providers that have an address of their own."""

OWN_ADDRESS = (
    AzureProvider("azure", "https://RES.openai.azure.com", (OPENAI, ANTHROPIC, COMPATIBLE), bare=b"/openai/v1",
                  moves=(*_ANTHROPIC_BELOW, (rb"/deployments" + END, b"/openai/deployments"), (V1, b"/openai/v1"),
                         (rb"/models(?=/(?:chat|embeddings|images|info)" + END + rb")", b"/models")),
                  keep=(b"/openai",), key=API_KEY),
    TableProvider("vllm", "http://127.0.0.1:8000", _BOTH, moves=((REPEATED_V1, b"/v1"),), encoded_slash=True,
                  keep=(b"/v2", b"/tokenize", b"/detokenize", b"/score", b"/rerank", b"/pooling", b"/classify"),
                  key=MAYBE),
)
"""The providers whose address is the customer's own: nothing is here before ``base_url`` is set; these are examples of one."""

ELSEWHERE = {"bedrock": "lockllm-bedrock", "vertex-ai": "lockllm-vertex"}
"""The providers that are distributions of their own."""

LANGUAGES: Mapping[str, TableProvider] = {
    "openai": TableProvider("", "", _BOTH, bare=b"", encoded_slash=True),
    "anthropic": TableProvider("", "", (ANTHROPIC, OPENAI), moves=((REPEATED_V1, b"/v1"),), key=X_API_KEY,
                               encoded_slash=True, probe_headers=_VERSIONED),
    "gemini": TableProvider("", "", (GEMINI,), bare=b"", key=X_GOOG_API_KEY, encoded_slash=True),
}
"""An operator's endpoint by its dialect. Model ids such as ``org/name`` are usual there, and OpenAI's SDK encodes their slash."""
# fmt: on

_BASE_URL = re.compile(r"(https?://[^/]+)(.*)")


def from_settings(declared: Mapping[str, ProviderSettings]) -> Iterator[Provider]:
    """The table as the settings re-point it, and the endpoints that they declare.

    A section with a ``dialect`` is an endpoint of its own, also where its slug is in the table: a config that declares
    one keeps its meaning when the table learns that slug.
    """
    rows = {row.slug: row for row in (*TABLE, *OWN_ADDRESS)}
    providers: dict[str, Provider] = {row.slug: row for row in TABLE}
    providers |= {row.slug: UnsetProvider(row.slug, row.origin) for row in OWN_ADDRESS}
    for slug, section in declared.items():
        if section.base_url is None:
            continue
        origin, prefix = _BASE_URL.fullmatch(section.base_url).groups()  # type: ignore[union-attr]  # checked there
        if section.dialect is not None:
            providers[slug] = endpoint(LANGUAGES[section.dialect], slug, origin, prefix.encode())
        elif slug in rows:
            row = rows[slug].below(slug, origin, prefix.encode())
            if isinstance(row, AzureProvider):
                row = row.served_as(section.deployment, section.api_version)
            providers[slug] = row
    yield from providers.values()
