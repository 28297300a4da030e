"""The last exchanges: a bounded queue in memory, rows in the file.

Responsible for: keeping what the operator may look up, for as many days as the settings say.
Must never: grow without bound, or make the one who records wait.
"""

from __future__ import annotations

import json
import operator
import sqlite3
import time
from collections.abc import Sequence
from typing import Any

import attrs

from lockllm_twisted.store.database import transaction
from lockllm_twisted.values import Exchange

QUEUED = 10_000
"""At 2 KB each some 20 MB, and ten seconds of the traffic that one process can carry."""

QUEUED_TEXT = 64 * 1024 * 1024
"""Characters of prompt text, where it is recorded at all: two bodies of the default limit."""

DAY = 86400.0

_COLUMNS = tuple(field.name for field in attrs.fields(Exchange))
_FINDINGS = _COLUMNS.index("findings")
_values = operator.attrgetter(*_COLUMNS)
_NAMES, _PLACES = ", ".join(f'"{name}"' for name in _COLUMNS), ", ".join("?" * len(_COLUMNS))
_INSERT = f"INSERT INTO events ({_NAMES}) VALUES ({_PLACES})"  # noqa: S608 # names of ours


class EventQueue:
    """What was recorded and is not written yet. Only the reactor's thread may touch it."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: list[Exchange] = []
        self._text = 0

    def put(self, exchange: Exchange) -> bool:
        """Take one in, or drop it; tells which."""
        text = len(exchange.text or "")
        if len(self._waiting) >= QUEUED or self._text + text > QUEUED_TEXT:
            self.dropped += 1
            return False
        self._waiting.append(exchange)
        self._text += text
        return True

    def take(self) -> Sequence[Exchange]:
        """All that waits; the queue is empty after that."""
        taken, self._waiting, self._text = self._waiting, [], 0
        return taken


def insert(connection: sqlite3.Connection, exchanges: Sequence[Exchange]) -> None:
    """Write them, all or none."""
    rows = [_row(exchange) for exchange in exchanges]
    try:
        _insert(connection, rows)
    except UnicodeEncodeError:
        # SQLite takes no lone surrogate, and one such name of a model must not cost the other rows.
        _insert(connection, [[_encodable(value) for value in row] for row in rows])


def latest(connection: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest first."""
    rows = connection.execute('SELECT * FROM events ORDER BY "time" DESC, rowid DESC LIMIT ?', (limit,))
    return [{**dict(row), "findings": json.loads(row["findings"])} for row in rows]


def prune(connection: sqlite3.Connection, days: float, at_most: int) -> int:
    """Forget up to ``at_most`` of those that are older than ``days``; tells how many went."""
    with transaction(connection):
        old = 'SELECT rowid FROM events WHERE "time" < ? LIMIT ?'
        return connection.execute(
            f"DELETE FROM events WHERE rowid IN ({old})",  # noqa: S608 # no text of anybody's
            (time.time() - days * DAY, at_most),
        ).rowcount


def _insert(connection: sqlite3.Connection, rows: Sequence[Sequence[object]]) -> None:
    with transaction(connection):
        connection.executemany(_INSERT, rows)


def _row(exchange: Exchange) -> Sequence[object]:
    row = list(_values(exchange))
    row[_FINDINGS] = json.dumps(exchange.findings) if exchange.findings else "[]"
    return row


def _encodable(value: object) -> object:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
