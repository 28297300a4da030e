"""The listening side: twisted.web's server with the limits, deadlines and refusals that a guard needs.

Responsible for: one connection. Heads that two servers could read in two ways, or that come too slowly or too large,
end here, with an answer that says why; so do callers without a key, before their body is read.
Must never: know a provider, a scanner, or what a body means.
"""

from __future__ import annotations

import io
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from lockllm_twisted.answers import error_answer
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.values import new_id
from lockllm_twisted.wire import tokens

MAX_HEAD = 65536
"""Bytes of a request's head. Cloud tokens take 4 KB a header, and cookies more; nginx allows 32 KB, Node 16 KB."""

MAX_HEADERS = 200
"""SDKs send 10 to 25 header lines; a browser with its client hints about 40."""

KEEP_ALIVE = 75.0
"""Seconds that a connection may idle between requests: nginx's default, above every SDK's own."""

LINGER = 2.0
"""Seconds to read on, and drop, after an answer that came before the end of a body. Closing at once resets the
connection, and the client never sees the answer (RFC 9112 §9.6; 10 of 12 clients, ENGINEERING §3)."""

_METHODS = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"QUERY"))


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

    def gotLength(self, length: int | None) -> None:
        """The head is complete."""
        self.content = io.BytesIO()
        gate = self.channel.gate
        try:
            if length is not None and length > gate.max_body:
                raise _too_large(gate.max_body)
            self.method, self.uri = self.channel._command, self.channel._path  # noqa: SLF001 # not yet handed over
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

    def parseCookies(self) -> None:
        """Cookies are the provider's: nobody here reads them."""

    def __repr__(self) -> str:
        """Without the query: Gemini's keys stand there."""
        return f"<{type(self).__name__} {self.method!r} {self.uri.partition(b'?')[0]!r}>"


class Channel(HTTPChannel):
    """One connection. HTTP/1.1 and 1.0 only; upgrades, HTTP/2 and ambiguous heads are refused."""

    totalHeadersSize = MAX_HEAD
    maxHeaders = MAX_HEADERS
    MAX_LENGTH = MAX_HEAD
    requestFactory = ProxyRequest
    site: ProxySite

    def __init__(self) -> None:
        super().__init__()
        self.refusing = False
        self._in_head = False
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

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be gone."""
        self._set_deadline(None)
        self.site.channels.discard(self)
        super().connectionLost(reason)
        self.site.lost()

    def dataReceived(self, data: bytes) -> None:
        """Feed the parser; whatever is incomplete afterwards has a deadline that further bytes don't move."""
        if self.refusing:
            return
        super().dataReceived(data)
        if self.refusing or self._handlingRequest:
            self._set_deadline(None)
        elif self._in_head or self._buffer:
            self._set_deadline("head")
        elif self.requests:
            self._set_deadline("body")
        else:
            self._set_deadline(None)

    def lineReceived(self, line: bytes) -> None:
        """A line of a head; what RFC 9112 calls ambiguous is an error here."""
        if self.refusing:
            return
        if not self._in_head:
            if line == b"PRI * HTTP/2.0":
                self.refusing = True
                self.loseConnection()
                return
            self._in_head = bool(line)
        elif line[:1] in (b" ", b"\t"):
            # RFC 9112 §5.2: "A server that receives an obs-fold … MUST either reject the message …"
            self.refuse(BadRequest("A header is folded over several lines.", code="malformed_request"))
            return
        if self._receivedHeaderSize + len(line) > MAX_HEAD or self._receivedHeaderCount >= MAX_HEADERS:
            self.refuse(_head_too_large())
            return
        super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        """One line is larger than the whole head may be."""
        self.refuse(_head_too_large())

    def rawDataReceived(self, data: bytes) -> None:
        """A piece of body, or of the next request while this one is answered."""
        if not self.refusing:
            super().rawDataReceived(data)

    def allHeadersReceived(self) -> None:
        """The head is complete and well-formed; it must also have exactly one meaning."""
        self._in_head = False
        error = self._objection()
        if error is not None:
            self.refuse(error)
            return
        super().allHeadersReceived()

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
        self._set_deadline(None)
        if request is not None:
            request.requestHeaders.removeHeader(b"expect")
        request_id = new_id()
        status, headers, body = error_answer(error, request_id)
        lines = [b"HTTP/1.1 %d %s" % (status, _PHRASES.get(status, b"Error"))]
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

    def _objection(self) -> LockLLMError | None:
        request = self.requests[-1]
        headers = request.requestHeaders
        hosts = headers.getRawHeaders(b"host", [])
        if len(hosts) > 1 or (not hosts and self._version == b"HTTP/1.1"):
            return BadRequest("Send exactly one Host header.", code="malformed_request")
        if self._command not in _METHODS:
            return BadRequest("This method is not accepted.", code="method_not_allowed", status=405)
        if b"websocket" in tokens(headers.getRawHeaders(b"upgrade", [])):
            return BadRequest(
                "WebSocket is not supported: what travels in its frames could not be scanned.",
                code="upgrade_not_supported",
                status=501,
            )
        if self._version == b"HTTP/1.0" and headers.hasHeader(b"transfer-encoding"):
            return BadRequest("HTTP/1.0 knows no Transfer-Encoding.", code="malformed_request")
        return None

    _waiting_for: str | None = None

    def _set_deadline(self, what: str | None) -> None:
        """One absolute deadline at a time: for a head, then for a body; more bytes don't move it (slow loris)."""
        if what == self._waiting_for:
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
        self.refuse(BadRequest(f"The request's {what} did not come in time.", code="request_timeout", status=408))

    def _respondToBadRequestAndDisconnect(self) -> None:
        """twisted.web's own 400 has no body: `refuse` says what is wrong."""
        self.refuse(BadRequest("The request is not well-formed HTTP/1.1.", code="malformed_request"))


