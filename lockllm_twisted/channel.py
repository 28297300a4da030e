"""One connection: heads read strictly, bodies kept up to a limit, deadlines, and refusals that arrive.

Responsible for: what ends before a resource is asked. Heads that two servers could read in two ways, or that come too
slowly or too large, end here, with an answer that says why; so do callers without a key, before their body is read.
Must never: know a provider, a scanner, or what a body means.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal, Protocol, cast

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, HTTPChannel, parse_qs
from twisted.web.http_headers import Headers
from twisted.web.server import Request

from lockllm_twisted.answers import error_answer
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.head import MAX_HEAD, RequestHead, is_http2, parse_head, too_large
from lockllm_twisted.values import new_id
from lockllm_twisted.wire import HeaderPairs

if TYPE_CHECKING:
    from lockllm_twisted.site import ProxySite

LINGER = 2.0
"""Seconds to read on, and drop, after an answer that came before the end of a body. Closing at once resets the
connection, and the client never sees the answer (RFC 9112 §9.6; 10 of 12 clients)."""


class Gate(Protocol):
    """What the site asks of the resource before a body is read."""

    max_body: int

    def admit_early(self, request: Request) -> object:
        """Let a caller in by its head alone, or raise `LockLLMError`; what it returns is kept as ``admission``."""

    def refused(self, request: Request, error: LockLLMError, request_id: str) -> None:
        """Hear of a request that was answered here."""


class ProxyRequest(Request):
    """A request whose body is kept in memory up to a limit, and refused by its head alone where that is enough."""

    defaultContentType = None
    channel: Channel
    admission: object = None
    pairs: HeaderPairs = ()
    """The headers as they came; `requestHeaders` is made of them for whoever asks."""

    answer_pairs: list[tuple[bytes, bytes]]
    """The answer's headers, to be written as they stand; twisted.web's own `responseHeaders` go before them."""

    _headers: Headers | None = None

    @property
    def requestHeaders(self) -> Headers:
        """The headers as twisted.web knows them."""
        if self._headers is None:
            self._headers = Headers()
            for name, value in self.pairs:
                self._headers.addRawHeader(name, value)
        return self._headers

    @requestHeaders.setter
    def requestHeaders(self, headers: Headers) -> None:
        """twisted.web sets an empty one with each request."""

    def gotLength(self, length: int | None) -> None:
        """The head is complete."""
        self.content = io.BytesIO()
        gate = self.channel.gate
        try:
            if length is not None and length > gate.max_body:
                raise _too_large(gate.max_body)
            self.admission = gate.admit_early(self)
        except LockLLMError as error:
            if length == 0:
                return  # the resource says so itself, and the connection lives on
            self.channel.refuse(error, self)

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self.channel.refusing:
            return
        content = cast(io.BytesIO, self.content)
        if content.tell() + len(data) > self.channel.gate.max_body:
            self.channel.refuse(_too_large(self.channel.gate.max_body), self)
            return
        content.write(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The body is complete. A form is the provider's: it is not parsed here, whatever the Site says."""
        cast(io.BytesIO, self.content).seek(0)
        self.method, self.uri, self.clientproto = command, path, version
        self.path, _, query = path.partition(b"?")
        self.args = parse_qs(query, keep_blank_values=True) if query else {}
        self.process()

    def __repr__(self) -> str:
        """Without the query: Gemini's keys stand there."""
        return f"<{type(self).__name__} {self.method!r} {self.uri.partition(b'?')[0]!r}>"


