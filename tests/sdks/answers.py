"""What the scripted provider says, in OpenAI's, Anthropic's and Gemini's formats.

Responsible for: bytes in the shape of each vendor's documented answers, with the oddities that a proxy loves to tidy up:
insignificant space, escapes that need not be, unknown fields, repeated headers, upper-case names, comments in streams.
Must never: be made by the code that reads them.
"""

from __future__ import annotations

import base64
import gzip
import json
import struct
import zlib

import attrs

from .upstream import Answer, Headers

JSON: Headers = (("Content-Type", "application/json"),)
SSE: Headers = (("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"))
COMMON: Headers = (
    ("Date", "Fri, 20 Nov 2026 10:11:12 GMT"),
    ("Server", "cloudflare"),
    ("CF-RAY", "9a1b2c3d4e5f-FRA"),
    ("Set-Cookie", "__cf_bm=first; path=/; HttpOnly; SameSite=None; Secure"),
    ("Set-Cookie", "_cfuvid=second; path=/; HttpOnly"),
    ("Vary", "Origin"),
    ("Vary", "Accept-Encoding"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("alt-svc", 'h3=":443"; ma=86400'),
    ("X-Odd", 'a "quoted, comma"  and  two  spaces'),
    ("X-Empty", ""),
)
OPENAI: Headers = (
    *COMMON,
    ("x-request-id", "req_openai_0123456789"),
    ("openai-organization", "org-example"),
    ("openai-processing-ms", "421"),
    ("openai-version", "2020-10-01"),
    ("x-ratelimit-limit-requests", "10000"),
    ("x-ratelimit-remaining-tokens", "149984"),
    ("x-ratelimit-reset-requests", "8.64s"),
)
ANTHROPIC: Headers = (
    *COMMON,
    ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ("anthropic-organization-id", "01234567-89ab-cdef-0123-456789abcdef"),
    ("anthropic-ratelimit-tokens-remaining", "239000"),
    ("anthropic-ratelimit-tokens-reset", "2026-11-20T10:11:12Z"),
)
GEMINI: Headers = (*COMMON, ("X-Gemini-Service-Tier", "standard"), ("Server-Timing", "gfet4t7; dur=1234"))


def _sse(*events: str) -> tuple[bytes, ...]:
    return tuple(event.encode() + b"\n\n" for event in events)


def _named(kind: str, **fields: object) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, separators=(',', ':'))}"


# OpenAI ---------------------------------------------------------------------------------------------------------------

CHAT = Answer(
    headers=(*JSON, *OPENAI),
    pieces=(
        (
            b'{\n  "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",\n  "object": "chat.completion",\n  "created": 1763633472,\n'
            b'  "model": "gpt-4.1-2025-04-14",\n  "choices": [\n    {\n      "index": 0,\n      "message": {\n'
            b'        "role": "assistant",\n        "content": "The capital of France is Paris. \\u00c7a \\ud83d\\uddfc \xe2\x82\xac",\n'
            b'        "refusal": null,\n        "annotations": []\n      },\n      "logprobs": null,\n      "finish_reason": "stop"\n    }\n  ],\n'
            b'  "usage": {\n    "prompt_tokens": 19,\n    "completion_tokens": 10,\n    "total_tokens": 29\n  },\n'
            b'  "service_tier": "default",\n  "a_field_of_tomorrow": [1.0, 1e2, -0]\n}\n'
        ),
    ),
)
CHAT_TEXT = "The capital of France is Paris. Ça 🗼 €"


def _chat_chunk(delta: str, finish: str = "null") -> str:
    return (
        'data: {"id":"chatcmpl-123","object":"chat.completion.chunk","created":1763633472,"model":"gpt-4.1",'
        f'"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}],"obfuscation":"pQ3"}}'
    )


CHAT_STREAM = Answer(
    headers=(*SSE, *OPENAI),
    framing="chunked",
    pieces=_sse(
        _chat_chunk('{"role":"assistant","content":"","refusal":null}'),
        ": keep-alive comment\n\n" + _chat_chunk('{"content":"Par"}'),
        _chat_chunk('{"content":"is \\ud83d\\uddfc"}'),
        _chat_chunk('{"content":"."}'),
        _chat_chunk("{}", '"stop"') + "\n\ndata: [DONE]",
    ),
)
CHAT_STREAM_TEXT = "Paris 🗼."

_RESPONSE = {
    "id": "resp_67ccd2bed1ec8190",
    "object": "response",
    "created_at": 1763633472,
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "model": "gpt-4.1-2025-04-14",
    "output": [
        {
            "type": "message",
            "id": "msg_67ccd2bf17f0819081ff3bb2cf6508e6",
            "status": "completed",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Paris.", "annotations": []}],
        }
    ],
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "metadata": {},
    "usage": {
        "input_tokens": 36,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 87,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 123,
    },
}
RESPONSE = Answer(headers=(*JSON, *OPENAI), pieces=(json.dumps(_RESPONSE, indent=2).encode(),))
_BEGUN = {**_RESPONSE, "status": "in_progress", "output": [], "usage": None}
_ITEM = {"id": "msg_1", "type": "message", "role": "assistant"}
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_TEXT = {"type": "output_text", "annotations": [], "logprobs": []}


