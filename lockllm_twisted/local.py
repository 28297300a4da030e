"""Answers that need no provider: a `LocalAnswer` sent the way a provider's would come.

Responsible for: looking like `upstream.UpstreamResponse` to the relay, chunk by chunk, pausing when asked.
Must never: open a connection.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall, IProtocol, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from zope.interface import implementer

from lockllm_twisted.hooks import LocalAnswer


@implementer(IPushProducer)
class LocalResponse:
    """The body of an answer, ``pause`` seconds between its chunks."""

    def __init__(self, answer: LocalAnswer, clock: IReactorTime) -> None:
        self.answer = answer
        self._clock = clock
        self._chunks = list(reversed(answer.chunks))
        self._protocol: IProtocol | None = None
        self._next: IDelayedCall | None = None

    def deliverBody(self, protocol: IProtocol) -> None:
        """Start sending."""
        self._protocol = protocol
        protocol.makeConnection(self)  # type: ignore[arg-type] # as in twisted.web: a push producer, no more
        self.resumeProducing()

    def pauseProducing(self) -> None:
        """Hold the next chunk."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def resumeProducing(self) -> None:
        """Go on."""
        if self._next is None and self._protocol is not None:
            self._next = self._clock.callLater(0, self._send)

    def stopProducing(self) -> None:
        """Send no more."""
        self.pauseProducing()
        self._protocol = None

    def _send(self) -> None:
        self._next = None
        protocol = self._protocol
        if protocol is None:
            return
        if not self._chunks:
            self._protocol = None
            protocol.connectionLost(Failure(ResponseDone()))
            return
        chunk = self._chunks.pop()
        self._next = self._clock.callLater(self.answer.pause if self._chunks else 0, self._send)
        protocol.dataReceived(chunk)
