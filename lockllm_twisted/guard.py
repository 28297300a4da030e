"""The guard: read, scan, decide; the same for a proxied request and for ``/v1/scan``.

Responsible for: composing reading, scanners, allow list and policies into one verdict on one request.
Must never: know how the request came or where it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from lockllm_twisted.allowlist import AllowList
from lockllm_twisted.hooks import Policy, Question
from lockllm_twisted.options import Options
from lockllm_twisted.policy import decide, stops
from lockllm_twisted.scan import NOTHING, Scanners, ScanResult
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import Reading, Verdict


@attrs.frozen
class Guard:
    """Scanners and policies of one service. ``allowed`` gives the allow list that is in force now."""

    scanners: Scanners
    policies: Sequence[Policy]
    settings: ProxySettings
    allowed: Callable[[], AllowList | None] = lambda: None

    @property
    def refuses_unreadable(self) -> bool:
        """What can't be read in exactly one way goes no further."""
        return stops(self.settings, self.settings.unreadable)

    async def judge(self, reading: Reading, options: Options) -> Verdict:
        """The verdict on what was read. Never fails: what goes wrong is in the verdict."""
        # What is refused anyway costs no scan: a few megabytes of noise would hold a thread for minutes.
        refused = reading.unreadable is not None and self.refuses_unreadable
        result = NOTHING if refused else await self.scanners.scan(reading.passages, options.mode)
        question = Question(
            hits=result.hits,
            coverage=reading.coverage,
            sensitivity=options.sensitivity,
            mode=options.mode,
            action=options.action,
            policy_action=options.policy_action,
            origin_actions=options.origin_actions,
        )
        verdict = self._decided(question, reading, result)
        allowed = self.allowed() if verdict.hits else None
        if not allowed:
            return verdict
        rest, aside = allowed.split(result.hits)
        if not aside:
            return verdict
        milder, excused = self._decided(attrs.evolve(question, hits=rest), reading, result), frozenset(aside)
        return attrs.evolve(milder, allowed=tuple(hit for hit in verdict.hits if hit in excused))

    def _decided(self, question: Question, reading: Reading, result: ScanResult) -> Verdict:
        return decide(self.policies, question, self.settings, unreadable=reading.unreadable, failed=result.failed)
