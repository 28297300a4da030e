"""A second reading: what a passage says, all its words read together by a small transformer.

Responsible for: `Encoder`; `suspects`, the places in a text that are read again; `passage`, what of the text around a place is shown.
Must never: read what the sums found nothing in: it takes milliseconds.

It knows English, and learned something of other languages in Latin letters. What it mostly has to spell is not read again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from operator import mul

import attrs

from lockllm_twisted.detection.encoder_weights import Encoding
from lockllm_twisted.detection.evidence import Evidence
from lockllm_twisted.detection.model import Seen
from lockllm_twisted.detection.network import Saying, Span, Weights, network_of
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.weighing import scaled
from lockllm_twisted.detection.wordpieces import WordPieces

LABELS = ("attack", "harm", "planted")
"""What the network's logits are of: for `judge.KINDS` by the same name."""

SEATS = 128
"""Pieces that the network sees at once, with a mark at each end."""

_NEAR = 700
"""Characters to each side of a place in which the pieces around it are looked for."""
READ = 4
"""Places of a text that are read again: more than one, so that none hides behind a louder one."""
_BRIEF = 1_000
"""Characters of a text that is looked at as a whole: 126 pieces of ordinary text are some 600."""
_WARY = 0.5
"""How much less a place in a long text says, of which several are read: each may be taken for what it is not."""
_FEWEST = 5
"""Different words of a text: the name of a field, such as ``system_prompt``, is no sentence, nor is one word again and again."""


@attrs.frozen
class Sight:
    """How much is shown around a place: ``pieces``, and the share of these up to which they may be parts of words, or unknown (``spelled``).

    Of English a tenth is, of French, Spanish, German and their like less than six tenths; of many Polish, Turkish and Finnish texts, and of other
    scripts, it is more.
    """

    pieces: int
    spelled: float = 0.6

    def unread(self, words: WordPieces, shown: Sequence[int]) -> bool:
        """Whether too many pieces are spelled for them to be read."""
        return words.spelled(shown) > self.spelled * len(shown)


WIDE = Sight(SEATS - 2)
NARROW = Sight(80, spelled=0.42)
"""Of what a tool brought: what is planted was taught in English, of which one text in two hundred has more."""
CLOSE = Sight(64)
"""Of another long text: with more, what is around a sentence hides it better."""

Said = tuple[float, ...]
"""What the network says of a place, as logits that are added up by weights: as many as there are of these for a kind."""

Place = tuple[int, int]
"""A part of a text: where it starts, and where it ends."""


@attrs.frozen(eq=False)
class Passage:
    """What is shown of a text: its pieces, and of each place that is asked about which of them it has, None for one that can't be read.

    ``whole``: nothing of the text is left out.
    """

    pieces: list[int]
    spans: list[Span | None]
    whole: bool


def passage(
    words: WordPieces, text: str, around: Place, asked: Sequence[Place | None], sight: Sight = WIDE
) -> Passage | None:
    """What is shown of a text around a place; None where that can't be read.

    ``asked``: places that are asked about, None for all that is shown.
    """
    start, end = max(0, around[0] - _NEAR), around[1] + _NEAR
    pieces, starts = words.placed(text[start:end])

    def those(place: Place) -> Span:
        return bisect_left(starts, place[0] - start), bisect_left(starts, place[1] - start)

    first, last = those(around)
    room = max(0, sight.pieces - (last - first))
    left = min(first, max(room // 2, room - (len(pieces) - last)))
    shown = pieces[first - left : first - left + sight.pieces]
    if not shown or sight.unread(words, shown):
        return None

    def span(place: Place | None) -> Span | None:
        if place is None:
            return 1, len(shown) + 1
        here, there = (min(max(0, each - first + left), len(shown)) for each in those(place))
        return None if sight.unread(words, shown[here:there]) or here == there else (here + 1, there + 1)

    whole = len(shown) == len(pieces) and start == 0 and end >= len(text)
    return Passage([words.first, *shown, words.last], [span(place) for place in asked], whole)


def suspects(evidence: Evidence, heads: Sequence[int]) -> Iterator[tuple[View, Seen]]:
    """The sentences, or else windows, for which some heads say most, the strongest first."""
    units = [(look.view, one) for look in evidence.looks for one in look.seen]
    sentences = [each for each in units if not each[1].window]
    yield from sorted(sentences or units, key=lambda each: -each[1].most(heads))


class Encoder:
    """The network at work. ``network_of``: in Python, or compiled."""

    def __init__(self, encoding: Encoding, network_of: Callable[[Weights], Saying] = network_of) -> None:
        self._words = WordPieces(encoding.pieces)
        self._again = encoding.told["again"]
        self._weights, self._network_of = encoding.network, network_of

    @cached_property
    def _network(self) -> Saying:
        return self._network_of(self._weights)

    def together(self, kind: str, values: Sequence[float]) -> float:
        """What the sums, the trees and the encoder say of a place comes to."""
        both: float = sum(map(mul, self._again[kind]["parts"], values))
        return both

    def scored(self, kind: str, speaker: str, both: float) -> float:
        """The score that this is told as."""
        return scaled(self._again[kind]["points"][speaker], both)

    def read(self, view: View, units: Sequence[Seen], kind: str) -> list[Said | None]:
        """What the network says of each unit of a view for a kind, among what stands around it; None for one that it can't read."""
        places = [view.part(one.first, one.end) for one in units]
        size = len(view.lowered)
        sight = NARROW if kind == "planted" else WIDE if size <= _BRIEF else CLOSE
        if size <= _BRIEF:
            every = passage(self._words, view.lowered, (0, size), [None, *places], sight)
            if every is not None and self._words.words(every.pieces) < _FEWEST:
                return [None] * len(units)
            if every is not None and every.whole:
                return self._said(every, kind)
        found = (passage(self._words, view.lowered, place, [None, place], sight) for place in places)
        return [None if one is None else self._said(one, kind)[0] for one in found]

    def _said(self, shown: Passage, kind: str) -> list[Said | None]:
        """What is said of each place that is asked about behind all that is shown."""
        label = LABELS.index(kind)
        spans = [span for span in shown.spans if span is not None]
        every, *others = (each[label] for each in self._network.say(shown.pieces, spans))
        said = iter(others)
        return [None if span is None else _both(every, next(said), kind, shown) for span in shown.spans[1:]]


def _both(every: float, place: float, kind: str, shown: Passage) -> Said:
    """What is said of all that is shown and of a place in it, as one: in a short text either is enough, in a long one the rest speaks for the place, or against it.

    What is planted is no part of the rest: there, each counts by itself.
    """
    if kind == "planted":
        return place, every
    return (max(every, place) if shown.whole else (every + 2 * place) / 3 - _WARY,)
