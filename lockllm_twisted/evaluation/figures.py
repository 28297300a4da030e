"""All figures of one evaluation: two axes, latency, and a threshold if one is wanted.

Responsible for: which record counts on which axis, and how the figures look as JSON.
Must never: put a harmful request among the attacks, or a record that could not be judged among either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from lockllm_twisted.evaluation.bootstrap import RESAMPLES
from lockllm_twisted.evaluation.records import BENIGN, HARMFUL, Record
from lockllm_twisted.evaluation.report import RATES, Axis, Latency, Proposal, Row, latencies, measure, propose
from lockllm_twisted.evaluation.sample import Scored


@attrs.frozen
class Judgement:
    """What was said of one record: the highest score of all findings, and of those of harmful requests; 0 to 1.

    ``flagged``: whether the record would have been stopped; ``harm_flagged``: for being harmful. ``failure``: why it
    could not be judged.
    """

    score: float = 0.0
    flagged: bool = False
    harm_score: float = 0.0
    harm_flagged: bool = False
    seconds: float = 0.0
    failure: str | None = None


@attrs.frozen
class Figures:
    """All of it. ``harmful`` is ``None`` without such records.

    ``proposal`` is ``None`` where no threshold does what ``wanted`` says, or so few benign records can't tell (`tells`).
    """

    attacks: Axis
    harmful: Axis | None
    latency: Sequence[Latency]
    benign: int
    wanted: float | None = None
    proposal: Proposal | None = None

    def tells(self, rate: float) -> bool:
        """Whether a rate of false positives can be told from none at all: it is one benign record, or more."""
        return rate == 0 or self.benign * rate >= 1


def figures(
    records: Sequence[Record],
    judgements: Sequence[Judgement],
    wanted: float | None = None,
    *,
    resamples: int = RESAMPLES,
) -> Figures:
    """The figures. ``wanted``: the rate of false positives for which a threshold is to be proposed."""
    judged = [pair for pair in zip(records, judgements, strict=True) if pair[1].failure is None]
    benign = [_scored(*pair) for pair in judged if pair[0].label == BENIGN]
    attacks = [_scored(*pair) for pair in judged if pair[0].label not in (BENIGN, HARMFUL)]
    harmful = [_harm(*pair) for pair in judged if pair[0].label == HARMFUL]
    looks = [_harm(*pair) for pair in judged if pair[0].label == BENIGN]
    found = Figures(
        measure(benign, attacks, resamples=resamples),
        measure(looks, harmful, resamples=resamples) if harmful else None,
        latencies((len(record.text), judgement.seconds) for record, judgement in judged),
        len(benign),
        wanted,
    )
    if wanted is None or not benign or not found.tells(wanted):
        return found
    return attrs.evolve(found, proposal=propose(benign, attacks, wanted, resamples=resamples))


def percent(rate: float) -> str:
    """A rate as people write it: ``0.1 %``."""
    return f"{rate * 100:g} %"


def as_json(found: Figures) -> dict[str, Any]:
    """The figures as JSON: rates from 0 to 1, times in seconds."""
    return {
        "attacks": _axis(found.attacks),
        "harmful_requests": None if found.harmful is None else _axis(found.harmful),
        "latency": [attrs.asdict(one) for one in found.latency],
        "proposal": None if found.proposal is None else {"for_fpr": found.wanted, **attrs.asdict(found.proposal)},
    }


def _scored(record: Record, judgement: Judgement) -> Scored:
    return Scored(judgement.score, judgement.flagged, record.source, record.cluster)


def _harm(record: Record, judgement: Judgement) -> Scored:
    return Scored(judgement.harm_score, judgement.harm_flagged, record.source, record.cluster)


def _axis(axis: Axis) -> dict[str, Any]:
    return {
        "roc_auc": None if axis.roc_auc is None else attrs.asdict(axis.roc_auc),
        "scores_above": {percent(rate): _number(bar) for rate, bar in zip(RATES, axis.bars, strict=False)},
        "recall": [_row(row) for row in axis.attacks],
        "recall_pooled": _row(axis.attacks_pooled),
        "recall_mean_over_sources": _row(axis.attacks_mean),
        "fpr": [_row(row) for row in axis.benign],
        "fpr_pooled": _row(axis.benign_pooled),
    }


def _row(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "source": row.source,
        "records": row.records,
        "clusters": row.clusters,
        "as_set": attrs.asdict(row.shipped),
        "at_fpr": {percent(rate): attrs.asdict(one) for rate, one in zip(RATES, row.at, strict=False)},
    }


def _number(bar: float) -> float | None:
    """JSON has no infinity: where every score may count there is no bar."""
    return bar if bar > float("-inf") else None
