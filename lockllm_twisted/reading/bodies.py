"""The kinds of bodies: a JSON document, lines of JSON, fields, parts, files.

Responsible for: handing each string of a body to the collector with its place; a file is read by what it is, not by what
it is called.
Must never: give up on a broken body: what an operator lets through is scanned as far as it can be had.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import embedded, strict
from lockllm_twisted.reading.collect import MAX_FIELDS, MAX_TEXTS, Collector, Refused, too_many
from lockllm_twisted.reading.fields import Part, form, multipart, parameters
from lockllm_twisted.reading.labels import NOBODY, Place, places
from lockllm_twisted.reading.walk import text, walk
from lockllm_twisted.values import Unreadable

LINES = re.compile(rb"(?:application|text)/(?:x-)?(?:ndjson|jsonl|json-?lines)")
_LINES_NAMES = (".jsonl", ".ndjson")
_MAX_NAME = 64
_ESCAPES = (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ('\\"', '"'), ("\\/", "/"), ("\\\\", "\\"))
_UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")


def document(collector: Collector, body: bytes, dialect: Dialect | None, *, declared: bool) -> None:
    """A JSON body. One that is not ``declared`` as such may be lines of JSON as well."""
    parsed = strict.parse(body)
    if parsed.problem is not None:
        if parsed.problem.code == "trailing_data" and not declared:
            _lines(collector, body, "", dialect, strictly=True)
            return
        collector.refuse(parsed.problem)
    elif type(parsed.value) is dict:
        collector.names_model(parsed.value.get("model"))
    if not walk(collector, parsed, dialect):
        raw(collector, body.decode("utf-8", "replace"), "")
    if parsed.rest:
        raw(collector, parsed.rest, "")


def fields(collector: Collector, body: bytes, dialect: Dialect | None) -> None:
    """``application/x-www-form-urlencoded``."""
    if body.count(b"&") > MAX_FIELDS:
        collector.refuse(too_many("fields", MAX_FIELDS).problem)
        raw(collector, unquote_to_bytes(body.replace(b"+", b" ")).decode("utf-8", "replace"), "")
        return
    pairs = [(_utf8(collector, name), _utf8(collector, value)) for name, value in form(body)]
    _named(collector, pairs, places(dialect, dict(pairs)))


def parts(collector: Collector, kind: bytes, boundary: bytes | None, body: bytes, dialect: Dialect | None) -> None:
    """A multipart body: its fields are one conversation, each file is one of its own."""
    try:
        found = list(multipart(boundary, body, named=kind == b"multipart/form-data"))
    except Refused as refused:
        collector.refuse(refused.problem)
        raw(collector, body.decode("utf-8", "replace"), "")
        return
    for part in found:
        if (problem := strict.charset(parameters(part.content_type)[1])) is not None:
            collector.refuse(problem)
    plain = [(part.name, _utf8(collector, part.data)) for part in found if _is_field(part)]
    attached = [part for part in found if not _is_field(part)]
    labels = places(dialect, {**{part.name: part.filename for part in attached}, **dict(plain)})
    _named(collector, plain, labels)
    for part in attached:
        place = labels.below.get(part.name, labels.rest)
        where = f"file:{part.name[:_MAX_NAME]}"
        collector.word(place.origin, f"{where}#key", part.name)
        if part.filename:
            text(collector, part.filename, f"{where}#filename", place)
            collector.end_conversation()
        file(collector, part.data, part.content_type, part.filename or "", where, dialect, place)


def file(
    collector: Collector,
    data: bytes,
    content_type: bytes,
    filename: str,
    where: str,
    dialect: Dialect | None,
    place: Place = NOBODY,
) -> None:
    """A file, or a body that is none of the other kinds."""
    kind = parameters(content_type)[0]
    mime = kind.decode("latin-1") or None
    if LINES.fullmatch(kind) is not None or filename.lower().endswith(_LINES_NAMES):
        _lines(collector, data, f"{where}#" if where else "", dialect, strictly=True)
    elif (found := embedded.text(data, None if mime == "application/octet-stream" else mime)) is None:
        collector.not_read(embedded.kind(data, mime) or "binary", where)
    elif _are_lines(data):
        _lines(collector, data, f"{where}#" if where else "", dialect, strictly=False)
    else:
        text(collector, found, where, place)
        collector.end_conversation()


def raw(collector: Collector, value: str, where: str) -> None:
    """A text whose structure could not be read, as it is and with its JSON escapes resolved."""
    if collector.gave_up:
        return
    plain = value
    if "\\" in value:
        for escape, letter in _ESCAPES:
            plain = plain.replace(escape, letter)
        plain = _UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16)), plain)
    for spelling in dict.fromkeys((value, plain)):
        collector.unstructured(where, spelling.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _lines(collector: Collector, data: bytes, base: str, dialect: Dialect | None, *, strictly: bool) -> None:
    """One JSON document per line, each a request of its own: the dialect sees the record (a batch names its endpoint)."""
    if data.count(b"\n") > MAX_TEXTS:
        collector.refuse(too_many("lines", MAX_TEXTS).problem)
        raw(collector, data.decode("utf-8", "replace"), base)
        return
    for index, line in enumerate(data.split(b"\n")):
        if line and not line.isspace():
            parsed = strict.parse(line)
            if parsed.problem is not None and strictly:
                message = f"Line {index + 1}: {parsed.problem.message}"
                collector.refuse(Unreadable(parsed.problem.code, message))
            if not walk(collector, parsed, dialect, f"{base}/{index}", strictly=strictly):
                raw(collector, line.decode("utf-8", "replace"), f"{base}/{index}")
            elif parsed.rest:
                raw(collector, parsed.rest, f"{base}/{index}")


def _are_lines(data: bytes) -> bool:
    """Whether the first of several lines is a JSON object."""
    first, _, rest = data.partition(b"\n")
    return bool(rest) and first.startswith(b"{") and type(strict.parse(first).value) is dict


def _named(collector: Collector, pairs: Sequence[tuple[str, str]], labels: Place) -> None:
    for name, value in pairs:
        if name == "_charset_" and value.lower() != "utf-8":  # RFC 7578, section 4.6
            collector.refuse(
                Unreadable("charset", "The form names a charset in _charset_. Send UTF-8, and no such field.")
            )
        place = labels.below.get(name, labels.rest)
        where = f"form:{name[:_MAX_NAME]}"
        collector.word(place.origin, f"{where}#key", name)
        text(collector, value, where, place)
        if name == "model":
            collector.names_model(value)
    collector.end_conversation()


def _is_field(part: Part) -> bool:
    return part.filename is None and (not part.content_type or part.content_type.lower().startswith(b"text/plain"))


def _utf8(collector: Collector, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        collector.refuse(strict.invalid_utf8(error.start))
        return data.decode("utf-8", "replace")
