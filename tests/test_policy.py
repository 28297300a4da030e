from __future__ import annotations

from typing import Any

import attrs
import pytest

from lockllm_twisted.builtin.policy import THRESHOLDS, DefaultPolicy, thresholds
from lockllm_twisted.hooks import Policy, Question
from lockllm_twisted.policy import decide
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import (
    Action,
    Coverage,
    Finding,
    Hit,
    Origin,
    ScanMode,
    Sensitivity,
    Unreadable,
    Verdict,
)


def hit(score: float, origin: Origin = Origin.USER, kind: Any = "core") -> Hit:
    return Hit(Finding("s", "jailbreak", score, "r"), origin, "/a", kind=kind)


def question(*hits: Hit, **changes: Any) -> Question:
    plain = Question(hits, Coverage(), Sensitivity.MEDIUM, ScanMode.COMBINED, Action.BLOCK, Action.BLOCK, {})
    return attrs.evolve(plain, **changes)


def fate(asked: Question, settings: ProxySettings = ProxySettings(), **other: Any) -> Verdict:
    return decide([DefaultPolicy()], asked, settings, **{"unreadable": None, "failed": (), **other})


@pytest.mark.parametrize(
    ("sensitivity", "score", "action"),
    [
        (Sensitivity.LOW, 0.84, Action.ALLOW),
        (Sensitivity.LOW, 0.85, Action.BLOCK),
        (Sensitivity.MEDIUM, 0.59, Action.ALLOW),
        (Sensitivity.MEDIUM, 0.6, Action.BLOCK),
        (Sensitivity.HIGH, 0.34, Action.ALLOW),
        (Sensitivity.HIGH, 0.35, Action.BLOCK),
    ],
)
def test_sensitivity_is_a_threshold(sensitivity: Sensitivity, score: float, action: Action) -> None:
    verdict = fate(question(hit(score), sensitivity=sensitivity))
    assert verdict.action is action
    assert verdict.safe is (action is Action.ALLOW)
    assert verdict.score == score


def test_a_threshold_of_the_operators_own_stands_for_the_settings_sensitivity() -> None:
    policy = DefaultPolicy(thresholds=thresholds(ProxySettings(threshold=0.73)))
    assert not policy.decide(question(hit(0.72))).hits
    assert policy.decide(question(hit(0.73))).hits
    assert policy.decide(question(hit(0.36), sensitivity=Sensitivity.HIGH)).hits
    assert not policy.decide(question(hit(0.84), sensitivity=Sensitivity.LOW)).hits
    assert thresholds(ProxySettings()) is THRESHOLDS


@pytest.mark.parametrize("own", [0.0001, 0.2, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize("sensitivity", Sensitivity)
def test_no_caller_loosens_by_asking_for_more_sensitivity(own: float, sensitivity: Sensitivity) -> None:
    table = thresholds(ProxySettings(sensitivity=sensitivity, threshold=own))
    assert table[sensitivity] == own
    assert table[Sensitivity.LOW] >= table[Sensitivity.MEDIUM] >= table[Sensitivity.HIGH]


def test_an_origin_has_its_own_action() -> None:
    actions = {Origin.TOOL_RESULT: Action.FLAG}
    assert fate(question(hit(0.9, Origin.TOOL_RESULT), origin_actions=actions)).action is Action.FLAG
    assert fate(question(hit(0.9), hit(0.9, Origin.TOOL_RESULT), origin_actions=actions)).action is Action.BLOCK


def test_an_operators_rule_has_its_own_action() -> None:
    assert fate(question(hit(0.9, kind="policy"), policy_action=Action.FLAG)).action is Action.FLAG


def test_what_cannot_be_read_in_one_way_blocks_unless_set_otherwise() -> None:
    bad = Unreadable("duplicate_key", "x")
    verdict = fate(question(), unreadable=bad)
    assert (verdict.action, verdict.cause, verdict.safe) == (Action.BLOCK, "unreadable", False)
    assert "unreadable:duplicate_key" in verdict.coverage.reasons
    assert fate(question(), ProxySettings(unreadable=Action.FLAG), unreadable=bad).action is Action.FLAG


def test_attachments_pass_unless_set_otherwise() -> None:
    partial = Coverage("partial", ("image:/a",))
    assert fate(question(coverage=partial)).action is Action.ALLOW
    verdict = fate(question(coverage=partial), ProxySettings(attachments=Action.BLOCK))
    assert (verdict.action, verdict.cause) == (Action.BLOCK, "attachments")


def test_a_failed_scanner_blocks_and_is_never_safe() -> None:
    verdict = fate(question(), failed=[("s", Action.BLOCK)])
    assert (verdict.action, verdict.cause, verdict.failed_scanners) == (Action.BLOCK, "scanner_error", ("s",))
    assert not fate(question(), failed=[("s", Action.ALLOW)]).safe


def test_observe_turns_every_block_into_a_flag() -> None:
    settings = ProxySettings(observe=True)
    for verdict in (
        fate(question(hit(0.9)), settings),
        fate(question(), settings, unreadable=Unreadable("x", "x")),
        fate(question(), settings, failed=[("s", Action.BLOCK)]),
    ):
        assert verdict.action is Action.FLAG
        assert not verdict.safe


class Broken:
    name = "broken"

    def decide(self, asked: Question) -> Verdict | None:
        raise RuntimeError


class Strict:
    name = "strict"

    def decide(self, asked: Question) -> Verdict | None:
        plain = DefaultPolicy().decide(asked)
        return attrs.evolve(plain, action=Action.BLOCK, policy=self.name)


class Silent:
    name = "silent"

    def decide(self, asked: Question) -> Verdict | None:
        return None


def test_the_strictest_policy_wins_whatever_the_order() -> None:
    orders: list[list[Policy]] = [[DefaultPolicy(), Strict(), Silent()], [Silent(), Strict(), DefaultPolicy()]]
    for policies in orders:
        verdict = decide(policies, question(), ProxySettings(), unreadable=None, failed=())
        assert (verdict.action, verdict.policy) == (Action.BLOCK, "strict")


def test_a_policy_that_breaks_blocks() -> None:
    verdict = decide([Broken(), DefaultPolicy()], question(), ProxySettings(), unreadable=None, failed=())
    assert (verdict.action, verdict.failed_scanners) == (Action.BLOCK, ("broken",))


def test_what_a_text_says_by_itself_is_told_before_the_same_in_a_seam() -> None:
    seam = Hit(Finding("s", "jailbreak", 0.95, "r"), Origin.USER, "/a", until="/b")
    verdict = fate(question(seam, hit(0.7)))
    assert [found.until for found in verdict.hits] == [None, "/b"]
    assert verdict.score == 0.95
    other = attrs.evolve(seam, finding=attrs.evolve(seam.finding, rule="only in the seam"))
    assert fate(question(hit(0.7), other)).hits == (other, hit(0.7))
