"""A request in somebody else's twisted.web Site, as a `Client`.

Responsible for: the same words over a twisted.web Request. Its Site has read the head and the body by its own rules, and
writes names of headers in its own case.
Must never: be used for our own connections; `turn` is leaner, and exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IPushProducer, IReactorTime, ITCPTransport
from twisted.web.server import Request

from lockllm_twisted.deadline import Deadline
from lockllm_twisted.door import Entry
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.wire import Fields, HeaderPairs, raw_tail

_FLUSH = 10.0
"""Seconds that a client has to take what was written before a cut."""


class SiteClient:
    """A `Client` on a twisted.web Request."""

    def __init__(self, request: Request, clock: IReactorTime, *, max_body: int) -> None:
        assert request.content is not None  # twisted.web sets it before it renders
        self.method: bytes = request.method
        self.target: bytes = request.uri
        self.depth = len(request.prepath or ())
        self.tail = raw_tail(self.target, self.depth)
        self.fields = Fields(
            [(name, value) for name, values in request.requestHeaders.getAllRawHeaders() for value in values]
        )
        self.body: bytes = request.content.read()
        self.entry: Entry | None = None
        self.problem: LockLLMError | None = None
        if len(self.body) > max_body:  # this Site has read it all; here its size is first known
            self.problem = BadRequest(
                f"The body is larger than this server's limit of {max_body} bytes.", code="body_too_large", status=413
            )
        self.deadline = Deadline(clock)
        self.gone = False
        self.begun = False
        self.on_gone: Callable[[], object] = lambda: None
        self._request = request
        request.defaultContentType = None  # a provider's answer without a type has none
        request.notifyFinish().addBoth(self._ended)

    def begin(self, status: int, phrase: bytes, headers: HeaderPairs, length: int | None) -> None:
        """Set the head."""
        self.begun = True
        request = self._request
        request.setResponseCode(status, phrase)
        out = request.responseHeaders
        out.removeHeader(b"server")
        out.removeHeader(b"date")
        for name, value in headers:
            out.addRawHeader(name, value)
        if length is not None:
            out.setRawHeaders(b"content-length", [b"%d" % length])

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        if not self.gone and self.method != b"HEAD":
            self._request.write(data)

    def flush(self) -> None:
        """The head: twisted.web sends it with the first write."""
        if not self.gone:
            self._request.write(b"")

    def finish(self) -> None:
        """The end."""
        if not self.gone:
            self._request.finish()

    def cut(self) -> None:
        """Break the connection; see `turn.Turn.cut`. Over HTTP/2 the stream is reset."""
        channel = self._request.channel
        if self.gone or channel is None:
            return
        self.flush()
        if self._request.clientproto == b"HTTP/2" or not (
            self._request.clientproto == b"HTTP/1.1" or self._request.responseHeaders.hasHeader(b"content-length")
        ):
            self._abort()
            return
        self.deadline.set(_FLUSH, self._abort)
        self._request.loseConnection()

    def attach(self, producer: IPushProducer) -> None:
        """Pause and resume it with the connection's buffer."""
        if not self.gone:
            self._request.registerProducer(producer, True)

    def detach(self) -> None:
        """Forget the producer."""
        if not self.gone:
            self._request.unregisterProducer()

    def _abort(self) -> None:
        channel = self._request.channel
        if channel is None:
            return
        if self._request.clientproto == b"HTTP/2":
            channel.abortConnection()  # type: ignore[attr-defined] # H2Stream's, which alone speaks this version
        else:
            cast(ITCPTransport, channel.transport).abortConnection()

    def _ended(self, result: object) -> None:
        """twisted.web's word for both ends: ``None`` for a finished answer, a failure for a client that left."""
        self.deadline.stop()
        if result is not None:
            self.gone = True
            self.on_gone()