class Channel(HTTPChannel):
    """One connection. HTTP/1.1 and 1.0 only; upgrades, HTTP/2 and ambiguous heads are refused.

    twisted.web reads a head line by line and goes on after a line that it refuses; here it is read at once, by `head`.
    Bodies, answers and backpressure are twisted.web's.
    """

    requestFactory = ProxyRequest
    site: ProxySite

    def __init__(self) -> None:
        super().__init__()
        self.refusing = False
        self._head = b""
        self._asked = False
        self._waiting_for: Literal["head", "body"] | None = None
        self._deadline: IDelayedCall | None = None

    @property
    def gate(self) -> Gate:
        """What decides about callers."""
        return self.site.gate

    @property
    def busy(self) -> bool:
        """A request is being received or answered."""
        return bool(self.requests)

    def connectionMade(self) -> None:
        """Be counted, so that a shutdown can wait for us."""
        super().connectionMade()
        self.site.channels.add(self)
        self._wait_for("head")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be gone."""
        self._wait_for(None)
        self.site.channels.discard(self)
        super().connectionLost(reason)
        self.site.lost()

    def dataReceived(self, data: bytes) -> None:
        """Take bytes; whatever is incomplete afterwards has a deadline that further bytes don't move."""
        if self.refusing:
            return
        self.resetTimeout()
        if self.requests:
            self.rawDataReceived(data)
        else:
            self._take_head(data)
        if self.refusing:
            return
        if not self.requests:
            self._wait_for("head" if self._head or not self._asked else None)
        else:
            self._wait_for(None if self._handlingRequest else "body")

    def setLineMode(self, extra: bytes = b"") -> None:
        """A request was answered; what came meanwhile is the next one."""
        if extra:
            self.dataReceived(extra)

    def _take_head(self, data: bytes) -> None:
        if not self.persistent:
            return  # this connection's last request was answered
        # RFC 9112 §2.2: "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line"
        self._head = (self._head + data).removeprefix(b"\r\n") if not self._head else self._head + data
        if is_http2(self._head):
            self.refusing = True
            self.loseConnection()
            return
        end = self._head.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            if len(self._head) > MAX_HEAD:
                self.refuse(too_large())
            return
        head, rest, self._head = self._head[:end], self._head[end + 4 :], b""
        try:
            parsed = parse_head(head)
        except BadRequest as error:
            self.refuse(error)
            return
        self._begin(parsed)
        if self.requests and not self.refusing:
            if parsed.length == 0:
                self._dataBuffer.append(rest)
                self.allContentReceived()
            elif rest:
                self.rawDataReceived(rest)

    def _begin(self, head: RequestHead) -> None:
        self._asked = True
        request = ProxyRequest(self)
        self.requests.append(request)
        request.pairs, request.answer_pairs = head.pairs, []
        request.method, request.uri, request.clientproto = head.method, head.target, head.version
        self._command, self._path, self._version = head.method, head.target, head.version
        self.persistent = int(head.persistent)
        if not head.persistent:
            request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        if head.length is None:
            self._maybeChooseTransferDecoder(b"Transfer-Encoding", b"chunked")
        elif head.length:
            self._maybeChooseTransferDecoder(b"Content-Length", b"%d" % head.length)
        self.length = head.length
        request.gotLength(head.length)
        if head.expects_continue and not self.refusing and head.length != 0:
            self._send100Continue()

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write an answer's head. A provider's names keep their case, and their order."""
        lines = [b"%b %b %b" % (version, code, reason)]
        lines += [name + b": " + value for name, values in headers.getAllRawHeaders() for value in values]
        lines += [name + b": " + value for name, value in self.requests[0].answer_pairs]
        lines += [b"", b""]
        self.write(b"\r\n".join(lines))

    def rawDataReceived(self, data: bytes) -> None:
        """A piece of body, or of the next request while this one is answered."""
        if not self.refusing:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        """Hand the request over."""
        if not self.refusing:
            super().allContentReceived()

    def refuse(self, error: LockLLMError, request: Request | None = None) -> None:
        """Answer in place of the resource, read on for a moment so that the answer arrives, and close."""
        if self.refusing:
            return
        self.refusing = True
        self.persistent = 0
        self._wait_for(None)
        request_id = new_id()
        status, headers, body = error_answer(error, request_id)
        lines = [b"HTTP/1.1 %d %s" % (status, RESPONSES.get(status, b"Error"))]
        lines += [name + b": " + value for name, value in headers]
        lines += [b"Connection: close", b"Content-Length: %d" % len(body), b"", b""]
        self.write(b"\r\n".join(lines) + body)
        if request is not None:
            self.gate.refused(request, error, request_id)
        self.setTimeout(None)
        self._deadline = self.site.reactor.callLater(LINGER, self._part)

    def _part(self) -> None:
        self._deadline = self.site.reactor.callLater(LINGER, self.forceAbortClient)
        self.loseConnection()

    def _wait_for(self, what: Literal["head", "body"] | None) -> None:
        """One absolute deadline at a time: for a head, then for a body; more bytes don't move it (slow loris)."""
        if what == self._waiting_for and not self.refusing:
            return
        self._waiting_for = what
        if self._deadline is not None:
            if self._deadline.active():
                self._deadline.cancel()
            self._deadline = None
        if what is not None:
            seconds = self.site.head_timeout if what == "head" else self.site.body_timeout
            self._deadline = self.site.reactor.callLater(seconds, self._too_slow, what)

    def _too_slow(self, what: str) -> None:
        self._deadline = None
        if not self.requests and not self._head:
            self.loseConnection()  # it has said nothing: there is nobody to answer
            return
        self.refuse(BadRequest(f"The request's {what} did not come in time.", code="request_timeout", status=408))

    def _respondToBadRequestAndDisconnect(self) -> None:
        """A chunk is malformed; twisted.web's own 400 has no body to say so."""
        self.refuse(BadRequest("The chunked body is malformed.", code="malformed_request"))


def _too_large(limit: int) -> LockLLMError:
    return BadRequest(
        f"The body is larger than this server's limit of {limit} bytes.", code="body_too_large", status=413
    )
