"""The learned part: what each n-gram speaks for, added up over the sentences and windows of a text.

Responsible for: `Model`: which tokens are which words; the units of a text that speak for something, and why.
Must never: look at a part of a long text only: padding hides nothing, and one sentence among many is looked at by itself.

The head ``indirect`` knows instructions by being instructions. They are out of place in what a tool brought, and only there it is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from lockllm_twisted.detection.confusables import CONFUSABLE
from lockllm_twisted.detection.counting import Counting, Glance
from lockllm_twisted.detection.doubts import LOOKALIKE, SPEAKING
from lockllm_twisted.detection.grams import LAYERS, WORD_BITS, shape
from lockllm_twisted.detection.steps import matches
from lockllm_twisted.detection.tokens import in_ascii
from lockllm_twisted.detection.weights import Weights

_REMEMBERED = 100_000
"""Unknown words whose shape is remembered."""

_REASONS = 5
_WORD_LAYERS = tuple(
    (LAYERS.index(name), back) for name, back in (("w1", (0,)), ("w2", (1, 0)), ("w3", (2, 1, 0)), ("s2", (2, 0)))
)
"""The layers of words, and how far back each word of one of its n-grams is."""
_GAPPED = LAYERS.index("s2")


@attrs.frozen
class Seen:
    """A sentence or window, and the logit of each head for it.

    ``outside`` is the logit of the head ``any`` without what stands in quotation marks.
    """

    first: int
    end: int
    logits: tuple[float, ...]
    outside: float
    window: bool

    def most(self, heads: Sequence[int]) -> float:
        """The largest logit of some heads."""
        return max(self.logits[head] for head in heads)


class Numbers(dict[str, int]):
    """Words to numbers; an unknown word gets its shape's."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__((word, number) for number, word in enumerate(words))
        self._most = len(self) + _REMEMBERED

    def __missing__(self, word: str) -> int:
        number = self[shape(word)]
        if len(self) < self._most:
            self[word] = number
        return number


class Model:
    """The weights at work."""

    def __init__(self, weights: Weights, sums: Counting) -> None:
        self._words = weights.words
        self._number = Numbers(weights.words).__getitem__
        self._sums = sums

    def glance(self, text: str, *, brought: bool, own: bool, alone: bool) -> Glance:
        """What a folded text is at a glance, as `Counting.glance` tells it."""
        if text.isascii():
            return self._sums.glance(text, brought, own, alone)
        latin, joined = in_ascii(text), in_ascii(text, "x")
        if latin == joined:
            return self._sums.glance(latin, brought, own, alone)
        flags = SPEAKING if next(matches(CONFUSABLE, text), None) is None else SPEAKING | LOOKALIKE
        for each in (latin, joined):  # letters of other scripts part words for one decoder, and join them for another
            flags |= self._sums.glance(each, brought, own, False)[0]
        return flags, None, 0

    def look(self, tokens: Sequence[str], *, brought: bool, everything: bool = False) -> list[Seen]:
        """What is suspicious in some tokens, or each sentence of them, in order. ``brought``: a tool brought them."""
        ids = list(map(self._number, tokens))
        return [Seen(*one) for one in self._sums.look(ids, brought, everything)]

    def reasons(self, tokens: Sequence[str], unit: Seen, head: int) -> tuple[str, ...]:
        """The n-grams of a unit that speak most for a head, as the vocabulary has them: words that it lacks are their shape."""
        ids = list(map(self._number, tokens[unit.first : unit.end]))
        found: dict[str, float] = {}
        for layer, back in _WORD_LAYERS:
            for at in range(back[0], len(ids)):
                parts = [ids[at - steps] for steps in back]
                key = 0
                for part in parts:
                    key = key << WORD_BITS | part
                name = ("… " if layer == _GAPPED else "").join(f"{self._words[part]} " for part in parts).strip()
                found[name] = self._sums.weight(layer, key, head)
        best = sorted(found, key=lambda name: -found[name])[:_REASONS]
        return tuple(name for name in best if found[name] > 0)
