"""The default policy: thresholds by sensitivity, actions by origin.

Responsible for: which findings count, and how strict the answer to them is.
Must never: look at text, or know who is calling.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import attrs

from lockllm_twisted.hooks import Question
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import Action, Hit, Sensitivity, Verdict

THRESHOLDS = MappingProxyType({Sensitivity.LOW: 0.85, Sensitivity.MEDIUM: 0.6, Sensitivity.HIGH: 0.35})
"""The least score that counts. The scanners' scores are made to fit: a precise rule 0.9, a plausible one 0.7, a hint 0.4."""


def thresholds(proxy: ProxySettings) -> Mapping[Sensitivity, float]:
    """The threshold of each sensitivity, where the operator's own stands for the sensitivity of the settings.

    A caller who asks for a higher sensitivity never gets a higher threshold, nor a lower one for a lower sensitivity.
    """
    if proxy.threshold is None:
        return THRESHOLDS
    own, words = proxy.threshold, list(Sensitivity)
    place = words.index(proxy.sensitivity)
    return MappingProxyType(
        {word: max(own, THRESHOLDS[word]) for word in words[:place]}
        | {proxy.sensitivity: own}
        | {word: min(own, THRESHOLDS[word]) for word in words[place + 1 :]}
    )


@attrs.frozen
class DefaultPolicy:
    """The strictest action over all findings at or above the threshold."""

    name: str = "default"
    thresholds: Mapping[Sensitivity, float] = THRESHOLDS

    def decide(self, question: Question) -> Verdict:
        """Weigh the hits; with none above the threshold the verdict is ``allow``."""
        hits: list[Hit] = []
        if question.hits:
            threshold = self.thresholds[question.sensitivity]
            hits = [hit for hit in question.hits if hit.finding.score >= threshold]
            # What a text says by itself is told before the same in a seam: there the place is exact.
            alone = {hit.finding.rule for hit in hits if hit.until is None}
            hits.sort(key=lambda hit: (-_action(question, hit), _again(hit, alone), -hit.finding.score))
        return Verdict(
            action=_action(question, hits[0]) if hits else Action.ALLOW,
            hits=tuple(hits),
            coverage=question.coverage,
            score=max([hit.finding.score for hit in question.hits], default=0.0),
            sensitivity=question.sensitivity,
            policy=self.name,
            mode=question.mode,
        )


def _again(hit: Hit, alone: Collection[str]) -> bool:
    """Whether a hit in a seam repeats what a text said alone."""
    return hit.until is not None and hit.finding.rule in alone


def _action(question: Question, hit: Hit) -> Action:
    if hit.kind == "policy":
        return question.policy_action
    return question.origin_actions.get(hit.origin, question.action)
