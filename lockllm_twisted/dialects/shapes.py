"""The shapes that the vendors' bodies are made of: turns with roles, parts with types, items, nested requests.

Responsible for: labels of one shape at a place; reading a document of any shape at all without an error.
Must never: know a vendor's path, or raise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lockllm_twisted.hooks import Dialect, Label, Path
from lockllm_twisted.values import Origin

USER, SYSTEM, DEVELOPER, ASSISTANT, TOOL_RESULT, TOOL_DEFINITION, DOCUMENT, UNKNOWN = Origin
"""Names of our own: on Python 3.11 ``Origin.USER`` takes 0.19 µs, and a conversation asks hundreds of times."""

_ROLES = {
    spelled: origin
    for role, origin in {
        "user": USER,
        "human": USER,
        "system": SYSTEM,
        "developer": DEVELOPER,
        "assistant": ASSISTANT,
        "model": ASSISTANT,
        "chatbot": ASSISTANT,
        "tool": TOOL_RESULT,
        "function": TOOL_RESULT,
    }.items()
    for spelled in (role, role.upper())
}
_FILES = frozenset({"file", "input_file", "document", "search_result", "container_upload"})
_PARTS = {
    "toolResult": TOOL_RESULT,
    "toolUse": ASSISTANT,
    "reasoningContent": ASSISTANT,
    "document": DOCUMENT,
    "searchResult": DOCUMENT,
}
"""Bedrock's parts have no type: the one key that they have is it."""
_STEPS = frozenset({"reasoning", "compaction", "program", "mcp_approval_request", "model_output", "thought"})


def origin_of(role: str, default: Origin = UNKNOWN) -> Origin:
    """Whom a role speaks for."""
    return _ROLES.get(role, default)


def present(document: Any, origin: Origin, *keys: str) -> list[Label]:
    """A label for each of the keys that an object has."""
    if not isinstance(document, dict) or document.keys().isdisjoint(keys):
        return []
    return [((key,), origin) for key in keys if key in document]


def below(path: Path, labels: Iterable[Label]) -> Iterator[Label]:
    """The labels of what stands at a place."""
    for inner, origin in labels:
        yield (*path, *inner), origin


def requests(document: Any, path: Path, inner: Path, dialect: Dialect) -> Iterator[Label]:
    """The labels of each request of a list."""
    for index, request in indexed(at(document, path)):
        yield from below((*path, index, *inner), dialect(at(request, inner)))


def messages(document: Any, *path: str) -> list[Label]:
    """Turns with a role, at a place."""
    return [label for index, turn in indexed(at(document, path)) for label in message(turn, (*path, index))]


def message(turn: Any, path: Path) -> list[Label]:
    """One turn: its role's, but for results and files among its parts."""
    if not isinstance(turn, dict):
        return [(path, UNKNOWN)]
    role, content = turn.get("role"), turn.get("content")
    labels = [(path, _ROLES.get(role, UNKNOWN) if isinstance(role, str) else UNKNOWN)]
    for index, part in enumerate(content) if isinstance(content, list) else ():
        kind = word(part, "type")
        if kind:
            if kind.endswith("tool_result"):  # Anthropic: also the results of its own tools, in an assistant's turn
                labels.append(((*path, "content", index), TOOL_RESULT))
            elif kind in _FILES:
                labels.append(((*path, "content", index), DOCUMENT))
        elif isinstance(part, dict):
            labels += [((*path, "content", index, key), _PARTS[key]) for key in part if key in _PARTS]
    return labels


def items(value: Any, path: Path) -> Iterator[Label]:
    """A text, or items with types: messages, calls, and what calls brought back."""
    if isinstance(value, str | dict):
        yield path, USER
    for index, item in indexed(value):
        here = (*path, index)
        kind = word(item, "type")
        if "role" in as_object(item):
            yield from message(item, here)
        elif kind.endswith("_call") or kind in _STEPS:
            yield here, ASSISTANT
            for key in ("output", "outputs", "result", "results"):
                if key in item:
                    yield (*here, key), TOOL_RESULT
        elif kind.endswith(("_output", "_result", "_response")) and kind != "mcp_approval_response":
            yield here, TOOL_RESULT
        elif kind in {"mcp_list_tools", "additional_tools"}:
            yield here, TOOL_DEFINITION
        else:
            yield here, DOCUMENT if kind in _FILES else USER


def spellings(names: Mapping[str, Origin]) -> dict[str, Origin]:
    """The names and the same in snake case: Google accepts either, and its own SDK sends both."""
    return {name: origin for camel, origin in names.items() for name in (camel, snake(camel))}


def snake(camel: str) -> str:
    """``inlineData`` -> ``inline_data``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in camel)


def as_object(value: Any) -> dict[str, Any]:
    """The value, or an empty object."""
    return value if isinstance(value, dict) else {}


def get(value: Any, key: str | int) -> Any:
    """The value at a key, ``None`` where there is none."""
    return value.get(key) if isinstance(value, dict) else None


def at(value: Any, path: Path) -> Any:
    """The value at a place of keys, ``None`` where there is none."""
    for key in path:
        value = get(value, key)
    return value


def word(value: Any, key: str) -> str:
    """The string at a key, or an empty one."""
    found = get(value, key)
    return found if isinstance(found, str) else ""


def indexed(value: Any) -> Iterable[tuple[int, Any]]:
    """The members of a list with their places; nothing for anything else."""
    return enumerate(value) if isinstance(value, list) else ()
