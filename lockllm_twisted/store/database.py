"""The SQLite file: where it is, who may read it, its tables.

Responsible for: the state directory, connections, migrations, and words for what goes wrong with them.
Must never: know what the rows mean.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from lockllm_twisted.errors import SettingsError

FILE = "lockllm.sqlite3"

_BUSY_SECONDS = 5.0
"""Another process writes for milliseconds; only one that hangs holds the file for this long."""

_MIGRATIONS = (
    """
    CREATE TABLE keys (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, digest BLOB NOT NULL, locked INTEGER NOT NULL,
        created REAL NOT NULL, revoked REAL
    );
    CREATE TABLE provider_keys (
        slug TEXT PRIMARY KEY, sealed BLOB NOT NULL, last4 TEXT NOT NULL, created REAL NOT NULL
    );
    CREATE TABLE events (
        "id" TEXT, "time" REAL, "caller" TEXT, "provider" TEXT, "method" TEXT, "path" TEXT, "model" TEXT,
        "action" TEXT, "score" REAL, "category" TEXT, "rule" TEXT, "where" TEXT, "coverage" TEXT, "status" INTEGER,
        "code" TEXT, "request_bytes" INTEGER, "response_bytes" INTEGER, "scan_seconds" REAL, "seconds" REAL,
        "ending" TEXT, "findings" TEXT, "text" TEXT
    );
    CREATE INDEX events_by_time ON events ("time");
    """,
    """
    CREATE TABLE allowed (
        digest TEXT NOT NULL, scanner TEXT NOT NULL, category TEXT NOT NULL, origin TEXT NOT NULL,
        exchange TEXT NOT NULL, created REAL NOT NULL, PRIMARY KEY (digest, scanner, category)
    );
    """,
)
"""One script per version of the file, told by ``PRAGMA user_version``. No STRICT tables: RHEL 9 has SQLite 3.34."""


def state_directory(chosen: Path | None = None) -> Path:
    """The directory that was chosen, or ``$LOCKLLM_STATE``, or the place that XDG names for state."""
    if chosen is not None:
        return chosen
    if place := os.environ.get("LOCKLLM_STATE"):
        return Path(place)
    base = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(base):  # noqa: PTH117 # XDG: "All paths ... must be absolute. [Otherwise] ignore it."
        return Path(base) / "lockllm"
    try:
        return Path("~/.local/state/lockllm").expanduser()
    except RuntimeError:  # a container's user of whom nothing is known
        raise SettingsError(
            "There is no home directory to keep state in. Choose one with --state or LOCKLLM_STATE."
        ) from None


def prepare(directory: Path) -> None:
    """Make the directory and the file, and bring the file's tables up to date."""
    with told(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its -wal and -shm files the mode of the file itself.
        os.close(os.open(directory / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with locked(directory), closing(connect(directory)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > len(_MIGRATIONS):
                raise SettingsError(
                    f"{directory / FILE}: a newer version of this software made this file: use that one."
                )
            for number, script in enumerate(_MIGRATIONS[version:], version + 1):
                connection.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT")


def connect(directory: Path) -> sqlite3.Connection:
    """A connection for the thread that asks for it. Statements outside a `transaction` commit by themselves."""
    connection = sqlite3.connect(directory / FILE, timeout=_BUSY_SECONDS, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # after a full disk SQLite has rolled back by itself
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One process at a time: two that start together would both make the tables, or both make the key file."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def told(directory: Path) -> Iterator[None]:
    """Turn what the disk and SQLite say into a sentence for the operator."""
    try:
        yield
    except OSError as problem:
        raise SettingsError(
            f"The state directory {directory} can't be used: {problem.strerror}. "
            "Choose another with --state or LOCKLLM_STATE."
        ) from problem
    except sqlite3.Error as problem:
        broken = not isinstance(problem, sqlite3.OperationalError)
        hint = " Restore the file, or move it away: a new one is made, without keys." if broken else ""
        raise SettingsError(f"{directory / FILE}: {problem}.{hint}") from problem
