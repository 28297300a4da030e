"""The figures of ``lockllm evaluate``: against values worked out by hand, and what must hold for any scores."""

from __future__ import annotations

import random
from itertools import islice
from math import inf, nextafter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.evaluation.bootstrap import draws, estimate, percentile
from lockllm_twisted.evaluation.figures import Judgement, as_json, figures
from lockllm_twisted.evaluation.records import Record, read
from lockllm_twisted.evaluation.report import RATES, latencies, measure, propose
from lockllm_twisted.evaluation.sample import Ranked, Scored, Side, Ties

GRID = st.integers(0, 20).map(lambda number: number / 20)
SCORES = st.lists(GRID, min_size=1, max_size=40)


def scored(*scores: float, source: str = "s", cluster: str | None = None, from_: float = 0.5) -> list[Scored]:
    return [Scored(score, score >= from_, source, cluster) for score in scores]


def ranked(*scores: float) -> Ranked:
    return Ranked((one, place) for place, one in enumerate(scored(*scores)))


def auc(positives: list[float], negatives: list[float]) -> float:
    ups, downs = ranked(*positives), ranked(*negatives)
    return Ties(ups, downs).roc_auc(ups.counted([1] * len(positives)), downs.counted([1] * len(negatives)))


# Rates and thresholds.


def test_the_bar_is_the_highest_score_that_may_not_count() -> None:
    benign = ranked(0.9, 0.7, 0.7, 0.4, 0.2, 0.1, 0.1, 0.1, 0.0, 0.0).counted([1] * 10)
    assert benign.bar_for(0.1) == 0.7  # one of ten may be flagged: 0.9
    assert benign.bar_for(0.2) == 0.7  # the two at 0.7 stand or fall together
    assert benign.bar_for(0.3) == 0.4
    assert benign.bar_for(0.0) == 0.9
    assert benign.bar_for(0.099) == 0.9
    assert benign.bar_for(1.0) == -inf
    assert [benign.share_over(bar) for bar in (0.9, 0.7, 0.4, -inf)] == [0.0, 0.1, 0.3, 1.0]
    assert benign.flagged_share == 0.3


def test_a_record_counts_as_often_as_its_cluster_weighs() -> None:
    benign = ranked(0.9, 0.7, 0.1).counted([0, 3, 1])
    assert benign.total == 4
    assert benign.share_over(0.5) == 0.75
    assert benign.bar_for(0.5) == 0.7
    assert benign.bar_for(0.75) == 0.1


def test_29_percent_of_a_hundred_are_29() -> None:
    scores = [number / 100 for number in range(100)]
    assert ranked(*scores).counted([1] * 100).bar_for(0.29) == 0.70


@given(SCORES, st.floats(0, 1))
def test_no_bar_flags_more_than_allowed_and_none_lower_would_do(scores: list[float], share: float) -> None:
    counted = ranked(*scores).counted([1] * len(scores))
    bar = counted.bar_for(share)
    assert counted.share_over(bar) <= share + 1e-9
    if bar > -inf:
        assert counted.share_over(nextafter(bar, -inf)) > share


@pytest.mark.parametrize(
    ("positives", "negatives", "area"),
    [
        ([0.9, 0.8], [0.1, 0.2], 1.0),
        ([0.1, 0.2], [0.9, 0.8], 0.0),
        ([0.5], [0.5], 0.5),
        ([0.8, 0.4], [0.6, 0.4], (1 + 1 + 0 + 0.5) / 4),
    ],
)
def test_the_area_under_the_curve(positives: list[float], negatives: list[float], area: float) -> None:
    assert auc(positives, negatives) == area


@given(SCORES, SCORES)
def test_the_area_is_the_share_of_pairs_in_the_right_order(positives: list[float], negatives: list[float]) -> None:
    won = sum((up > down) + (up == down) / 2 for up in positives for down in negatives)
    assert auc(positives, negatives) == pytest.approx(won / len(positives) / len(negatives))
    assert auc(negatives, positives) == pytest.approx(1 - auc(positives, negatives))


# Intervals.


def test_clusters_are_drawn_within_their_source_as_many_as_there_are() -> None:
    side = Side(
        [*scored(0.1, 0.2, source="a", cluster="x"), *scored(0.3, source="a"), *scored(0.4, source="b", cluster="x")]
    )
    assert side.ranges == [range(2), range(2, 3)]
    for weights in islice(draws(side.ranges, random.Random(1)), 50):
        assert (sum(weights[:2]), weights[2]) == (2, 1)


