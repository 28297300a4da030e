"""The bodies of Perplexity, Ollama, Hugging Face, Replicate and AI21, where they are not OpenAI's.

Responsible for: labels in the order in which the model reads them.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Sources: the request types of perplexityai 0.46, ollama 0.6, huggingface_hub 1.33, replicate 1.0 and ai21 4.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.openai import openai_chat, openai_embeddings, openai_search
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    USER,
    as_object,
    below,
    get,
    items,
    messages,
    present,
)
from lockllm_twisted.hooks import Dialect, Label


def perplexity_async(document: Any) -> Iterator[Label]:
    """``/async/chat/completions``: a chat, kept under ``request``."""
    yield from below(("request",), openai_chat(get(document, "request")))


def _perplexity(path: bytes) -> Dialect | None:
    return perplexity_async if b"/async/chat/completions" in path else _PERPLEXITY_TAILS(path)


_PERPLEXITY_TAILS = by_tail({"search": openai_search, "contextualizedembeddings": openai_embeddings})

PERPLEXITY = Family("perplexity", _perplexity)


def ollama_chat(document: Any) -> Iterator[Label]:
    """``/api/chat``."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, DEVELOPER, "format")
    yield from messages(document, "messages")


def ollama_generate(document: Any) -> Iterator[Label]:
    """``/api/generate``."""
    yield from present(document, DEVELOPER, "template", "format")
    yield from present(document, SYSTEM, "system")
    yield from present(document, USER, "prompt", "suffix")


def ollama_create(document: Any) -> Iterator[Label]:
    """``/api/create``: a model with words of its own."""
    yield from present(document, DEVELOPER, "template", "parameters", "modelfile")
    yield from present(document, SYSTEM, "system")
    yield from messages(document, "messages")


def ollama_embed(document: Any) -> Iterator[Label]:
    """``/api/embed`` and ``/api/embeddings``."""
    yield from present(document, DOCUMENT, "input", "prompt")


OLLAMA = Family("ollama", by_tail({
    "api/chat": ollama_chat,
    "api/generate": ollama_generate,
    "api/create": ollama_create,
    "api/embed": ollama_embed,
    "api/embeddings": ollama_embed,
}))  # fmt: skip


def huggingface_inputs(document: Any) -> Iterator[Label]:
    """A task of the Inference API: ``inputs`` of any shape, or what a partner behind the router takes."""
    yield from present(document, DEVELOPER, "parameters")
    yield from messages(document, "messages")
    yield from present(document, USER, "inputs", "prompt", "input")
    yield from below(("inputs",), present(get(document, "inputs"), DOCUMENT, "context", "table", "sentences"))
    yield from below(("inputs",), present(get(document, "inputs"), ASSISTANT, "generated_responses"))


HUGGINGFACE = Family("huggingface", lambda path: None if path.startswith(b"/v1/") else huggingface_inputs)
"""Its tasks are told by the model, not by the path; ``/v1`` is OpenAI's."""


def replicate_prediction(document: Any) -> Iterator[Label]:
    """``/predictions`` and ``/trainings``: a model's own input, where these names are usual."""
    given = get(document, "input")
    if given is not None:
        yield ("input",), USER
    yield from below(("input",), present(given, DEVELOPER, "prompt_template"))
    yield from below(("input",), present(given, SYSTEM, "system_prompt", "system_instruction", "system"))
    yield from below(("input",), messages(given, "messages"))


REPLICATE = Family("replicate", by_tail({
    "predictions": replicate_prediction,
    "trainings": replicate_prediction,
}))  # fmt: skip


def ai21_task(document: Any) -> Iterator[Label]:
    """Maestro's runs, agents, conversations with a library, and the older tasks of one text."""
    yield from present(document, TOOL_DEFINITION, "tools", "tool_resources")
    yield from present(document, DEVELOPER, "output_type", "response_language", "optimization")
    yield from present(document, SYSTEM, "requirements", "instructions", "behavior", "description", "system")
    yield from present(document, DOCUMENT, "context", "source", "documents")
    yield from messages(document, "messages")
    if isinstance(get(document, "input"), list) and any("role" in as_object(turn) for turn in document["input"]):
        yield from messages(document, "input")
    else:
        yield from items(get(document, "input"), ("input",))
    yield from present(document, USER, "question", "query", "text", "prompt")


AI21 = Family("ai21", by_tail(dict.fromkeys((
    "maestro/runs", "agents", "agents/*", "assistants", "assistants/*", "runs", "conversational-rag", "answer", "summarize", "paraphrase",
    "library/search", "complete", "improvements", "gec", "segmentation",
), ai21_task)))  # fmt: skip
