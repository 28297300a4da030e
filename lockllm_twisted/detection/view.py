"""One reading of a text: normalised, with the words of each window, and the way back to the source.

Responsible for: `View`, `read`, `normalise`.
Must never: raise for any text; look for encodings (that is ``decoders`` and ``ciphers``).
"""

from __future__ import annotations

import re

import attrs

from lockllm_twisted.detection.fold import fold
from lockllm_twisted.detection.steps import CHUNK, Step, Substitution, substitute

WINDOW = 4_096
OVERLAP = 768
"""Texts are looked at in windows of this size, overlapping by more than any rule can span: padding hides nothing, and
the words of a window are few enough to tell which rules can match in it."""

_SPACES = {code: " " for code in range(128) if not chr(code).isalnum()}
_MESSY = re.compile(r"\s(?:\s+|(?<![ \n]))")
_MESSES = ("  ", "\n\n", "\n ", " \n", "\t", "\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f")


@attrs.frozen(eq=False)
class Window:
    """A stretch of a view's text and the words in it (ASCII letters and digits)."""

    start: int
    end: int
    words: set[str]
    longest: int


@attrs.frozen(eq=False)
class View:
    """One reading of a text. ``text`` is normalised; ``folded`` is the same with case and white space as they came.

    ``via`` is the decode chain, outermost first; empty for a text that was plain. ``steps`` lead from the source to
    ``folded``, ``_tidied`` from there to ``text``. ``latin`` is the text with a question mark for every character that
    is not ASCII: as long, and several times as fast to search. ``longest`` is the length of the longest word.
    """

    text: str
    latin: str = attrs.field(repr=False)
    folded: str = attrs.field(repr=False)
    via: tuple[str, ...]
    windows: tuple[Window, ...] = attrs.field(repr=False)
    longest: int = attrs.field(repr=False)
    steps: tuple[Step, ...] = attrs.field(repr=False)
    _tidied: tuple[Step, ...] = attrs.field(repr=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the source that ``text[start:end]`` (not empty) came from: exact, or the encoded piece."""
        start, end = self.in_folded(start, end)
        for step in reversed(self.steps):
            start, end = step.back(start, end)
        return start, end

    def in_folded(self, start: int, end: int) -> tuple[int, int]:
        """The part of ``folded`` that ``text[start:end]`` came from."""
        for step in reversed(self._tidied):
            start, end = step.back(start, end)
        return start, end


def read(raw: str, via: tuple[str, ...] = (), steps: tuple[Step, ...] = ()) -> View:
    """The view of a text that ``steps`` made from the source."""
    folded, made_by = fold(raw)
    if made_by:
        via = (*via, "nfkc")
    text, tidied = _tidy(_lower(folded))
    latin = text if text.isascii() else text.encode("ascii", "replace").decode("ascii")
    windows = _windows(latin)
    longest = max([window.longest for window in windows])
    return View(text, latin, folded, via, windows, longest, (*steps, *made_by), tidied)


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


def _windows(latin: str) -> tuple[Window, ...]:
    result = []
    for start in range(0, max(1, len(latin) - OVERLAP), WINDOW - OVERLAP):
        chunk = latin[start : start + WINDOW]
        words = set(chunk.translate(_SPACES).split())
        result.append(Window(start, start + len(chunk), words, max(map(len, words), default=0)))
    return tuple(result)
