"""Whose text it is, for each endpoint that carries text, under every prefix that SDKs use."""

from __future__ import annotations

import json
from types import FunctionType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted import dialects
from lockllm_twisted.dialects import (
    ANTHROPIC,
    GEMINI,
    OPENAI,
    VERTEX,
    anthropic,
    bedrock,
    cohere,
    google,
    mistral,
    openai,
    others,
)
from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import read
from lockllm_twisted.values import Origin


def origins(document: Any, dialect: Dialect | None) -> dict[str, str]:
    """Each text of more than a word, and whom it speaks for."""
    body = json.dumps(document).encode()
    found = read(method=b"POST", target=b"/", headers=[], body=body, dialect=dialect)
    return {p.text: p.origin.value for p in found.passages if " " in p.text and not p.until and "#" not in p.where}


def test_openai_chat() -> None:
    document = {
        "model": "m",
        "metadata": {"k": "some metadata"},
        "messages": [
            {"role": "system", "content": "a system"},
            {"role": "developer", "content": [{"type": "text", "text": "a developer"}]},
            {"role": "user", "name": "a name", "content": [{"type": "text", "text": "a user"}, {"type": "file", "file": {"filename": "a file"}}]},
            {"role": "assistant", "content": None, "refusal": "a refusal", "tool_calls": [{"function": {"arguments": "an argument"}}]},
            {"role": "tool", "content": "a result"},
            {"role": "function", "content": "an old result"},
            {"role": "alien", "content": "an alien"},
            {"content": "no role"},
            "no message",
        ],
        "tools": [{"function": {"description": "a tool", "parameters": {"x": {"description": "a parameter"}}}}],
        "functions": [{"description": "an old tool"}],
        "response_format": {"json_schema": {"description": "a schema"}},
        "prediction": {"content": "a prediction"},
        "unheard_of": "an unknown",
    }  # fmt: skip
    assert origins(document, openai.openai_chat) == {
        "some metadata": "unknown",
        "a system": "system",
        "a developer": "developer",
        "a name": "user",
        "a user": "user",
        "a file": "document",
        "a refusal": "assistant",
        "an argument": "assistant",
        "a result": "tool_result",
        "an old result": "tool_result",
        "an alien": "unknown",
        "no role": "unknown",
        "no message": "unknown",
        "a tool": "tool_definition",
        "a parameter": "tool_definition",
        "an old tool": "tool_definition",
        "a schema": "developer",
        "a prediction": "assistant",
        "an unknown": "unknown",
    }


def test_openai_responses() -> None:
    document = {
        "instructions": "an instruction",
        "prompt": {"id": "pmpt_1", "variables": {"city": "a variable"}},
        "input": [
            {"role": "user", "content": "a user"},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "a developer"}]},
            {"role": "user", "content": [{"type": "input_file", "filename": "a file"}]},
            {"type": "function_call", "arguments": "an argument"},
            {"type": "function_call_output", "output": "an output"},
            {"type": "reasoning", "summary": [{"text": "a thought"}]},
            {"type": "mcp_list_tools", "tools": [{"description": "a listed tool"}]},
            {"type": "mcp_call", "arguments": "an mcp argument", "output": "an mcp output"},
            {"type": "file_search_call", "queries": ["a query"], "results": [{"text": "a hit"}]},
            {"type": "code_interpreter_call", "code": "some code", "outputs": [{"logs": "some logs"}]},
            {"type": "mcp_approval_response", "reason": "a reason"},
            "a string",
        ],
        "tools": [{"type": "mcp", "server_description": "a server"}],
        "text": {"format": {"description": "a format"}},
    }
    assert origins(document, openai.openai_responses) == {
        "an instruction": "system",
        "a variable": "user",
        "a user": "user",
        "a developer": "developer",
        "a file": "document",
        "an argument": "assistant",
        "an output": "tool_result",
        "a thought": "assistant",
        "a listed tool": "tool_definition",
        "an mcp argument": "assistant",
        "an mcp output": "tool_result",
        "a query": "assistant",
        "a hit": "tool_result",
        "some code": "assistant",
        "some logs": "tool_result",
        "a reason": "user",
        "a string": "user",
        "a server": "tool_definition",
        "a format": "developer",
    }
    assert origins({"input": "one string"}, openai.openai_responses) == {"one string": "user"}


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("completions", {"prompt": ["a b"], "suffix": "c d"}, {"a b": "user", "c d": "user"}),
        ("embeddings", {"input": ["a b", "c d"]}, {"a b": "document", "c d": "document"}),
        ("moderations", {"input": "a b"}, {"a b": "user"}),
        ("images/generations", {"prompt": "a b"}, {"a b": "user"}),
        ("audio/speech", {"input": "a b", "instructions": "c d"}, {"a b": "user", "c d": "system"}),
        ("videos", {"prompt": "a b"}, {"a b": "user"}),
        ("assistants", {"instructions": "a b", "tools": [{"x": "c d"}]}, {"a b": "system", "c d": "tool_definition"}),
        ("threads/T/messages", {"role": "user", "content": "a b"}, {"a b": "user"}),
        ("threads/T/runs", {"additional_instructions": "a b"}, {"a b": "system"}),
        ("threads/runs", {"thread": {"messages": [{"role": "user", "content": "a b"}]}}, {"a b": "user"}),
        ("threads/T/runs/R/submit_tool_outputs", {"tool_outputs": [{"output": "a b"}]}, {"a b": "tool_result"}),
        ("conversations", {"items": [{"role": "user", "content": "a b"}]}, {"a b": "user"}),
        (
            "conversations/C/items",
            {"items": [{"type": "function_call_output", "output": "a b"}]},
            {"a b": "tool_result"},
        ),
        ("realtime/client_secrets", {"session": {"instructions": "a b"}}, {"a b": "system"}),
        ("vector_stores/V/search", {"query": "a b"}, {"a b": "user"}),
        ("nothing/known", {"prompt": "a b"}, {"a b": "unknown"}),
    ],
)
def test_other_openai_endpoints(path: str, document: Any, expected: dict[str, str]) -> None:
    assert origins(document, OPENAI(f"/v1/{path}".encode())) == expected


