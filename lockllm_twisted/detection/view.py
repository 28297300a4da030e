"""One reading of a text: its letters folded, its tokens, and the way back to the source.

Responsible for: `View`, `read`, `normalise`.
Must never: raise for any text; look for encodings (that is ``decoders`` and ``ciphers``).
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate, pairwise

import attrs

from lockllm_twisted.detection.fold import fold
from lockllm_twisted.detection.steps import CHUNK, Step, Substitution, join, substitute
from lockllm_twisted.detection.tokens import blocks, places, tokens

WINDOW = 4_096
OVERLAP = 768
"""Characters. Rules look at texts in windows of this size, overlapping by more than any rule can span: padding hides
nothing, and the words of a window are few enough to tell which rules can match in it."""

STRETCH = 9
STRETCH_OVERLAP = 2
"""Blocks, of about a hundred tokens each. Disguises are looked for in stretches of this size."""

_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}
_MESSY = re.compile(r"\s(?:\s+|(?<![ \n]))")
_MESSES = ("  ", "\n\n", "\n ", " \n", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f")


@attrs.frozen(eq=False)
class Window:
    """A part of a view's text and the words in it (ASCII letters and digits)."""

    start: int
    end: int
    words: set[str]


@attrs.frozen(eq=False)
class Stretch:
    """A part of a view's ``folded``, and its tokens."""

    start: int
    end: int
    words: set[str]


class View:
    """One reading of a text. ``text`` is normalised; ``folded`` is the same with case and white space as they came.

    ``via`` is the decode chain, outermost first; empty for a text that was plain. ``steps`` lead from the source to
    ``folded``, ``_tidied`` from there to ``text``. What most texts are never asked for is worked out on the first
    question.
    """

    def __init__(self, folded: str, via: tuple[str, ...], steps: tuple[Step, ...]) -> None:
        self.folded = folded
        self.via = via
        self.steps = steps
        self.lowered = _lower(folded)

    @cached_property
    def tokens(self) -> list[str]:
        """The tokens of the text."""
        return [token for block in self._blocks for token in block]

    @cached_property
    def _blocks(self) -> list[list[str]]:
        return [tokens(self.lowered[start:end]) for start, end in pairwise(self._borders)]

    @cached_property
    def _borders(self) -> list[int]:
        return blocks(self.lowered)

    @cached_property
    def _firsts(self) -> list[int]:
        return list(accumulate(map(len, self._blocks), initial=0))

    @cached_property
    def _tidy(self) -> tuple[str, tuple[Step, ...]]:
        return _tidy(self.lowered)

    @property
    def text(self) -> str:
        """The normalised text."""
        return self._tidy[0]

    @cached_property
    def latin(self) -> str:
        """The text with a question mark for every character that is not ASCII: as long, and several times as fast to search."""
        text = self.text
        return text if text.isascii() else text.encode("ascii", "replace").decode("ascii")

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """Windows of the text."""
        return windows(self.latin)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """Stretches of the text; one that is empty where it is."""
        result = []
        last = len(self._borders) - 1
        for first in range(0, max(1, last - STRETCH_OVERLAP), STRETCH - STRETCH_OVERLAP):
            end = min(last, first + STRETCH)
            words = set(self.tokens[self._firsts[first] : self._firsts[end]])
            result.append(Stretch(self._borders[first], self._borders[end], words))
        return tuple(result)

    def around(self, first: int, end: int) -> tuple[int, int]:
        """A part of ``folded`` that holds the tokens from ``first`` to before ``end``: quickly told, and not much more than they are."""
        return self._borders[self._block(first)], self._borders[self._block(end - 1) + 1]

    def part(self, first: int, end: int) -> tuple[int, int]:
        """The part of ``folded`` that the tokens from ``first`` to before ``end`` are."""
        return self._place(first)[0], self._place(end - 1)[1]

    def _block(self, number: int) -> int:
        return bisect_right(self._firsts, number) - 1

    def _place(self, number: int) -> tuple[int, int]:
        block = self._block(number)
        at, end = self._borders[block], self._borders[block + 1]
        start, stop = places(self.lowered[at:end])[number - self._firsts[block]]
        return at + start, at + stop

    def excerpt(self, spans: Iterable[tuple[int, int]]) -> View:
        """Parts of ``folded``, a line each, as a view of their own."""
        text, pieces = join((self.folded[start:end], start, end) for start, end in spans)
        return View(text, self.via, (*self.steps, pieces))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that ``text[start:end]`` (not empty) came from: exact, or the encoded piece."""
        for step in reversed(self._tidy[1]):
            start, end = step.back(start, end)
        return self.source(start, end)

    def source(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that ``folded[start:end]`` (not empty) came from."""
        for step in reversed(self.steps):
            start, end = step.back(start, end)
        return start, end


def read(raw: str, via: tuple[str, ...] = (), steps: tuple[Step, ...] = ()) -> View:
    """The view of a text that ``steps`` made from the source."""
    folded, made_by = fold(raw)
    if made_by:
        via = (*via, "nfkc")
    return View(folded, via, (*steps, *made_by))


def windows(latin: str) -> tuple[Window, ...]:
    """Windows of a text in ASCII."""
    starts = range(0, max(1, len(latin) - OVERLAP), WINDOW - OVERLAP)
    chunks = [(start, latin[start : start + WINDOW]) for start in starts]
    return tuple(Window(start, start + len(chunk), set(chunk.translate(_SPACES).split())) for start, chunk in chunks)


def normalise(text: str) -> str:
    """The text of the first view: folded, in lower case, white space collapsed. Idempotent."""
    return _tidy(_lower(fold(text)[0]))[0]


def _lower(text: str) -> str:
    if len(text) <= CHUNK:
        return text.lower()
    return "".join(text[at : at + CHUNK].lower() for at in range(0, len(text), CHUNK))


def _one_space(match: re.Match[str]) -> str:
    return "\n" if "\n" in match[0] or "\r" in match[0] else " "


def _tidy(text: str) -> tuple[str, tuple[Step, ...]]:
    steps: tuple[Step, ...] = ()
    while _messy(text):  # a second time where a run was longer than a chunk
        steps = (*steps, Substitution(_MESSY, _one_space, text))
        text = substitute(_MESSY, _one_space, text)
    return text, steps


def _messy(text: str) -> bool:
    for mess in _MESSES:  # noqa: SIM110 # a generator would cost as much as the search
        if mess in text:
            return True
    return False
