"""One request on a connection of ours, and the writing of its answer.

Responsible for: an answer's head and framing (RFC 9112 §6), as the client's version and method ask for it.
Must never: change a header that it was handed, or say that an answer is complete when it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from twisted.internet.interfaces import IPushProducer

from lockllm_twisted.door import Entry
from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.head import RequestHead
from lockllm_twisted.sending import send
from lockllm_twisted.wire import HeaderPairs, raw_tail

if TYPE_CHECKING:
    from lockllm_twisted.channel import Channel

_FLUSH = 10.0
"""Seconds that a client has to take what was written before a cut."""


class Turn:
    """A `Client` on a channel."""

    __slots__ = (
        "_channel",
        "_framing",
        "_head",
        "_version",
        "begun",
        "body",
        "deadline",
        "entry",
        "fields",
        "gone",
        "method",
        "on_gone",
        "problem",
        "tail",
        "target",
    )

    def __init__(self, channel: Channel, head: RequestHead, depth: int) -> None:
        self.method = head.method
        self.target = head.target
        self.tail = raw_tail(head.target, depth)
        self.fields = head.fields
        self.body = b""
        self.entry: Entry | None = None
        self.problem: LockLLMError | None = None
        self.deadline = channel.deadline
        self.gone = False
        self.begun = False
        self.on_gone: Callable[[], object] = _nobody
        self._channel = channel
        self._version = head.version
        self._head = b""
        self._framing: Literal["length", "chunked", "close", "none"] = "none"

    def begin(self, status: int, phrase: bytes, headers: HeaderPairs, length: int | None) -> None:
        """Make the head."""
        self.begun = True
        lines = [b"HTTP/1.1 %d %b" % (status, phrase)]
        lines += map(b": ".join, headers)
        if length is not None:
            lines.append(b"Content-Length: %d" % length)
        if self.method == b"HEAD" or status in (204, 304):
            self._framing = "none"
        elif length is not None:
            self._framing = "length"
        elif self._version == b"HTTP/1.1":
            self._framing = "chunked"
            lines.append(b"Transfer-Encoding: chunked")
        else:
            self._framing = "close"
        if not self._channel.persistent:
            lines.append(b"Connection: close")
        lines.append(b"\r\n")
        self._head = b"\r\n".join(lines)

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        if data and self._framing != "none":
            self._send(b"%x\r\n%b\r\n" % (len(data), data) if self._framing == "chunked" else data)

    def flush(self) -> None:
        """The head, on its own."""
        if self._head:
            self._send(b"")

    def finish(self) -> None:
        """The end."""
        if self._framing == "chunked":
            self._send(b"0\r\n\r\n")
        else:
            self.flush()
        if not self.gone:
            self._channel.answered()

    def cut(self) -> None:
        """Break the connection: what was written leaves; the last chunk, or the missing bytes, never come.

        An HTTP/1.0 answer without a length, which the connection's end would complete, is reset.
        """
        if self.gone:
            return
        if self._framing == "close":
            self._channel.abort()
            return
        self.flush()
        self._channel.part(_FLUSH)

    def attach(self, producer: IPushProducer) -> None:
        """Pause and resume it with the connection's buffer."""
        self._channel.transport.registerProducer(producer, True)

    def detach(self) -> None:
        """Forget the producer."""
        self._channel.transport.unregisterProducer()

    def _send(self, data: bytes) -> None:
        if self._head:
            data, self._head = self._head + data, b""
        if not self.gone:
            send(self._channel.transport, data)


def _nobody() -> None:
    """Who wants to know that the client has gone, as long as nobody does."""
