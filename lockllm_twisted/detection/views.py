"""All that one text may say: itself in plain letters, and what is encoded in it, layer under layer.

Responsible for: `views`: the normalised text first, then decoded views, bounded in depth and in total size.
Must never: raise for any text; drop a part of a text without saying so (`UNDECODED`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from lockllm_twisted.detection.assembled import assembled
from lockllm_twisted.detection.ciphers import deciphered
from lockllm_twisted.detection.decoders import Decoded, decoded
from lockllm_twisted.detection.doubts import ASSEMBLED, DISGUISED, ESCAPED
from lockllm_twisted.detection.escapes import unescaped
from lockllm_twisted.detection.hidden import hidden
from lockllm_twisted.detection.steps import Step
from lockllm_twisted.detection.view import View, normalise, read

__all__ = ["UNDECODED", "View", "normalise", "views"]

DEPTH = 3
"""Layers of encoding that are followed: base64 in base64 in hex."""

UNDECODED = "undecoded"
"""The last word of `View.via`, of an empty view, where decoding stopped at the limit of size."""

_SHORTEST = 16
"""What is encoded in fewer characters is no attack."""

_FREE = 65_536
_SHARE = 4
"""Decoded text is limited to ``_FREE + _SHARE * len(text)`` characters: layers of honest encodings shrink, and what
multiplies is made to waste time."""


def _in_doubt(_: View) -> int:
    return DISGUISED


def views(text: str, first: View | None = None, doubts: Callable[[View], int] = _in_doubt) -> Iterator[View]:
    """All readings of a text, the normalised one first (``first``, where it was read already). Each is made when it is asked for.

    ``doubts``: what there may be in a view (`lockllm_twisted.detection.doubts`).
    """
    budget = _FREE + _SHARE * len(text)
    seen: set[str] = set()
    queue: deque[tuple[str, tuple[str, ...], tuple[Step, ...], int]] = deque([(text, (), (), 0)])
    while queue:
        raw, via, steps, depth = queue.popleft()
        view = read(raw, via, steps) if first is None or depth else first
        if view.lowered in seen:
            continue
        seen.add(view.lowered)
        yield view
        if depth == DEPTH or len(raw) < _SHORTEST:
            continue
        found = [((*via, *names), inner, (*steps, *made_by)) for names, inner, made_by in hidden(raw)]
        found += [
            ((*view.via, *names), inner, (*view.steps, *made_by))
            for names, inner, made_by in _undone(view, doubts(view))
        ]
        for chain, inner, made_by in found:
            budget -= len(inner)
            if budget < 0:
                yield View("", (*chain, UNDECODED), ())
                return
            queue.append((inner, chain, made_by, depth + 1))


def _undone(view: View, doubts: int) -> Iterator[Decoded]:
    yield from decoded(view, doubts)
    if doubts & ESCAPED:
        yield from unescaped(view)
    yield from deciphered(view, doubts)
    if doubts & ASSEMBLED:
        yield from assembled(view)
