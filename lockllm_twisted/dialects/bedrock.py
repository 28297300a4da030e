"""The bodies of AWS Bedrock: Converse, and what each family of models takes from InvokeModel.

Responsible for: labels in the order in which the model reads them.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Sources: the service model of bedrock-runtime 2023-09-30; AWS's "Inference request parameters" for the models. A model's
family can't be told from its id (that may be an ARN of anything), so the body's own names tell it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockllm_twisted.dialects.anthropic import ANTHROPIC
from lockllm_twisted.dialects.family import Family, by_tail
from lockllm_twisted.dialects.openai import OPENAI
from lockllm_twisted.dialects.shapes import (
    ASSISTANT,
    DEVELOPER,
    DOCUMENT,
    SYSTEM,
    TOOL_DEFINITION,
    TOOL_RESULT,
    USER,
    at,
    below,
    get,
    messages,
    present,
    word,
)
from lockllm_twisted.hooks import Dialect, Label


def bedrock_converse(document: Any) -> Iterator[Label]:
    """``/converse`` and ``/converse-stream``."""
    yield from present(document, TOOL_DEFINITION, "toolConfig")
    yield from present(document, DEVELOPER, "outputConfig", "additionalModelRequestFields")
    yield from present(document, SYSTEM, "system")
    yield from messages(document, "messages")
    yield from present(document, USER, "promptVariables")


def bedrock_invoke(document: Any) -> Iterator[Label]:
    """``/invoke`` and ``/invoke-with-response-stream``: Anthropic, Nova, Titan, Llama, Mistral, Cohere, AI21, Stability."""
    yield from present(document, TOOL_DEFINITION, "tools", "toolConfig")
    yield from present(document, DEVELOPER, "response_format", "output_config")
    yield from present(document, SYSTEM, "system", "preamble")
    yield from present(document, DOCUMENT, "documents")
    yield from messages(document, "chat_history")
    yield from messages(document, "messages")
    yield from present(
        document, USER, "message", "prompt", "inputText", "text_prompts", "query", "textToImageParams", "suffix"
    )
    yield from present(document, DOCUMENT, "texts")
    yield from present(document, TOOL_RESULT, "tool_results")


def bedrock_async(document: Any) -> Iterator[Label]:
    """``/async-invoke``."""
    yield from below(("modelInput",), bedrock_invoke(get(document, "modelInput")))


def bedrock_count(document: Any) -> Iterator[Label]:
    """``/count-tokens``; the body of an invocation is base64 in there."""
    yield from below(("input", "converse"), bedrock_converse(at(document, ("input", "converse"))))
    yield from below(("input", "invokeModel"), present(at(document, ("input", "invokeModel")), USER, "body"))


def bedrock_guardrail(document: Any) -> Iterator[Label]:
    """``/guardrail/…/apply``: what a user or a model said."""
    yield from present(document, ASSISTANT if word(document, "source") == "OUTPUT" else USER, "content")


def _bedrock(path: bytes) -> Dialect | None:
    if path.startswith(b"/openai/"):
        return OPENAI(path)
    return ANTHROPIC(path) if path.startswith(b"/anthropic/") else _TAILS(path)


_TAILS = by_tail({
    "converse": bedrock_converse,
    "converse-stream": bedrock_converse,
    "invoke": bedrock_invoke,
    "invoke-with-response-stream": bedrock_invoke,
    "async-invoke": bedrock_async,
    "count-tokens": bedrock_count,
    "apply": bedrock_guardrail,
})  # fmt: skip

BEDROCK = Family("bedrock", _bedrock)
"""Bedrock's operations, and OpenAI's and Anthropic's language where it is served."""
