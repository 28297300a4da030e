"""Carrying an answer: bytes from the provider to the client as they come, with backpressure, to one of three ends.

Responsible for: the body's way, the watchdog, and an honest end. ``done``: finished as the provider finished. ``cut``:
the provider broke off, or fell silent; the client's connection is broken too, so that a cut answer looks cut.
``gone``: the client left; the provider's connection is aborted at once.
Must never: hold a byte back, look at it, or finish what was not finished.
"""

from __future__ import annotations

from typing import Literal, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, ITCPTransport, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.server import Request
from zope.interface import implementer

End = Literal["done", "cut", "gone"]

_FLUSH = 10.0
"""Seconds that a client has to take what was written before a cut."""


@implementer(IPushProducer)
class Relay(Protocol):
    """The body's protocol at the provider's side, and the producer at the client's.

    ``done`` fires with how it ended. Nothing here finishes or breaks the client's connection: `cut` does the latter.
    """

    def __init__(self, request: Request, clock: IReactorTime, idle_timeout: float) -> None:
        self.done: Deferred[End] = Deferred(lambda _: self.leave())
        self.sent = 0
        self._request = request
        self._clock = clock
        self._idle_timeout = idle_timeout
        self._watchdog: IDelayedCall | None = None
        self._end: End | None = None

    def connectionMade(self) -> None:
        """Start: the client's side may pause us from now on."""
        self._request.registerProducer(self, True)
        self._watchdog = self._clock.callLater(self._idle_timeout, self._silent)

    def dataReceived(self, data: bytes) -> None:
        """Pass a piece on."""
        if self._end is not None:
            return
        self._progress()
        self.sent += len(data)
        self._request.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The provider's side ended."""
        self._ended("done" if reason.check(ResponseDone, PotentialDataLoss) else "cut")

    def pauseProducing(self) -> None:
        """The client reads slower than the provider writes."""
        self._source.pauseProducing()

    def resumeProducing(self) -> None:
        """The client has caught up, which is progress as well."""
        if self._end is None:
            self._progress()
            self._source.resumeProducing()

    def stopProducing(self) -> None:
        """The client's connection is gone."""
        self.leave()

    def leave(self) -> None:
        """The client left: stop the provider at once."""
        if self._end is None:
            self._ended("gone")
            self._source.stopProducing()

    @property
    def _source(self) -> IPushProducer:
        return cast(IPushProducer, cast(ITransport, self.transport))

    def _progress(self) -> None:
        if self._watchdog is not None:
            self._watchdog.reset(self._idle_timeout)

    def _silent(self) -> None:
        """Nothing came, or nothing was taken, for the whole idle time-out."""
        self._watchdog = None
        self._ended("cut")
        self._source.stopProducing()

    def _ended(self, end: End) -> None:
        if self._end is not None:
            return
        self._end = end
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None
        if self._request.channel is not None and end != "gone":
            self._request.unregisterProducer()
        self.done.callback(end)


def cut(request: Request, clock: IReactorTime) -> None:
    """Break the client's connection so that the answer looks as incomplete as it is.

    What was written leaves; the last chunk, or the missing bytes, never come. An HTTP/1.0 answer without a length, which
    the connection's end would complete, is reset.
    """
    channel = request.channel
    if channel is None:
        return
    transport = cast(ITCPTransport, channel.transport)  # unix sockets and TLS abort just the same
    if request.clientproto == b"HTTP/1.1" or request.responseHeaders.hasHeader(b"content-length"):
        # A client that takes nothing would keep the connection open for what it was sent.
        flush = clock.callLater(_FLUSH, transport.abortConnection)
        request.notifyFinish().addErrback(lambda _: flush.cancel() if flush.active() else None)
        request.loseConnection()
    else:
        transport.abortConnection()
