"""Carrying an answer: bytes from the provider to the client as they come, with backpressure, to one of three ends.

Responsible for: the body's way, the watchdog, and an honest end. ``done``: finished as the provider finished. ``cut``:
the provider broke off, or fell silent; the client's connection is broken too, so that a cut answer looks cut.
``gone``: the client left; the provider's connection is aborted at once.
Must never: hold a byte back, look at it, or finish what was not finished.
"""

from __future__ import annotations

from typing import Literal, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from lockllm_twisted.client import Client

End = Literal["done", "cut", "gone"]


@implementer(IPushProducer)
class Relay(Protocol):
    """The body's protocol at the provider's side, and the producer at the client's.

    ``done`` fires with how it ended. Nothing here finishes or breaks the client's connection.
    """

    def __init__(self, client: Client, idle_timeout: float) -> None:
        self.done: Deferred[End] = Deferred(lambda _: self.leave())
        self.sent = 0
        self._client = client
        self._idle_timeout = idle_timeout
        self._end: End | None = None

    def connectionMade(self) -> None:
        """Start: the client's side may pause us from now on."""
        self._progress()
        self._client.attach(self)

    def dataReceived(self, data: bytes) -> None:
        """Pass a piece on."""
        if self._end is not None:
            return
        self._progress()
        self.sent += len(data)
        self._client.write(data)

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
        self._client.deadline.set(self._idle_timeout, self._silent)

    def _silent(self) -> None:
        """Nothing came, or nothing was taken, for the whole idle time-out."""
        self._ended("cut")
        self._source.stopProducing()

    def _ended(self, end: End) -> None:
        if self._end is not None:
            return
        self._end = end
        self._client.deadline.clear()
        if end != "gone" and not self._client.gone:
            self._client.detach()
        self.done.callback(end)