def _counted(*events: tuple[str, dict[str, object]]) -> tuple[bytes, ...]:
    return _sse(*(_named(kind, **fields, sequence_number=number) for number, (kind, fields) in enumerate(events)))


RESPONSE_STREAM = Answer(
    headers=(*SSE, *OPENAI),
    framing="chunked",
    pieces=_counted(
        ("response.created", {"response": _BEGUN}),
        ("response.in_progress", {"response": _BEGUN}),
        ("response.output_item.added", {"output_index": 0, "item": {**_ITEM, "status": "in_progress", "content": []}}),
        ("response.content_part.added", {**_PLACE, "part": {**_TEXT, "text": ""}}),
        ("response.output_text.delta", {**_PLACE, "delta": "Par", "logprobs": []}),
        ("response.output_text.delta", {**_PLACE, "delta": "is.", "logprobs": []}),
        ("response.output_text.done", {**_PLACE, "text": "Paris.", "logprobs": []}),
        ("response.content_part.done", {**_PLACE, "part": {**_TEXT, "text": "Paris."}}),
        (
            "response.output_item.done",
            {"output_index": 0, "item": {**_ITEM, "status": "completed", "content": [{**_TEXT, "text": "Paris."}]}},
        ),
        ("response.completed", {"response": _RESPONSE}),
    ),
)
_VECTOR = (0.0023064255, -0.009327292, -0.0028842222)
EMBEDDINGS = Answer(
    headers=(*JSON, *OPENAI),
    pieces=(
        json.dumps(
            {
                "object": "list",
                "data": [
                    {
                        "object": "embedding",
                        "index": 0,
                        "embedding": base64.b64encode(struct.pack("<3f", *_VECTOR)).decode(),
                    }
                ],
                "model": "text-embedding-3-small",
                "usage": {"prompt_tokens": 8, "total_tokens": 8},
            }
        ).encode(),
    ),
)
MODELS = Answer(
    headers=(*JSON, *OPENAI),
    pieces=(
        (
            b'{"object": "list", "data": [{"id": "gpt-4.1", "object": "model", "created": 1744316542, "owned_by": "system"},'
            b' {"id": "gpt-5", "object": "model", "created": 1754000000, "owned_by": "system"}]}'
        ),
    ),
)
MODEL = Answer(
    headers=(*JSON, *OPENAI),
    pieces=(b'{"id":"meta-llama/Llama 3","object":"model","created":1686935002,"owned_by":"meta-llama"}',),
)
FILE = Answer(
    headers=(*JSON, *OPENAI),
    pieces=(
        (
            b'{"id": "file-abc123", "object": "file", "bytes": 120000, "created_at": 1677610602, "filename": "notes.txt",'
            b' "purpose": "user_data", "status": "processed"}'
        ),
    ),
)
SPEECH = Answer(
    headers=(("Content-Type", "audio/mpeg"), *OPENAI),
    framing="chunked",
    pieces=(bytes(range(256)), b"\r\n\r\n0\r\n\r\n", b"\x00" * 1000),
)

# Anthropic ------------------------------------------------------------------------------------------------------------

MESSAGE = Answer(
    headers=(*JSON, *ANTHROPIC),
    pieces=(
        (
            b'{"model":"claude-example","id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant",'
            b'"content":[{"type":"text","text":"Paris, \\u00e9videmment."}],"stop_reason":"end_turn","stop_sequence":null,'
            b'"usage":{"input_tokens":14,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":7,'
            b'"service_tier":"standard"},"a_field_of_tomorrow":{"b":1.50}}'
        ),
    ),
)
MESSAGE_TEXT = "Paris, évidemment."


