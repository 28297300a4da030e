"""One connection: heads read strictly, bodies kept up to a limit, deadlines, and refusals that arrive.

Responsible for: receiving. Heads that two servers could read in two ways, or that come too slowly or too large, end here,
with an answer that says why; so do callers without a key, before their body is read.
Must never: know a provider, a scanner, or what a body means. How an answer is written is `turn`'s.

Why not twisted.web's: it reads a head line by line and goes on after a line that it refuses, spools a body to disk before
anybody may refuse it, and costs more than all that is done here with the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES

from lockllm_twisted.answers import error_answer
from lockllm_twisted.chunks import ChunkError, Chunks
from lockllm_twisted.client import Client
from lockllm_twisted.deadline import Deadline
from lockllm_twisted.door import Entry
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.head import MAX_HEAD, RequestHead, is_http2, parse_head, too_large
from lockllm_twisted.sending import send, without_delay
from lockllm_twisted.turn import Turn
from lockllm_twisted.values import new_id

if TYPE_CHECKING:
    from lockllm_twisted.site import ProxySite

LINGER = 2.0
"""Seconds to read on, and drop, after an answer that came before the end of a body. Closing at once resets the
connection, and the client never sees the answer (RFC 9112 §9.6; 10 of 12 clients)."""

KEEP_ALIVE = 75.0
"""Seconds that a connection may idle between requests, and that a client has to take the end of its last answer: nginx's
default, above every SDK's own."""

_AHEAD = 65536
"""Bytes of further requests that are kept while one is answered; more waits in the client's socket."""


class Leaf(Protocol):
    """What a request is handed to: a resource of ours."""

    def enter(self, client: Client) -> Entry | None:
        """Let the caller in by the head alone, or raise `LockLLMError`."""

    def handle(self, client: Client) -> None:
        """Answer the request, whose body is complete, or which has a problem."""


