"""Labelled records: one JSON object a line.

Responsible for: lines -> records, and a message that names the line of the first that is none.
Must never: guess a label, or drop a line that it can't read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.values import ROLES

BENIGN = "benign"
HARMFUL = "harmful_request"
"""A plain request for something harmful: not an attack on the application, so an axis of its own."""

NO_SOURCE = "-"
_NEEDED = ("text", "label")
_OPTIONAL = ("source", "role")
_EXAMPLE = '{"text": "…", "label": "benign"}'


@attrs.frozen
class Record:
    """One labelled text. ``label`` is `BENIGN`, `HARMFUL` or any other word: an attack.

    ``role`` is one of `ROLES`. Records of one ``cluster`` (near-duplicates, say) are not independent of each other;
    ``None``: this one is.
    """

    text: str = attrs.field(repr=False)
    label: str
    source: str = NO_SOURCE
    role: str = "user"
    cluster: str | None = None


def read(lines: Iterable[bytes], name: str) -> Iterator[Record]:
    """The records of a file; lines without anything on them are passed over.

    Raises `BadRequest`, with ``name`` and the line's number, for a line that is no record.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _record(line)
            except ValueError as problem:
                raise BadRequest(f"{name}:{number}: {problem}", code="invalid_record") from None


def _record(line: bytes) -> Record:
    fields = _object(line)
    for name in _NEEDED:
        if name not in fields:
            raise ValueError(f'"{name}" is missing: write {_EXAMPLE}.')
    words = {name: fields[name] for name in (*_NEEDED, *_OPTIONAL) if name in _NEEDED or fields.get(name) is not None}
    for name, value in words.items():
        if not isinstance(value, str) or not value:
            raise ValueError(f'"{name}" must be a string that is not empty.')
    if words.get("role", "user") not in ROLES:
        raise ValueError(f'"role" must be one of {", ".join(ROLES)}.')
    cluster = fields.get("cluster")
    if isinstance(cluster, bool) or not isinstance(cluster, str | int | None):
        raise ValueError('"cluster" must be a string or a whole number.')  # noqa: TRY004 # as below
    return Record(**words, cluster=None if cluster is None else str(cluster))


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("this is not UTF-8: save the file as UTF-8.") from None
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"this is no JSON: {problem}.") from None
    if not isinstance(fields, dict):
        raise ValueError(f"this is no JSON object: write {_EXAMPLE}.")  # noqa: TRY004 # `read` tells it with the line
    return fields