def test_an_interval_that_does_not_vary_is_the_exact_binomial_one() -> None:
    # Clopper-Pearson for 0 of 100: 1 - 0.025 ** (1 / 100).
    assert estimate(0.0, [0.0] * 100, 100).high == pytest.approx(0.0362, abs=1e-4)
    assert estimate(1.0, [1.0] * 100, 100).low == pytest.approx(0.9638, abs=1e-4)
    assert (estimate(0.4, [0.4] * 9, 1).low, estimate(0.4, [0.4] * 9, 1).high) == (0.0, 1.0)


def test_percentiles_are_interpolated() -> None:
    assert [percentile([1.0, 2.0, 4.0], share) for share in (0, 0.25, 0.5, 0.75, 1)] == [1.0, 1.5, 2.0, 3.0, 4.0]
    told = estimate(0.5, [number / 100 for number in range(101)], 9)
    assert (told.low, told.high) == (0.025, 0.975)


def test_an_interval_is_about_as_wide_as_theory_has_it() -> None:
    # A rate of 1/2 over 400 independent records: 1.96 * sqrt(0.25 / 400) = 0.049.
    axis = measure(scored(*[0.0, 1.0] * 200), [])
    assert axis.benign_pooled is not None
    told = axis.benign_pooled.shipped
    assert (told.value, told.low, told.high) == pytest.approx((0.5, 0.451, 0.549), abs=0.008)


def test_records_of_one_cluster_are_no_evidence_of_their_own() -> None:
    alone = measure(scored(*[0.0, 1.0] * 100), []).benign_pooled
    clusters = [one for number in range(20) for one in scored(*[float(number % 2)] * 10, cluster=str(number))]
    together = measure(clusters, []).benign_pooled
    assert alone is not None
    assert together is not None
    assert together.shipped.value == alone.shipped.value == 0.5
    assert together.shipped.high - together.shipped.low > 2.5 * (alone.shipped.high - alone.shipped.low)


@given(SCORES, SCORES)
def test_every_figure_lies_in_its_interval(positives: list[float], negatives: list[float]) -> None:
    axis = measure(scored(*negatives), scored(*positives), resamples=20)
    assert axis.roc_auc is not None
    rows = [*axis.attacks, axis.attacks_pooled, axis.attacks_mean, *axis.benign, axis.benign_pooled]
    for row in rows:
        assert row is not None
        for one in (row.shipped, *row.at):
            assert 0 <= one.low <= one.value <= one.high <= 1
    assert axis.benign_pooled is not None
    assert all(one.value <= share + 1e-9 for one, share in zip(axis.benign_pooled.at, RATES, strict=True))


# The report.


def test_recall_by_source_pooled_and_as_a_mean() -> None:
    axis = measure(
        scored(*[0.1] * 99, 0.8),
        [*scored(0.9, 0.9, 0.9, 0.2, source="big"), *scored(0.3, source="small")],
        resamples=10,
    )
    assert [(row.source, row.records, row.shipped.value) for row in axis.attacks] == [("big", 4, 0.75), ("small", 1, 0)]
    assert axis.attacks_pooled is not None
    assert axis.attacks_mean is not None
    assert (axis.attacks_pooled.shipped.value, axis.attacks_mean.shipped.value) == (0.6, 0.375)
    assert axis.bars == (0.1, 0.1, 0.8)
    assert [one.value for one in axis.attacks_pooled.at] == [1.0, 1.0, 0.6]
    assert [one.value for one in axis.attacks_mean.at] == [1.0, 1.0, 0.375]


def test_the_same_records_give_the_same_report() -> None:
    benign, attacks = scored(0.1, 0.6, 0.2, 0.9), scored(0.4, 0.9)
    assert measure(benign, attacks, resamples=50) == measure(benign, attacks, resamples=50)


def test_one_side_alone_gives_what_it_can() -> None:
    only_attacks = measure([], scored(0.9, 0.1), resamples=10)
    assert (only_attacks.roc_auc, only_attacks.bars, only_attacks.benign_pooled) == (None, (), None)
    assert only_attacks.attacks_pooled is not None
    assert (only_attacks.attacks_pooled.shipped.value, only_attacks.attacks_pooled.at) == (0.5, ())
    only_benign = measure(scored(0.9, 0.1), [], resamples=10)
    assert (only_benign.roc_auc, only_benign.attacks_pooled, only_benign.bars) == (None, None, (0.9, 0.9, 0.9))


def test_a_proposed_threshold_flags_as_many_as_were_asked_for() -> None:
    made = propose([*scored(*[0.3] * 197, source="a"), *scored(0.7311, 0.8, 0.9, source="b")], scored(0.8), 0.01)
    assert made is not None
    assert made.threshold == 0.7312
    assert made.false_positives.value == 0.01
    assert made.worst_source == ("b", 2 / 3)
    assert made.recall is not None
    assert made.recall.value == 1.0
    assert propose(scored(1.0, 1.0), [], 0.4) is None


