"""Who speaks where in the bodies of the OpenAI, Anthropic and Gemini APIs, and which path has which body.

Responsible for: labels in the order in which the model reads them (tools, system, then the turns), for each endpoint that
carries text; paths by their tail, because SDKs disagree on the prefix.
Must never: hide a text (what has no label is scanned as ``unknown``), or fail on a shape that it does not know.

Sources: the request types of openai 3.54, anthropic 2.12 and google-genai 3.4. Batch files and batch bodies hold whole
requests; their labels are those of the endpoint that a record names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lockllm_twisted.hooks import Dialect, Label, Path
from lockllm_twisted.values import Origin

Family = Callable[[bytes], Dialect | None]
"""The dialect of a raw path without its query, ``None`` where the family has none for it."""

_USER, _SYSTEM, _DEVELOPER, _ASSISTANT, _TOOL_RESULT, _TOOL_DEFINITION, _DOCUMENT, _UNKNOWN = Origin
"""Names of our own: on Python 3.11 ``Origin.USER`` takes 0.19 µs, and a conversation asks hundreds of times."""

_ROLES = {
    "user": _USER,
    "human": _USER,
    "system": _SYSTEM,
    "developer": _DEVELOPER,
    "assistant": _ASSISTANT,
    "model": _ASSISTANT,
    "tool": _TOOL_RESULT,
    "function": _TOOL_RESULT,
}
_FILES = frozenset({"file", "input_file", "document", "search_result", "container_upload"})


def openai_chat(document: Any) -> Iterator[Label]:
    """``/chat/completions``."""
    yield from _present(document, _TOOL_DEFINITION, "tools", "functions")
    yield from _present(document, _DEVELOPER, "response_format")
    yield from _present(document, _DOCUMENT, "documents")
    yield from _messages(document, ("messages",))
    yield from _present(document, _ASSISTANT, "prediction")


def openai_responses(document: Any) -> Iterator[Label]:
    """``/responses`` and what takes the same items: ``input_tokens``, ``compact``, ``/conversations``."""
    yield from _present(document, _TOOL_DEFINITION, "tools")
    yield from _present(document, _DEVELOPER, "text")
    yield from _present(document, _USER, "prompt")
    yield from _present(document, _SYSTEM, "instructions")
    for key in ("input", "items"):
        yield from _items(_get(document, key), (key,))


def openai_completions(document: Any) -> Iterator[Label]:
    """``/completions``."""
    yield from _present(document, _USER, "prompt", "suffix")


def openai_embeddings(document: Any) -> Iterator[Label]:
    """``/embeddings``: what is embedded is mostly the corpus that will be retrieved from."""
    yield from _present(document, _DOCUMENT, "input")


def openai_moderations(document: Any) -> Iterator[Label]:
    """``/moderations``."""
    yield from _present(document, _USER, "input")


def openai_images(document: Any) -> Iterator[Label]:
    """``/images/…`` and ``/videos``, JSON or multipart."""
    yield from _present(document, _USER, "prompt")


def openai_audio(document: Any) -> Iterator[Label]:
    """``/audio/…``, JSON or multipart."""
    yield from _present(document, _SYSTEM, "instructions")
    yield from _present(document, _USER, "input", "prompt")


def openai_files(document: Any) -> Iterator[Label]:
    """``/files`` and ``/uploads/…/parts``: the fields of the form, and each record of a batch file."""
    yield from _present(document, _DOCUMENT, "file", "data")
    url, body = _get(document, "url"), _get(document, "body")
    if isinstance(url, str) and body is not None:
        path = url.encode("utf-8", "replace")
        dialect = OPENAI(path) or ANTHROPIC(path)
        if dialect is not None and dialect is not openai_files:
            yield from _below(("body",), dialect(body))
    yield from _messages(document, ("messages",))  # fine-tuning: {"messages": […]}


def openai_assistants(document: Any) -> Iterator[Label]:
    """``/assistants``, ``/threads/…`` and ``/realtime/client_secrets``: settings, one message, or a run of a thread."""
    yield from _present(document, _TOOL_DEFINITION, "tools")
    yield from _present(document, _SYSTEM, "instructions", "additional_instructions")
    for path in (("thread", "messages"), ("messages",), ("additional_messages",)):
        yield from _messages(document, path)
    yield from _present(document, _TOOL_RESULT, "tool_outputs")
    if "content" in _object(document):
        yield ("content",), _ROLES.get(_word(document, "role"), _USER)
    session = _get(document, "session")
    if isinstance(session, dict):
        yield from _below(("session",), openai_assistants({k: v for k, v in session.items() if k != "session"}))


def openai_search(document: Any) -> Iterator[Label]:
    """``/vector_stores/…/search``."""
    yield from _present(document, _USER, "query")


def anthropic_messages(document: Any) -> Iterator[Label]:
    """``/messages`` and ``/messages/count_tokens``."""
    yield from _present(document, _TOOL_DEFINITION, "tools")
    yield from _present(document, _DEVELOPER, "output_config", "output_format")
    yield from _present(document, _SYSTEM, "system")
    yield from _messages(document, ("messages",))
    yield from _present(document, _USER, "message")
    yield from _present(document, _ASSISTANT, "prefill")


def anthropic_batches(document: Any) -> Iterator[Label]:
    """``/messages/batches``."""
    for index, request in _indexed(_get(document, "requests")):
        yield from _below(("requests", index, "params"), anthropic_messages(_get(request, "params")))


def anthropic_complete(document: Any) -> Iterator[Label]:
    """The old ``/complete``."""
    yield from _present(document, _USER, "prompt")


def anthropic_files(document: Any) -> Iterator[Label]:
    """``/files``: the form."""
    yield from _present(document, _DOCUMENT, "file")


def gemini(document: Any) -> Iterator[Label]:
    """Every method of a Gemini or Vertex model: ``:generateContent`` and its kin, caches, batches, their files."""
    return _gemini(document, nested=3)


def _gemini(document: Any, nested: int) -> Iterator[Label]:
    yield from _present(document, _TOOL_DEFINITION, "tools")
    yield from _present(document, _DEVELOPER, "generationConfig", "generation_config")
    yield from _present(document, _SYSTEM, "systemInstruction", "system_instruction")
    contents = _get(document, "contents")
    if isinstance(contents, list):
        for index, content in enumerate(contents):
            yield from _content(content, ("contents", index))
    elif contents is not None:
        yield from _content(contents, ("contents",))
    if _get(document, "content") is not None:  # embedContent
        yield ("content",), _DOCUMENT
    for index, _ in _indexed(_get(document, "instances")):  # predict
        yield ("instances", index), _USER
    yield from _items(_get(document, "input"), ("input",))  # interactions
    if nested:
        for path, inner in _gemini_requests(document):
            yield from _below(path, _gemini(inner, nested - 1))


def _gemini_requests(document: Any) -> Iterator[tuple[Path, Any]]:
    for key in ("generateContentRequest", "generate_content_request", "request", "batch"):
        yield (key,), _get(document, key)
    for path in (("requests",), ("inputConfig", "requests", "requests"), ("input_config", "requests", "requests")):
        for index, request in _indexed(_at(document, path)):
            yield (*path, index), request


def _content(content: Any, path: Path) -> Iterator[Label]:
    if not isinstance(content, dict):
        yield path, _USER
        return
    yield path, _ROLES.get(_word(content, "role") or "user", _UNKNOWN)
    parts = content.get("parts")
    for index, part in _indexed(parts) if isinstance(parts, list) else [(None, parts)]:
        origin = next((origin for key, origin in _GEMINI_PARTS.items() if key in _object(part)), None)
        if origin is not None:
            yield (*path, "parts") if index is None else (*path, "parts", index), origin


_GEMINI_PARTS = {
    name: origin
    for origin, names in (
        (_TOOL_RESULT, ("functionResponse", "toolResponse", "codeExecutionResult")),
        (_ASSISTANT, ("functionCall", "toolCall", "executableCode")),
        (_DOCUMENT, ("inlineData", "fileData")),
    )
    for camel in names
    for name in (camel, "".join(f"_{c.lower()}" if c.isupper() else c for c in camel))
}
"""Both spellings: Google accepts either, and its own SDK sends both."""


def _messages(document: Any, path: Path) -> list[Label]:
    return [label for index, message in _indexed(_at(document, path)) for label in _message(message, (*path, index))]


def _message(message: Any, path: Path) -> list[Label]:
    labels = [(path, _ROLES.get(_word(message, "role"), _UNKNOWN))]
    content = _get(message, "content")
    for index, part in enumerate(content) if isinstance(content, list) else ():
        kind = _word(part, "type")
        if kind.endswith("tool_result"):  # Anthropic: also the results of its own tools, in an assistant's turn
            labels.append(((*path, "content", index), _TOOL_RESULT))
        elif kind in _FILES:
            labels.append(((*path, "content", index), _DOCUMENT))
    return labels


def _items(items: Any, path: Path) -> Iterator[Label]:
    if isinstance(items, str | dict):
        yield path, _USER
    for index, item in _indexed(items):
        here = (*path, index)
        kind = _word(item, "type")
        if "role" in _object(item):
            yield from _message(item, here)
        elif kind.endswith(("_output", "_result", "_response")) and kind != "mcp_approval_response":
            yield here, _TOOL_RESULT
        elif kind in {"mcp_list_tools", "additional_tools"}:
            yield here, _TOOL_DEFINITION
        elif kind.endswith("_call") or kind in {"reasoning", "compaction", "program", "mcp_approval_request"}:
            yield here, _ASSISTANT
            for key in ("output", "outputs", "result", "results"):
                if key in item:
                    yield (*here, key), _TOOL_RESULT
        else:
            yield here, _DOCUMENT if kind in _FILES else _USER


def _present(document: Any, origin: Origin, *keys: str) -> list[Label]:
    return [((key,), origin) for key in keys if key in document] if isinstance(document, dict) else []


def _below(path: Path, labels: Iterable[Label]) -> Iterator[Label]:
    for inner, origin in labels:
        yield (*path, *inner), origin


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = _get(value, str(key))
    return value


def _word(value: Any, key: str) -> str:
    word = _get(value, key)
    return word if isinstance(word, str) else ""


def _indexed(value: Any) -> Iterable[tuple[int, Any]]:
    return enumerate(value) if isinstance(value, list) else ()


def _family(tails: dict[str, Dialect]) -> Family:
    """Two last segments, the last, the last but one (``/assistants/ID``): the first that the table has."""
    table = {tuple(tail.encode().split(b"/")): dialect for tail, dialect in tails.items()}

    def dialect_for(path: bytes) -> Dialect | None:
        segments = tuple(path.rstrip(b"/").rsplit(b"/", 3)[1:])
        keys = (segments[-2:], segments[-1:], segments[-2:-1])
        return next((table[key] for key in keys if key in table), None)

    return dialect_for


def _openai(path: bytes) -> Dialect | None:
    if path.endswith(b"/messages") and b"/threads/" not in path:
        return None
    return _OPENAI_TAILS(path)


def _gemini_path(path: bytes) -> Dialect | None:
    if b"/openai/" in path or path.endswith(b"/chat/completions"):
        return OPENAI(path)
    if b"Predict" in path and b"/publishers/anthropic/" in path:
        return anthropic_messages
    return gemini


_OPENAI_TAILS = _family({
    "chat/completions": openai_chat,
    "responses": openai_responses,
    "responses/input_tokens": openai_responses,
    "responses/compact": openai_responses,
    "conversations": openai_responses,
    "items": openai_responses,
    "completions": openai_completions,
    "embeddings": openai_embeddings,
    "moderations": openai_moderations,
    "images/generations": openai_images,
    "images/edits": openai_images,
    "images/variations": openai_images,
    "videos": openai_images,
    "remix": openai_images,
    "audio/speech": openai_audio,
    "audio/transcriptions": openai_audio,
    "audio/translations": openai_audio,
    "files": openai_files,
    "parts": openai_files,
    "assistants": openai_assistants,
    "threads": openai_assistants,
    "runs": openai_assistants,
    "messages": openai_assistants,
    "submit_tool_outputs": openai_assistants,
    "realtime/client_secrets": openai_assistants,
    "search": openai_search,
})  # fmt: skip

OPENAI: Family = _openai
"""OpenAI, and all who speak its language, under any prefix (``/v1``, ``/openai/v1``, ``/openai/deployments/D``)."""

ANTHROPIC: Family = _family({
    "messages": anthropic_messages,
    "messages/count_tokens": anthropic_messages,
    "messages/batches": anthropic_batches,
    "complete": anthropic_complete,
    "files": anthropic_files,
})  # fmt: skip

GEMINI: Family = _gemini_path
"""Gemini and Vertex AI: one dialect for every method, the vendors' own for what is served in their language there."""
