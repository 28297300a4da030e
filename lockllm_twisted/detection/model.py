"""The learned part: what each n-gram speaks for, added up over the sentences and windows of a text.

Responsible for: `Model.look`: the units of a text that speak for something, and how strongly for each head.
Must never: look at a part of a long text only: padding hides nothing, and one sentence among many is looked at by itself.

Two passes. The scout, two kinds of n-gram and three heads, sees every token; what it finds suspicious, about a tenth of
ordinary text, is looked at with all that the model knows, and told where that says enough. Both add up integers in which the
heads stand side by side, so that a sum over any stretch is one subtraction.

The head ``indirect`` knows instructions by being instructions. They are out of place in what a tool brought, and only there it is
asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, repeat
from operator import add, lshift, or_

import attrs

from lockllm_twisted.detection.grams import (
    CLASS_BITS,
    HEADS,
    SCOUT_HEADS,
    WORD_BITS,
    quoted,
    sentences,
    shape,
    windows,
)
from lockllm_twisted.detection.tokens import LINE
from lockllm_twisted.detection.weights import FIELD, SCALE, Weights

_MASK = (1 << FIELD) - 1
_MIDDLE = 1 << (FIELD - 1)
_REMEMBERED = 100_000
"""Unknown words whose shape is remembered."""

_SHIFTS = tuple(range(0, FIELD * len(HEADS), FIELD))
_ALL_MIDDLE = sum(_MIDDLE << shift for shift in _SHIFTS)
_ALARMS = tuple(
    sum(_MIDDLE << shift for shift, head in zip(_SHIFTS, SCOUT_HEADS, strict=False) if brought or head != "indirect")
    for brought in (False, True)
)
"""The highest bits of the fields of the heads that may give the alarm, in a text that no tool brought, and in one of a tool."""

_ANY, _INDIRECT = HEADS.index("any"), HEADS.index("indirect")
_DECIDING = tuple(map(HEADS.index, SCOUT_HEADS))
_WHOLE = (1.0,) * len(HEADS)
_REASONS = 5
_WORD_LAYERS = (("w1", (0,)), ("w2", (1, 0)), ("w3", (2, 1, 0)), ("s2", (2, 0)))
"""The layers of words, and how far back each word of one of its n-grams is."""

NOTHING = -8.0
"""The logit of what was not seen."""

_REACH = 2
"""Tokens before a unit that its first n-grams reach back to."""


def _alarm(least: Iterable[float]) -> int:
    """What to add to a sum so that its field's highest bit is set where it is at least this."""
    return sum((_MIDDLE - round(limit * SCALE)) << shift for limit, shift in zip(least, _SHIFTS, strict=False))


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


class _Numbers(dict[str, int]):
    """Words to numbers; an unknown word gets its shape's."""

    def __init__(self, words: Iterable[str]) -> None:
        super().__init__((word, number) for number, word in enumerate(words))
        self._most = len(self) + _REMEMBERED

    def __missing__(self, word: str) -> int:
        number = self[shape(word)]
        if len(self) < self._most:
            self[word] = number
        return number


_Suspect = tuple[int, int, bool]
"""The first token, the one behind the last, and whether it is a window."""


def _touching(suspects: Iterable[_Suspect]) -> Iterator[list[_Suspect]]:
    """Suspects in groups that touch or overlap: what they share is added up once."""
    group: list[_Suspect] = []
    reached = -1
    for suspect in suspects:
        if group and suspect[0] > reached:
            yield group
            group = []
        group.append(suspect)
        reached = max(reached, suspect[1]) if len(group) > 1 else suspect[1]
    if group:
        yield group


