"""Who speaks where in Bedrock's bodies: Converse, the vendors' own bodies of InvokeModel, guardrails, and what wraps them.

Responsible for: labels, in the order in which the model reads the texts.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Sources: the service model of bedrock-runtime (2023-09-30) in botocore; the bodies of InvokeModel as AWS documents them for
Anthropic, Nova, Titan, Llama, Mistral, Cohere, AI21, DeepSeek and Stability.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lockllm_twisted.builtin.dialects import ANTHROPIC, OPENAI
from lockllm_twisted.hooks import Dialect, Label, Path
from lockllm_twisted.values import Origin

from lockllm_bedrock.paths import ON_A_MODEL, operation

_ROLES = {
    "user": Origin.USER,
    "system": Origin.SYSTEM,
    "developer": Origin.DEVELOPER,
    "assistant": Origin.ASSISTANT,
    "chatbot": Origin.ASSISTANT,
    "tool": Origin.TOOL_RESULT,
}
_BLOCKS = {
    "toolResult": Origin.TOOL_RESULT,
    "tool_result": Origin.TOOL_RESULT,
    "document": Origin.DOCUMENT,
    "searchResult": Origin.DOCUMENT,
    "search_result": Origin.DOCUMENT,
}
"""A block of Converse has one of these as its key, a block of Anthropic's as its ``type``."""

_TOP = {
    "tools": Origin.TOOL_DEFINITION,
    "toolConfig": Origin.TOOL_DEFINITION,
    "outputConfig": Origin.DEVELOPER,
    "output_config": Origin.DEVELOPER,
    "response_format": Origin.DEVELOPER,
    "promptVariables": Origin.USER,
    "system": Origin.SYSTEM,
    "preamble": Origin.SYSTEM,
    "documents": Origin.DOCUMENT,
    "chat_history": Origin.USER,
    "messages": Origin.UNKNOWN,
    "tool_results": Origin.TOOL_RESULT,
    "message": Origin.USER,
    "prompt": Origin.USER,
    "text_prompts": Origin.USER,
    "inputText": Origin.USER,
    "texts": Origin.DOCUMENT,
}
"""The members of a body that are labelled as a whole, in reading order."""


def body(document: Any) -> Iterator[Label]:
    """Converse, and whatever a vendor's model takes with InvokeModel: the keys of one never mean another's."""
    if not isinstance(document, dict):
        return
    for key, origin in _TOP.items():
        value = document.get(key)
        if value is None:
            continue
        if key in ("messages", "chat_history") and isinstance(value, list):
            for index, message in enumerate(value):
                yield from _message(message, (key, index), origin)
        else:
            yield (key,), origin


def count_tokens(document: Any) -> Iterator[Label]:
    """CountTokens: a Converse body, or InvokeModel's as base64."""
    yield from _below(document, ("input", "converse"))


def async_invoke(document: Any) -> Iterator[Label]:
    """StartAsyncInvoke."""
    yield from _below(document, ("modelInput",))


def guardrail(document: Any) -> Iterator[Label]:
    """ApplyGuardrail (``content``) and InvokeGuardrailChecks (``messages``): the text of a user, or of a model."""
    if isinstance(document, dict):
        yield from body({"messages": document.get("messages")})
        if "content" in document:
            yield ("content",), Origin.ASSISTANT if document.get("source") == "OUTPUT" else Origin.USER


_OF: dict[str, Dialect] = {
    **dict.fromkeys(ON_A_MODEL, body),
    "count-tokens": count_tokens,
    "apply-guardrail": guardrail,
    "guardrail-checks": guardrail,
    "async-invoke": async_invoke,
}


def of(path: bytes) -> Dialect | None:
    """The dialect of a path."""
    found = operation(path)
    if found is None:
        return None
    if found.name == "openai":
        return OPENAI(path)
    if found.name == "anthropic":
        return ANTHROPIC(path)
    return _OF.get(found.name)


def _message(message: Any, path: Path, origin: Origin) -> Iterator[Label]:
    if not isinstance(message, dict):
        yield path, origin
        return
    role = message.get("role")
    yield path, _ROLES.get(role.lower(), origin) if isinstance(role, str) else origin
    content = message.get("content")
    for index, block in enumerate(content) if isinstance(content, list) else ():
        if isinstance(block, dict):
            kind = block.get("type")
            keys = [*block, kind] if isinstance(kind, str) else block
            found = next((_BLOCKS[key] for key in keys if key in _BLOCKS), None)
            if found is not None:
                yield (*path, "content", index), found


def _below(document: Any, path: Path) -> Iterable[Label]:
    inner = document
    for key in path:
        inner = inner.get(key) if isinstance(inner, dict) else None
    return (((*path, *place), origin) for place, origin in body(inner))
