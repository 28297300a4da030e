"""Scores of labelled texts, and what can be counted on them under any weights.

Responsible for: rates over a threshold, the threshold for a rate of false positives, the area under the ROC curve.
Must never: draw at random (that is ``bootstrap``), or know what a score is made of.

A weight stands for how often a cluster of records is counted: once each for the figures themselves, as often as it was
drawn for a resample. One code for both, so that an interval is of the same figure as the one that it stands beside.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor, inf
from operator import mul

import attrs

_ROUNDING = 1e-9
"""0.29 * 100 is 28.999999999999996, and means 29 records."""


@attrs.frozen
class Scored:
    """What a judge said of one record: ``score`` (the larger, the worse), and whether it would have been stopped."""

    score: float
    flagged: bool
    source: str
    cluster: str | None = None


class Ranked:
    """Some records, from the highest score down. ``clusters``: for each one the index of its weight."""

    def __init__(self, items: Iterable[tuple[Scored, int]]) -> None:
        ranked = sorted(items, key=lambda item: -item[0].score)
        self.scores = [scored.score for scored, _ in ranked]
        self.below = [-score for score in self.scores]
        self.clusters = [cluster for _, cluster in ranked]
        self._flagged = [int(scored.flagged) for scored, _ in ranked]

    def counted(self, weights: Sequence[int]) -> Counted:
        """These records, each as often as its cluster weighs."""
        each = list(map(weights.__getitem__, self.clusters))
        return Counted(self, each, [0, *accumulate(each)], sum(map(mul, each, self._flagged)))

    def over(self, bar: float) -> int:
        """How many have a score above ``bar``."""
        return bisect_left(self.below, -bar)


@attrs.frozen
class Counted:
    """`Ranked` records under weights: ``each`` one's, the sums from the top, and that of the flagged ones."""

    ranked: Ranked
    each: Sequence[int]
    sums: Sequence[int]
    flagged: int

    @property
    def total(self) -> int:
        """The weight of all."""
        return self.sums[-1]

    @property
    def flagged_share(self) -> float:
        """The share of the flagged ones, 0 to 1."""
        return self.flagged / self.total

    def share_over(self, bar: float) -> float:
        """The share of those with a score above ``bar``, 0 to 1."""
        return self.sums[self.ranked.over(bar)] / self.total

    def bar_for(self, rate: float) -> float:
        """The lowest score such that at most the share ``rate`` of these records is above it; ``-inf`` if all may be."""
        allowed = floor(rate * self.total + _ROUNDING)
        first_too_many = bisect_right(self.sums, allowed) - 1
        return -inf if first_too_many == len(self.each) else self.ranked.scores[first_too_many]


class Ties:
    """For each record of ``positives``, how many of ``negatives`` stand above it, and how many above or level."""

    def __init__(self, positives: Ranked, negatives: Ranked) -> None:
        self._above = [bisect_left(negatives.below, score) for score in positives.below]
        self._level = [bisect_right(negatives.below, score) for score in positives.below]

    def roc_auc(self, positives: Counted, negatives: Counted) -> float:
        """How likely a positive record has the higher score of two, a tie counting half (Mann-Whitney)."""
        sums = negatives.sums
        lost = sum(
            weight * (sums[above] + sums[level])
            for weight, above, level in zip(positives.each, self._above, self._level, strict=True)
        )
        return 1 - lost / 2 / (positives.total * negatives.total)


class Side:
    """All benign records, or all attacks, by source: ``sources`` in the order of their names, and ``all`` together.

    A cluster is one within its source.
    """

    def __init__(self, items: Sequence[Scored]) -> None:
        self.ranges: list[range] = []
        by_source: dict[str, Ranked] = {}
        together: list[tuple[Scored, int]] = []
        for source in sorted({item.source for item in items}):
            first = self.ranges[-1].stop if self.ranges else 0
            places: dict[object, int] = {}
            mine = [
                (item, first + places.setdefault(number if item.cluster is None else item.cluster, len(places)))
                for number, item in enumerate(items)
                if item.source == source
            ]
            self.ranges.append(range(first, first + len(places)))
            by_source[source] = Ranked(mine)
            together += mine
        self.sources = by_source
        self.all = Ranked(together)

    @property
    def clusters(self) -> int:
        """How many independent clusters there are."""
        return self.ranges[-1].stop if self.ranges else 0