@given(SCORES, st.floats(0, 0.99))
def test_a_proposal_keeps_its_promise_and_no_lower_one_would(scores: list[float], share: float) -> None:
    made = propose(scored(*scores), [], share, resamples=2)
    if made is None:
        assert sum(score == 1 for score in scores) / len(scores) > share
        return
    assert made.false_positives.value == sum(score >= made.threshold for score in scores) / len(scores) <= share + 1e-9
    lower = made.threshold - 0.000_100_001
    assert lower <= 0 or sum(score >= lower for score in scores) / len(scores) > share


def test_latency_by_length() -> None:
    found = latencies([(250, 0.1), (251, 0.2), (1, 0.3), (10**6, 4.0)])
    assert [(one.longer_than, one.at_most, one.records) for one in found] == [
        (0, 250, 2),
        (250, 2_500, 1),
        (25_000, None, 1),
    ]
    assert found[0].p50 == pytest.approx(0.2)
    assert found[0].p99 == pytest.approx(0.298)


def test_too_few_benign_records_propose_nothing() -> None:
    records, judgements = [Record("a", "benign")] * 99, [Judgement(0.1)] * 99
    assert figures(records, judgements, 0.01, resamples=2).proposal is None
    assert figures([*records, *records], judgements * 2, 0.01, resamples=2).proposal is not None
    assert figures(records, judgements, 0.0, resamples=2).proposal is not None
    assert figures([], [], 0.01, resamples=2).proposal is None


# Which record counts where.


def test_harmful_requests_are_an_axis_of_their_own_and_failures_are_on_none() -> None:
    records = [
        Record("a", "benign"),
        Record("b", "jailbreak"),
        Record("c", "harmful_request"),
        Record("d", "benign"),
        Record("e", "injection"),
    ]
    judgements = [
        Judgement(0.7, flagged=True, harm_score=0.1),
        Judgement(0.9, flagged=True),
        Judgement(0.9, flagged=True, harm_score=0.4, harm_flagged=False),
        Judgement(0.0),
        Judgement(failure="failed: x"),
    ]
    found = figures(records, judgements, resamples=10)
    assert found.attacks.attacks_pooled is not None
    assert (found.attacks.attacks_pooled.records, found.attacks.attacks_pooled.shipped.value) == (1, 1.0)
    assert found.attacks.benign_pooled is not None
    assert found.attacks.benign_pooled.shipped.value == 0.5
    assert found.harmful is not None
    assert found.harmful.attacks_pooled is not None
    assert found.harmful.attacks_pooled.shipped.value == 0.0
    assert found.harmful.roc_auc is not None
    assert found.harmful.roc_auc.value == 1.0
    assert as_json(found)["harmful_requests"]["scores_above"] == {"5 %": 0.1, "1 %": 0.1, "0.1 %": 0.1}


# Records.


def test_a_record_has_a_text_a_label_and_what_else_is_known() -> None:
    lines = [
        b'\xef\xbb\xbf{"text": "a", "label": "benign"}\n',
        b"\n",
        b'{"text": "b", "label": "jailbreak", "source": "s", "role": "tool", "cluster": 7, "licence": null}',
    ]
    assert list(read(lines, "f")) == [
        Record("a", "benign"),
        Record("b", "jailbreak", source="s", role="tool", cluster="7"),
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "this is no JSON"),
        (b"[1]", "this is no JSON object"),
        (b"\xff", "not UTF-8"),
        (b'{"label": "benign"}', '"text" is missing'),
        (b'{"text": "a"}', '"label" is missing'),
        (b'{"text": "", "label": "benign"}', '"text" must be a string'),
        (b'{"text": "a", "label": 1}', '"label" must be a string'),
        (b'{"text": "a", "label": null}', '"label" must be a string'),
        (b'{"text": "a", "label": "benign", "source": 3}', '"source" must be a string'),
        (b'{"text": "a", "label": "benign", "role": "robot"}', '"role" must be one of user, system'),
        (b'{"text": "a", "label": "benign", "cluster": 1.5}', '"cluster" must be'),
        (b'{"text": "a", "label": "benign", "cluster": true}', '"cluster" must be'),
        (b"[" * 100_000, "this is no JSON"),
    ],
)
def test_a_line_that_is_no_record_is_named(line: bytes, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        list(read([b'{"text": "a", "label": "benign"}', b"", line], "my.jsonl"))
    assert caught.value.message.startswith("my.jsonl:3: ")
    assert words in caught.value.message
