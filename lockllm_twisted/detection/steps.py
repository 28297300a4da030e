"""One text made from another, and the way back: which part of the source a part of the result came from.

Responsible for: substitutions and extractions whose offsets can be traced back; running the regex engine in chunks.
Must never: decide what to substitute; hand more than `CHUNK` characters to the regex engine in one call.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import AnyStr, Protocol

import attrs

CHUNK = 32_768
"""Characters per call of the regex engine. It holds the GIL: at 15 ns a character this is half a millisecond."""

_MARGIN = 64
"""No pattern given to `matches` looks further than this, except for runs that may grow without bound."""

Replace = Callable[[re.Match[str]], str]


class Step(Protocol):
    """How one text was made from the one before it."""

    def back(self, start: int, end: int) -> tuple[int, int]:
        """The part of the earlier text that a part of the later one came from."""


def matches(pattern: re.Pattern[str], text: str, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """All matches of a pattern, left to right; a run longer than a chunk comes as several matches that touch."""
    end = len(text) if end is None else end
    if end - start <= CHUNK:
        yield from pattern.finditer(text, start, end)
        return
    at = start
    while at < end:
        stop = min(at + CHUNK, end)
        cut = stop if stop == end else stop - _MARGIN
        resume = cut
        for match in pattern.finditer(text, at, stop):
            if match.end() > cut and match.start() > at and stop < end:
                resume = match.start()
                break
            yield match
            resume = max(cut, match.end())
        at = resume


def substitute(pattern: re.Pattern[str], replace: Replace, text: str) -> str:
    """``pattern.sub``, in chunks."""
    if len(text) <= CHUNK:
        return pattern.sub(replace, text)
    parts: list[str] = []
    at = 0
    for match in matches(pattern, text):
        parts += (text[at : match.start()], replace(match))
        at = match.end()
    parts.append(text[at:])
    return "".join(parts)


def translated(text: str, table: Mapping[int, str | int | None]) -> str:
    """``text.translate``, in chunks."""
    if len(text) <= CHUNK:
        return text.translate(table)
    return "".join(text[at : at + CHUNK].translate(table) for at in range(0, len(text), CHUNK))


class Substitution:
    """``substitute(pattern, replace, text)``: offsets outside of the matches are exact, inside they are the match's.

    The offsets are worked out on the first question: most texts are never asked about.
    """

    def __init__(self, pattern: re.Pattern[str], replace: Replace, text: str) -> None:
        self._pattern = pattern
        self._replace = replace
        self._text = text
        self._made: list[int] | None = None
        self._spans: list[tuple[int, int, int]] = []

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Trace back; a replacement as long as what it replaced is exact too."""
        made = self._trace()
        return self._one(made, start, last=False), self._one(made, end - 1, last=True)

    def _trace(self) -> list[int]:
        if self._made is None:
            made: list[int] = []
            shift = 0
            for match in matches(self._pattern, self._text):
                size = len(self._replace(match))
                made.append(match.start() + shift)
                self._spans.append((match.start(), match.end(), size))
                shift += size - (match.end() - match.start())
            self._made = made
        return self._made

    def _one(self, made: list[int], at: int, *, last: bool) -> int:
        index = bisect_right(made, at) - 1
        if index < 0:
            return at + last
        start, end, size = self._spans[index]
        inside = at - made[index]
        if inside >= size:
            return end + inside - size + last
        if size == end - start:
            return start + inside + last
        return end if last else start


@attrs.frozen
class Mirror:
    """A text of this size, read from right to left."""

    size: int

    def back(self, start: int, end: int) -> tuple[int, int]:
        """Trace back, exactly."""
        return self.size - end, self.size - start


@attrs.frozen
class _Piece:
    made: int
    size: int
    start: int
    end: int


@attrs.frozen
class Pieces:
    """Pieces taken out of a text and put behind each other; a piece as long as its source is exact."""

    pieces: list[_Piece]
    _starts: list[int]

    def back(self, start: int, end: int) -> tuple[int, int]:
        """From the source of the first character to that of the last."""
        return self._one(start)[0], self._one(end - 1)[1]

    def _one(self, at: int) -> tuple[int, int]:
        piece = self.pieces[max(0, bisect_right(self._starts, at) - 1)]
        if piece.size == piece.end - piece.start:
            place = min(piece.start + at - piece.made, piece.end - 1)
            return place, place + 1
        return piece.start, piece.end


def join(parts: Iterable[tuple[str, int, int]], between: str = "\n") -> tuple[str, Pieces]:
    """Put parts (text, start, end) together: a line each, so that nothing reads on from one into the next."""
    pieces: list[_Piece] = []
    texts: list[str] = []
    made = 0
    for text, start, end in parts:
        pieces.append(_Piece(made, len(text), start, end))
        texts.append(text)
        made += len(text) + len(between)
    return between.join(texts), Pieces(pieces, [piece.made for piece in pieces])


def merged(spans: Iterable[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """Spans in order, those that touch or are at most ``gap`` apart made one."""
    result: list[tuple[int, int]] = []
    for start, end in spans:
        if result and start <= result[-1][1] + gap:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def has(signs: Iterable[AnyStr], text: AnyStr) -> bool:
    """Whether one of some signs stands in a text."""
    for sign in signs:  # noqa: SIM110 # a generator would cost as much as the search
        if sign in text:
            return True
    return False
