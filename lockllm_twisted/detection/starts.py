"""Where rules may match: the words of a page tell which rules can match in it at all, and where their matches can start.

Responsible for: `Starts`, in Python; `starts_of`, which gives the compiled twin of it, in ``_quick.c``, where that was built.
Must never: leave out a place where a rule that goes by words matches.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Protocol

from lockllm_twisted.detection.rules import Rule
from lockllm_twisted.detection.view import Window, windows
from lockllm_twisted.values import Category

try:
    from lockllm_twisted.detection import _quick
except ImportError:  # there was no compiler
    _quick = None  # type: ignore[assignment]

Start = tuple[int, int, int]
"""A rule's number, where in a text a match of it may start, and where the part ends that it may start in; -1 where it starts there or nowhere."""

LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
"""What words are made of."""

_COMMON = frozenset(
    """a all an and any are as at be can do for from give have how i if in is it list make must no not now of on or say show
    so that the this to use was what when will with without write you your""".split()  # noqa: SIM905 # to be read
)
"""Words that tell least: a rule is looked up by those of its needs that hold fewest of them."""


class Starting(Protocol):
    """What tells where rules may match."""

    def of(self, text: str, /) -> list[Start]:
        """Where rules may match in a normalised text, in ASCII; twice where two pages overlap."""


class Bits:
    """``meets``: the needs that each word meets, a bit each; ``wanted``: what each rule needs; ``heads``: the rules that may start with a word."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.meets: dict[str, int] = defaultdict(int)
        self.wanted: list[int] = []
        self.heads: dict[str, int] = defaultdict(int)
        known: dict[frozenset[str], int] = {}
        for number, each in enumerate(rules):
            need = 0
            for words in each.needs:
                bit = known.setdefault(words, 1 << len(known))
                need |= bit
                for word in words:
                    self.meets[word] |= bit
            for word in each.heads or ():
                self.heads[word] |= 1 << number
            self.wanted.append(need)


class Starts:
    """`Starting` in Python."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        bits = Bits(rules)
        self._rules, self._meets, self._wanted = rules, bits.meets, bits.wanted
        self._hinted: dict[str, list[int]] = defaultdict(list)
        for number, each in enumerate(rules):
            for word in min(each.needs, key=lambda words: (len(words & _COMMON), len(words))):
                self._hinted[word].append(number)
        self._words = frozenset(bits.meets)

    def of(self, text: str, /) -> list[Start]:
        """As `Starting.of`."""
        return [start for window in windows(text) for start in self._in(window, text)]

    def _in(self, window: Window, text: str) -> Iterator[Start]:
        places: dict[str, list[int]] = {}
        for number in self._possible(window.words):
            heads = self._rules[number].heads
            if heads is None:
                yield number, window.start, window.end
                continue
            for word in heads & window.words:
                if word not in places:
                    places[word] = _find(word, text, window)
                for at in places[word]:
                    yield number, at, -1

    def _possible(self, words: set[str]) -> set[int]:
        found = words & self._words
        present = 0
        for word in found:
            present |= self._meets[word]
        return {
            number
            for word in found
            for number in self._hinted.get(word, ())
            if self._wanted[number] & present == self._wanted[number]
        }


def _find(word: str, text: str, window: Window) -> list[int]:
    found = []
    at = text.find(word, window.start, window.end)
    while at >= 0:
        end = at + len(word)
        if (at == 0 or text[at - 1] not in LATIN) and text[end : end + 1] not in LATIN:
            found.append(at)
        at = text.find(word, end, window.end)
    return found


def split(bits: int, size: int) -> list[int]:
    """Bits in numbers of 64, the lowest first. Raises OverflowError for more of them."""
    if bits >> 64 * size:
        raise OverflowError("the rules need more bits than the compiled part has for them")
    return [bits >> 64 * at & (1 << 64) - 1 for at in range(size)]


def compiled(rules: Sequence[Rule]) -> tuple[_quick.Starts, dict[str, int]]:
    """The compiled twin, and the number of each word in it."""
    bits = Bits(rules)
    meets = {(0, 0): 0}
    met = {word: meets.setdefault((need, bits.heads.get(word, 0)), len(meets)) for word, need in bits.meets.items()}
    told = [
        (wanted, int(each.precise), int(each.heads is None), int(each.category is Category.UNSAFE_INSTRUCTIONS))
        for wanted, each in zip(bits.wanted, rules, strict=True)
    ]
    return _quick.Starts(
        words={word: (0, 0, number) for word, number in met.items()},
        meets=array(
            "Q", [part for need, heads in meets for part in (*split(need, _quick.NEEDS), *split(heads, _quick.RULES))]
        ),
        rules=array("Q", [part for wanted, *kind in told for part in (*split(wanted, _quick.NEEDS), *kind)]),
    ), met


def starts_of(rules: Sequence[Rule]) -> Starting:
    """What tells where some rules may match: compiled where it was built, else in Python."""
    if _quick is None:
        return Starts(rules)
    return compiled(rules)[0]
