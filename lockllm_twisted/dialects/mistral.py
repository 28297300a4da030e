"""Mistral's bodies, where they are not OpenAI's.

Responsible for: labels in the order in which the model reads them.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Source: the request types of mistralai 3.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.openai import openai_chat, openai_files
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    TOOL_RESULT,
    USER,
    as_object,
    get,
    indexed,
    message,
    messages,
    origin_of,
    present,
    requests,
    word,
)
from lockllm_twisted.hooks import Label, Path

_ENTRIES = {
    "function.result": TOOL_RESULT,
    "function.call": ASSISTANT,
    "message.output": ASSISTANT,
    "tool.execution": ASSISTANT,
    "agent.handoff": ASSISTANT,
}


def mistral_conversation(document: Any) -> Iterator[Label]:
    """``/conversations`` and ``/agents``: settings, and the entries of a turn."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, DEVELOPER, "completion_args")
    yield from present(document, SYSTEM, "instructions", "description")
    inputs = get(document, "inputs")
    if inputs is not None and not isinstance(inputs, list):
        yield ("inputs",), USER
    for index, entry in indexed(inputs):
        kind = word(entry, "type")
        yield ("inputs", index), _ENTRIES.get(kind) or origin_of(word(entry, "role"), USER)


def mistral_judged_chat(document: Any) -> Iterator[Label]:
    """``/chat/moderations`` and ``/chat/classifications``: a chat, or several."""
    yield from _chats(get(document, "input"), ("input",))


def mistral_ocr(document: Any) -> Iterator[Label]:
    """``/ocr``."""
    yield from present(document, DEVELOPER, "document_annotation_format", "bbox_annotation_format")
    yield from present(document, USER, "document_annotation_prompt")
    yield from present(document, DOCUMENT, "document")


def mistral_classifications(document: Any) -> Iterator[Label]:
    """``/classifications``."""
    yield from present(document, USER, "input", "inputs")


def mistral_batch(document: Any) -> Iterator[Label]:
    """``/batch/jobs`` with its requests in it."""
    yield from requests(document, ("requests",), ("body",), openai_chat)


def mistral_call(document: Any) -> Iterator[Label]:
    """``/connectors/…/tools/…/call``: what a model wants of a tool."""
    yield from present(document, ASSISTANT, "arguments")


def mistral_documents(document: Any) -> Iterator[Label]:
    """``/libraries/…/documents``: the form."""
    yield from present(document, DOCUMENT, "file", "name", "attributes")


def _chats(value: Any, path: Path) -> Iterator[Label]:
    if isinstance(value, str | dict) and "messages" not in as_object(value):
        yield from message(value, path) if "role" in as_object(value) else [(path, USER)]
    for label_path, origin in messages(value, "messages"):
        yield (*path, *label_path), origin
    for index, inner in indexed(value):
        if isinstance(inner, list):
            for place, turn in indexed(inner):
                yield from message(turn, (*path, index, place))
        else:
            yield from _chats(inner, (*path, index))


MISTRAL = Family("mistral", by_tail({
    "agents/completions": openai_chat,
    "agents": mistral_conversation,
    "agents/*": mistral_conversation,
    "conversations": mistral_conversation,
    "conversations/*": mistral_conversation,
    "restart": mistral_conversation,
    "chat/moderations": mistral_judged_chat,
    "chat/classifications": mistral_judged_chat,
    "classifications": mistral_classifications,
    "ocr": mistral_ocr,
    "batch/jobs": mistral_batch,
    "call": mistral_call,
    "documents": mistral_documents,
    "documents/*": mistral_documents,
    "files": openai_files,
}))  # fmt: skip
"""Only what differs: `OPENAI` comes behind it."""
