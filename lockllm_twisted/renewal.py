"""A value that expires, such as a token: made in a thread, once for all who wait, and anew before its end.

Responsible for: one call of ``make`` at a time; a caller who leaves does not end it for the others.
Must never: block the reactor, or let a value reach the log.

A provider plugin that fetches its credential needs exactly this (`AuthorizingProvider.authorize`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, Literal, TypeVar, cast

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.logs import log

State = Literal["fresh", "stale", "expired"]
"""``stale`` still serves, while it is made anew behind the callers' backs."""

RETRY_SECONDS = 30.0
"""After a renewal that failed, a stale value serves for so long before the next attempt."""

_T = TypeVar("_T")


def in_daemon_thread(function: Callable[[], _T]) -> Deferred[_T]:
    """What ``function`` returns, from a thread of its own, which ends with the process.

    Twisted's pool is waited for at the end: a library that waits for minutes for a network would hold up the shutdown.
    """
    from twisted.internet import reactor  # noqa: PLC0415 # importing it installs it

    done: Deferred[_T] = Deferred()

    def run() -> None:
        try:
            result: _T | Failure = function()
        except BaseException:  # noqa: BLE001 # whatever it is, it is told to who waits
            result = Failure()
        cast(Any, reactor).callFromThread(done.callback, result)

    threading.Thread(target=run, daemon=True, name="lockllm-renewal").start()
    return done


class Renewed(Generic[_T]):
    """What ``make``, which may block, returns. ``state`` tells its age at once; it is asked on every `get`.

    ``in_thread`` runs a function off the reactor thread, and ``clock`` tells seconds.
    """

    def __init__(
        self,
        make: Callable[[], _T],
        state: Callable[[_T], State],
        *,
        in_thread: Callable[[Callable[[], _T]], Deferred[_T]] = in_daemon_thread,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._state = make, state
        self._in_thread, self._clock = in_thread, clock
        self._held: tuple[_T, ...] = ()
        self._waiting: list[Deferred[_T]] = []
        self._busy = False
        self._retry_at = 0.0

    def get(self) -> Deferred[_T]:
        """The value, at once where there is one. Fails with what ``make`` raised."""
        state = self._state(self._held[0]) if self._held else "expired"
        if state == "expired":
            waiter: Deferred[_T] = Deferred(self._waiting.remove)
            self._waiting.append(waiter)
            self._begin()
            return waiter
        if state == "stale" and self._clock() >= self._retry_at:
            self._begin()
        return succeed(self._held[0])

    def _begin(self) -> None:
        if not self._busy:
            self._busy = True
            self._in_thread(self._make).addCallbacks(self._made, self._failed)

    def _made(self, value: _T) -> None:
        self._held = (value,)
        for waiter in self._ended():
            waiter.callback(value)

    def _failed(self, failure: Failure) -> None:
        self._retry_at = self._clock() + RETRY_SECONDS
        error = failure.value
        reason = error.message if isinstance(error, LockLLMError) else type(error).__name__
        log.warn("a credential could not be renewed: {reason}", reason=reason)
        for waiter in self._ended():
            waiter.errback(failure)

    def _ended(self) -> list[Deferred[_T]]:
        self._busy = False
        waiting, self._waiting = self._waiting, []
        return waiting
