"""The allow list as rows, and the secret that its digests are keyed with.

Responsible for: from the event of an exchange to entries, and back out; the file ``digest.key``.
Must never: hold a text.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from pathlib import Path

import attrs

from lockllm_twisted.allowlist import AllowList
from lockllm_twisted.errors import BadRequest, NotFound
from lockllm_twisted.store import keyfile
from lockllm_twisted.store.database import transaction

SECRET_FILE = "digest.key"  # noqa: S105 # a file's name

_SHOWN = 60


@attrs.frozen
class AllowedText:
    """One entry: of which exchange, in which origin, what it excuses, since when (seconds since 1970)."""

    exchange: str
    origin: str
    scanner: str
    category: str
    digest: str
    created: float


def secret(directory: Path) -> bytes:
    """The key of the digests, made where there is none."""
    path = directory / SECRET_FILE
    try:
        return keyfile.read(path)
    except FileNotFoundError:
        keyfile.make(path, secrets.token_hex(32).encode())
        return keyfile.read(path)


def add(connection: sqlite3.Connection, exchange: str) -> list[AllowedText]:
    """Allow all texts in which something was found in an exchange; entries that were there already are not told.

    Raises `NotFound` for an exchange that is not kept, and `BadRequest` for one in which nothing was found.
    """
    row = connection.execute("SELECT findings, code FROM events WHERE id = ?", (exchange,)).fetchone()
    if row is None:
        raise NotFound(f"No exchange {exchange[:_SHOWN]!r} is kept. See: lockllm events")
    found = [finding for finding in json.loads(row["findings"]) if finding.get("digest")]
    if not found:
        why = f": it was refused for another reason ({row['code']})" if row["code"] else ""
        raise BadRequest(f"Nothing was found in {exchange[:_SHOWN]} that could be allowed{why}.", code="nothing_found")
    now = time.time()
    entries = {
        (finding["digest"], finding["scanner"], finding["category"]): AllowedText(
            exchange, finding["origin"], finding["scanner"], finding["category"], finding["digest"], now
        )
        for finding in found
    }
    with transaction(connection):
        return [
            entry
            for entry in entries.values()
            if connection.execute(
                "INSERT OR IGNORE INTO allowed (exchange, origin, scanner, category, digest, created) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                attrs.astuple(entry),
            ).rowcount
        ]


def remove(connection: sqlite3.Connection, exchange: str) -> list[AllowedText]:
    """Take back what was allowed because of an exchange. Raises `NotFound`."""
    with transaction(connection):
        gone = [entry for entry in listed(connection) if entry.exchange == exchange]
        if not gone:
            raise NotFound(f"Nothing is allowed because of {exchange[:_SHOWN]!r}. See: lockllm feedback --list")
        connection.execute("DELETE FROM allowed WHERE exchange = ?", (exchange,))
        return gone


def listed(connection: sqlite3.Connection) -> list[AllowedText]:
    """All entries, the oldest first."""
    rows = connection.execute(
        "SELECT exchange, origin, scanner, category, digest, created FROM allowed ORDER BY created, rowid"
    )
    return [AllowedText(*row) for row in rows]


def in_force(connection: sqlite3.Connection, directory: Path) -> AllowList:
    """The list as requests need it."""
    rows = connection.execute("SELECT digest, scanner, category FROM allowed")
    return AllowList(secret(directory), frozenset((row[0], row[1], row[2]) for row in rows))
