"""A deadline that is cheap to move: most are moved with every request or piece, and nearly none is ever met.

Responsible for: one timer for all the waits of one connection, one wait at a time.
Must never: fire early, or keep anything alive after `stop`.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Deadline:
    """At most one wait. Moving it stores a number; the reactor's timer is only touched where it would come too late.

    A reactor's own ``callLater`` and ``cancel`` cost ten times as much, and cancelled calls pile up until their time.
    """

    __slots__ = ("_armed", "_at", "_call", "_clock", "_missed", "_over")

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._at: float | None = None
        self._missed: Callable[[], object] = _nothing
        self._armed = 0.0
        self._call: IDelayedCall | None = None
        self._over = False

    def set(self, seconds: float, missed: Callable[[], object]) -> None:
        """Call ``missed`` in so many seconds; whatever was set before is forgotten."""
        if self._over:
            return
        self._missed = missed
        self._at = at = self._clock.seconds() + seconds
        if self._call is None:
            self._armed = at
            self._call = self._clock.callLater(seconds, self._fired)
        elif at < self._armed:
            self._armed = at
            self._call.reset(seconds)

    def clear(self) -> None:
        """Wait for nothing."""
        self._at = None
        self._missed = _nothing

    def stop(self) -> None:
        """Wait for nothing, ever again."""
        self._over = True
        self.clear()
        if self._call is not None:
            call, self._call = self._call, None
            call.cancel()

    def _fired(self) -> None:
        self._call = None
        if self._at is None:
            return
        left = self._at - self._clock.seconds()
        if left > 0:
            self._armed = self._at
            self._call = self._clock.callLater(left, self._fired)
            return
        missed = self._missed
        self.clear()
        missed()


def _nothing() -> None:
    """What happens where nothing is waited for."""
