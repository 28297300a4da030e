"""OpenAI's bodies, and what vendors who speak its language add to them.

Responsible for: labels in the order in which the model reads them (tools, system, then the turns).
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Source: the request types of openai 3.54. Batch files hold whole requests; a record's labels are those of the endpoint
that it names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.anthropic import ANTHROPIC
from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    TOOL_RESULT,
    USER,
    as_object,
    below,
    get,
    items,
    messages,
    origin_of,
    present,
    word,
)
from lockllm_twisted.hooks import Dialect, Label


def openai_chat(document: Any) -> Iterator[Label]:
    """``/chat/completions``; also the fields of OpenRouter, vLLM, Groq and Azure that are texts of the prompt."""
    yield from present(document, TOOL_DEFINITION, "tools", "functions")
    yield from present(
        document, DEVELOPER, "response_format", "chat_template", "chat_template_kwargs", "data_sources", "plugins"
    )
    yield from present(document, DOCUMENT, "documents")
    yield from messages(document, "messages")
    yield from present(document, USER, "prompt")
    yield from present(document, ASSISTANT, "prediction")


def openai_responses(document: Any) -> Iterator[Label]:
    """``/responses`` and what takes the same items: ``input_tokens``, ``compact``, ``/conversations``."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, DEVELOPER, "text")
    yield from present(document, USER, "prompt")
    yield from present(document, SYSTEM, "instructions")
    for key in ("input", "items"):
        yield from items(get(document, key), (key,))


def openai_completions(document: Any) -> Iterator[Label]:
    """``/completions``, and filling in the middle."""
    yield from present(document, USER, "prompt", "suffix")


def openai_embeddings(document: Any) -> Iterator[Label]:
    """``/embeddings``: what is embedded is mostly the corpus that will be retrieved from."""
    yield from present(document, DOCUMENT, "input", "inputs", "messages")


def openai_moderations(document: Any) -> Iterator[Label]:
    """``/moderations``."""
    yield from present(document, USER, "input")


def openai_images(document: Any) -> Iterator[Label]:
    """``/images/…`` and ``/videos``, JSON or multipart."""
    yield from present(document, USER, "prompt", "negative_prompt")


def openai_audio(document: Any) -> Iterator[Label]:
    """``/audio/…``, JSON or multipart."""
    yield from present(document, SYSTEM, "instructions")
    yield from present(document, USER, "input", "prompt")


def openai_files(document: Any) -> Iterator[Label]:
    """``/files`` and ``/uploads/…/parts``: the fields of the form, and each record of a batch file.

    Mistral's records name no endpoint: they are chats.
    """
    yield from present(document, DOCUMENT, "file", "data")
    body = get(document, "body")
    if body is not None:
        path = word(document, "url").encode("utf-8", "replace")
        dialect = OPENAI(path) or ANTHROPIC(path) if path else openai_chat
        if dialect is not None and dialect is not openai_files:
            yield from below(("body",), dialect(body))
    yield from messages(document, "messages")  # fine-tuning: {"messages": […]}


def openai_assistants(document: Any) -> Iterator[Label]:
    """``/assistants``, ``/threads/…`` and ``/realtime/…``: settings, one message, or a run of a thread."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, SYSTEM, "instructions", "additional_instructions")
    yield from messages(document, "thread", "messages")
    yield from messages(document, "messages")
    yield from messages(document, "additional_messages")
    yield from present(document, TOOL_RESULT, "tool_outputs")
    if "content" in as_object(document):
        yield ("content",), origin_of(word(document, "role"), USER)
    session = get(document, "session")
    if isinstance(session, dict):
        yield from below(("session",), openai_assistants({k: v for k, v in session.items() if k != "session"}))


def openai_search(document: Any) -> Iterator[Label]:
    """``/vector_stores/…/search``, and other vendors' searches."""
    yield from present(document, USER, "query", "queries")


def _openai(path: bytes) -> Dialect | None:
    dialect = _TAILS(path)
    if dialect is openai_assistants and b"/messages" in path and b"/threads/" not in path:
        return None  # Anthropic's
    return dialect


_TAILS = by_tail({
    "chat/completions": openai_chat,
    "responses": openai_responses,
    "responses/input_tokens": openai_responses,
    "responses/compact": openai_responses,
    "conversations": openai_responses,
    "conversations/*": openai_responses,
    "items": openai_responses,
    "completions": openai_completions,
    "embeddings": openai_embeddings,
    "moderations": openai_moderations,
    "images/generations": openai_images,
    "images/edits": openai_images,
    "images/variations": openai_images,
    "videos": openai_images,
    "remix": openai_images,
    "audio/speech": openai_audio,
    "audio/transcriptions": openai_audio,
    "audio/translations": openai_audio,
    "files": openai_files,
    "files/*": openai_files,
    "parts": openai_files,
    "assistants": openai_assistants,
    "assistants/*": openai_assistants,
    "threads": openai_assistants,
    "threads/*": openai_assistants,
    "runs": openai_assistants,
    "runs/*": openai_assistants,
    "messages": openai_assistants,
    "messages/*": openai_assistants,
    "submit_tool_outputs": openai_assistants,
    "realtime/client_secrets": openai_assistants,
    "realtime/sessions": openai_assistants,
    "search": openai_search,
})  # fmt: skip

OPENAI = Family("openai", _openai)
"""OpenAI, and all who speak its language, under any prefix (``/v1``, ``/openai/v1``, ``/openai/deployments/D``)."""
