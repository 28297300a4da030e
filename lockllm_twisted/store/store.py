"""The store as others see it: one object for the command line and for the service.

Responsible for: look-ups in memory for requests, and the same file for operators.
Must never: touch SQLite while a request waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lockllm_twisted import allowlist
from lockllm_twisted.allowlist import AllowList
from lockllm_twisted.store import allowed, callers, credentials, database, events, snapshot
from lockllm_twisted.store.allowed import AllowedText
from lockllm_twisted.store.callers import KeyRecord
from lockllm_twisted.store.credentials import StoredProviderKey
from lockllm_twisted.values import Caller, Exchange, Passage

if TYPE_CHECKING:
    import sqlite3

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IReactorTime

    from lockllm_twisted.store.worker import Worker


class Store:
    """One state directory. No file is open but while something is read or written, so a process may fork at any time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._queue = events.EventQueue()
        self._worker: Worker | None = None
        with self._connected() as connection:
            self._snapshot = snapshot.load(connection, directory)

    @classmethod
    def open(cls, directory: str | Path) -> Self:
        """Open the store, and make it where there is none. Raises `SettingsError` where that is not possible."""
        directory = Path(directory)
        database.prepare(directory)
        return cls(directory)

    # For the service. None of these touches the file on the caller's thread.

    def start(self, reactor: IReactorTime, *, keep_events_days: int = 30) -> Deferred[None]:
        """Start to write events and to follow other processes' changes, in a thread. The reactor must take threads.

        Fails with `SettingsError` where a stored provider key can't be opened: requests that need it would all fail.
        """
        from twisted.internet.defer import fail, succeed  # noqa: PLC0415 # 200 ms of Twisted that no command needs

        from lockllm_twisted.store.worker import Worker  # noqa: PLC0415 # as above

        if self._snapshot.problem is not None:
            return fail(self._snapshot.problem)
        self._worker = Worker(self._directory, reactor, self._queue, keep_events_days, self._changed)
        self._worker.start()
        return succeed(None)

    def stop(self) -> Deferred[None]:
        """Write the events that wait, and end the thread. Once, after `start`."""
        assert self._worker is not None
        return self._worker.stop()

    def caller(self, key: bytes) -> Caller | None:
        """Whose LockLLM key this is; ``None`` for a revoked one, and for anything else."""
        return callers.find(self._snapshot.callers, key)

    def provider_key(self, slug: str) -> str | None:
        """The stored key of a provider. What `configured_keys` found goes before it."""
        return self._snapshot.provider_keys.get(slug)

    def allowed(self) -> AllowList:
        """The allow list as it is now."""
        return self._snapshot.allowed

    def digest(self, passage: Passage) -> str:
        """What an event keeps of a text: enough to know it again, and nothing to guess it from."""
        return allowlist.digest(self._snapshot.allowed.secret, passage)

    def record(self, exchange: Exchange) -> None:
        """Remember an exchange. Written soon; dropped and counted where the disk can't keep up."""
        if not self._queue.put(exchange) and self._queue.dropped == 1:
            from lockllm_twisted.logs import log  # noqa: PLC0415 # as in start

            log.error("store: the disk can't keep up: events are dropped, which is not told again")

    @property
    def lost_events(self) -> int:
        """How many exchanges were recorded and could not be kept."""
        return self._queue.dropped + (0 if self._worker is None else self._worker.lost)

    def _changed(self, new: snapshot.Snapshot) -> None:
        self._snapshot = new

    # For the command line, and for a service that has not begun: these read and write the file at once.

    def create_key(self, name: str, *, locked: bool = False) -> tuple[KeyRecord, str]:
        """Make a LockLLM key. The key itself is in this answer only. A ``locked`` one may not loosen a setting."""
        with self._changing() as connection:
            return callers.create(connection, name, locked=locked)

    def keys(self) -> list[KeyRecord]:
        """All LockLLM keys, revoked ones too, the oldest first."""
        with self._connected() as connection:
            return callers.records(connection)

    def revoke_key(self, id_or_name: str) -> KeyRecord:
        """End a key, told by its id, by its name, or by itself. Raises `NotFound`, or `BadRequest` for a shared name."""
        with self._changing() as connection:
            return callers.revoke(connection, id_or_name)

    def set_provider_key(self, slug: str, key: str) -> None:
        """Keep a provider's key, sealed. Raises `SettingsError` for what can't be one."""
        with self._changing() as connection:
            credentials.put(connection, self._directory, slug, key)

    def remove_provider_key(self, slug: str) -> None:
        """Forget a provider's key. Raises `NotFound`."""
        with self._changing() as connection:
            credentials.remove(connection, slug)

    def provider_keys(self) -> list[StoredProviderKey]:
        """What may be told of the stored keys."""
        with self._connected() as connection:
            return credentials.told(connection)

    def allow(self, exchange: str) -> list[AllowedText]:
        """Allow the texts of an exchange in which something was found; tells what is new.

        Raises `NotFound` for an exchange that is not kept, and `BadRequest` for one in which nothing was found.
        """
        with self._changing() as connection:
            return allowed.add(connection, exchange)

    def disallow(self, exchange: str) -> list[AllowedText]:
        """Take back what was allowed because of an exchange. Raises `NotFound`."""
        with self._changing() as connection:
            return allowed.remove(connection, exchange)

    def allowed_texts(self) -> list[AllowedText]:
        """All that is allowed, the oldest first."""
        with self._connected() as connection:
            return allowed.listed(connection)

    def events(self, *, limit: int = 20) -> list[dict[str, Any]]:
        """The last exchanges, the newest first, as dictionaries with the fields of `Exchange`."""
        with self._connected() as connection:
            return events.latest(connection, limit)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with database.told(self._directory), closing(database.connect(self._directory)) as connection:
            yield connection

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._connected() as connection:
            yield connection
            self._snapshot = snapshot.load(connection, self._directory)
