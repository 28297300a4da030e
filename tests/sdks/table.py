"""Every SDK call that is proven, one row each.

Responsible for: which client asks which provider what, below which base URLs, and what that provider says.
Must never: decide what has to be the same: `lab` does, and `test_every_sdk` says when.

A client is pointed at ``/v1/proxy/<slug>`` plus a key of ``bases``; its value is the path of the base URL with which the
same client would reach the vendor. The first one is the one to recommend.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from . import answers, vendors
from .pointing import (
    AI21,
    ANTHROPIC,
    AZURE,
    CEREBRAS,
    COHERE,
    COHERE_V1,
    FIREWORKS,
    GOOGLE,
    GROQ,
    HUGGINGFACE,
    HUGGINGFACE_MODEL,
    MISTRAL,
    NODE_AI,
    NODE_ANTHROPIC,
    NODE_COHERE,
    NODE_GOOGLE,
    NODE_GROQ,
    NODE_MISTRAL,
    NODE_OPENAI,
    OLLAMA,
    OPENAI,
    PERPLEXITY,
    REPLICATE,
    TOGETHER,
)
from .sdks import Call, Client
from .upstream import Answer


@attrs.frozen
class Row:
    """One call of one SDK.

    ``shows`` is a text of the answer that the SDK must have shown. A ``keyless`` client sends the provider no key of its own.
    """

    client: Client
    slug: str
    call: Call
    answer: Answer
    refusal: Answer
    bases: Mapping[str, str] = attrs.field(factory=lambda: {"": ""})
    shows: str = "Par"
    keyless: bool = False
    ways: tuple[str, ...] = ("sync", "async", "node")

    @property
    def base(self) -> str:
        return next(iter(self.bases))

    @property
    def name(self) -> str:
        return f"{self.slug}-{self.client.name}-{self.call.method}{'-stream' if self.call.stream else ''}"


# What is asked --------------------------------------------------------------------------------------------------------


def _messages(prompt: str) -> dict[str, Any]:
    return {"model": "example", "messages": [{"role": "user", "content": prompt}]}


def _turn(prompt: str) -> dict[str, Any]:
    """AI21 takes no dictionaries."""
    turn = importlib.import_module("ai21.models.chat").ChatMessage(role="user", content=prompt)
    return {"model": "example", "messages": [turn]}


def _input(prompt: str) -> dict[str, Any]:
    return {"model": "example", "input": prompt}


def _max(prompt: str) -> dict[str, Any]:
    return {**_messages(prompt), "max_tokens": 64}


def _contents(prompt: str) -> dict[str, Any]:
    return {"model": "example", "contents": prompt}


def _prompt(prompt: str) -> dict[str, Any]:
    return {"model": "example", "prompt": prompt}


def _both(method: str, ask: Any, streaming: str = "", **more: Any) -> tuple[Call, Call]:
    """Whole, and as a stream: by the argument ``stream``, or by a method of its own."""
    if streaming:
        return Call(method, ask), Call(streaming, ask, stream=True, **more)
    return Call(method, ask), Call(method, lambda prompt: {**ask(prompt), "stream": True}, stream=True, **more)


def _asked(
    client: Client,
    slug: str,
    calls: tuple[Call, ...],
    said: tuple[Answer, ...],
    refusal: Answer,
    **more: Any,
) -> Iterator[Row]:
    for call, answer in zip(calls, said, strict=True):
        yield Row(client, slug, call, answer, refusal, **more)


CHAT = _both("chat.completions.create", _messages)
RESPONSES = _both("responses.create", _input)
MESSAGES = _both("messages.create", _max)
CHATTED = (answers.CHAT, answers.CHAT_STREAM)
RESPONDED = (answers.RESPONSE, answers.RESPONSE_STREAM)
WRITTEN = (answers.MESSAGE, answers.MESSAGE_STREAM)
GENERATED = (answers.GENERATED, answers.GENERATED_STREAM)
OPENAI_ERROR = answers.OPENAI_ERRORS["404"]
ANTHROPIC_ERROR = answers.ANTHROPIC_ERRORS["404"]

# The table ------------------------------------------------------------------------------------------------------------

_V1 = {"": "/v1", "/v1": "/v1"}

OPENAI_STYLE: Mapping[str, Mapping[str, str]] = {
    "openai": _V1,
    "gemini": {"": "/v1beta/openai", "/v1": "/v1beta/openai", "/v1beta/openai": "/v1beta/openai"},
    "mistral": _V1,
    "deepseek": {"": "", "/v1": "/v1", "/beta": "/beta"},
    "xai": _V1,
    "cohere": {"": "/compatibility/v1", "/v1": "/compatibility/v1", "/compatibility/v1": "/compatibility/v1"},
    "openrouter": {"": "/api/v1", "/v1": "/api/v1", "/api/v1": "/api/v1"},
    "perplexity": {"": "", "/v1": ""},
    "groq": {"": "/openai/v1", "/v1": "/openai/v1", "/openai/v1": "/openai/v1"},
    "together": _V1,
    "fireworks": {"": "/inference/v1", "/v1": "/inference/v1", "/inference/v1": "/inference/v1"},
    "anyscale": _V1,
    "huggingface": _V1,
    "azure": {"": "/openai/v1", "/v1": "/openai/v1", "/openai/v1": "/openai/v1"},
    "cerebras": _V1,
    "nvidia": _V1,
    "sambanova": _V1,
    "moonshot": _V1,
    "ai21": {"": "/studio/v1", "/v1": "/studio/v1", "/studio/v1": "/studio/v1"},
    "ollama": _V1,
    "vllm": _V1,
}
"""OpenAI's client works at every provider that speaks its language."""

