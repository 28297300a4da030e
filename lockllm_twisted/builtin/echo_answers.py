"""What the echo provider says, in OpenAI's, Anthropic's and Gemini's formats, streams included.

Responsible for: bodies that the official SDKs parse.
Must never: do I/O, keep state or read a clock: the same request gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs

from lockllm_twisted.hooks import LocalAnswer

PAUSE = 0.02
"""Seconds between two events of a stream: slow enough to be seen, fast enough for a test."""

MAX_PIECES = 24
"""Text events of one stream, so that the echo of a long prompt ends within half a second too."""

_WORD = re.compile(r"\S+\s*|\s+")


@attrs.frozen
class Ask:
    """One understood request: ``said`` is the last user text, ``reply`` the echo, ``headers`` their lower-case names."""

    body: dict[str, Any]
    model: str
    said: str
    reply: str
    id: str
    headers: set[bytes]
    query: bytes

    @property
    def pieces(self) -> list[str]:
        """The reply in a few pieces, cut between words."""
        words = _WORD.findall(self.reply)
        step = -(-len(words) // MAX_PIECES)
        return ["".join(words[at : at + step]) for at in range(0, len(words), step)]

    @property
    def tokens(self) -> tuple[int, int]:
        """Words in and out, which is what an echo takes for tokens."""
        return len(self.said.split()), len(self.reply.split())


def is_anthropic(headers: set[bytes]) -> bool:
    """Whether an Anthropic client is asking: all of them send their API's version."""
    return b"anthropic-version" in headers


def is_google(headers: set[bytes]) -> bool:
    """Whether a Gemini client is asking: ``x-goog-api-client``, ``x-goog-api-key``."""
    return any(name.startswith(b"x-goog-") for name in headers)


def _json(data: Any, status: int = 200) -> LocalAnswer:
    return LocalAnswer(status, ((b"content-type", b"application/json"),), (json.dumps(data).encode() + b"\n",))


def _sse(events: Iterable[Mapping[str, Any]], *, named: bool = False, done: bool = False) -> LocalAnswer:
    """Server-sent events, each a chunk; ``named`` ones have an ``event:`` line with their type."""
    chunks = [(f"event: {it['type']}\n" if named else "") + f"data: {json.dumps(it)}\n\n" for it in events]
    chunks += ["data: [DONE]\n\n"] if done else []
    headers = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"))
    return LocalAnswer(200, headers, tuple(chunk.encode() for chunk in chunks), PAUSE)


# --- OpenAI: https://platform.openai.com/docs/api-reference


def openai_error(status: int, message: str) -> LocalAnswer:
    """OpenAI's no."""
    return _json({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}, status)


def _openai_usage(ask: Ask) -> dict[str, int]:
    taken, given = ask.tokens
    return {"prompt_tokens": taken, "completion_tokens": given, "total_tokens": taken + given}


def _chat(ask: Ask) -> LocalAnswer:
    head = {"id": f"chatcmpl-{ask.id}", "created": 0, "model": ask.model}
    if not ask.body.get("stream"):
        message = {"role": "assistant", "content": ask.reply, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return _json({**head, "object": "chat.completion", "choices": [choice], "usage": _openai_usage(ask)})
    head["object"] = "chat.completion.chunk"
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in ask.pieces]
    deltas.append(({}, "stop"))
    events: list[dict[str, Any]] = [
        {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    options = ask.body.get("stream_options")
    if isinstance(options, dict) and options.get("include_usage"):
        events.append({**head, "choices": [], "usage": _openai_usage(ask)})
    return _sse(events, done=True)


def _completion(ask: Ask) -> LocalAnswer:
    head = {"id": f"cmpl-{ask.id}", "object": "text_completion", "created": 0, "model": ask.model}

    def with_text(text: str, reason: str | None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "text": text, "logprobs": None, "finish_reason": reason}]}

    if ask.body.get("stream"):
        return _sse([*(with_text(piece, None) for piece in ask.pieces), with_text("", "stop")], done=True)
    return _json({**with_text(ask.reply, "stop"), "usage": _openai_usage(ask)})


def _response(ask: Ask) -> LocalAnswer:
    taken, given = ask.tokens
    usage = {
        "input_tokens": taken,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": given,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": taken + given,
    }
    part = {"type": "output_text", "text": ask.reply, "annotations": [], "logprobs": []}
    item = {"id": f"msg_{ask.id}", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    whole = {
        "id": f"resp_{ask.id}",
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": ask.model,
        "output": [item],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage,
    }
    if not ask.body.get("stream"):
        return _json(whole)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    at: dict[str, Any] = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in ask.pieces),
        {"type": "response.output_text.done", **at, "text": ask.reply, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return _sse(({**event, "sequence_number": number} for number, event in enumerate(events)), named=True)


def _embeddings(ask: Ask) -> LocalAnswer:
    given = ask.body["input"]
    texts = given if isinstance(given, list) and all(isinstance(text, str) for text in given) else [given]
    in_base64 = ask.body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _vector(json.dumps(text), in_base64=in_base64)}
        for index, text in enumerate(texts)
    ]
    usage = {"prompt_tokens": ask.tokens[0], "total_tokens": ask.tokens[0]}
    return _json({"object": "list", "data": data, "model": ask.model, "usage": usage})


