"""The one place where the fate of a request is decided.

Responsible for: the policies' verdicts, what can't be read, what can't be scanned, which scanners failed: into one
verdict. ``observe`` turns every block into a flag here, and nowhere else.
Must never: know HTTP, or look at text.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from lockllm_twisted.hooks import Policy, Question
from lockllm_twisted.logs import log
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import Action, Cause, Coverage, Unreadable, Verdict


def decide(
    policies: Sequence[Policy],
    question: Question,
    settings: ProxySettings,
    *,
    unreadable: Unreadable | None,
    failed: Sequence[tuple[str, Action]],
) -> Verdict:
    """The strictest of all that has a say. A policy that fails blocks."""
    if unreadable is not None:
        coverage = Coverage("partial", (f"unreadable:{unreadable.code}", *question.coverage.reasons))
        question = attrs.evolve(question, coverage=coverage)
    verdict, broken = _strictest(policies, question)
    failed = [*failed, *broken]
    if unreadable is not None or failed:
        verdict = attrs.evolve(verdict, unreadable=unreadable, failed_scanners=tuple(name for name, _ in failed))
    other: list[tuple[Action, Cause]] = []
    if unreadable is not None:
        other.append((settings.unreadable, "unreadable"))
    if question.coverage.state != "scanned":
        other.append((settings.attachments, "attachments"))
    other += [(action, "scanner_error") for _, action in failed]
    for action, cause in other:
        if action > verdict.action:
            verdict = attrs.evolve(verdict, action=action, cause=cause)
    if verdict.action is Action.BLOCK and not stops(settings, verdict.action):
        verdict = attrs.evolve(verdict, action=Action.FLAG)
    return verdict


def _strictest(policies: Sequence[Policy], question: Question) -> tuple[Verdict, list[tuple[str, Action]]]:
    """The strictest opinion, and the policies that failed."""
    verdict: Verdict | None = None
    broken: list[tuple[str, Action]] = []
    for policy in policies:
        try:
            opinion = policy.decide(question)
        except Exception as error:  # noqa: BLE001 # the plugin boundary
            log.error("policy {policy} failed: {error}", policy=policy.name, error=type(error).__name__)
            broken.append((policy.name, Action.BLOCK))
            continue
        if opinion is not None and (verdict is None or opinion.action >= verdict.action):
            verdict = opinion
    return verdict or _no_opinion(question), broken


def stops(settings: ProxySettings, action: Action) -> bool:
    """Whether an action ends a request here, or only would if nobody observed."""
    return action is Action.BLOCK and not settings.observe


def _no_opinion(question: Question) -> Verdict:
    return Verdict(
        action=Action.ALLOW,
        hits=(),
        coverage=question.coverage,
        score=0.0,
        sensitivity=question.sensitivity,
        policy="none",
        mode=question.mode,
    )
