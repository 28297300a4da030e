"""One connection to a provider: one request at a time, written with backpressure, its answer handed on as it comes.

Responsible for: the bytes of a request, the life of one exchange, and saying truthfully how it ended.
Must never: reuse a connection whose answer was not complete to the byte, or look at a body.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IConsumer, IPullProducer, IPushProducer, IReactorTime, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse
from zope.interface import implementer

from lockllm_twisted.deadline import Deadline
from lockllm_twisted.sending import send, without_delay
from lockllm_twisted.upstream.parser import Head, ProtocolError, ResponseParser

if TYPE_CHECKING:
    from twisted.internet.interfaces import IProtocol

_SLICE = 65536
"""Bytes of a request body handed to the transport at once: Twisted's own write buffer limit."""


class NothingReceived(Exception):
    """The connection died before a byte of the answer. ``reused``: it had carried an earlier request."""

    def __init__(self, reason: Failure, *, reused: bool) -> None:
        super().__init__(reason.getErrorMessage())
        self.reason = reason
        self.reused = reused


@implementer(IResponse, IPushProducer)
class UpstreamResponse:
    """An answer whose head has come and whose body comes now: `twisted.web.iweb.IResponse`, with the raw pairs.

    The connection is paused until `deliverBody`. The body's protocol gets ``connectionLost`` with `ResponseDone`,
    `PotentialDataLoss` (framed by the connection's end: nobody can know) or `ResponseFailed` (cut). Its transport is
    this object: `stopProducing` aborts the connection at once. ``delivered``: somebody takes the body.
    """

    request = None
    previousResponse = None

    def __init__(self, head: Head, connection: Connection) -> None:
        self.head = head
        self.code = head.status
        self.phrase = head.phrase
        self.version = (b"HTTP", 1, int(head.version[-1:]))
        self.length = UNKNOWN_LENGTH if head.length is None else head.length
        self._connection = connection
        self.delivered = False
        self._protocol: IProtocol | None = None
        self._early: list[bytes] = []
        self._ended: Failure | None = None

    @property
    def complete(self) -> bool:
        """All of the body has come, or no more of it will."""
        return self._ended is not None

    @property
    def headers(self) -> Headers:
        """The headers as treq and twisted.web know them; the relay takes ``head.fields``."""
        headers = Headers()
        for name, value in self.head.fields.pairs:
            headers.addRawHeader(name, value)
        return headers

    def setPreviousResponse(self, response: object) -> None:
        """Nothing is ever redirected here."""
        raise NotImplementedError

    def whole(self) -> bytes | None:
        """The body, where all of it is here, to be taken in place of `deliverBody`."""
        if self.delivered or (self._ended is not _DONE and self._ended is not _UNSURE):
            return None
        self.delivered = True
        return b"".join(self._early)

    def deliverBody(self, protocol: IProtocol) -> None:
        """Hand the body to a protocol, from now on; may be called once."""
        if self.delivered:
            raise RuntimeError("this body was delivered already")
        self.delivered = True
        self._protocol = protocol
        protocol.makeConnection(self)  # type: ignore[arg-type] # as in twisted.web: a push producer, no more
        early, self._early = self._early, []
        for piece in early:
            protocol.dataReceived(piece)
        if self._ended is not None:
            self.ended(self._ended)
        else:
            self._connection.resume()

    def pauseProducing(self) -> None:
        """Stop reading from the provider."""
        if self._ended is None:
            self._connection.pause()

    def resumeProducing(self) -> None:
        """Read on."""
        if self._ended is None:
            self._connection.resume()

    def stopProducing(self) -> None:
        """Abort the connection; the protocol hears `ResponseFailed`."""
        if self._ended is None:
            self._connection.abort()

    def took(self, piece: bytes) -> None:
        """A piece of body came."""
        if self._protocol is not None:
            self._protocol.dataReceived(piece)
        else:
            self._early.append(piece)

    def ended(self, reason: Failure) -> None:
        """The body ended, one way or another."""
        self._ended = reason
        if self._protocol is not None:
            protocol, self._protocol = self._protocol, None
            protocol.connectionLost(reason)


_DONE = Failure(ResponseDone("Response body fully received"))
_UNSURE = Failure(PotentialDataLoss())


