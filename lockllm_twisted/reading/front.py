"""The front: one request in, one `Reading` out.

Responsible for: the target, the headers that say how to read the body, and which of them are believed.
Must never: raise, or let a body pass that is neither read nor told in the coverage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import bodies
from lockllm_twisted.reading.collect import Collector, Refused
from lockllm_twisted.reading.encoding import decode
from lockllm_twisted.reading.fields import form, parameters
from lockllm_twisted.reading.labels import UNKNOWN
from lockllm_twisted.reading.strict import charset, too_deep
from lockllm_twisted.reading.walk import text
from lockllm_twisted.values import Reading, Unreadable

_JSON = re.compile(rb"(?:application|text)/(?:[\w.-]+\+)?json|application/x-json")
_MODEL = re.compile(
    rb"/(?:models|tunedModels)/([^/:]+):"  # Gemini, Vertex AI
    rb"|/model/([^/]+)/"  # Bedrock
    rb"|/openai/deployments/([^/]+)/"  # Azure
    rb"|/models/([^/]+/[^/]+)(?:/predictions|/pipeline/|\Z)"  # Replicate, Hugging Face
)
_CREDENTIAL = re.compile(r"[\w.~-]{16,200}")
_SKIPPED = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_OPENING = re.compile(rb"\{|\[\s*[\[{\]\"'/\d.tfnNI-]")
_CHARSETS = frozenset({
    "utf-16", "utf-16le", "utf-16be", "utf-32", "utf-32le", "utf-32be", "utf-7", "iso-8859-1", "windows-1252",
    "ibm037", "shift_jis", "gb18030", "gbk", "big5", "euc-jp", "euc-kr", "koi8-r",
})  # fmt: skip
"""What a text is read as, beside UTF-8, where an operator lets another charset through. A closed list, because Python
remembers every unknown name that it is asked for."""


def read(
    *,
    method: bytes,  # noqa: ARG001 - bodies are read on every method: some server honours one on GET
    target: bytes,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes,
    dialect: Dialect | None,
    max_decoded: int = 32 * 1024 * 1024,
    guess: bool = True,
) -> Reading:
    """Every text of one request. ``target`` is the raw path and query to ask the provider for, ``headers`` as they came.

    A body that could be read in two ways has `Reading.unreadable`, and its passages as far as they can be had; without
    ``guess`` what has no structure is left out, for a caller that refuses such a body anyway.
    """
    collector = Collector(guess=guess)
    types: list[bytes] = []
    codings: list[bytes] = []
    for name, value in headers:
        if len(name) in _LENGTHS:
            lower = name.lower()
            if lower == b"content-type":
                types.append(value)
            elif lower == b"content-encoding":
                codings.append(value)
    try:
        _target(collector, target)
        if codings and body:
            body, problem = decode(codings, body, max_decoded)
            if problem is not None:
                collector.refuse(problem)
                collector.not_read("content_encoding")
        if body:
            _body(collector, types, body, dialect)
    except Refused as refused:
        collector.refuse(refused.problem)
    except RecursionError:
        collector.refuse(too_deep())
    return collector.reading()


_LENGTHS = {len(b"content-type"), len(b"content-encoding")}


def _target(collector: Collector, target: bytes) -> None:
    path, _, query = target.partition(b"?")
    words, model = _path(path)
    if model is not None:
        collector.names_model(model)
    collector.word(UNKNOWN, "path:", words)
    if query:
        for raw_name, raw_value in form(query):
            name, value = raw_name.decode("utf-8", "replace"), raw_value.decode("utf-8", "replace")
            where = f"query:{name[:64]}"
            collector.word(UNKNOWN, f"{where}#key", name)
            if name != "key" or _CREDENTIAL.fullmatch(value) is None:  # Google's API key is no text of the prompt
                text(collector, value, where)
        collector.end_conversation()


@lru_cache(maxsize=256)
def _path(path: bytes) -> tuple[str, str | None]:
    """What a path says, and the model that it names: one client asks for one path again and again."""
    model = _MODEL.search(path)
    named = None if model is None else unquote_to_bytes(model[model.lastindex or 0]).decode("utf-8", "replace")
    return unquote_to_bytes(path).decode("utf-8", "replace"), named


def _body(collector: Collector, types: Sequence[bytes], body: bytes, dialect: Dialect | None) -> None:
    kind, found = parameters(types[0]) if types else (b"", {})
    if len(types) > 1 and any(other != types[0] for other in types):
        collector.refuse(Unreadable("content_type", "The request has two different Content-Type headers. Send one."))
        found = None
    if kind.startswith(b"multipart/"):
        bodies.parts(collector, kind, None if found is None else found.get(b"boundary"), body, dialect)
        return
    if found != {}:
        _charset(collector, found, body)
    declared = kind == b"application/json" or _JSON.fullmatch(kind) is not None
    if declared or (bodies.LINES.fullmatch(kind) is None and _looks_like_json(body)):
        bodies.document(collector, body, dialect, declared=declared)
    elif kind == b"application/x-www-form-urlencoded":
        bodies.fields(collector, body, dialect)
    else:
        bodies.file(collector, body, kind, "", "", dialect)


def _charset(collector: Collector, found: dict[bytes, bytes] | None, body: bytes) -> None:
    problem = charset(found)
    if problem is not None:
        collector.refuse(problem)
        name = (found or {}).get(b"charset", b"").decode("latin-1").lower()
        if name in _CHARSETS:
            bodies.raw(collector, body.decode(name, "replace"), "")


def _looks_like_json(body: bytes) -> bool:
    """Whether a parser that does not look at the content type, strict or not, would take this for JSON."""
    if body[0] in _SKIPPED:
        body = body.lstrip(_SKIPPED)
    return _OPENING.match(body[:64].replace(b"\0", b"")) is not None
