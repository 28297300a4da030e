"""The keys that open this server, as rows: digest, name, when made, when revoked.

Responsible for: making, listing and revoking keys, and the table of those that are valid.
Must never: store a key. What is stored opens nothing: it is compared with the digest of what a caller sends.
"""

from __future__ import annotations

import hmac
import sqlite3
import time
from collections.abc import Mapping

import attrs

from lockllm_twisted.errors import BadRequest, NotFound
from lockllm_twisted.keys import ID_PLACE, digest, holds_key, key_id, make_key
from lockllm_twisted.store.database import transaction
from lockllm_twisted.values import Caller

_NAME = 100

Callers = Mapping[bytes, tuple[bytes, Caller | None]]
"""The valid keys by id: the key's digest, and whose it is."""

_NOBODY = (b"", None)


@attrs.frozen
class KeyRecord:
    """What is known of a key. Times in seconds since 1970; ``revoked`` is ``None`` while the key is valid."""

    id: str
    name: str
    locked: bool
    created: float
    revoked: float | None = None


def create(connection: sqlite3.Connection, name: str, *, locked: bool) -> tuple[KeyRecord, str]:
    """A new key. It is nowhere but in what this returns."""
    if not 0 < len(name) <= _NAME or not name.isprintable() or holds_key(name.encode()):
        raise BadRequest(f"The name of a key is 1 to {_NAME} printable characters, and no key.", code="invalid_name")
    public, key = make_key()
    record = KeyRecord(public, name, locked, time.time())
    with transaction(connection):
        connection.execute(
            "INSERT INTO keys (id, name, digest, locked, created) VALUES (?, ?, ?, ?, ?)",
            (record.id, name, digest(key.encode()), locked, record.created),
        )
    return record, key


def records(connection: sqlite3.Connection) -> list[KeyRecord]:
    """All keys, the oldest first, revoked ones too."""
    rows = connection.execute("SELECT id, name, locked, created, revoked FROM keys ORDER BY created, id")
    return [_record(row) for row in rows]


def revoke(connection: sqlite3.Connection, id_or_name: str) -> KeyRecord:
    """End a key, told by its id, by its name where that is unique, or by the key itself (a leaked one, say)."""
    public = key_id(id_or_name.encode(errors="replace"))
    wanted = id_or_name if public is None else public
    with transaction(connection):
        known = [record for record in records(connection) if record.revoked is None]
        found = [record for record in known if record.id == wanted] or [
            record for record in known if record.name == wanted
        ]
        if not found:
            raise NotFound(f"No valid key has the id or the name {wanted[:_NAME]!r}. See: lockllm keys list")
        if len(found) > 1:
            ids = ", ".join(record.id for record in found)
            raise BadRequest(
                f"{len(found)} keys are named {wanted!r}: name one by its id: {ids}.", code="ambiguous_name"
            )
        record = attrs.evolve(found[0], revoked=time.time())
        connection.execute("UPDATE keys SET revoked = ? WHERE id = ?", (record.revoked, record.id))
    return record


def valid(connection: sqlite3.Connection) -> Callers:
    """The keys that open this server now."""
    rows = connection.execute("SELECT id, name, locked, digest FROM keys WHERE revoked IS NULL")
    return {row["id"].encode(): (row["digest"], Caller(row["id"], row["name"], bool(row["locked"]))) for row in rows}


def find(callers: Callers, key: bytes) -> Caller | None:
    """Whose key this is. A look-up by what would be its public id, then one comparison in constant time."""
    expected, caller = callers.get(key[ID_PLACE], _NOBODY)
    return caller if hmac.compare_digest(digest(key), expected) else None


def _record(row: sqlite3.Row) -> KeyRecord:
    return KeyRecord(row["id"], row["name"], bool(row["locked"]), row["created"], row["revoked"])