class Model:
    """The weights at work."""

    def __init__(self, weights: Weights) -> None:
        self._words = weights.words
        self._quote, self._line = weights.words.index('"'), weights.words.index(LINE)
        self._number = _Numbers(weights.words).__getitem__
        self._class = weights.classes.__getitem__
        self._layers = {name: table.get for name, table in weights.layers.items()}
        self._scout = {name: table.get for name, table in weights.scout.items()}
        told = weights.told
        self._sentence: Sequence[float] = told["sentence"]
        self._window: Sequence[float] = told["window"]
        self._share: Sequence[float] = told["share"]
        alarm = list(zip(told["alarm"], told["scout_sentence"], told["scout_window"], told["scout_share"], strict=True))
        self._faint: Sequence[float] = told["faint"]
        self._near_alarm = _alarm((least - bias) for least, bias, _, _ in alarm)
        self._wide_alarm = _alarm((least - bias) / share for least, _, bias, share in alarm)

    def look(self, tokens: Sequence[str], *, brought: bool, everything: bool = False) -> list[Seen]:
        """What is suspicious in some tokens, or each sentence of them, in order. ``brought``: a tool brought them."""
        if not tokens:
            return []
        ids = list(map(self._number, tokens))
        if everything:
            suspects = [(*unit, False) for unit in sentences(ids)]
        else:
            suspects = self._suspicious(ids, _ALARMS[brought])
        if not suspects:
            return []
        cited = {at for span in quoted(ids, self._quote, self._line) for at in range(*span)}
        seen: list[Seen] = []
        for group in _touching(suspects):
            start, stop = group[0][0], max(end for _, end, _ in group)
            each = self._each(ids, start, stop)
            total = list(accumulate(each, initial=0))
            bare = total
            if cited:
                bare = list(accumulate((0 if at in cited else one for at, one in enumerate(each, start)), initial=0))
            for first, end, window in group:
                here, there = first - start, end - start
                logits, outside = self._logits(total[there] - total[here], bare[there] - bare[here], window=window)
                if not brought:
                    logits = (*logits[:_INDIRECT], NOTHING, *logits[_INDIRECT + 1 :])
                found = Seen(first, end, logits, outside, window)
                if everything or self._loud(found):
                    seen.append(found)
        return seen

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
                row = self._layers[layer](key, 0)
                name = ("" if layer != "s2" else "… ").join(f"{self._words[part]} " for part in parts).strip()
                found[name] = ((row + _ALL_MIDDLE >> _SHIFTS[head] & _MASK) - _MIDDLE) / SCALE
        best = sorted(found, key=lambda name: -found[name])[:_REASONS]
        return tuple(name for name in best if found[name] > 0)

    def _loud(self, seen: Seen) -> bool:
        """Whether a head that decides says more than a whisper."""
        logits = seen.logits
        for head, faint in zip(_DECIDING, self._faint, strict=True):  # noqa: SIM110 # a generator would cost as much again
            if logits[head] > faint:
                return True
        return False

    def _suspicious(self, ids: list[int], alarm: int) -> list[_Suspect]:
        """The sentences and the windows in which a head of the scout gives the alarm, in order."""
        ones = map(self._scout["w1"], ids, repeat(0))
        pairs = map(or_, map(lshift, ids, repeat(WORD_BITS)), ids[1:])
        each = map(add, ones, chain((0,), map(self._scout["w2"], pairs, repeat(0))))
        total = list(accumulate(each, initial=0))
        near, wide = self._near_alarm, self._wide_alarm
        found = [(start, end, False) for start, end in sentences(ids) if (total[end] - total[start] + near) & alarm]
        found += [(start, end, True) for start, end in windows(len(ids)) if (total[end] - total[start] + wide) & alarm]
        found.sort()
        return found

    def _logits(self, total: int, outside: int, *, window: bool) -> tuple[tuple[float, ...], float]:
        share, bias = (self._share, self._window) if window else (_WHOLE, self._sentence)
        sums = [
            ((total + _ALL_MIDDLE >> shift & _MASK) - _MIDDLE) / SCALE * part + more
            for shift, part, more in zip(_SHIFTS, share, bias, strict=True)
        ]
        bare = sums[_ANY]
        if outside != total:
            bare = ((outside + _ALL_MIDDLE >> _SHIFTS[_ANY] & _MASK) - _MIDDLE) / SCALE * share[_ANY] + bias[_ANY]
        return tuple(sums), bare

    def _each(self, ids: list[int], start: int, end: int) -> list[int]:
        """The weights of the n-grams that end at each token from ``start`` to ``end``."""
        before = max(0, start - _REACH)
        get = self._layers
        word = ids[before:end]
        kind = list(map(self._class, word))
        none = repeat(0)
        word1, kind1 = [number << WORD_BITS for number in word], [number << CLASS_BITS for number in kind]
        word2, kind2 = list(map(or_, word1, word[1:])), list(map(or_, kind1, kind[1:]))
        ones = map(get["w1"], word, none)
        twos = map(add, map(get["w2"], word2, none), map(get["c2"], kind2, none))
        gaps = map(
            add, map(get["s2"], map(or_, word1, word[2:]), none), map(get["d2"], map(or_, kind1, kind[2:]), none)
        )
        word3 = map(or_, map(lshift, word2, repeat(WORD_BITS)), word[2:])
        kind3 = map(or_, map(lshift, kind2, repeat(CLASS_BITS)), kind[2:])
        threes = map(add, gaps, map(add, map(get["w3"], word3, none), map(get["c3"], kind3, none)))
        return list(map(add, map(add, ones, chain((0,), twos)), chain((0, 0), threes)))[start - before :]
