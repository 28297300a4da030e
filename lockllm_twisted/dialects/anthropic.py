"""Anthropic's bodies.

Responsible for: labels in the order in which the model reads them (tools, system, then the turns).
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Source: the request types of anthropic 2.12.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    USER,
    messages,
    present,
    requests,
)
from lockllm_twisted.hooks import Label


def anthropic_messages(document: Any) -> Iterator[Label]:
    """``/messages`` and ``/messages/count_tokens``."""
    yield from present(document, TOOL_DEFINITION, "tools")
    yield from present(document, DEVELOPER, "output_config", "output_format")
    yield from present(document, SYSTEM, "system")
    yield from messages(document, "messages")
    yield from present(document, USER, "message")
    yield from present(document, ASSISTANT, "prefill")


def anthropic_batches(document: Any) -> Iterator[Label]:
    """``/messages/batches``."""
    yield from requests(document, ("requests",), ("params",), anthropic_messages)


def anthropic_complete(document: Any) -> Iterator[Label]:
    """The old ``/complete``."""
    yield from present(document, USER, "prompt")


def anthropic_files(document: Any) -> Iterator[Label]:
    """``/files``: the form."""
    yield from present(document, DOCUMENT, "file")


ANTHROPIC = Family("anthropic", by_tail({
    "messages": anthropic_messages,
    "messages/count_tokens": anthropic_messages,
    "messages/batches": anthropic_batches,
    "complete": anthropic_complete,
    "files": anthropic_files,
}))  # fmt: skip
"""Anthropic, and all who speak its language, under any prefix."""
