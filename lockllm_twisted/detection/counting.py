"""Adding up: the weights of the n-grams of some tokens, over their sentences and windows.

Responsible for: `Sums`, in Python; `sums_of`, which gives the compiled twin of it, in ``_quick.c``, where that was built.
Must never: find with one what the other does not: what a machine has a compiler for must not decide what passes.

Two passes. The scout, two kinds of n-gram and three heads, sees every token; what it finds suspicious, about a tenth of
ordinary text, is looked at with all that the model knows, and told where that says enough: of a curt text sooner. Here, both
add up integers in which the heads stand side by side, so that a sum over any stretch is one subtraction.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, repeat
from operator import add, lshift, or_
from typing import Any, Protocol

from lockllm_twisted.detection.ciphers import CIPHERS, KNOWN, USUAL, WRITTEN_AS
from lockllm_twisted.detection.doubts import DISGUISED, SPEAKING
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.grams import (
    CLASS_BITS,
    HEADS,
    LAYERS,
    SCOUT_HEADS,
    SCOUT_LAYERS,
    SENTENCE,
    SHAPES,
    WORD_BITS,
    quoted,
    sentences,
    shape,
    windows,
)
from lockllm_twisted.detection.starts import compiled
from lockllm_twisted.detection.tokens import LINE
from lockllm_twisted.detection.weighing import Weighing
from lockllm_twisted.detection.weights import FIELD, SCALE, Weights
from lockllm_twisted.detection.words import VOCABULARY

try:
    from lockllm_twisted.detection import _quick
except ImportError:  # there was no compiler
    _quick = None  # type: ignore[assignment]

NOTHING = -8.0
"""The logit of what was not seen."""

Spoken = tuple[int, int, tuple[float, ...], float, bool]
"""The first token of a sentence or window, the one behind its last, the logit of each head, that of ``any`` without what stands in
quotation marks, and whether it is a window."""

Glance = tuple[int, Sequence[Spoken] | None, int]
"""What a text is at a glance: what it may be (`doubts`), 0 for one in which there is nothing to find; what `Counting.look` finds, None where
that was not told; and the number of tokens."""

Untold = tuple[tuple[Weighing, ...], list[float], list[float]]
"""The trees for attacks, for planted ones and for harm; what these say at most where nothing is told: of each in a text of the operator's,
of somebody else's, and in one that a tool brought; and what the heads say at most there, of each kind, and of each kind in a curt text (`is_curt`)."""

IN_DOUBT: Glance = (DISGUISED | SPEAKING, None, 0)

_MASK = (1 << FIELD) - 1
_MIDDLE = 1 << (FIELD - 1)
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

_TELLING, _KNOWN = 31, 30
"""The bits, above those of the ciphers, that tell a word of an attack, and such a word or one that joins them."""

_EASE = 0.5
"""How much less gives the alarm in a curt text."""

_REACH = 2
"""Tokens before a unit that its first n-grams reach back to."""


class Counting(Protocol):
    """What adds up."""

    def look(self, ids: list[int], brought: bool, everything: bool, /) -> Sequence[Spoken]:
        """The sentences and windows that say more than a whisper, in order, or each sentence. ``brought``: a tool brought the text.

        Nothing at all where none of them says enough for a text to be weighed.
        """

    def weight(self, layer: int, key: int, head: int, /) -> float:
        """What one n-gram speaks for, as a logit; 0 for one that the model does not know."""

    def glance(self, text: str, brought: bool, own: bool, alone: bool, /) -> Glance:
        """What a folded text is at a glance. ``own``: its writer works for the operator; ``alone``: it is no reading of another text."""


def is_curt(size: int) -> bool:
    """Whether a text has no more tokens than the longest sentence: it is read again sooner, for that takes little time."""
    return size <= SENTENCE


def _limits(told: Any, ease: float) -> tuple[list[int], list[int]]:
    """What the scout's sums over a sentence, and over a window, must come to, for each of its heads, to give the alarm."""
    alarm = list(zip(told["alarm"], told["scout_sentence"], told["scout_window"], told["scout_share"], strict=True))
    near = [round((least - ease - bias) * SCALE) for least, bias, _, _ in alarm]
    wide = [round((least - ease - bias) / share * SCALE) for least, _, bias, share in alarm]
    return near, wide


def _alarm(limits: Iterable[int]) -> int:
    """What to add to a sum so that its field's highest bit is set where it is at least this."""
    return sum((_MIDDLE - limit) << shift for limit, shift in zip(limits, _SHIFTS, strict=False))


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


