"""The store's own thread: it writes what was recorded, and notices what another process changed.

Responsible for: one turn every 0.3 s, so that a key made or revoked by ``lockllm keys`` counts within a second.
Must never: let a full or broken disk reach traffic, or touch SQLite on the reactor's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from lockllm_twisted.logs import log
from lockllm_twisted.store import database, events
from lockllm_twisted.store.snapshot import Snapshot, load
from lockllm_twisted.threads import DaemonThreadPool
from lockllm_twisted.values import Exchange

TURN = 0.3

_PRUNED = 2000
"""Rows forgotten in one turn: some 10 ms, so that a big clean-up delays neither keys nor events."""


class Worker:
    """``changed`` is called on the reactor's thread with each new snapshot."""

    def __init__(
        self,
        directory: Path,
        reactor: IReactorTime,
        queue: events.EventQueue,
        keep_days: int,
        changed: Callable[[Snapshot], None],
    ) -> None:
        self.lost = 0
        self._directory = directory
        self._clock = reactor
        self._threads = IReactorFromThreads(reactor)
        self._queue = queue
        self._keep_days = keep_days
        self._changed = changed
        self._pool = DaemonThreadPool(0, 1, "lockllm-store")
        self._turns = LoopingCall(self._turn)
        self._turns.clock = reactor
        self._next_prune = reactor.seconds()
        self._failing = False
        # These belong to the thread.
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._pruning = False

    def start(self) -> None:
        """Begin, with the first turn a while from now: twistd may fork before that, and threads don't survive it."""
        self._pool.start()
        self._turns.start(TURN, now=False)

    def stop(self) -> Deferred[None]:
        """Write what waits, then end the thread. A turn under way ends first: there is only one thread."""
        self._turns.stop()
        batch = self._queue.take()
        done = deferToThreadPool(self._threads, self._pool, self._finish, batch)
        return done.addErrback(self._failed, len(batch)).addCallback(lambda _: self._pool.stop())

    def _turn(self) -> Deferred[None]:
        prune = self._clock.seconds() >= self._next_prune
        if prune:
            self._next_prune += events.DAY
        batch = self._queue.take()
        done = deferToThreadPool(self._threads, self._pool, self._work, batch, prune)
        return done.addCallbacks(self._worked, self._failed, errbackArgs=(len(batch),))

    def _worked(self, _: None) -> None:
        self._failing = False

    def _failed(self, failure: Failure, events_lost: int) -> None:
        """Tell the first failure of a row of them: the next turn may do better, and comes three times a second."""
        self.lost += events_lost
        if not self._failing:
            log.error("store: {error}; events are lost until this ends", error=failure.getErrorMessage())
        self._failing = True

    # From here on, in the thread.

    def _work(self, batch: Sequence[Exchange], prune: bool) -> None:
        if self._connection is None:
            self._connection = database.connect(self._directory)
            # "WAL mode with synchronous=NORMAL ... might lose durability across a power loss": only events are written.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        self._poll(self._connection)
        self._pruning = self._pruning or prune
        if self._pruning:
            self._pruning = events.prune(self._connection, self._keep_days, _PRUNED) == _PRUNED
        if batch:
            events.insert(self._connection, batch)

    def _poll(self, connection: sqlite3.Connection) -> None:
        """``data_version`` changes when another connection has committed, be it of another process."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            snapshot = load(connection, self._directory)
            self._version = version
            self._threads.callFromThread(self._changed, snapshot)

    def _finish(self, batch: Sequence[Exchange]) -> None:
        self._work(batch, prune=False)
        if self._connection is not None:
            self._connection.close()