@implementer(IPullProducer)
class _Body:
    """A request body, written slice by slice as the transport asks for it."""

    def __init__(self, body: bytes, transport: ITransport) -> None:
        self.left = memoryview(body)
        self._consumer = IConsumer(transport)

    def resumeProducing(self) -> None:
        piece, self.left = self.left[:_SLICE], self.left[_SLICE:]
        self._consumer.write(bytes(piece))
        if not self.left:
            self._consumer.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is gone; it says so itself."""


class Connection(Protocol):
    """A connection of one origin. ``on_idle(connection)`` when it may be used again, ``on_lost`` when it is gone.

    ``deadline`` is the pool's, for the time between two requests.
    """

    def __init__(
        self,
        clock: IReactorTime,
        on_idle: Callable[[Connection], object],
        on_lost: Callable[[Connection], object],
    ) -> None:
        self.deadline = Deadline(clock)
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._parser: ResponseParser | None = None
        self._waiting: Deferred[UpstreamResponse] | None = None
        self._response: UpstreamResponse | None = None
        self._served = 0
        self._heard = False
        self._failed = False
        self._paused = False
        self._body: _Body | None = None
        self.gone = False

    def connectionMade(self) -> None:
        """Small requests leave at once."""
        assert self.transport is not None
        without_delay(self.transport)

    def send(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes | None
    ) -> Deferred[UpstreamResponse]:
        """Write a request. ``headers`` are the whole list but for framing; ``body`` None: the client sent none.

        The result fails with `NothingReceived` or `ProtocolError`. Cancelling it aborts the connection.
        """
        head = [b"%b %b HTTP/1.1" % (method, target)]
        head += map(b": ".join, headers)
        if body is not None:
            head.append(b"Content-Length: %d" % len(body))
        head += (b"", b"")
        transport = self.transport
        assert transport is not None
        self._heard = False
        self._body = None
        self._parser = ResponseParser(method, self._got_head, self._got_data, self._got_end)
        waiting: Deferred[UpstreamResponse] = Deferred(self._cancelled)
        self._waiting = waiting
        if body is not None and len(body) > _SLICE:
            transport.write(b"\r\n".join(head))
            self._body = _Body(body, transport)
            IConsumer(transport).registerProducer(self._body, False)
        else:
            send(transport, b"\r\n".join(head) + (body or b""))
        return waiting

    def pause(self) -> None:
        """Stop reading; what was read already is still handed on."""
        if not (self.gone or self._paused):
            self._paused = True
            self.transport.pauseProducing()  # type: ignore[union-attr] # every TCP and TLS transport is a push producer

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self.gone:
            self._paused = False
            self.transport.resumeProducing()  # type: ignore[union-attr] # as above

    def abort(self) -> None:
        """End the connection now, without a farewell: ``loseConnection`` over TLS would wait for the peer's."""
        if not self.gone:
            self.transport.abortConnection()  # type: ignore[union-attr] # as every TCP and TLS transport does

    def dataReceived(self, data: bytes) -> None:
        """Feed the parser; bytes that nobody asked for end the connection.

        Whoever waits for the answer gets it with all that came in the same piece, so that it can leave in one as well.
        """
        parser = self._parser
        if parser is None or self._failed:
            self.abort()
            return
        self._heard = True
        try:
            parser.feed(data)
        except ProtocolError:
            self._fail(Failure())
            self.abort()
        response, waiting = self._response, self._waiting
        if parser.done:
            self._finish()
        if response is not None and waiting is not None:
            self._waiting = None
            waiting.callback(response)
            if not response.delivered and not response.complete:
                self.pause()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever waits how it ended."""
        self.gone = True
        self.deadline.stop()
        self._on_lost(self)
        if self._parser is None or self._failed:
            return
        if not self._heard:
            self._fail(Failure(NothingReceived(reason, reused=self._served > 0)))
            return
        # Only a clean end (FIN, or TLS close_notify) may end a body that the connection's end frames.
        if not reason.check(ConnectionDone):
            self._fail(Failure(ProtocolError("the connection was reset inside the answer")))
            return
        try:
            self._parser.eof()
        except ProtocolError:
            self._fail(Failure())

    def _cancelled(self, _: object) -> None:
        self._waiting = None
        self.abort()

    def _got_head(self, head: Head) -> None:
        self._response = UpstreamResponse(head, self)

    def _got_data(self, piece: bytes) -> None:
        if self._response is not None:
            self._response.took(piece)

    def _got_end(self) -> None:
        if self._response is not None and self._parser is not None and self._parser.head is not None:
            self._response.ended(_UNSURE if self._parser.head.framing == "close" else _DONE)

    def _finish(self) -> None:
        parser, self._parser, self._response = self._parser, None, None
        assert parser is not None
        assert parser.head is not None
        self._served += 1
        if self.gone:
            return
        # An answer may come before the whole request has left: what is left of it would corrupt the next one.
        if parser.head.reusable and not parser.leftover and not (self._body and self._body.left):
            self.resume()
            self._on_idle(self)
        else:
            self.abort()

    def _fail(self, failure: Failure) -> None:
        self._failed = True
        if self._response is not None:
            self._response.ended(Failure(ResponseFailed([failure])))
        elif self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.errback(failure)
