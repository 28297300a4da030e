"""A client of raw bytes: it sends what it is told to, well-formed or not, and reads what comes back.

Responsible for: the client's end of a connection: TCP, TLS or a Unix socket.
Must never: add or mend a byte.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
import time
from types import TracebackType
from typing import Any, Self

import attrs

from .bytestream import DEADLINE, Head, Reader

Address = tuple[str, int] | str


class NoAnswer(AssertionError):
    """The connection ended before there was a head."""


@attrs.frozen
class Answer:
    """One answer as a client sees it. ``complete``: its framing came to its end. ``interim``: 1xx heads before it."""

    status: int
    reason: bytes
    head: Head
    body: bytes
    complete: bool
    interim: tuple[Head, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The nested error object that every answer of the service's own carries."""
        assert self.complete, "an error body must be whole"
        error = self.json["error"]
        assert {"message", "type", "code", "request_id"} <= set(error), error
        return error


class Client:
    """One connection; a context manager. ``receive_buffer`` keeps the kernel from taking much for a slow reader."""

    def __init__(
        self, address: Address, *, tls: ssl.SSLContext | None = None, receive_buffer: int | None = None
    ) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(DEADLINE)
        try:
            if receive_buffer is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            sock.connect(address)
            if family == socket.AF_INET:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sock = tls.wrap_socket(sock, server_hostname="localhost") if tls else sock
        except BaseException:
            sock.close()
            raise
        self.reader = Reader(self.sock)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def try_send(self, data: bytes) -> bool:
        """Send; False where the other side does not take it any more."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def drip(self, data: bytes, *, every: float) -> bool:
        """Send byte by byte; stop, with True, as soon as the other side has said something or closed."""
        for index in range(len(data)):
            if not self.try_send(data[index : index + 1]):
                return True
            if select.select([self.sock], [], [], every)[0]:
                return True
        return False

    def head(self) -> Head:
        """The next head, of a 1xx too."""
        head = self.reader.head()
        if head is None:
            raise NoAnswer(bytes(self.reader.buffer))
        return head

    def answer(self, method: bytes = b"POST") -> Answer:
        """The next answer, read to its end."""
        interim = []
        while 100 <= status_of(head := self.head()) < 200:
            interim.append(head)
        return self.rest_of(head, method, tuple(interim))

    def answer_if_any(self, method: bytes = b"POST") -> Answer | None:
        """The next answer, or None where the connection ends without one."""
        try:
            return self.answer(method)
        except NoAnswer:
            pass
        assert not self.reader.buffer, f"half a head: {bytes(self.reader.buffer)!r}"
        return None

    def rest_of(self, head: Head, method: bytes = b"POST", interim: tuple[Head, ...] = ()) -> Answer:
        """The answer whose head has been read already."""
        status = status_of(head)
        bodyless = method == b"HEAD" or status in {204, 304}
        body = b"".join(self.reader.pieces(head, bodyless=bodyless))
        reason = head.line.split(b" ", 2)[2] if head.line.count(b" ") > 1 else b""
        return Answer(status, reason, head, body, self.reader.complete, interim)

    def half_close(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def closed_within(self, seconds: float) -> bool:
        """Whether the other side closes in time, whatever it still sends."""
        limit = time.monotonic() + seconds
        self.reader.buffer.clear()
        try:
            while (left := limit - time.monotonic()) > 0:
                self.sock.settimeout(left)
                if not self.reader.more():
                    return True
                self.reader.buffer.clear()
        except TimeoutError:
            pass
        finally:
            self.sock.settimeout(DEADLINE)
        return False

    def close(self) -> None:
        self.sock.close()

    def reset(self) -> None:
        """Leave with a TCP reset."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def status_of(head: Head) -> int:
    version, status = head.line.split(b" ")[:2]
    assert version in {b"HTTP/1.1", b"HTTP/1.0"}, head.line
    assert len(status) == 3, head.line
    assert status.isdigit(), head.line
    return int(status)