class Channel(TwistedProtocol):
    """One connection. HTTP/1.1 and 1.0 only; upgrades, HTTP/2 and ambiguous heads are refused."""

    transport: Connection  # or one that looks like it: TLS and UNIX transports do

    def __init__(self, site: ProxySite) -> None:
        self.site = site
        self.persistent = True
        self.deadline = Deadline(site.clock)
        self._buffer = b""
        self._going = False
        self._waiting: Literal["head", "body", "answer", "next", "end"] = "head"
        self._turn: Turn | None = None
        self._leaf: Leaf | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._left = 0
        self._chunks: Chunks | None = None

    @property
    def busy(self) -> bool:
        """A request is being received or answered."""
        return self._turn is not None

    def connectionMade(self) -> None:
        """Be counted, so that a shutdown can wait for us."""
        without_delay(self.transport)
        self.site.channels.add(self)
        self.deadline.set(self.site.head_timeout, self._too_slow)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be gone."""
        self._waiting = "end"
        self.deadline.stop()
        self.site.lost(self)
        if self._turn is not None:
            turn, self._turn = self._turn, None
            turn.gone = True
            turn.on_gone()

    def dataReceived(self, data: bytes) -> None:
        """Take bytes; whatever is incomplete afterwards has a deadline that further bytes don't move."""
        if self._waiting == "end":
            return
        self._buffer = self._buffer + data if self._buffer else data
        if self._waiting != "answer":
            self._go_on()
        elif len(self._buffer) > _AHEAD:
            self.transport.pauseProducing()

    def _go_on(self) -> None:
        """Take what was received: a loop, because a row of small requests must not become a tower of calls."""
        if self._going:
            return
        self._going = True
        try:
            while self._buffer and self._waiting not in ("answer", "end"):
                if not (self._take_body() if self._waiting == "body" else self._take_head()):
                    break
        finally:
            self._going = False

    # Receiving: each of these takes what it can of the buffer, and says whether there may be more to take.

    def _take_head(self) -> bool:
        # RFC 9112 §2.2: "a server … SHOULD ignore at least one empty line (CRLF) received prior to the request-line"
        data = self._buffer.removeprefix(b"\r\n")
        if is_http2(data):
            self.part(LINGER)
            return False
        end = data.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            self._buffer = data
            if len(data) > MAX_HEAD:
                self._refuse(too_large())
            elif self._waiting == "next" and data:
                self._wait("head", self.site.head_timeout)
            return False
        head, self._buffer = data[:end], data[end + 4 :]
        try:
            self._begin(parse_head(head))
        except LockLLMError as error:
            self._refuse(error)
            return False
        return True

    def _begin(self, head: RequestHead) -> None:
        """The head is complete. Raises what it is to be refused for before a body is read."""
        self.persistent = self.persistent and head.persistent
        leaf, depth = self.site.resource.find(head.target)
        self._turn = turn = Turn(self, head, depth)
        self._leaf = leaf
        if head.length is not None and head.length > self.site.max_body:
            raise _too_large(self.site.max_body)
        try:
            turn.entry = leaf.enter(turn)
        except LockLLMError as error:
            if head.length != 0:
                raise
            turn.problem = error
        if head.length == 0:
            self._answer()
            return
        self._pieces, self._size = [], 0
        self._chunks = Chunks() if head.length is None else None
        self._left = head.length or 0
        if self._chunks is not None or self._left > len(self._buffer):
            if head.expects_continue:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self._wait("body", self.site.body_timeout)
        else:
            self._waiting = "body"

    def _take_body(self) -> bool:
        data, self._buffer = self._buffer, b""
        if self._chunks is None:
            piece = data if len(data) <= self._left else data[: self._left]
            self._pieces.append(piece)
            self._left -= len(piece)
            if self._left:
                return False
            self._buffer = data[len(piece) :]
            self._answer()
            return True
        try:
            pieces = self._chunks.feed(data)
        except ChunkError as error:
            self._refuse(BadRequest(f"The chunked body is malformed: {error}.", code="malformed_request"))
            return False
        self._pieces += pieces
        self._size += sum(map(len, pieces))
        if self._size > self.site.max_body:
            self._refuse(_too_large(self.site.max_body))
            return False
        if not self._chunks.done:
            return False
        self._buffer = self._chunks.rest
        self._answer()
        return True

    def _answer(self) -> None:
        """The request is complete."""
        turn, leaf, pieces = self._turn, self._leaf, self._pieces
        assert turn is not None
        assert leaf is not None
        self._waiting = "answer"
        self.deadline.clear()
        turn.body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._pieces, self._chunks = [], None
        leaf.handle(turn)

    def answered(self) -> None:
        """The answer is complete: the next request, or the end."""
        self._turn = None
        if self._waiting == "end":  # refused: the rest of the body is read, and dropped
            self.deadline.set(LINGER, self._linger_ends)
            return
        if not self.persistent:
            self.part(KEEP_ALIVE)
            return
        if len(self._buffer) > _AHEAD:
            self.transport.resumeProducing()
        self._wait("next", KEEP_ALIVE)
        self._go_on()

    # Ends.

    def _refuse(self, error: LockLLMError) -> None:
        """Answer before the end of the request, read on for a moment so that the answer arrives, and close."""
        self._waiting = "end"
        self._buffer = b""
        self.persistent = False
        if self._turn is not None and self._leaf is not None:
            self._turn.problem = error
            self._leaf.handle(self._turn)
            return
        status, headers, body = error_answer(error, new_id())
        lines = [b"HTTP/1.1 %d %s" % (status, RESPONSES.get(status, b"Error"))]
        lines += map(b": ".join, headers)
        lines += [b"Connection: close", b"Content-Length: %d" % len(body), b"", b""]
        send(self.transport, b"\r\n".join(lines) + body)
        self.deadline.set(LINGER, self._linger_ends)

    def _wait(self, what: Literal["head", "body", "next"], seconds: float) -> None:
        """One absolute deadline at a time: more bytes don't move it (slow loris)."""
        self._waiting = what
        self.deadline.set(seconds, self.leave if what == "next" else self._too_slow)

    def _too_slow(self) -> None:
        if self._turn is None and not self._buffer:
            self.part(LINGER)  # it has said nothing: there is nobody to answer
            return
        what = "head" if self._turn is None else "body"
        self._refuse(BadRequest(f"The request's {what} did not come in time.", code="request_timeout", status=408))

    def _linger_ends(self) -> None:
        self.part(LINGER)

    def leave(self) -> None:
        """Close when nothing is being answered; else after the answer."""
        if self.busy:
            self.persistent = False
        else:
            self.part(KEEP_ALIVE)

    def part(self, within: float) -> None:
        """Close once what was written has left, at the latest in so many seconds."""
        self._waiting = "end"
        self.deadline.set(within, self.abort)
        self.transport.loseConnection()

    def abort(self) -> None:
        """End now."""
        self.transport.abortConnection()


def _too_large(limit: int) -> LockLLMError:
    return BadRequest(
        f"The body is larger than this server's limit of {limit} bytes.", code="body_too_large", status=413
    )
