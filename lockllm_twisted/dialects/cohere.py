"""Cohere's bodies, both versions, and the ranking endpoints that others took from it.

Responsible for: labels in the order in which the model reads them.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Source: the request types of cohere 7.3; vLLM's and Together's for ``/rerank``, ``/score`` and ``/pooling``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.openai import openai_chat, openai_embeddings, openai_files
from lockllm_twisted.dialects.shapes import (
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    TOOL_RESULT,
    USER,
    messages,
    present,
)
from lockllm_twisted.hooks import Label


def cohere_chat(document: Any) -> Iterator[Label]:
    """``/v2/chat`` (messages) and ``/v1/chat`` (a message, its history, a preamble)."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, SYSTEM, "preamble")
    yield from present(document, DEVELOPER, "response_format")
    yield from present(document, DOCUMENT, "documents")
    yield from messages(document, "chat_history")
    yield from messages(document, "messages")
    yield from present(document, USER, "message")
    yield from present(document, TOOL_RESULT, "tool_results")


def cohere_embed(document: Any) -> Iterator[Label]:
    """``/embed``."""
    yield from present(document, DOCUMENT, "texts", "inputs")


def cohere_generate(document: Any) -> Iterator[Label]:
    """``/generate``."""
    yield from present(document, USER, "prompt")


def cohere_summarize(document: Any) -> Iterator[Label]:
    """``/summarize``."""
    yield from present(document, USER, "additional_command")
    yield from present(document, DOCUMENT, "text")


def cohere_classify(document: Any) -> Iterator[Label]:
    """``/classify``: examples, then what is to be classified."""
    yield from present(document, DEVELOPER, "examples")
    yield from present(document, USER, "inputs", "input")


def cohere_datasets(document: Any) -> Iterator[Label]:
    """``/datasets``: the form, and each record of its files."""
    if isinstance(document, dict):
        yield (), DOCUMENT
    yield from openai_files(document)


def rerank(document: Any) -> Iterator[Label]:
    """``/rerank``."""
    yield from present(document, USER, "query")
    yield from present(document, DOCUMENT, "documents")


def score(document: Any) -> Iterator[Label]:
    """``/score``: a query, and what it is compared with; the names are those of three generations of vLLM."""
    yield from present(document, USER, "text_1", "queries", "data_1")
    yield from present(document, DOCUMENT, "text_2", "documents", "items", "data_2")


def tokenize(document: Any) -> Iterator[Label]:
    """``/tokenize``: a prompt, a text, or a whole chat."""
    yield from openai_chat(document)
    yield from present(document, USER, "text")


COHERE = Family("cohere", by_tail({
    "chat": cohere_chat,
    "embed": cohere_embed,
    "embed-jobs": cohere_embed,
    "generate": cohere_generate,
    "summarize": cohere_summarize,
    "classify": cohere_classify,
    "rerank": rerank,
    "tokenize": tokenize,
    "datasets": cohere_datasets,
    "datasets/*": cohere_datasets,
    "parse": cohere_datasets,
}))  # fmt: skip

COMPATIBLE = Family("rerank", by_tail({
    "rerank": rerank,
    "score": score,
    "tokenize": tokenize,
    "pooling": openai_embeddings,
    "classify": cohere_classify,
    "datasets": cohere_datasets,
    "datasets/*": cohere_datasets,
}))  # fmt: skip
"""What vendors who speak OpenAI's language add to it."""