class ProxySite(Site):
    """The factory of channels. ``gate`` decides about callers; times in seconds."""

    protocol = Channel  # type: ignore[assignment] # our channel in place of the one that would negotiate HTTP/2

    def __init__(
        self, resource: IResource, gate: Gate, *, head_timeout: float, body_timeout: float, reactor: Any = None
    ) -> None:
        # PITFALLS 11: a multipart body is the provider's; twisted.web would answer a broken one before we see it.
        super().__init__(
            resource, requestFactory=ProxyRequest, timeout=KEEP_ALIVE, reactor=reactor, parsePOSTFormSubmission=False
        )
        self.gate = gate
        self.head_timeout = head_timeout
        self.body_timeout = body_timeout
        self.channels: set[Channel] = set()
        self._drained: Deferred[None] | None = None

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 only, whether or not the package ``h2`` happens to be installed."""
        return [b"http/1.1"]

    def log(self, request: object) -> None:
        """The exchange has a line of its own."""

    def startFactory(self) -> None:
        """twisted.web's access log and its clock are not used."""

    def stopFactory(self) -> None:
        """See `startFactory`."""

    def drain(self) -> Deferred[None]:
        """Fires when every connection has ended; idle ones are closed now, the others after their answer.

        Connections are counted, not requests: the last bytes of an answer leave after its end (PITFALLS 25).
        """
        for channel in tuple(self.channels):
            if channel.busy:
                channel.persistent = 0
            else:
                channel.loseConnection()
        if not self.channels:
            return succeed(None)
        self._drained = Deferred()
        return self._drained

    def abort(self) -> None:
        """End every connection now."""
        for channel in tuple(self.channels):
            channel.forceAbortClient()

    def lost(self) -> None:
        """A connection has ended."""
        if self._drained is not None and not self.channels:
            drained, self._drained = self._drained, None
            drained.callback(None)


_PHRASES = {
    400: b"Bad Request",
    401: b"Unauthorized",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
    501: b"Not Implemented",
}


def _too_large(limit: int) -> LockLLMError:
    return BadRequest(
        f"The body is larger than this server's limit of {limit} bytes.", code="body_too_large", status=413
    )


def _head_too_large() -> LockLLMError:
    return BadRequest(
        f"The request's head is larger than {MAX_HEAD} bytes or {MAX_HEADERS} lines.", code="head_too_large", status=431
    )