def _delta(text: str) -> str:
    return _named("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


MESSAGE_STREAM = Answer(
    headers=(*SSE, *ANTHROPIC),
    framing="chunked",
    pieces=_sse(
        _named(
            "message_start",
            message={
                "id": "msg_014p7gG3wDgGV9EUtLvnow3U",
                "type": "message",
                "role": "assistant",
                "model": "claude-example",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 14, "output_tokens": 1},
            },
        ),
        _named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        _named("ping") + "\n\n" + _delta("Paris, "),
        _delta("évi"),
        _delta("demment."),
        _named("content_block_stop", index=0),
        _named("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 7}),
        _named("message_stop"),
    ),
)
TOKENS = Answer(headers=(*JSON, *ANTHROPIC), pieces=(b'{ "input_tokens": 14 }',))
ANTHROPIC_MODELS = Answer(
    headers=(*JSON, *ANTHROPIC),
    pieces=(
        (
            b'{"data":[{"type":"model","id":"claude-example","display_name":"Claude Example",'
            b'"created_at":"2025-09-29T00:00:00Z"}],"has_more":false,"first_id":"claude-example","last_id":"claude-example"}'
        ),
    ),
)

# Gemini ---------------------------------------------------------------------------------------------------------------

_CANDIDATE = (
    '{"candidates": [{"content": {"parts": [{"text": "%s"}],"role": "model"},"finishReason": "STOP","index": 0}],'
    '"usageMetadata": {"promptTokenCount": 8,"candidatesTokenCount": 2,"totalTokenCount": 10},'
    '"modelVersion": "gemini-2.5-flash","responseId": "r1"}'
)
GENERATED = Answer(headers=(*JSON, *GEMINI), pieces=((_CANDIDATE % "Paris.").encode(),))
GENERATED_STREAM = Answer(
    headers=(("Content-Type", "text/event-stream"), *GEMINI),
    framing="chunked",
    pieces=tuple(b"data: %b\r\n\r\n" % (_CANDIDATE % text).encode() for text in ("Par", "is", ".")),
)

# Errors ---------------------------------------------------------------------------------------------------------------

_OPENAI_KEY = (
    "Incorrect API key provided: sk-wrong. You can find your API key at https://platform.openai.com/account/api-keys."
)
_RATE = (
    "Rate limit reached for gpt-4.1 on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 7s."
)


def _openai_error(status: int, message: str, kind: str, code: str | None, *extra: tuple[str, str]) -> Answer:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return Answer(
        status=status, headers=(*JSON, *OPENAI, *extra), pieces=(json.dumps(body, indent=4).encode() + b"\n",)
    )


def _anthropic_error(status: int, kind: str, message: str, *extra: tuple[str, str]) -> Answer:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"}
    return Answer(status=status, headers=(*JSON, *ANTHROPIC, *extra), pieces=(json.dumps(body).encode(),))


def _page(headers: Headers) -> Answer:
    return Answer(
        status=503,
        headers=(
            ("Content-Type", "text/html; charset=UTF-8"),
            ("Retry-After", "Fri, 20 Nov 2026 10:15:00 GMT"),
            *headers,
        ),
        pieces=(
            b"<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\xff\xfe</body></html>",
        ),
    )


OPENAI_ERRORS = {
    "400": _openai_error(400, "Unsupported value: 'temperature'.", "invalid_request_error", "unsupported_value"),
    "401": _openai_error(401, _OPENAI_KEY, "invalid_request_error", "invalid_api_key", ("WWW-Authenticate", "Bearer")),
    "403": _openai_error(
        403, "Country, region, or territory not supported", "request_forbidden", "unsupported_country"
    ),
    "404": _openai_error(404, "The model `gpt-9` does not exist", "invalid_request_error", "model_not_found"),
    "429": _openai_error(
        429, _RATE, "requests", "rate_limit_exceeded", ("Retry-After", "7"), ("retry-after-ms", "7000")
    ),
    "500": _openai_error(500, "The server had an error while processing your request.", "server_error", None),
    "503 in HTML": _page(OPENAI),
    "502 without a body": Answer(status=502, headers=OPENAI),
}
ANTHROPIC_ERRORS = {
    "400": _anthropic_error(400, "invalid_request_error", "max_tokens: Field required"),
    "401": _anthropic_error(401, "authentication_error", "invalid x-api-key"),
    "404": _anthropic_error(404, "not_found_error", "model: claude-9"),
    "413": _anthropic_error(413, "request_too_large", "Request exceeds the maximum size"),
    "429": _anthropic_error(
        429, "rate_limit_error", "This request would exceed your rate limit.", ("retry-after", "7")
    ),
    "500": _anthropic_error(500, "api_error", "Internal server error"),
    "529": _anthropic_error(529, "overloaded_error", "Overloaded", ("x-should-retry", "true")),
    "503 in HTML": _page(ANTHROPIC),
}

# Variations -----------------------------------------------------------------------------------------------------------


def stepped(answer: Answer) -> Answer:
    """The same answer, each piece waiting for `Upstream.step`."""
    return attrs.evolve(answer, stepped=True)


def cut(answer: Answer, after: int) -> Answer:
    """The same answer, broken off after that many pieces, or in the middle of its only one."""
    pieces = answer.pieces[:after] if len(answer.pieces) > 1 else (answer.pieces[0][:after],)
    return attrs.evolve(answer, pieces=pieces, cut=True)


def gzipped(answer: Answer) -> Answer:
    """The same answer with ``Content-Encoding: gzip``, flushed after each piece as providers' edges do."""
    headers = (*answer.headers, ("Content-Encoding", "gzip"))
    if len(answer.pieces) == 1:
        return attrs.evolve(answer, headers=headers, pieces=(gzip.compress(answer.body, mtime=0),))
    packer = zlib.compressobj(wbits=31)
    pieces = [packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH) for piece in answer.pieces]
    return attrs.evolve(answer, headers=headers, pieces=(*pieces[:-1], pieces[-1] + packer.flush()))
