"""The figures of ``lockllm evaluate`` for people.

Responsible for: tables, and the sentences that belong to a figure so that nobody takes it for more than it is.
Must never: show a figure without its interval, or a threshold without what it was chosen on.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, inf

from lockllm_twisted.cli.common import columns, say, visible
from lockllm_twisted.evaluation.bootstrap import Estimate
from lockllm_twisted.evaluation.figures import Figures, percent
from lockllm_twisted.evaluation.report import RATES, Axis, Latency, Row


def show(found: Figures) -> None:
    """Print all of it."""
    for name, axis in (("attacks", found.attacks), ("harmful requests", found.harmful)):
        if axis is not None and axis.attacks_pooled is not None and axis.attacks_mean is not None:
            _table(f"{name}, found", axis, [*axis.attacks, axis.attacks_pooled, axis.attacks_mean])
    if found.attacks.benign_pooled is not None:
        _table("benign, flagged", found.attacks, [*found.attacks.benign, found.attacks.benign_pooled])
    say("")
    for line in _sentences(found):
        say(line)


def proposal(found: Figures, file: str) -> Iterator[str]:
    """What to write into the settings for the wanted rate, and what that promises."""
    assert found.wanted is not None
    yield ""
    if found.benign == 0 or not found.tells(found.wanted):
        needed = (
            ""
            if found.wanted == 0
            else f": {ceil(1 / found.wanted):,} would be the least, ten times as many are better"
        )
        yield f"{found.benign:,} benign records can't tell what gives {percent(found.wanted)} false positives{needed}."
        return
    if found.proposal is None:
        yield f"No threshold gives {percent(found.wanted)} false positives on the benign records of {visible(file)}."
        return
    made = found.proposal
    name, worst = made.worst_source
    yield f"# for {percent(found.wanted)} false positives; chosen on {visible(file)}, {found.benign:,} benign records"
    yield "[proxy]"
    yield f"threshold = {made.threshold:g}"
    yield ""
    recall = "" if made.recall is None else f", attacks found {_told(made.recall)}"
    yield f"On this file: false positives {_told(made.false_positives)}{recall}; worst source {visible(name)}: {worst * 100:.1f} %."
    yield "It was chosen on this file, so these figures flatter it: measure it on records that it was not chosen on."


def _table(title: str, axis: Axis, rows: list[Row]) -> None:
    say("")
    rates = [f"AT {percent(rate).upper()} FPR" for rate, _ in zip(RATES, axis.bars, strict=False)]
    bars = [f"scores above {'all' if bar == -inf else f'{bar:.4g}'}" for bar in axis.bars]
    columns(
        [
            (title.upper(), "RECORDS", "AS SET", *rates),
            *((row.source, f"{row.records:,}", _told(row.shipped), *map(_told, row.at)) for row in rows),
            *([("", "", "", *bars)] if bars else []),
        ]
    )


def _sentences(found: Figures) -> Iterator[str]:
    for name, axis in (("attacks", found.attacks), ("harmful requests", found.harmful)):
        if axis is not None and axis.roc_auc is not None:
            auc = axis.roc_auc
            yield f"ROC-AUC, {name} against benign: {auc.value:.4f} [{auc.low:.4f}, {auc.high:.4f}]"
    for one in found.latency:
        yield f"latency, {_lengths(one)}: p50 {one.p50 * 1000:.2f} ms, p99 {one.p99 * 1000:.2f} ms ({one.records:,} texts)"
    unseen = [rate for rate in RATES if found.benign and not found.tells(rate)]
    if unseen:
        yield (
            f"{found.benign:,} benign records can't tell {percent(unseen[0])} from none: there, no false positive is allowed."
        )


def _lengths(one: Latency) -> str:
    if one.at_most is None:
        return f"more than {one.longer_than:,} characters"
    return f"{one.longer_than + 1:,} to {one.at_most:,} characters"


def _told(estimate: Estimate) -> str:
    return f"{estimate.value * 100:.1f} % [{estimate.low * 100:.1f}, {estimate.high * 100:.1f}]"