def test_anthropic_messages() -> None:
    document = {
        "system": [{"type": "text", "text": "a system"}],
        "messages": [
            {"role": "user", "content": "a user"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "a thought"},
                {"type": "tool_use", "input": {"q": "an argument"}},
                {"type": "web_search_tool_result", "content": [{"title": "a web page"}]},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "content": [{"type": "text", "text": "a result"}]},
                {"type": "document", "title": "a title", "source": {"type": "text", "data": "a document"}},
                {"type": "search_result", "content": [{"type": "text", "text": "a search"}]},
                {"type": "text", "text": "a question"},
            ]},
            {"role": "system", "content": "a late system"},
        ],
        "tools": [{"description": "a tool", "input_schema": {"properties": {"x": {"description": "a parameter"}}}}],
        "prefill": "a prefill",
        "metadata": {"user_id": "some metadata"},
    }  # fmt: skip
    expected = {
        "a system": "system",
        "a user": "user",
        "a thought": "assistant",
        "an argument": "assistant",
        "a web page": "tool_result",
        "a result": "tool_result",
        "a title": "document",
        "a document": "document",
        "a search": "document",
        "a question": "user",
        "a late system": "system",
        "a tool": "tool_definition",
        "a parameter": "tool_definition",
        "a prefill": "assistant",
        "some metadata": "unknown",
    }
    assert origins(document, ANTHROPIC(b"/v1/messages")) == expected
    assert origins(document, ANTHROPIC(b"/v1/messages/count_tokens")) == expected
    batch = {"requests": [{"custom_id": "x y", "params": document}]}
    assert origins(batch, ANTHROPIC(b"/v1/messages/batches")) == {"x y": "unknown", **expected}
    assert origins({"prompt": "a b"}, ANTHROPIC(b"/v1/complete")) == {"a b": "user"}


SNAKE = {"systemInstruction": "system_instruction", "functionResponse": "function_response", "functionCall": "function_call",
         "generationConfig": "generation_config", "inlineData": "inline_data", "codeExecutionResult": "code_execution_result"}  # fmt: skip


@pytest.mark.parametrize("snake", [False, True])
def test_gemini(*, snake: bool) -> None:
    document: Any = {
        "systemInstruction": {"parts": [{"text": "a system"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a user"}, {"inlineData": {"displayName": "a file"}}]},
            {"role": "model", "parts": [{"text": "an answer"}, {"functionCall": {"args": {"q": "an argument"}}}]},
            {"role": "user", "parts": [{"functionResponse": {"response": {"x": "a result"}}}, {"codeExecutionResult": {"output": "an output"}}]},
            {"parts": {"text": "a single part"}},
        ],
        "tools": [{"functionDeclarations": [{"description": "a tool"}]}],
        "generationConfig": {"responseSchema": {"description": "a schema"}},
    }  # fmt: skip
    text = json.dumps(document)
    if snake:
        for camel, spelled in SNAKE.items():
            text = text.replace(camel, spelled)
    expected = {
        "a system": "system",
        "a user": "user",
        "a file": "document",
        "an answer": "assistant",
        "an argument": "assistant",
        "a result": "tool_result",
        "an output": "tool_result",
        "a single part": "user",
        "a tool": "tool_definition",
        "a schema": "developer",
    }
    for path in (
        b"/v1beta/models/m:generateContent",
        b"/models/m:streamGenerateContent",
        b"/v1/projects/p/locations/l/publishers/google/models/m:countTokens",
    ):
        assert origins(json.loads(text), GEMINI(path)) == expected
    nested = {"batch": {"inputConfig": {"requests": {"requests": [{"request": json.loads(text)}]}}}}
    assert origins(nested, GEMINI(b"/v1beta/models/m:batchGenerateContent")) == expected
    assert origins({"generateContentRequest": json.loads(text)}, GEMINI(b"/v1beta/models/m:countTokens")) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"contents": {"parts": {"text": "a b"}}}, {"a b": "user"}),
        ({"contents": "a b"}, {"a b": "user"}),
        ({"content": {"parts": [{"text": "a b"}]}}, {"a b": "document"}),
        ({"requests": [{"content": {"parts": [{"text": "a b"}]}}]}, {"a b": "document"}),
        ({"instances": [{"prompt": "a b"}]}, {"a b": "user"}),
        ({"input": "a b"}, {"a b": "user"}),
    ],
)
def test_other_gemini_shapes(document: Any, expected: dict[str, str]) -> None:
    assert origins(document, GEMINI(b"/v1beta/models/m:x")) == expected


