"""A second reading: what a passage says, all its words read together by a small transformer.

Responsible for: `Encoder`; `suspects`, the places in a text that are read again; `passage`, what of the text around a place is shown.
Must never: read what the sums found nothing in: it takes milliseconds.

It knows English. What is mostly in words that it has to spell is not read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import attrs

from lockllm_twisted.detection.encoder_weights import Encoding
from lockllm_twisted.detection.evidence import Evidence
from lockllm_twisted.detection.model import Seen
from lockllm_twisted.detection.network import ASKED, BESIDE, MARK, Saying, Weights, network_of
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.weighing import scaled
from lockllm_twisted.detection.wordpieces import WordPieces

LABELS = ("attack", "harm", "planted")
"""What the network's logits are of: for `judge.KINDS` by the same name."""

PLACES = 128
"""Pieces that the network sees at once, with a mark at each end."""

_NEAR = 700
"""Characters to each side of a place in which the pieces around it are looked for."""
_MOST, _MOST_BESIDE = PLACES - 2, 80
_SPELLED = 0.3
"""The share of pieces that are parts of words, or unknown. Of English texts one in thirty-three has more; most in other languages have."""


@attrs.frozen(eq=False)
class Passage:
    """Pieces, and the part that each is of. ``whole``: nothing of the text is left out."""

    pieces: list[int]
    parts: list[int]
    whole: bool


def passage(words: WordPieces, text: str, start: int, end: int, *, alone: bool) -> Passage | None:
    """What is shown of a text of which ``text[start:end]`` is suspicious; None where it is not English.

    ``alone``: only that is asked about, and the rest is what stands around it.
    """
    most = _MOST_BESIDE if alone else _MOST
    every = words.of(text[start:end])
    asked = every[:most]
    before, after = words.of(text[max(0, start - _NEAR) : start]), words.of(text[end : end + _NEAR])
    room = most - len(asked)
    left = min(len(before), max(room // 2, room - len(after)))
    right = min(len(after), room - left)
    shown = [*before[len(before) - left :], *asked, *after[:right]]
    if not asked or mostly_spelled(words, shown):
        return None
    beside = BESIDE if alone else ASKED
    whole = (left, right, start <= _NEAR, end + _NEAR >= len(text)) == (len(before), len(after), True, True)
    return Passage(
        [words.first, *shown, words.last],
        [MARK, *[beside] * left, *[ASKED] * len(asked), *[beside] * right, MARK],
        whole and asked == every,
    )


def mostly_spelled(words: WordPieces, shown: Sequence[int]) -> bool:
    """Whether pieces are not those of an English text."""
    return words.spelled(shown) > _SPELLED * len(shown)


def suspects(evidence: Evidence, heads: Sequence[int]) -> Iterator[tuple[View, Seen]]:
    """The sentences, or else windows, for which some heads say most, the strongest first."""
    units = [(look.view, one) for look in evidence.looks for one in look.seen]
    sentences = [each for each in units if not each[1].window]
    yield from sorted(sentences or units, key=lambda each: -max(each[1].logits[head] for head in heads))


class Encoder:
    """The network at work. ``network_of``: in Python, or compiled."""

    def __init__(self, encoding: Encoding, network_of: Callable[[Weights], Saying] = network_of) -> None:
        self._words = WordPieces(encoding.pieces)
        self._again = encoding.told["again"]
        self._weights, self._network_of = encoding.network, network_of

    @cached_property
    def _network(self) -> Saying:
        return self._network_of(self._weights)

    def together(self, kind: str, value: float, said: float) -> float:
        """What the trees say of a place and what the encoder says come to."""
        told = self._again[kind]
        both: float = told["trees"] * value + told["said"] * said
        return both

    def scored(self, kind: str, speaker: str, both: float) -> float:
        """The score that this is told as."""
        return scaled(self._again[kind]["points"][speaker], both)

    def read(self, view: View, place: Seen, kind: str, covered: list[View]) -> tuple[float | None, bool]:
        """What the network says most of a place for a kind, as a logit, None for nothing; and whether all that it was to see is English.

        ``covered``: the views of which all was read already, for that kind; what is read adds to them.
        """
        shown = self._shown(view, place, covered, planted=kind == "planted")
        label = LABELS.index(kind)
        each = {tuple(one.pieces): one for one in shown if one is not None}
        said = [self._network.say(one.pieces, one.parts)[label] for one in each.values()]
        return max(said, default=None), None not in shown

    def _shown(self, view: View, place: Seen, covered: list[View], *, planted: bool) -> list[Passage | None]:
        start, end = view.part(place.first, place.end)
        if planted:
            return [passage(self._words, view.lowered, start, end, alone=True)]
        found = []
        # By itself, so that nothing around dilutes it; but what is quoted, only among what it is quoted in.
        if place.outside > 0:
            found.append(passage(self._words, view.lowered[start:end], 0, end - start, alone=False))
        if view not in covered:
            around = passage(self._words, view.lowered, start, end, alone=False)
            if around is not None and around.whole:
                covered.append(view)
            found.append(around)
        return found
