"""A provider that answers with scripted bytes and remembers every byte that it heard.

Responsible for: the provider's end: one thread per connection, one script for every request.
Must never: lose or hide a byte that came from the proxy.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import attrs

from .bytestream import DEADLINE, Head, Header, Reader


@attrs.frozen
class Received:
    """One request as the provider got it, ``body`` without its framing, and the connection that it came on."""

    head: Head
    body: bytes = attrs.field(repr=False)
    peer: Peer = attrs.field(repr=False, eq=False)

    @property
    def method(self) -> bytes:
        return self.head.line.split(b" ")[0]

    @property
    def target(self) -> bytes:
        return self.head.line.split(b" ")[1]


class Peer:
    """One connection to the provider: what a script talks through. ``served`` counts its requests, this one too."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.reader = Reader(sock)
        self.gone = threading.Event()
        self.served = 0
        self.sent = 0

    def send(self, *data: bytes) -> None:
        for piece in data:
            self.sock.sendall(piece)
            self.sent += len(piece)

    def send_until_gone(self, piece: bytes) -> None:
        """Send for as long as the other side takes it."""
        try:
            while True:
                self.send(piece)
        except OSError:
            self.gone.set()

    def stalled(self, seconds: float) -> bool:
        """Whether the other side takes no more for that long."""
        return not select.select([], [self.sock], [], seconds)[1]

    def wait_gone(self) -> None:
        """Read until the other side leaves, which sets `gone`."""
        with contextlib.suppress(TimeoutError):
            self.reader.rest()
            self.gone.set()

    def close(self) -> None:
        """End without a reset: what the other side sent is read first."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Script = Callable[[Peer, Received], None]


def answer(body: bytes = b'{"ok":true}', *headers: Header, status: bytes = b"200 OK") -> Script:
    """A whole answer with a length; the connection stays open."""
    lines = [b"HTTP/1.1 " + status, *(name + b": " + value for name, value in headers)]
    lines += [b"Content-Length: %d" % len(body), b"", b""]
    return say(b"\r\n".join(lines) + body)


def say(*data: bytes) -> Script:
    """Exactly these bytes; the connection stays open."""

    def script(peer: Peer, _request: Received) -> None:
        peer.send(*data)

    return script


def say_and_close(*data: bytes, reset: bool = False) -> Script:
    """Exactly these bytes, then the end."""

    def script(peer: Peer, _request: Received) -> None:
        peer.send(*data)
        (peer.reset if reset else peer.close)()

    return script


OK = answer(b'{"ok":true}', (b"Content-Type", b"application/json"))


class Upstream:
    """The listening provider. `script` answers each request that comes; `reset` before each test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._tls = tls
        self.peers: list[Peer] = []
        self._changed = threading.Condition()
        self.port: int = self._listener.getsockname()[1]
        self.script: Script = OK
        self.respond_to_head: Script | None = None
        self.requests: list[Received] = []
        self.faults: list[BaseException] = []
        self._heard_before = self._accepted_before = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        """How many connections were opened since `reset`."""
        return len(self.peers) - self._accepted_before

    @property
    def heard(self) -> int:
        """How many bytes came since `reset`."""
        return sum(peer.reader.count for peer in self.peers) - self._heard_before

    @property
    def last(self) -> Received:
        return self.requests[-1]

    def reset(self) -> None:
        """Forget what was heard; `script` answers again with a plain 200."""
        self.script, self.respond_to_head = OK, None
        self._accepted_before, self._heard_before = len(self.peers), 0
        self._heard_before = self.heard
        self.requests, self.faults = [], []

    def heard_nothing(self) -> bool:
        """Not a byte, not even a connection, since `reset`."""
        return not self.requests and not self.heard and not self.connections

    def wait_for_requests(self, count: int) -> list[Received]:
        """The requests, as soon as there are as many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.requests) >= count, DEADLINE), self.requests
        return self.requests

    def close(self) -> None:
        self._listener.close()
        for peer in self.peers:
            peer.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(DEADLINE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            try:
                sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:
                sock.close()
                return
        peer = Peer(sock)
        self.peers.append(peer)
        try:
            self._conversation(peer)
        except OSError:
            pass  # the proxy left, or was slow for longer than any test waits
        except BaseException as fault:  # noqa: BLE001 - told by the test that runs
            self.faults.append(fault)
        finally:
            peer.gone.set()
            sock.close()

    def _conversation(self, peer: Peer) -> None:
        peer.sock.settimeout(None)
        while peer.sock.fileno() >= 0 and (head := peer.reader.head()) is not None:
            peer.sock.settimeout(DEADLINE)
            peer.served += 1
            early = self.respond_to_head
            body = b"" if early else b"".join(peer.reader.pieces(head, to_close=False))
            assert early or peer.reader.complete, "a request that was cut"
            request = Received(head, body, peer)
            with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            (early or self.script)(peer, request)
            if peer.sock.fileno() >= 0:
                peer.sock.settimeout(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def reached_within(condition: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    """Poll, for what no socket or event tells: a file, a port, a key that another process has revoked."""
    limit = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > limit:
            return False
        pause.wait(0.02)
    return True
