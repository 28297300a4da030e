"""How sure a figure is: 95 % intervals by resampling clusters.

Responsible for: drawing clusters within their source, and intervals from what was found on the draws.
Must never: give an interval without width for want of anything that varies.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import attrs

RESAMPLES = 1000
SEED = 20_260_101
"""Fixed: the same records give the same intervals."""

_TAIL = 0.025


@attrs.frozen
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def draws(ranges: Sequence[range], generator: random.Random) -> Iterator[list[int]]:
    """Endlessly, how often each cluster was drawn: from each range as many as it has, with replacement."""
    sources = [list(places) for places in ranges]
    size = ranges[-1].stop
    while True:
        weights = [0] * size
        for places in sources:
            for drawn in generator.choices(places, k=len(places)):
                weights[drawn] += 1
        yield weights


def estimate(value: float, resampled: Sequence[float], clusters: int) -> Estimate:
    """The estimate of a figure from 0 to 1, from what it was on the resamples.

    Where a rate is 0 or 1, resamples hardly differ; the bound is then the exact binomial one (Clopper-Pearson) for as many
    independent trials as there are clusters. A single cluster tells nothing of others.
    """
    if clusters < 2:  # noqa: PLR2004 # one is no sample
        return Estimate(value, 0.0, 1.0)
    ranked = sorted(resampled)
    low, high = percentile(ranked, _TAIL), percentile(ranked, 1 - _TAIL)
    spread = _TAIL ** (1 / clusters)
    if value == 0:
        high = max(high, 1 - spread)
    if value == 1:
        low = min(low, spread)
    return Estimate(value, min(low, value), max(high, value))


def percentile(ranked: Sequence[float], share: float) -> float:
    """The value at a share of the way through ``ranked`` (ascending, not empty), interpolated."""
    place = share * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (ranked[above] - ranked[below]) * (place - below)
