"""What the scripted provider says in the formats of the others: Mistral, Cohere, Ollama, Perplexity, Replicate, AI21.

Responsible for: bytes in the shape of each vendor's documented answers, streams and errors. OpenAI's, Anthropic's and
Gemini's, and those of the many who speak OpenAI's, are in `answers`.
Must never: be made by the code that reads them.
"""

from __future__ import annotations

import json

from .answers import CHAT_STREAM, COMMON, JSON, SSE
from .upstream import Answer, Headers

NDJSON: Headers = (("Content-Type", "application/x-ndjson"),)


def _json(body: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(status=status, headers=(*JSON, *COMMON, ("x-request-id", "req_1"), *headers), pieces=(_dumped(body),))


def _dumped(body: object) -> bytes:
    return json.dumps(body, indent=1).encode() + b"\n"


def _lines(headers: Headers, *objects: object) -> Answer:
    """NDJSON, as Ollama and Cohere's first version stream."""
    pieces = tuple(json.dumps(item, ensure_ascii=False).encode() + b"\n" for item in objects)
    return Answer(headers=(*headers, *COMMON), framing="chunked", pieces=pieces)


# OpenAI's format, as others speak it ----------------------------------------------------------------------------------

CHAT_STREAM_WITHOUT_COMMENTS = Answer(
    headers=CHAT_STREAM.headers,
    framing="chunked",
    pieces=tuple(piece.removeprefix(b": keep-alive comment\n\n") for piece in CHAT_STREAM.pieces),
)
"""AI21's parser takes a comment line for an error."""
COMPATIBLE_ERROR = _json({"error": {"message": "No such model: example", "type": "invalid_request_error"}}, 404)
MISTRAL_ERROR = _json(
    {"object": "error", "message": "Invalid model: example", "type": "invalid_model", "code": "1500"}, 400
)
EMBEDDED = _json(
    {
        "id": "e1",
        "object": "list",
        "model": "example",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25, -0.5]}],
        "usage": {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8},
    }
)
AI21_ERROR = _json({"detail": "Model example does not exist"}, 422)

# Gemini ---------------------------------------------------------------------------------------------------------------

GEMINI_ERROR = _json(
    {"error": {"code": 404, "message": "models/gemini-9 is not found for API version v1beta", "status": "NOT_FOUND"}},
    404,
)

# Cohere ---------------------------------------------------------------------------------------------------------------

_COHERE_USAGE = {"billed_units": {"input_tokens": 5, "output_tokens": 2}}
COHERE_CHAT = _json(
    {
        "id": "c14c80c3-18eb-4519-9460-6c92edd8cfb4",
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [{"type": "text", "text": "Paris."}]},
        "usage": _COHERE_USAGE,
    }
)


def _cohere_event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _cohere_delta(text: str) -> bytes:
    return _cohere_event("content-delta", index=0, delta={"message": {"content": {"text": text}}})


COHERE_STREAM = Answer(
    headers=(*SSE, *COMMON),
    framing="chunked",
    pieces=(
        _cohere_event("message-start", id="29f14a5a", delta={"message": {"role": "assistant", "content": []}}),
        _cohere_event("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}}),
        _cohere_delta("Par"),
        _cohere_delta("is."),
        _cohere_event("content-end", index=0),
        _cohere_event("message-end", delta={"finish_reason": "COMPLETE", "usage": _COHERE_USAGE}) + b"data: [DONE]\n\n",
    ),
)
_COHERE_V1 = {"text": "Paris.", "generation_id": "g1", "finish_reason": "COMPLETE", "response_id": "r1"}
COHERE_V1_CHAT = _json(_COHERE_V1)
COHERE_V1_STREAM = _lines(
    (("Content-Type", "application/stream+json"),),
    {"is_finished": False, "event_type": "stream-start", "generation_id": "g1"},
    {"is_finished": False, "event_type": "text-generation", "text": "Par"},
    {"is_finished": False, "event_type": "text-generation", "text": "is."},
    {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": _COHERE_V1},
)
COHERE_EMBED = _json(
    {"id": "e1", "embeddings": {"float": [[0.016, -0.008]]}, "texts": ["Paris"], "response_type": "embeddings_by_type"}
)
COHERE_RERANK = _json({"id": "r1", "results": [{"index": 1, "relevance_score": 0.999071}]})
COHERE_ERROR = _json({"id": "e5b0c4a1", "message": "model 'example' not found"}, 404)

# Ollama ---------------------------------------------------------------------------------------------------------------


def _ollama(done: bool, **fields: object) -> dict[str, object]:
    ending = {"done_reason": "stop", "total_duration": 4883583458, "eval_count": 2} if done else {}
    return {"model": "example", "created_at": "2026-11-20T10:11:12.345678901Z", **fields, "done": done, **ending}


def _ollama_turn(text: str, *, done: bool = False) -> dict[str, object]:
    return _ollama(done, message={"role": "assistant", "content": text})


OLLAMA_CHAT = _json(_ollama_turn("Paris.", done=True))
OLLAMA_STREAM = _lines(
    NDJSON, _ollama_turn("Par"), _ollama_turn("is"), _ollama_turn(" 🗼."), _ollama_turn("", done=True)
)
OLLAMA_GENERATED = _json(_ollama(done=True, response="Paris."))
OLLAMA_GENERATE_STREAM = _lines(
    NDJSON, _ollama(done=False, response="Par"), _ollama(done=False, response="is."), _ollama(done=True, response="")
)
OLLAMA_EMBED = _json({"model": "example", "embeddings": [[0.010071029, -0.0017594862]], "prompt_eval_count": 8})
OLLAMA_ERROR = _json({"error": "model 'example' not found"}, 404)

# Perplexity, Hugging Face, Replicate -------------------------------------------------------------------------------------

SEARCH = _json(
    {"id": "s1", "results": [{"title": "Paris", "url": "https://example.org/paris", "snippet": "A capital."}]}
)
TOKEN_STREAM = Answer(
    headers=(*SSE, *COMMON),
    framing="chunked",
    pieces=tuple(
        b"data:"
        + json.dumps(
            {"index": number, "token": {"id": number, "text": text, "logprob": -0.5, "special": False}}
        ).encode()
        + b"\n\n"
        for number, text in enumerate(("Par", "is", "."), start=1)
    ),
)
"""Text Generation Inference: no space after the colon, no end marker."""
GENERATED_TEXT = _json([{"generated_text": "Paris."}])
PREDICTION = _json(
    {
        "id": "gm3qorzdhgbfurvjtvhg6dckhu",
        "model": "meta/meta-llama-3-8b-instruct",
        "version": "hidden",
        "input": {"prompt": "What is the capital of France?"},
        "status": "succeeded",
        "output": ["Par", "is", "."],
        "created_at": "2026-11-20T10:11:12.345Z",
        "urls": {"get": "https://api.replicate.com/v1/predictions/gm3qorzdhgbfurvjtvhg6dckhu"},
    },
    201,
)
REPLICATE_ERROR = Answer(
    status=404,
    headers=(("Content-Type", "application/problem+json"), *COMMON, ("x-request-id", "req_1")),
    pieces=(b'{"title":"Not found","detail":"The requested resource could not be found.","status":404}\n',),
)