def _above(logits: Sequence[float], limits: Sequence[float]) -> bool:
    """Whether one of the heads that decide is above its limit."""
    for head, limit in zip(_DECIDING, limits, strict=True):  # noqa: SIM110 # a generator would cost as much again
        if logits[head] > limit:
            return True
    return False


class Sums:
    """`Counting` in Python."""

    def __init__(self, weights: Weights) -> None:
        self._quote, self._line = weights.words.index('"'), weights.words.index(LINE)
        self._class = weights.classes.__getitem__
        self._layers = {name: table.rows().get for name, table in weights.layers.items()}
        self._scout = {name: table.rows().get for name, table in weights.scout.items()}
        told = weights.told
        self._sentence: Sequence[float] = told["sentence"]
        self._window: Sequence[float] = told["window"]
        self._share: Sequence[float] = told["share"]
        self._faint: Sequence[float] = told["faint"]
        self._least: Sequence[float] = told["least"]
        self._alarm, self._curt_alarm = (tuple(map(_alarm, _limits(told, ease))) for ease in (0.0, _EASE))

    def glance(self, text: str, brought: bool, own: bool, alone: bool, /) -> Glance:
        """Always in doubt: to tell would cost as much as to look."""
        return IN_DOUBT

    def look(self, ids: list[int], brought: bool, everything: bool, /) -> list[Spoken]:
        """As `Counting.look`."""
        if not ids:
            return []
        if everything:
            suspects = [(*unit, False) for unit in sentences(ids)]
        else:
            suspects = self._suspicious(ids, _ALARMS[brought])
        if not suspects:
            return []
        cited = {at for span in quoted(ids, self._quote, self._line) for at in range(*span)}
        seen: list[Spoken] = []
        loud = everything or is_curt(len(ids))
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
                if everything or _above(logits, self._faint):
                    seen.append((first, end, logits, outside, window))
                    loud = loud or _above(logits, self._least)
        return seen if loud else []

    def weight(self, layer: int, key: int, head: int, /) -> float:
        """As `Counting.weight`."""
        row = self._layers[LAYERS[layer]](key, 0)
        return ((row + _ALL_MIDDLE >> _SHIFTS[head] & _MASK) - _MIDDLE) / SCALE

    def _suspicious(self, ids: list[int], alarm: int) -> list[_Suspect]:
        """The sentences and the windows in which a head of the scout gives the alarm, in order."""
        ones = map(self._scout["w1"], ids, repeat(0))
        pairs = map(or_, map(lshift, ids, repeat(WORD_BITS)), ids[1:])
        each = map(add, ones, chain((0,), map(self._scout["w2"], pairs, repeat(0))))
        total = list(accumulate(each, initial=0))
        near, wide = self._curt_alarm if is_curt(len(ids)) else self._alarm
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


def sums_of(weights: Weights, untold: Untold) -> Counting:
    """What adds up with some weights: compiled where it was built, else in Python."""
    if _quick is None:
        return Sums(weights)
    number = {word: at for at, word in enumerate(weights.words)}
    told = weights.told
    words = {word: (at, 0, 0) for word, at in number.items()}
    starts, met = compiled(ALL.worded)
    for word in {*WRITTEN_AS, *met, *KNOWN}:
        of = number[word] if word in number else number[shape(word)]
        ciphers = sum(1 << CIPHERS.index(name) for name in WRITTEN_AS.get(word, ()))
        words[word] = (of, ciphers | (word in VOCABULARY) << _TELLING | (word in KNOWN) << _KNOWN, met.get(word, 0))
    return _quick.Sums(
        classes=array("H", weights.classes),
        layers=[weights.layers[layer].columns for layer in LAYERS],
        scout=[weights.scout[layer].columns for layer in SCOUT_LAYERS],
        sentence=told["sentence"],
        window=told["window"],
        share=told["share"],
        faint=told["faint"],
        least=told["least"],
        limits=[each for ease in (0.0, _EASE) for limits in _limits(told, ease) for each in limits],
        words=words,
        shapes=[number[name] for name in SHAPES],
        quote=number['"'],
        line=number[LINE],
        usual=sum(1 << CIPHERS.index(name) for name in USUAL),
        starts=starts,
        forests=untold[0],
        untold=untold[1],
        quiet=untold[2],
    )
