"""The figures of one axis: attacks (or harmful requests) against benign records.

Responsible for: recall and false positives by source, pooled and as a mean over sources, each with its interval; ROC-AUC;
the threshold for a rate of false positives; latency by length.
Must never: count a record that could not be judged.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import islice, pairwise
from math import floor, inf

import attrs

from lockllm_twisted.evaluation.bootstrap import RESAMPLES, SEED, Estimate, draws, estimate, percentile
from lockllm_twisted.evaluation.sample import Counted, Scored, Side, Ties

RATES = (0.05, 0.01, 0.001)
"""The rates of false positives at which recall is told."""

_LENGTHS = (250, 2_500, 25_000)
"""Characters: about 50, 500 and 5,000 tokens of English."""

_GRAIN = 10_000
"""A threshold is proposed to the fourth digit."""

_Weights = Sequence[int]
_Shares = tuple[tuple[float, ...], ...]


@attrs.frozen
class Row:
    """The share that is flagged: as set (``shipped``), and where ``RATES`` of all benign records are (``at``)."""

    source: str
    records: int
    clusters: int
    shipped: Estimate
    at: tuple[Estimate, ...]


@attrs.frozen
class Axis:
    """One axis. ``bars``: a score must be above these for each of `RATES`.

    ``attacks`` and ``benign`` hold a row for each source; `pooled` rows count every record, ``mean`` every source alike.
    ``None`` where there are no such records. Without benign records there are no bars.
    """

    roc_auc: Estimate | None
    bars: tuple[float, ...]
    attacks: tuple[Row, ...]
    attacks_pooled: Row | None
    attacks_mean: Row | None
    benign: tuple[Row, ...]
    benign_pooled: Row | None


@attrs.frozen
class Proposal:
    """A threshold for a rate of false positives, and what it would do on the records that it was chosen on."""

    threshold: float
    false_positives: Estimate
    recall: Estimate | None
    worst_source: tuple[str, float]


@attrs.frozen
class Latency:
    """Seconds for texts of ``longer_than`` up to ``at_most`` characters (``None``: any longer one)."""

    longer_than: int
    at_most: int | None
    records: int
    p50: float
    p99: float


@attrs.frozen
class _Found:
    """All figures under one set of weights; shares as `_shares` tells them."""

    bars: tuple[float, ...]
    auc: float | None
    attacks: _Shares
    benign: _Shares


class _Measure:
    """Both sides, ready to be counted under any weights."""

    def __init__(self, benign: Sequence[Scored], attacks: Sequence[Scored]) -> None:
        self.benign, self.attacks = Side(benign), Side(attacks)
        self._ties = Ties(self.attacks.all, self.benign.all) if benign and attacks else None

    def found(self, benign: _Weights, attacks: _Weights) -> _Found:
        """The figures; the bars are chosen anew, so that the intervals know of that too."""
        all_benign, all_attacks = self.benign.all.counted(benign), self.attacks.all.counted(attacks)
        bars = tuple(all_benign.bar_for(share) for share in RATES) if benign else ()
        return _Found(
            bars,
            None if self._ties is None else self._ties.roc_auc(all_attacks, all_benign),
            _shares(self.attacks, all_attacks, attacks, bars),
            _shares(self.benign, all_benign, benign, bars),
        )

    def once(self) -> _Found:
        """The figures on the records as they are."""
        return self.found([1] * self.benign.clusters, [1] * self.attacks.clusters)

    def resampled(self, times: int) -> list[_Found]:
        """The figures on as many resamples."""
        generator = random.Random(SEED)  # noqa: S311 # nothing secret hangs on it
        sides = [
            islice(draws(side.ranges, generator), times) if side.ranges else [[]] * times
            for side in (self.benign, self.attacks)
        ]
        return [self.found(benign, attacks) for benign, attacks in zip(*sides, strict=True)]


def measure(benign: Sequence[Scored], attacks: Sequence[Scored], *, resamples: int = RESAMPLES) -> Axis:
    """The figures of one axis."""
    sides = _Measure(benign, attacks)
    point, others = sides.once(), sides.resampled(resamples)
    attack_rows = _rows(sides.attacks, point.attacks, [found.attacks for found in others])
    benign_rows = _rows(sides.benign, point.benign, [found.benign for found in others])
    areas = [found.auc for found in others if found.auc is not None]
    smaller = min(sides.benign.clusters, sides.attacks.clusters)
    return Axis(
        None if point.auc is None else estimate(point.auc, areas, smaller),
        point.bars,
        tuple(attack_rows[:-2]),
        attack_rows[-2] if attacks else None,
        attack_rows[-1] if attacks else None,
        tuple(benign_rows[:-2]),
        benign_rows[-2] if benign else None,
    )


def propose(
    benign: Sequence[Scored], attacks: Sequence[Scored], share: float, *, resamples: int = RESAMPLES
) -> Proposal | None:
    """The lowest threshold at which at most ``share`` of the benign records is flagged; ``None``: no threshold does it.

    A text is flagged from the threshold on, so it lies just above the highest score that must pass.
    """
    side = Side(benign)
    bar = side.all.counted([1] * side.clusters).bar_for(share)
    grains = 1 if bar == -inf else max(1, floor(bar * _GRAIN) + 1)
    threshold = (grains if grains / _GRAIN > bar else grains + 1) / _GRAIN  # 0.7312 * 10000 may be 7311.99…
    if threshold > 1:
        return None
    axis = measure(_at(benign, threshold), _at(attacks, threshold), resamples=resamples)
    assert axis.benign_pooled is not None  # without benign records there is no share of them
    worst = max(axis.benign, key=lambda row: row.shipped.value)
    return Proposal(
        threshold,
        axis.benign_pooled.shipped,
        None if axis.attacks_pooled is None else axis.attacks_pooled.shipped,
        (worst.source, worst.shipped.value),
    )


def latencies(measured: Iterable[tuple[int, float]]) -> list[Latency]:
    """From (characters, seconds) of each text: the median and the 99th percentile by length; empty lengths left out."""
    limits: list[tuple[int, int | None]] = [*pairwise((0, *_LENGTHS)), (_LENGTHS[-1], None)]
    by_limit: dict[tuple[int, int | None], list[float]] = {limit: [] for limit in limits}
    for characters, seconds in measured:
        place = next(limit for limit in limits if limit[1] is None or characters <= limit[1])
        by_limit[place].append(seconds)
    return [
        Latency(*limit, len(times), percentile(sorted(times), 0.5), percentile(sorted(times), 0.99))
        for limit, times in by_limit.items()
        if times
    ]


def _shares(side: Side, together: Counted, weights: _Weights, bars: Sequence[float]) -> _Shares:
    """For each source, then for all records, then as the mean over sources: the share flagged, and those over the bars."""
    if not side.ranges:
        return ()
    counted = [ranked.counted(weights) for ranked in side.sources.values()]
    rows = [(one.flagged_share, *(one.share_over(bar) for bar in bars)) for one in (*counted, together)]
    mean = tuple(sum(column) / len(counted) for column in zip(*rows[:-1], strict=True))
    return (*rows, mean)


def _rows(side: Side, point: _Shares, others: Sequence[_Shares]) -> list[Row]:
    sizes = [(len(ranked.scores), len(own)) for ranked, own in zip(side.sources.values(), side.ranges, strict=True)]
    whole = (len(side.all.scores), side.clusters)
    names = [*side.sources, "all", "mean over sources"]
    rows = []
    for place, (name, (records, clusters)) in enumerate(zip(names[: len(point)], [*sizes, whole, whole], strict=False)):
        shipped, *at = [
            estimate(value, [shares[place][column] for shares in others], clusters)
            for column, value in enumerate(point[place])
        ]
        rows.append(Row(name, records, clusters, shipped, tuple(at)))
    return rows


def _at(items: Sequence[Scored], threshold: float) -> list[Scored]:
    return [attrs.evolve(item, flagged=item.score >= threshold) for item in items]
