"""Each SDK's client, pointed as its users point it.

Responsible for: what a user writes to send a client through the proxy: base URL, key, header; and what is peculiar to an SDK.
Must never: know which calls are made, or what a provider answers.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from operator import attrgetter
from typing import Any

import attrs

from .lab import Place
from .sdks import Node, Python, stainless


def _azure(place: Place) -> dict[str, Any]:
    options = {"api_key": place.key, "azure_endpoint": place.url, "default_headers": dict(place.headers)}
    return {**options, "api_version": "2025-04-01-preview"}


def _google(place: Place) -> dict[str, Any]:
    options = {"base_url": place.url, "headers": dict(place.headers)}
    return {"api_key": place.key, "http_options": options, "vertexai": False}


def _cohere(place: Place) -> dict[str, Any]:
    return {"api_key": place.key, "base_url": place.url}


def _ollama(place: Place) -> dict[str, Any]:
    key = {"Authorization": f"Bearer {place.key}"} if place.key else {}
    return {"host": place.url, "headers": {**key, **place.headers}}


def _huggingface(place: Place) -> dict[str, Any]:
    """A session of its own: its clients share one, and the cookies in it."""
    importlib.import_module("huggingface_hub").close_session()
    return {"api_key": place.key, "base_url": place.url, "headers": dict(place.headers)}


@contextmanager
def _holding(client: Any, inner: Any) -> Iterator[Any]:
    """A client that can't be closed, with what it is made of."""
    with inner:
        yield client


@asynccontextmanager
async def _awaiting(client: Any, inner: Any) -> AsyncIterator[Any]:
    async with inner:
        yield client


OPENAI = Python("openai:OpenAI", "openai:AsyncOpenAI", extra="sdks", retries=2)
AZURE = attrs.evolve(OPENAI, blocking="openai:AzureOpenAI", asynchronous="openai:AsyncAzureOpenAI", options=_azure)
ANTHROPIC = Python("anthropic:Anthropic", "anthropic:AsyncAnthropic", extra="sdks", retries=2)
GOOGLE = Python(
    "google.genai:Client",
    "google.genai:Client",
    bad_request="ClientError",
    options=_google,
    half=attrgetter("aio"),
    status="code",
    extra="sdks",
)
MISTRAL = Python(
    "mistralai.client:Mistral",
    "mistralai.client:Mistral",
    bad_request="SDKError",
    options=lambda place: {"api_key": place.key, "server_url": place.url},
    each=lambda headers: {"http_headers": dict(headers)},
    awaited=lambda method: f"{method}_async",
)
COHERE = Python(
    "cohere:ClientV2",
    "cohere:AsyncClientV2",
    options=_cohere,
    each=lambda headers: {"request_options": {"additional_headers": dict(headers)}},
    says="body",
    retries=2,
)
COHERE_V1 = attrs.evolve(COHERE, blocking="cohere:Client", asynchronous="cohere:AsyncClient")
GROQ = Python("groq:Groq", "groq:AsyncGroq", retries=2)
TOGETHER = Python("together:Together", "together:AsyncTogether", retries=2)
FIREWORKS = Python("fireworks:Fireworks", "fireworks:AsyncFireworks", retries=2)
PERPLEXITY = Python("perplexity:Perplexity", "perplexity:AsyncPerplexity", retries=2)
CEREBRAS = Python(
    "cerebras.cloud.sdk:Cerebras",
    "cerebras.cloud.sdk:AsyncCerebras",
    options=lambda place: {**stainless(place), "warm_tcp_connection": False},
    retries=2,
)
HUGGINGFACE = Python(
    "huggingface_hub:InferenceClient",
    "huggingface_hub:AsyncInferenceClient",
    options=_huggingface,
    status="response.status_code",
    made_anew=frozenset({"x-amzn-trace-id"}),
)
HUGGINGFACE_MODEL = attrs.evolve(
    HUGGINGFACE,
    options=lambda place: (
        {key: value for key, value in _huggingface(place).items() if key != "base_url"} | {"model": place.url}
    ),
)
OLLAMA = Python("ollama:Client", "ollama:AsyncClient", bad_request="ResponseError", options=_ollama)
REPLICATE = Python(
    "replicate:Client",
    "replicate:Client",
    bad_request="ReplicateError",
    options=lambda place: {"api_token": place.key, "base_url": place.url, "headers": dict(place.headers)},
    status="status",
    awaited=lambda method: method.replace("create", "async_create"),
    held=lambda client: _holding(client, client._client),
    half=lambda client: _awaiting(client, client._async_client),
)
AI21 = Python(
    "ai21:AI21Client",
    "ai21:AsyncAI21Client",
    bad_request="BadRequest",
    options=lambda place: {"api_key": place.key, "api_host": place.url, "headers": dict(place.headers)},
    held=lambda client: _holding(client, client._client),
    half=lambda client: _awaiting(client, client._client),
)
NODE_OPENAI = Node("openai", retries=2)
NODE_ANTHROPIC = Node("anthropic", retries=2)
NODE_GOOGLE = Node("google", bad_request="ApiError")
NODE_MISTRAL = Node("mistral", bad_request="SDKError")
NODE_COHERE = Node("cohere", retries=2)
NODE_GROQ = Node("groq", retries=2)
NODE_AI = Node("ai", bad_request="APICallError", retries=2)
