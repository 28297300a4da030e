"""JSON that means the same to every reader.

Responsible for: bytes -> a parsed document, or the reason why two parsers could disagree about it; what can be got out
of it all the same, because an operator may let it through (``unreadable = "flag"``) and it is scanned then.
Must never: drop a pair of an object, guess an encoding silently, or raise.

The standard library's parser is the C scanner; everything it lets pass beyond RFC 8259 is refused by its hooks here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json import JSONDecodeError, JSONDecoder
from typing import Any

import attrs

from lockllm_twisted.reading.collect import MAX_TEXTS, Refused, too_many
from lockllm_twisted.values import Unreadable

_WHITESPACE = " \t\n\r"
_ASCII_STARTS = b'{["\n '
_INFINITE = (float("inf"), float("-inf"))


class Shadowed(dict[str, Any]):
    """An object whose keys are not unique. ``pairs`` holds all of them; as a dict it has the last of each."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


@attrs.define
class Document:
    """A parsed body. ``value`` is what was parsed; ``rest`` is text that could not be."""

    value: Any = None
    problem: Unreadable | None = None
    rest: str = ""


def parse(body: bytes) -> Document:
    """RFC 8259, section 8.1: UTF-8 without a byte order mark; one value, each key once, no more."""
    try:
        text, problem = _decoded(body)
        stripped = text.strip(_WHITESPACE)
        _count_objects(stripped)
        try:
            value, end = _STRICT.raw_decode(stripped)
            if end == len(stripped):
                return Document(value, problem)
            mistake = Unreadable("trailing_data", f"Something follows the JSON value, at character {end}. Remove it.")
        except Refused as refused:
            mistake = refused.problem
        except JSONDecodeError as error:
            mistake = Unreadable("invalid_json", f"The body is not valid JSON: {error.msg}, at character {error.pos}.")
        except ValueError:  # CPython refuses integers of more than 4,300 digits
            mistake = Unreadable(
                "number_out_of_range", "The body holds an integer of thousands of digits. Send a string."
            )
        return _loosely(stripped, problem or mistake)
    except Refused as refused:
        return Document(None, refused.problem, text)
    except RecursionError:
        return Document(None, too_deep(), body.decode("utf-8", "replace"))


def embedded_json(text: str) -> Any:
    """The value that a text spells as JSON, or ``None``. Lenient: the text itself is scanned as well."""
    _count_objects(text)
    try:
        return _LOOSE.decode(text)
    except (ValueError, RecursionError):
        return None


def too_deep() -> Unreadable:
    """A document nested beyond the limit."""
    return Unreadable("too_deep", "The JSON body is nested too deeply: 128 levels is the limit.")


def charset(parameters: Mapping[bytes, bytes] | None) -> Unreadable | None:
    """What is wrong with the charset of a Content-Type; ``None`` for its parameters means that they are malformed.

    RFC 8259, section 8.1: a receiver that honoured another charset would read another text.
    """
    name = b"?" if parameters is None else parameters.get(b"charset", b"utf-8")
    if name.lower() in {b"utf-8", b"utf8"}:
        return None
    told = f"names the charset {name[:40].decode('latin-1')!a}" if parameters else "is malformed"
    return Unreadable("charset", f"Content-Type {told}. Send UTF-8, and utf-8 or no charset there.")


def invalid_utf8(position: int) -> Unreadable:
    """Bytes that are no UTF-8 (overlong forms and encoded surrogates included)."""
    return Unreadable("invalid_utf8", f"The text is not valid UTF-8, at byte {position}. Encode it as UTF-8.")


def _decoded(body: bytes) -> tuple[str, Unreadable | None]:
    # Where a first ASCII character is followed by no NUL, it is neither UTF-16 nor UTF-32 (RFC 4627, section 3).
    encoding = "utf-8" if body[0] in _ASCII_STARTS and body[1:2] != b"\0" else json.detect_encoding(body)
    if encoding == "utf-8":
        try:
            return body.decode(), None
        except UnicodeDecodeError as error:
            return body.decode("utf-8", "replace"), invalid_utf8(error.start)
    if encoding == "utf-8-sig":
        mark = Unreadable("byte_order_mark", "The body starts with a byte order mark. Remove it.")
        return body[3:].decode("utf-8", "replace"), mark
    other = Unreadable("not_utf8", f"The body looks like {encoding.upper()}. Send UTF-8.")
    return body.decode(encoding, "replace"), other


def _count_objects(text: str) -> None:
    """Objects are what costs time to parse; counted a slice at a time, so that other threads come to run."""
    objects = 0
    for at in range(0, len(text) if len(text) > 2 * MAX_TEXTS else 0, MAX_TEXTS):
        objects += text.count("{", at, at + MAX_TEXTS)
        if objects > MAX_TEXTS:
            raise too_many("objects", MAX_TEXTS)


def _loosely(text: str, problem: Unreadable) -> Document:
    try:
        value, end = _LOOSE.raw_decode(text)
    except ValueError:
        return Document(None, problem, text)
    return Document(value, problem, text[end:])


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Shadowed(pairs)


def _constant(name: str) -> None:
    message = f"{name} is no JSON number (RFC 8259, section 6). Send null, or leave it out."
    raise Refused(Unreadable("not_a_number", message))


def _float(digits: str) -> float:
    number = float(digits)
    if number in _INFINITE:
        message = "The body holds a number too large for a double. Send a smaller one."
        raise Refused(Unreadable("number_out_of_range", message))
    return number


def _ignored(_: str) -> None:
    """A number that carries no text."""


_STRICT = JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
_LOOSE = JSONDecoder(object_pairs_hook=_object, parse_constant=_ignored, parse_int=_ignored, strict=False)