ANTHROPIC_STYLE: Mapping[str, Mapping[str, str]] = {
    "anthropic": {"": "", "/v1": ""},
    "deepseek": {"": "/anthropic", "/anthropic": "/anthropic"},
    "moonshot": {"": "/anthropic", "/anthropic": "/anthropic"},
    "openrouter": {"": "/api", "/api": "/api"},
    "fireworks": {"": "/inference", "/inference": "/inference"},
    "xai": {"": ""},
    "ollama": {"": ""},
}


def _ways(slug: str, home: str) -> tuple[str, ...]:
    """Both halves at the client's own provider; at another one a second half would prove nothing new."""
    return ("sync", "async") if slug == home else ("sync",)


ROWS: tuple[Row, ...] = (
    *(
        row
        for slug, bases in OPENAI_STYLE.items()
        for row in _asked(OPENAI, slug, CHAT, CHATTED, OPENAI_ERROR, bases=bases, ways=_ways(slug, "openai"))
    ),
    *(
        row
        for slug, bases in ANTHROPIC_STYLE.items()
        for row in _asked(
            ANTHROPIC, slug, MESSAGES, WRITTEN, ANTHROPIC_ERROR, bases=bases, ways=_ways(slug, "anthropic")
        )
    ),
    *_asked(AZURE, "azure", CHAT, CHATTED, OPENAI_ERROR),
    *_asked(AZURE, "azure", RESPONSES, RESPONDED, OPENAI_ERROR),
    *_asked(
        GOOGLE,
        "gemini",
        _both("models.generate_content", _contents, "models.generate_content_stream"),
        GENERATED,
        vendors.GEMINI_ERROR,
    ),
    *_asked(GROQ, "groq", CHAT, CHATTED, OPENAI_ERROR),
    *_asked(TOGETHER, "together", CHAT, CHATTED, vendors.COMPATIBLE_ERROR),
    *_asked(
        FIREWORKS,
        "fireworks",
        CHAT,
        CHATTED,
        vendors.COMPATIBLE_ERROR,
        bases={"": "/inference", "/inference": "/inference"},
    ),
    *_asked(CEREBRAS, "cerebras", CHAT, CHATTED, vendors.COMPATIBLE_ERROR),
    *_asked(PERPLEXITY, "perplexity", CHAT, CHATTED, vendors.COMPATIBLE_ERROR),
    *_asked(PERPLEXITY, "perplexity", RESPONSES, RESPONDED, vendors.COMPATIBLE_ERROR),
    Row(
        PERPLEXITY,
        "perplexity",
        Call("search.create", lambda prompt: {"query": prompt}),
        vendors.SEARCH,
        vendors.COMPATIBLE_ERROR,
    ),
    *_asked(MISTRAL, "mistral", _both("chat.complete", _messages, "chat.stream"), CHATTED, vendors.MISTRAL_ERROR),
    *_asked(
        MISTRAL,
        "mistral",
        _both("fim.complete", lambda prompt: {"model": "example", "prompt": prompt, "suffix": "."}, "fim.stream"),
        CHATTED,
        vendors.MISTRAL_ERROR,
    ),
    Row(
        MISTRAL,
        "mistral",
        Call("embeddings.create", lambda prompt: {"model": "example", "inputs": [prompt]}),
        vendors.EMBEDDED,
        vendors.MISTRAL_ERROR,
        shows="0.25",
    ),
    *_asked(
        COHERE,
        "cohere",
        _both("chat", _messages, "chat_stream"),
        (vendors.COHERE_CHAT, vendors.COHERE_STREAM),
        vendors.COHERE_ERROR,
    ),
    *_asked(
        COHERE_V1,
        "cohere",
        _both("chat", lambda prompt: {"message": prompt}, "chat_stream"),
        (vendors.COHERE_V1_CHAT, vendors.COHERE_V1_STREAM),
        vendors.COHERE_ERROR,
    ),
    Row(
        COHERE,
        "cohere",
        Call(
            "embed",
            lambda prompt: {
                "model": "example",
                "texts": [prompt],
                "input_type": "search_document",
                "embedding_types": ["float"],
            },
        ),
        vendors.COHERE_EMBED,
        vendors.COHERE_ERROR,
    ),
    Row(
        COHERE,
        "cohere",
        Call("rerank", lambda prompt: {"model": "example", "query": "capitals", "documents": ["Oslo", prompt]}),
        vendors.COHERE_RERANK,
        vendors.COHERE_ERROR,
        shows="0.99",
    ),
    *_asked(
        OLLAMA,
        "ollama",
        _both("chat", _messages),
        (vendors.OLLAMA_CHAT, vendors.OLLAMA_STREAM),
        vendors.OLLAMA_ERROR,
        keyless=True,
    ),
    *_asked(
        OLLAMA,
        "ollama",
        _both("generate", _prompt),
        (vendors.OLLAMA_GENERATED, vendors.OLLAMA_GENERATE_STREAM),
        vendors.OLLAMA_ERROR,
        keyless=True,
    ),
    Row(
        OLLAMA, "ollama", Call("embed", _input), vendors.OLLAMA_EMBED, vendors.OLLAMA_ERROR, keyless=True, shows="0.01"
    ),
    *_asked(
        HUGGINGFACE,
        "huggingface",
        _both("chat_completion", _messages),
        CHATTED,
        vendors.OLLAMA_ERROR,
        bases={"": "", "/v1": "/v1"},
    ),
    *_asked(
        HUGGINGFACE_MODEL,
        "huggingface",
        _both("text_generation", lambda prompt: {"prompt": prompt}),
        (vendors.GENERATED_TEXT, vendors.TOKEN_STREAM),
        vendors.OLLAMA_ERROR,
        bases={"/hf-inference/models/org/m": "/hf-inference/models/org/m"},
    ),
    Row(
        REPLICATE,
        "replicate",
        Call(
            "models.predictions.create",
            lambda prompt: {"model": "meta/meta-llama-3-8b-instruct", "input": {"prompt": prompt}},
        ),
        vendors.PREDICTION,
        vendors.REPLICATE_ERROR,
    ),
    *_asked(
        AI21,
        "ai21",
        _both("chat.completions.create", _turn, mute=("async",)),
        (answers.CHAT, vendors.CHAT_STREAM_WITHOUT_COMMENTS),
        vendors.AI21_ERROR,
        bases={"": "/studio/v1", "/studio/v1": "/studio/v1"},
    ),
    *_asked(NODE_OPENAI, "openai", CHAT, CHATTED, OPENAI_ERROR, bases=_V1),
    *_asked(NODE_ANTHROPIC, "anthropic", MESSAGES, WRITTEN, ANTHROPIC_ERROR),
    *_asked(
        NODE_GOOGLE,
        "gemini",
        _both("models.generateContent", _contents, "models.generateContentStream"),
        GENERATED,
        vendors.GEMINI_ERROR,
    ),
    *_asked(NODE_MISTRAL, "mistral", _both("complete", _messages, "stream"), CHATTED, vendors.MISTRAL_ERROR),
    *_asked(
        NODE_COHERE,
        "cohere",
        _both("chat", _messages, "chatStream"),
        (vendors.COHERE_CHAT, vendors.COHERE_STREAM),
        vendors.COHERE_ERROR,
    ),
    *_asked(NODE_GROQ, "groq", CHAT, CHATTED, OPENAI_ERROR),
    *_asked(
        NODE_AI,
        "openai",
        _both("responses.generateText", _prompt, "responses.streamText", ahead=3),
        RESPONDED,
        OPENAI_ERROR,
        bases=_V1,
    ),
    *_asked(
        NODE_AI,
        "openai",
        _both("chat.generateText", _prompt, "chat.streamText", ahead=2),
        CHATTED,
        OPENAI_ERROR,
        bases=_V1,
    ),
    *_asked(
        NODE_AI,
        "anthropic",
        _both("anthropic.generateText", _prompt, "anthropic.streamText"),
        WRITTEN,
        ANTHROPIC_ERROR,
        bases=_V1,
    ),
)
