"""The chunked coding, decoded: strict, bounded, in both directions alike (RFC 9112 §7.1).

Responsible for: bytes of a chunked body -> pieces of its content, and where it ends.
Must never: guess where a chunk ends. Trailers are read, and dropped (RFC 9110 §6.5.1 allows it).
"""

from __future__ import annotations

import re
from typing import Final, Literal

from lockllm_twisted.wire import header_lines

_MAX_LINE: Final = 4096
_MAX_TRAILERS: Final = 65536
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[^\x00\r\n]*)?\Z")
_PADDED_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\x00\r\n]*)?\Z")


class ChunkError(Exception):
    """The bytes are no chunked body that ends in exactly one place."""


class Chunks:
    """One chunked body. ``done`` once its end was seen; ``rest`` is what came behind it.

    ``padded``: blanks may follow a size, which the grammar has no place for; old servers write them, as h11 knows.
    """

    __slots__ = ("_buffer", "_left", "_size", "_state", "_trailers", "done", "rest")

    def __init__(self, *, padded: bool = False) -> None:
        self._size = _PADDED_SIZE if padded else _SIZE
        self._buffer = b""
        self._left = 0
        self._state: Literal["size", "data", "end", "trailer"] = "size"
        self._trailers = 0
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, and give the content in them. Raises `ChunkError`; afterwards this is of no more use."""
        if self._buffer:
            data = self._buffer + data
        pieces: list[bytes] = []
        at, end = 0, len(data)
        while at < end and not self.done:
            if self._state == "data":
                piece = data[at : at + self._left]
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
                self._state = "end"
            elif self._state == "end":
                # GHSA-vqfr-h8mv-ghfj: these two bytes are checked, not skipped.
                if not b"\r\n".startswith(data[at : at + 2]):
                    raise ChunkError("a chunk does not end where its size says")
                if end - at < 2:  # noqa: PLR2004
                    break
                at += 2
                self._state = "size"
            else:
                line = data.find(b"\r\n", at, at + (_MAX_LINE if self._state == "size" else _MAX_TRAILERS))
                if line < 0:
                    self._check_unfinished(end - at)
                    break
                self._take_line(data[at:line])
                at = line + 2
        if self.done:
            self.rest, self._buffer = data[at:], b""
        else:
            self._buffer = data[at:]
        return pieces

    def _take_line(self, line: bytes) -> None:
        if self._state == "size":
            size = self._size.match(line)
            if size is None:
                raise ChunkError("a chunk's size is malformed")
            self._left = int(size[1], 16)
            self._state = "data" if self._left else "trailer"
            return
        self._trailers += len(line)
        if self._trailers > _MAX_TRAILERS:
            raise ChunkError("the trailers are too long")
        if not line:
            self.done = True
        elif header_lines(line + b"\r\n") is None:
            raise ChunkError("a trailer line is malformed")

    def _check_unfinished(self, length: int) -> None:
        if self._state == "size" and length >= _MAX_LINE:
            raise ChunkError("a chunk's size line is too long")
        if self._state == "trailer" and self._trailers + length > _MAX_TRAILERS:
            raise ChunkError("the trailers are too long")
