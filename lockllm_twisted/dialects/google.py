"""Google's bodies: Gemini's and Vertex AI's.

Responsible for: labels in the order in which the model reads them; both spellings of every name.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Source: the request types of google-genai 3.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.anthropic import anthropic_messages
from lockllm_twisted.dialects.family import Family
from lockllm_twisted.dialects.openai import OPENAI, openai_chat, openai_completions
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    TOOL_RESULT,
    USER,
    as_object,
    at,
    below,
    get,
    indexed,
    items,
    origin_of,
    present,
    spellings,
    word,
)
from lockllm_twisted.hooks import Dialect, Label, Path

_NESTED = 3
"""Requests in requests: a batch has a request, and counting tokens another."""


def gemini(document: Any) -> Iterator[Label]:
    """Every method of a Gemini or Vertex model: ``:generateContent`` and its kin, caches, batches, their files."""
    return _gemini(document, nested=_NESTED)


def vertex_raw(document: Any) -> Iterator[Label]:
    """``:rawPredict`` of a publisher who speaks OpenAI's language."""
    yield from openai_chat(document)
    yield from openai_completions(document)


def _gemini(document: Any, nested: int) -> Iterator[Label]:
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, DEVELOPER, "generationConfig", "generation_config", "parameters")
    yield from present(document, SYSTEM, "systemInstruction", "system_instruction")
    contents = get(document, "contents")
    if isinstance(contents, list):
        for index, content in enumerate(contents):
            yield from _content(content, ("contents", index))
    elif contents is not None:
        yield from _content(contents, ("contents",))
    if get(document, "content") is not None:  # embedContent
        yield ("content",), DOCUMENT
    for index, instance in indexed(get(document, "instances")):  # predict
        yield ("instances", index), USER
        if "context" in as_object(instance):
            yield ("instances", index, "context"), SYSTEM
    yield from items(get(document, "input"), ("input",))  # interactions
    if nested:
        for path, inner in _requests(document):
            yield from below(path, _gemini(inner, nested - 1))


def _requests(document: Any) -> Iterator[tuple[Path, Any]]:
    for key in ("generateContentRequest", "generate_content_request", "request", "batch"):
        yield (key,), get(document, key)
    for path in (("requests",), ("inputConfig", "requests", "requests"), ("input_config", "requests", "requests")):
        for index, request in indexed(at(document, path)):
            yield (*path, index), request


def _content(content: Any, path: Path) -> Iterator[Label]:
    if not isinstance(content, dict):
        yield path, USER
        return
    yield path, origin_of(word(content, "role") or "user")
    parts = content.get("parts")
    for index, part in indexed(parts) if isinstance(parts, list) else [(None, parts)]:
        origin = next((origin for key, origin in _PARTS.items() if key in as_object(part)), None)
        if origin is not None:
            yield (*path, "parts") if index is None else (*path, "parts", index), origin


_PARTS = spellings({
    "functionResponse": TOOL_RESULT, "toolResponse": TOOL_RESULT, "codeExecutionResult": TOOL_RESULT,
    "functionCall": ASSISTANT, "toolCall": ASSISTANT, "executableCode": ASSISTANT,
    "inlineData": DOCUMENT, "fileData": DOCUMENT,
})  # fmt: skip


def _gemini_path(path: bytes) -> Dialect | None:
    if b"/openai/" in path or path.endswith(b"/chat/completions"):
        return OPENAI(path)
    return gemini


def _vertex_path(path: bytes) -> Dialect | None:
    if path.endswith((b":rawPredict", b":streamRawPredict")):
        return anthropic_messages if b"/publishers/anthropic/" in path else vertex_raw
    if b"/endpoints/openapi/" in path:
        return OPENAI(path)
    return _gemini_path(path)


GEMINI = Family("gemini", _gemini_path)
"""One dialect for every method, and OpenAI's where its clients are served."""

VERTEX = Family("vertex", _vertex_path)
"""Gemini's, and the vendors' own for what is served in their language."""