def _vector(text: str, *, in_base64: bool) -> list[float] | str:
    """Eight numbers from -1 to 1, the same for the same text. OpenAI's SDK asks for base64 of little-endian floats."""
    numbers = [byte / 127.5 - 1 for byte in hashlib.sha256(text.encode()).digest()[:8]]
    return base64.b64encode(struct.pack("<8f", *numbers)).decode() if in_base64 else numbers


# --- Anthropic: https://docs.anthropic.com/en/api/messages


def anthropic_error(status: int, message: str) -> LocalAnswer:
    """Anthropic's no."""
    kind = "not_found_error" if status == 404 else "invalid_request_error"  # noqa: PLR2004  the statuses are HTTP's
    return _json({"type": "error", "error": {"type": kind, "message": message}, "request_id": None}, status)


def _message(ask: Ask) -> LocalAnswer:
    taken, given = ask.tokens
    whole: dict[str, Any] = {
        "id": f"msg_{ask.id}",
        "type": "message",
        "role": "assistant",
        "model": ask.model,
        "content": [{"type": "text", "text": ask.reply}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": taken, "output_tokens": given},
    }
    if not ask.body.get("stream"):
        return _json(whole)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": taken, "output_tokens": 0}}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    deltas = ({"type": "text_delta", "text": piece} for piece in ask.pieces)
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": ended, "usage": {"output_tokens": given}},
        {"type": "message_stop"},
    ]
    return _sse(events, named=True)


def _count(ask: Ask) -> LocalAnswer:
    return _json({"input_tokens": ask.tokens[0]})


# --- Gemini: https://ai.google.dev/api/generate-content


def gemini_error(status: int, message: str) -> LocalAnswer:
    """Google's no."""
    word = "NOT_FOUND" if status == 404 else "INVALID_ARGUMENT"  # noqa: PLR2004  the statuses are HTTP's
    return _json({"error": {"code": status, "message": message, "status": word}}, status)


def _generated(ask: Ask, text: str, reason: str | None) -> dict[str, Any]:
    taken, given = ask.tokens
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if reason is not None:
        candidate["finishReason"] = reason
    usage = {"promptTokenCount": taken, "candidatesTokenCount": given, "totalTokenCount": taken + given}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": ask.model, "responseId": ask.id}


def _generate(ask: Ask) -> LocalAnswer:
    return _json(_generated(ask, ask.reply, "STOP"))


def _generate_stream(ask: Ask) -> LocalAnswer:
    """Server-sent events with ``alt=sse``, else a JSON array that grows."""
    pieces = ask.pieces
    reasons = [None] * (len(pieces) - 1) + ["STOP"]
    events = [_generated(ask, text, reason) for text, reason in zip(pieces, reasons, strict=True)]
    if b"alt=sse" in ask.query.split(b"&"):
        return _sse(events)
    chunks = [("," if at else "[") + json.dumps(event) for at, event in enumerate(events)]
    headers = ((b"content-type", b"application/json"),)
    return LocalAnswer(200, headers, tuple(chunk.encode() for chunk in [*chunks, "]"]), PAUSE)


def _count_gemini(ask: Ask) -> LocalAnswer:
    return _json({"totalTokens": ask.tokens[0]})


# --- which models there are, in the three formats


def _model(ask: Ask) -> dict[str, Any]:
    if is_anthropic(ask.headers):
        born = "1970-01-01T00:00:00Z"
        return {"type": "model", "id": ask.model, "display_name": "Echo", "created_at": born, "lifecycle": "active"}
    if is_google(ask.headers):
        return {"name": f"models/{ask.model}", "displayName": "Echo", "version": "1"}
    return {"id": ask.model, "object": "model", "created": 0, "owned_by": "lockllm"}


def _models(ask: Ask) -> LocalAnswer:
    if is_anthropic(ask.headers):
        return _json({"data": [_model(ask)], "has_more": False, "first_id": ask.model, "last_id": ask.model})
    if is_google(ask.headers):
        return _json({"models": [_model(ask)]})
    return _json({"object": "list", "data": [_model(ask)]})


def _one_model(ask: Ask) -> LocalAnswer:
    return _json(_model(ask))


Error = Callable[[int, str], LocalAnswer]
Reply = Callable[[Ask], LocalAnswer]

ROUTES: Sequence[tuple[bytes, bytes, str, Error, Reply]] = (
    # method, path behind any version, the field that must be there, how this vendor says no, the answer
    (b"POST", rb"/chat/completions", "messages", openai_error, _chat),
    (b"POST", rb"/completions", "prompt", openai_error, _completion),
    (b"POST", rb"/responses", "input", openai_error, _response),
    (b"POST", rb"/embeddings", "input", openai_error, _embeddings),
    (b"POST", rb"/messages", "messages", anthropic_error, _message),
    (b"POST", rb"/messages/count_tokens", "messages", anthropic_error, _count),
    (b"POST", rb"/models/(?P<model>[^/]+):generateContent", "contents", gemini_error, _generate),
    (b"POST", rb"/models/(?P<model>[^/]+):streamGenerateContent", "contents", gemini_error, _generate_stream),
    (b"POST", rb"/models/(?P<model>[^/]+):countTokens", "contents", gemini_error, _count_gemini),
    (b"GET", rb"/models", "", openai_error, _models),
    (b"GET", rb"/models/(?P<model>[^/]+)", "", openai_error, _one_model),
)
