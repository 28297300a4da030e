"""HTTP/1.1 read from a socket by hand, sharing no code with the service.

Responsible for: telling apart a message that ended and one that was cut, on either side of the proxy.
Must never: be lenient: what it can't frame is an error of the test.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import attrs

DEADLINE = 20.0
"""No wait is longer than this, in seconds: a wait that runs out is a failed test."""

Header = tuple[bytes, bytes]


@attrs.frozen
class Head:
    """A start line and its headers: names in lower case, values as they came but for the outer blanks."""

    line: bytes
    headers: tuple[Header, ...]
    raw: bytes = attrs.field(repr=False)

    @classmethod
    def parse(cls, raw: bytes) -> Head:
        line, *rest = raw.removesuffix(b"\r\n\r\n").split(b"\r\n")
        pairs = []
        for header in rest:
            name, colon, value = header.partition(b":")
            assert colon, f"a header line without a colon: {header!r}"
            assert name, f"a header without a name: {header!r}"
            pairs.append((name.lower(), value.strip(b" \t")))
        return cls(line, tuple(pairs), raw)

    def every(self, name: bytes) -> list[bytes]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key == name.lower()]

    def one(self, name: bytes) -> bytes | None:
        """The value of a header that may stand at most once."""
        values = self.every(name)
        assert len(values) <= 1, f"{name!r} stands {len(values)} times: {values!r}"
        return values[0] if values else None

    def named(self, prefix: bytes) -> list[Header]:
        """The headers whose names start with ``prefix``."""
        return [pair for pair in self.headers if pair[0].startswith(prefix.lower())]


class Reader:
    """Reads a connection to its end, however it ends."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = bytearray()
        self.count = 0
        self.ended = False
        self.was_reset = False
        self.complete = False

    def more(self) -> bool:
        """Wait for bytes; False once there will be none."""
        if self.ended:
            return False
        try:
            data = self.sock.recv(1 << 16)
        except TimeoutError:
            raise
        except OSError:
            data, self.was_reset = b"", True
        self.count += len(data)
        self.buffer += data
        self.ended = not data
        return not self.ended

    def until(self, mark: bytes) -> bytes | None:
        """Everything up to and with ``mark``; None where the connection ends before."""
        start = 0
        while (at := self.buffer.find(mark, start)) < 0:
            start = max(0, len(self.buffer) - len(mark))
            if not self.more():
                return None
        return self._take(at + len(mark))

    def rest(self) -> bytes:
        """Everything until the other side closes."""
        while self.more():
            pass
        return self._take(len(self.buffer))

    def head(self) -> Head | None:
        """The next head; None where the connection ends before it is whole."""
        raw = self.until(b"\r\n\r\n")
        return None if raw is None else Head.parse(raw)

    def pieces(self, head: Head, *, bodyless: bool = False, to_close: bool = True) -> Iterator[bytes]:
        """The body after ``head``, decoded; `complete` tells afterwards whether its framing came to its end."""
        self.complete = False
        if bodyless:
            self.complete = True
        elif (coding := head.one(b"transfer-encoding")) is not None:
            assert coding.lower() == b"chunked", coding
            assert head.one(b"content-length") is None, "both framings at once"
            yield from self._chunks()
        elif (length := head.one(b"content-length")) is not None:
            yield from self._counted(int(length))
        elif to_close:
            while self.buffer or self.more():
                yield self._take(len(self.buffer))
            self.complete = not self.was_reset
        else:
            self.complete = True

    def _chunks(self) -> Iterator[bytes]:
        while (line := self.until(b"\r\n")) is not None:
            size = int(line.split(b";")[0], 16)
            if size == 0:
                while (line := self.until(b"\r\n")) is not None:
                    if line == b"\r\n":
                        self.complete = True
                        return
                return
            yield from self._counted(size)
            if not self.complete:
                return
            self.complete = False
            end = self.until(b"\r\n")
            assert end in (b"\r\n", None), f"bytes after a chunk: {end!r}"

    def _counted(self, left: int) -> Iterator[bytes]:
        while left:
            if not self.buffer and not self.more():
                return
            piece = self._take(min(left, len(self.buffer)))
            left -= len(piece)
            yield piece
        self.complete = True

    def _take(self, count: int) -> bytes:
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken
