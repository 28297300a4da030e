"""Whose text it is, at each provider of the table: its own endpoints, as its SDK asks them."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lockllm_twisted.builtin.providers import OWN_ADDRESS, TABLE
from lockllm_twisted.dialects import BEDROCK, VERTEX
from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import read
from lockllm_twisted.values import Reading

ROWS = {row.slug: row for row in (*TABLE, *OWN_ADDRESS)}
TURN = {"role": "user", "content": "a user"}


def reading(document: Any, dialect: Dialect | None) -> Reading:
    body = json.dumps(document).encode()
    return read(method=b"POST", target=b"/", headers=[], body=body, dialect=dialect)


def origins(document: Any, dialect: Dialect | None) -> dict[str, str]:
    """Each text of more than a word, and whom it speaks for."""
    found = reading(document, dialect)
    assert found.unreadable is None
    return {p.text: p.origin.value for p in found.passages if " " in p.text and not p.until and "#" not in p.where}


def dialect_at(slug: str, tail: str) -> Dialect | None:
    target = ROWS[slug].target(tail.encode())
    return ROWS[slug].dialect(target.partition(b"?")[0])


TOOL = [{"type": "function", "function": {"name": "t", "description": "a tool"}}]

VENDORS = [
    ("cohere", "/v2/chat", {
        "messages": [{"role": "system", "content": "a system"}, TURN, {"role": "assistant", "tool_plan": "a plan"},
                     {"role": "tool", "content": [{"type": "document", "document": {"data": "a result"}}]}],
        "documents": ["a document", {"data": {"snippet": "a snippet"}}], "tools": TOOL,
        "response_format": {"json_schema": {"description": "a schema"}},
    }, {"a system": "system", "a user": "user", "a plan": "assistant", "a result": "document", "a document": "document",
        "a snippet": "document", "a tool": "tool_definition", "a schema": "developer"}),
    ("cohere", "/v1/chat", {
        "message": "a question", "preamble": "a preamble", "conversation_id": "c",
        "chat_history": [{"role": "USER", "message": "an old question"}, {"role": "CHATBOT", "message": "an answer"},
                         {"role": "SYSTEM", "message": "a system"}, {"role": "TOOL", "tool_results": [{"outputs": [{"x": "an old result"}]}]}],
        "documents": [{"title": "a title", "snippet": "a snippet"}],
        "tools": [{"name": "t", "parameter_definitions": {"q": {"description": "a parameter"}}}],
        "tool_results": [{"call": {"name": "t"}, "outputs": [{"status": "a result"}]}],
    }, {"a question": "user", "a preamble": "system", "an old question": "user", "an answer": "assistant",
        "a system": "system", "an old result": "tool_result", "a title": "document", "a snippet": "document",
        "a parameter": "tool_definition", "a result": "tool_result"}),
    ("cohere", "/v2/rerank", {"query": "a query", "documents": ["a document", {"text": "an object"}, "k: v\nt: some yaml"]},
     {"a query": "user", "a document": "document", "an object": "document", "k: v\nt: some yaml": "document"}),
    ("cohere", "/v1/generate", {"prompt": "a prompt"}, {"a prompt": "user"}),
    ("cohere", "/v1/summarize", {"text": "a text", "additional_command": "a command"}, {"a text": "document", "a command": "user"}),
    ("cohere", "/v1/classify", {"inputs": ["an input"], "examples": [{"text": "an example", "label": "l"}]},
     {"an input": "user", "an example": "developer"}),
    ("cohere", "/v2/embed", {"texts": ["a text"], "inputs": [{"content": [{"type": "text", "text": "an input"}]}]},
     {"a text": "document", "an input": "document"}),
    ("cohere", "/v1/tokenize", {"text": "a text"}, {"a text": "user"}),
    ("cohere", "/compatibility/v1/chat/completions", {"messages": [TURN]}, {"a user": "user"}),
    ("mistral", "/v1/chat/completions", {"messages": [
        {"role": "assistant", "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "a thought"}]}], "prefix": True},
        {"role": "user", "content": [{"type": "document_url", "document_url": "https://x.example/y", "document_name": "a name"}]}]},
     {"a thought": "assistant", "a name": "user"}),
    ("mistral", "/v1/fim/completions", {"prompt": "a prompt", "suffix": "a suffix"}, {"a prompt": "user", "a suffix": "user"}),
    ("mistral", "/v1/agents/completions", {"agent_id": "a", "messages": [TURN]}, {"a user": "user"}),
    ("mistral", "/v1/conversations", {"inputs": "one input", "instructions": "an instruction", "tools": TOOL},
     {"one input": "user", "an instruction": "system", "a tool": "tool_definition"}),
    ("mistral", "/v1/conversations/C/restart", {"inputs": [
        {"type": "message.input", "role": "user", "content": [{"type": "text", "text": "a user"}]},
        {"type": "message.output", "content": "an output"}, {"type": "function.result", "result": "a result"},
        {"type": "function.call", "arguments": "an argument"}, {"content": "no type"}]},
     {"a user": "user", "an output": "assistant", "a result": "tool_result", "an argument": "assistant", "no type": "user"}),
    ("mistral", "/v1/agents/A", {"instructions": "an instruction", "description": "a description"},
     {"an instruction": "system", "a description": "system"}),
    ("mistral", "/v1/chat/moderations", {"input": [[TURN, {"role": "assistant", "content": "an answer"}]]},
     {"a user": "user", "an answer": "assistant"}),
    ("mistral", "/v1/chat/classifications", {"input": [{"messages": [TURN]}]}, {"a user": "user"}),
    ("mistral", "/v1/chat/classifications", {"input": {"messages": [TURN]}}, {"a user": "user"}),
    ("mistral", "/v1/moderations", {"input": ["a text"]}, {"a text": "user"}),
    ("mistral", "/v1/classifications", {"input": "a text"}, {"a text": "user"}),
    ("mistral", "/v1/ocr", {"document": {"type": "document_url", "document_url": "data:text/plain,some%20text", "document_name": "a name"},
                            "document_annotation_prompt": "a prompt", "bbox_annotation_format": {"d": "a format"}},
     {"a name": "document", "a prompt": "user", "a format": "developer"}),
    ("mistral", "/v1/batch/jobs", {"requests": [{"custom_id": "1", "body": {"messages": [TURN]}}]}, {"a user": "user"}),
    ("mistral", "/v1/embeddings", {"input": ["a text"]}, {"a text": "document"}),
    ("perplexity", "/chat/completions", {"messages": [{**TURN, "user_original_query": "a query"}, {"role": "assistant", "reasoning_steps": [{"thought": "a thought"}]}],
                                         "response_format": {"regex": {"regex": "a (regex)"}}},
     {"a user": "user", "a query": "user", "a thought": "assistant", "a (regex)": "developer"}),
    ("perplexity", "/async/chat/completions", {"request": {"messages": [TURN]}}, {"a user": "user"}),
    ("perplexity", "/search", {"query": ["a query", "two queries"]}, {"a query": "user", "two queries": "user"}),
    ("perplexity", "/v1/contextualizedembeddings", {"input": [["a chunk"]]}, {"a chunk": "document"}),
    ("perplexity", "/v1/responses", {"input": "an input", "instructions": "an instruction"}, {"an input": "user", "an instruction": "system"}),
    ("openrouter", "/chat/completions", {"prompt": "a prompt", "plugins": [{"id": "web", "search_prompt": "a search"}], "transforms": ["a transform"]},
     {"a prompt": "user", "a search": "developer", "a transform": "unknown"}),
    ("openrouter", "/messages", {"system": "a system", "messages": [TURN]}, {"a system": "system", "a user": "user"}),
    ("groq", "/chat/completions", {"messages": [{"role": "assistant", "reasoning": "a thought"}], "documents": [{"source": {"type": "text", "text": "a document"}}]},
     {"a thought": "assistant", "a document": "document"}),
    ("deepseek", "/beta/chat/completions", {"messages": [{"role": "assistant", "content": "a prefix", "prefix": True, "reasoning_content": "a thought"}]},
     {"a prefix": "assistant", "a thought": "assistant"}),
    ("deepseek", "/anthropic/v1/messages", {"system": "a system"}, {"a system": "system"}),
    ("xai", "/v1/complete", {"prompt": "a prompt"}, {"a prompt": "user"}),
    ("together", "/v1/rerank", {"query": "a query", "documents": [{"k": "a document"}]}, {"a query": "user", "a document": "document"}),
    ("together", "/v1/images/generations", {"prompt": "a prompt", "negative_prompt": "a negative"}, {"a prompt": "user", "a negative": "user"}),
    ("together", "/v1/chat/completions", {"messages": [TURN], "chat_template_kwargs": {"k": "a kwarg"}}, {"a user": "user", "a kwarg": "developer"}),
    ("fireworks", "/v1/rerank", {"query": "a query", "documents": ["a document"]}, {"a query": "user", "a document": "document"}),
    ("huggingface", "/hf-inference/models/o/m", {"inputs": "an input", "parameters": {"candidate_labels": ["a label"]}},
     {"an input": "user", "a label": "developer"}),
    ("huggingface", "/hf-inference/models/o/m", {"inputs": {"question": "a question", "context": "a context"}},
     {"a question": "user", "a context": "document"}),
    ("huggingface", "/hf-inference/models/o%2Fm/pipeline/x", {"inputs": ["an input", {"text": "a text"}]}, {"an input": "user", "a text": "user"}),
    ("huggingface", "/fal-ai/x", {"prompt": "a prompt"}, {"a prompt": "user"}),
    ("replicate", "/v1/models/o/n/predictions", {"input": {"prompt": "a prompt", "system_prompt": "a system", "status": "any words", "messages": [TURN]}},
     {"a prompt": "user", "a system": "system", "any words": "user", "a user": "user"}),
    ("replicate", "/v1/predictions", {"version": "v", "input": {"prompt_template": "a template"}}, {"a template": "developer"}),
    ("ai21", "/chat/completions", {"messages": [TURN], "documents": [{"content": "a document"}]}, {"a user": "user", "a document": "document"}),
    ("ai21", "/maestro/runs", {"input": [TURN], "requirements": [{"name": "n", "description": "a requirement"}]}, {"a user": "user", "a requirement": "system"}),
    ("ai21", "/conversational-rag", {"messages": [TURN]}, {"a user": "user"}),
    ("ai21", "/answer", {"context": "a context", "question": "a question"}, {"a context": "document", "a question": "user"}),
    ("ollama", "/api/chat", {"messages": [{"role": "system", "content": "a system"}, TURN, {"role": "assistant", "thinking": "a thought"},
                                          {"role": "tool", "content": "a result", "tool_name": "t"}],
                             "tools": TOOL, "format": {"description": "a format"}},
     {"a system": "system", "a user": "user", "a thought": "assistant", "a result": "tool_result", "a tool": "tool_definition", "a format": "developer"}),
    ("ollama", "/api/generate", {"prompt": "a prompt", "system": "a system", "template": "a template", "suffix": "a suffix"},
     {"a prompt": "user", "a system": "system", "a template": "developer", "a suffix": "user"}),
    ("ollama", "/api/create", {"system": "a system", "template": "a template", "messages": [TURN], "license": "a licence"},
     {"a system": "system", "a template": "developer", "a user": "user", "a licence": "unknown"}),
    ("ollama", "/api/embed", {"input": ["a text"]}, {"a text": "document"}),
    ("azure", "/openai/deployments/D/chat/completions?api-version=1", {
        "messages": [TURN], "data_sources": [{"type": "azure_search", "parameters": {"role_information": "a role", "endpoint": "an endpoint"}}]},
     {"a user": "user", "a role": "developer", "an endpoint": "developer"}),
    ("azure", "/anthropic/v1/messages", {"system": "a system"}, {"a system": "system"}),
    ("azure", "/models/chat/completions", {"messages": [TURN]}, {"a user": "user"}),
    ("vllm", "/score", {"text_1": "a query", "text_2": ["a document"]}, {"a query": "user", "a document": "document"}),
    ("vllm", "/tokenize", {"messages": [TURN], "chat_template": "a template"}, {"a user": "user", "a template": "developer"}),
    ("vllm", "/pooling", {"messages": [TURN], "input": "an input"}, {"a user": "document", "an input": "document"}),
    ("vllm", "/chat/completions", {"messages": [TURN], "guided_regex": "a regex"}, {"a user": "user", "a regex": "unknown"}),
    ("moonshot", "/chat/completions", {"messages": [{**TURN, "partial": True}]}, {"a user": "user"}),
    ("gemini", "/v1beta/interactions", {"input": [{"type": "user_input", "content": [{"type": "text", "text": "a user"}]},
                                                  {"type": "model_output", "content": [{"text": "an output"}]},
                                                  {"type": "thought", "summary": "a thought"}, {"type": "function_result", "result": "a result"}],
                                        "system_instruction": "a system"},
     {"a user": "user", "an output": "assistant", "a thought": "assistant", "a result": "tool_result", "a system": "system"}),
    ("gemini", "/v1beta/cachedContents", {"contents": [{"parts": [{"text": "a text"}]}], "systemInstruction": {"parts": [{"text": "a system"}]}},
     {"a text": "user", "a system": "system"}),
]  # fmt: skip


@pytest.mark.parametrize(("slug", "tail", "document", "expected"), VENDORS, ids=[f"{v[0]}{v[1]}" for v in VENDORS])
def test_each_vendors_own_endpoints(slug: str, tail: str, document: Any, expected: dict[str, str]) -> None:
    assert origins(document, dialect_at(slug, tail)) == expected


CONVERSE = {
    "system": [{"text": "a system"}, {"guardContent": {"text": {"text": "a guarded system"}}}],
    "messages": [
        {"role": "user", "content": [
            {"text": "a user"},
            {"document": {"name": "a name", "context": "a context", "format": "txt",
                          "source": {"bytes": base64.b64encode(b"some words in a file").decode()}}},
            {"document": {"source": {"content": [{"text": "a chunk"}]}}},
            {"guardContent": {"text": {"text": "a guarded text"}}},
            {"searchResult": {"title": "a title", "content": [{"text": "a search"}]}},
            {"toolResult": {"toolUseId": "t", "content": [{"text": "a result"}, {"json": {"status": "a status", "model": "a model name", "role": "a role"}},
                                                          {"document": {"name": "a nested name"}}]}},
        ]},
        {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "a thought"}}}, {"toolUse": {"name": "t", "input": {"q": "an argument"}}}]},
    ],
    "toolConfig": {"tools": [{"toolSpec": {"name": "t", "description": "a tool", "inputSchema": {"json": {"title": "a schema"}}}}]},
    "promptVariables": {"v": {"text": "a variable"}},
    "additionalModelRequestFields": {"any": {"thing": "a field"}},
    "outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": json.dumps({"description": "a schema in a string"})}}}},
}  # fmt: skip


def test_bedrock_converse() -> None:
    expected = {
        "a system": "system", "a guarded system": "system", "a user": "user", "a name": "document", "a context": "document",
        "a chunk": "document", "a guarded text": "user", "a title": "document", "a search": "document",
        "a result": "tool_result", "a status": "tool_result", "a model name": "tool_result", "a role": "tool_result",
        "a nested name": "tool_result", "a thought": "assistant", "an argument": "assistant", "a tool": "tool_definition",
        "a schema": "tool_definition", "a variable": "user", "a field": "developer",
        '{"description": "a schema in a string"}': "developer",
    }  # fmt: skip
    dialect = BEDROCK(b"/model/arn%3Aaws%3Abedrock%3A%3A1%3Ax%2Fy/converse-stream")
    assert origins(CONVERSE, dialect) == expected
    inner = {p.text: p.origin.value for p in reading(CONVERSE, dialect).passages if "#" in p.where}
    assert inner["some words in a file"] == "document"
    assert inner["a schema in a string"] == "developer"
    counted = BEDROCK(b"/model/m/count-tokens")
    assert origins({"input": {"converse": CONVERSE}}, counted) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"anthropic_version": "bedrock-2023-05-31", "system": "a system", "messages": [TURN]}, {"a system": "system", "a user": "user"}),
        ({"inputText": "a text"}, {"a text": "user"}),
        ({"prompt": "a prompt"}, {"a prompt": "user"}),
        ({"message": "a message", "chat_history": [{"role": "CHATBOT", "message": "an answer"}], "preamble": "a preamble"},
         {"a message": "user", "an answer": "assistant", "a preamble": "system"}),
        ({"texts": ["a text"], "input_type": "search_document"}, {"a text": "document"}),
        ({"system": [{"text": "a system"}], "messages": [{"role": "user", "content": [{"text": "a user"}, {"toolResult": {"x": "a result"}}]}]},
         {"a system": "system", "a user": "user", "a result": "tool_result"}),
        ({"text_prompts": [{"text": "a prompt"}]}, {"a prompt": "user"}),
        ({"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "a prompt"}}, {"a prompt": "user"}),
    ],
)  # fmt: skip
def test_bedrock_invocations(document: Any, expected: dict[str, str]) -> None:
    assert origins(document, BEDROCK(b"/model/m/invoke")) == expected
    assert origins(document, BEDROCK(b"/model/m/invoke-with-response-stream")) == expected
    assert origins({"modelInput": document}, BEDROCK(b"/async-invoke")) == expected
    body = base64.b64encode(json.dumps(document).encode()).decode()
    counted = reading({"input": {"invokeModel": {"body": body}}}, BEDROCK(b"/model/m/count-tokens"))
    assert set(expected) <= {passage.text for passage in counted.passages}


def test_bedrock_guardrails_and_other_languages() -> None:
    said = {"content": [{"text": {"text": "some words", "qualifiers": ["guard_content"]}}]}
    dialect = BEDROCK(b"/guardrail/g/version/1/apply")
    assert origins({"source": "INPUT", **said}, dialect) == {"some words": "user"}
    assert origins({"source": "OUTPUT", **said}, dialect) == {"some words": "assistant"}
    assert origins({"messages": [TURN]}, BEDROCK(b"/openai/v1/chat/completions")) == {"a user": "user"}
    assert origins({"system": "a system"}, BEDROCK(b"/anthropic/v1/messages")) == {"a system": "system"}
    assert BEDROCK(b"/model/m") is None


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("publishers/google/models/m:generateContent", {"contents": {"parts": {"text": "a user"}}}, {"a user": "user"}),
        ("publishers/anthropic/models/m:streamRawPredict", {"system": "a system", "messages": [TURN]}, {"a system": "system", "a user": "user"}),
        ("publishers/mistralai/models/m:rawPredict", {"messages": [TURN], "tools": TOOL}, {"a user": "user", "a tool": "tool_definition"}),
        ("publishers/mistralai/models/codestral:rawPredict", {"prompt": "a prompt", "suffix": "a suffix"}, {"a prompt": "user", "a suffix": "user"}),
        ("publishers/google/models/m:predict", {"instances": [{"prompt": "a prompt"}, {"content": "a content", "context": "a context"}]},
         {"a prompt": "user", "a content": "user", "a context": "system"}),
        ("endpoints/openapi/chat/completions", {"messages": [TURN]}, {"a user": "user"}),
    ],
)  # fmt: skip
def test_vertex(path: str, document: Any, expected: dict[str, str]) -> None:
    assert origins(document, VERTEX(f"/v1/projects/p/locations/l/{path}".encode())) == expected


def test_a_record_of_a_mistral_batch_file_is_a_chat_though_it_names_no_endpoint() -> None:
    record = {"custom_id": "1", "body": {"messages": [TURN, {"role": "system", "content": "a system"}]}}
    assert origins(record, dialect_at("mistral", "/v1/files")) == {"a user": "user", "a system": "system"}


def test_a_training_or_retrieval_data_set_is_a_document_line_by_line() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="data"; filename="d.jsonl"\r\n\r\n'
        b'{"text": "a first record"}\n{"text": "a second record"}\n\r\n--b--\r\n'
    )
    for slug, tail in (("cohere", "/v1/datasets"), ("fireworks", "/v1/accounts/a/datasets/d:upload")):
        found = read(
            method=b"POST",
            target=b"/",
            headers=[(b"content-type", b"multipart/form-data; boundary=b")],
            body=body,
            dialect=dialect_at(slug, tail),
        )
        texts = {passage.text: passage.origin.value for passage in found.passages}
        assert (texts["a first record"], texts["a second record"]) == ("document", "document")