@pytest.mark.parametrize(
    "prefix",
    ["", "/v1", "/openai/v1", "/api/v1", "/inference/v1", "/v1beta/openai", "/openai/deployments/my-deployment"],
)
def test_paths_are_known_by_their_tail(prefix: str) -> None:
    expected = {
        "chat/completions": openai.openai_chat,
        "completions": openai.openai_completions,
        "responses": openai.openai_responses,
        "responses/input_tokens": openai.openai_responses,
        "embeddings": openai.openai_embeddings,
        "images/edits": openai.openai_images,
        "audio/transcriptions": openai.openai_audio,
        "files": openai.openai_files,
        "assistants/asst_1": openai.openai_assistants,
    }
    assert {tail: OPENAI(f"{prefix}/{tail}".encode()) for tail in expected} == expected


def test_families_leave_each_other_room() -> None:
    assert OPENAI(b"/v1/messages") is None
    assert OPENAI(b"/v1/threads/T/messages") is openai.openai_assistants
    assert ANTHROPIC(b"/anthropic/v1/messages") is anthropic.anthropic_messages
    assert ANTHROPIC(b"/v1/chat/completions") is None
    assert GEMINI(b"/v1beta/openai/chat/completions") is openai.openai_chat
    vertex = b"/v1/projects/p/locations/l/publishers/anthropic/models/m:streamRawPredict"
    assert VERTEX(vertex) is anthropic.anthropic_messages


def test_a_batch_record_is_read_by_its_endpoint() -> None:
    record = {
        "url": "/v1/messages",
        "body": {"system": "a system", "messages": [{"role": "user", "content": "a user"}]},
    }
    assert origins(record, openai.openai_files) == {"a system": "system", "a user": "user"}
    again = {"url": "/v1/files", "body": {"url": "/v1/files", "body": {"url": "/v1/files", "body": "a b"}}}
    assert origins(again, openai.openai_files) == {"a b": "unknown"}


KEYS = st.sampled_from(
    [
        "messages",
        "content",
        "role",
        "type",
        "tools",
        "system",
        "input",
        "items",
        "prompt",
        "contents",
        "parts",
        "requests",
        "request",
        "params",
        "batch",
        "instances",
        "session",
        "thread",
        "url",
        "body",
        "file",
        "inputConfig",
        "generateContentRequest",
        "text",
        "tool_result",
        "inputs",
        "input_text",
        "chat_history",
        "toolResult",
        "document",
        "modelInput",
        "converse",
        "invokeModel",
        "source",
        "instance",
        "context",
        "body",
        "function.result",
        "assistant",
    ]
)
ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | KEYS | st.just("/v1/files"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
ROOMS = (openai, anthropic, google, cohere, mistral, bedrock, others)
DIALECTS = {
    name: thing
    for room in ROOMS
    for name, thing in vars(room).items()
    if isinstance(thing, FunctionType) and thing.__module__ == room.__name__ and not name.startswith("_")
}
FAMILIES = [getattr(dialects, name) for name in dialects.__all__ if name != "Family"]


def test_every_vendor_is_tried_here() -> None:
    assert len(FAMILIES) == 13
    assert {name.split("_")[0] for name in DIALECTS} > {"openai", "mistral", "ollama", "bedrock"}


@given(ANY, st.sampled_from(sorted(DIALECTS)))
def test_dialects_never_fail_and_label_what_is_there(document: Any, name: str) -> None:
    for path, origin in DIALECTS[name](document):
        place = document
        for step in path:
            place = place[step]
        assert isinstance(origin, Origin)


@given(st.binary(max_size=60))
def test_any_path_may_be_asked_for(path: bytes) -> None:
    for family in FAMILIES:
        assert family(b"/" + path) is None or callable(family(b"/" + path))
