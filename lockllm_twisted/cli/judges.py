"""Who judges the records of ``lockllm evaluate``: the scanners of the settings, here, or a server that speaks ``/v1/scan``.

Responsible for: one `Judgement` for each record, in order, and how long it took.
Must never: answer from memory (each text is judged anew), or take a record that could not be judged for a benign one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lockllm_twisted.cli.endpoint import Answer, Connection, Endpoint
from lockllm_twisted.evaluation.figures import Judgement
from lockllm_twisted.evaluation.records import Record
from lockllm_twisted.registry import Registry
from lockllm_twisted.settings import ScannerSettings, Settings
from lockllm_twisted.values import ROLES, Action, Category, Coverage, Passage, ScanMode, Sensitivity

Tick = Callable[[], None]
"""Called after each record."""


def here(
    settings: Settings, registry: Registry, sensitivity: Sensitivity, records: Sequence[Record], tick: Tick
) -> list[Judgement]:
    """Judge with the scanners and the policies of the settings, one record after the other, in this thread."""
    from twisted.internet import reactor  # noqa: PLC0415 # half a second of imports that no other command needs
    from twisted.internet.defer import Deferred, maybeDeferred  # noqa: PLC0415 # as above

    from lockllm_twisted.hooks import Question  # noqa: PLC0415 # as above
    from lockllm_twisted.policy import decide  # noqa: PLC0415 # as above
    from lockllm_twisted.scan import Scanners  # noqa: PLC0415 # as above

    proxy = settings.proxy
    posts = [(scanner, settings.scanners.get(scanner.name, ScannerSettings())) for scanner in registry.scanners]

    async def judged(record: Record) -> Judgement:
        scanners = Scanners(posts, proxy.on_scanner_error, reactor, maybeDeferred)  # a new one remembers nothing
        started = time.perf_counter()
        result = await scanners.scan([Passage(ROLES[record.role], "/input", record.text)], ScanMode.COMBINED)
        question = Question(result.hits, Coverage(), sensitivity, ScanMode.COMBINED, Action.BLOCK, Action.BLOCK, {})
        verdict = decide(registry.policies, question, proxy, unreadable=None, failed=result.failed)
        seconds = time.perf_counter() - started
        if verdict.failed_scanners:
            return Judgement(failure=f"failed: {', '.join(verdict.failed_scanners)}")
        harm = [hit.finding.score for hit in result.hits if hit.finding.category == Category.UNSAFE_INSTRUCTIONS]
        return Judgement(
            score=max((hit.finding.score for hit in result.hits), default=0.0),
            flagged=bool(verdict.hits) or verdict.action is Action.BLOCK,
            harm_score=max(harm, default=0.0),
            harm_flagged=any(hit.finding.category == Category.UNSAFE_INSTRUCTIONS for hit in verdict.hits),
            seconds=seconds,
        )

    async def all_judged() -> list[Judgement]:
        await judged(records[0])  # the first text ever pays for what is loaded and compiled
        found = []
        for record in records:
            found.append(await judged(record))
            tick()
        return found

    return _awaited(Deferred.fromCoroutine(all_judged()), reactor)


def _awaited(waiting: Any, reactor: Any) -> list[Judgement]:
    """The result: at once where every scanner is a plain one, else when the reactor has brought it."""
    ended: list[Any] = []
    waiting.addBoth(ended.append)
    if not ended:
        waiting.addBoth(lambda _: reactor.stop())
        reactor.run()
    if not isinstance(ended[0], list):
        ended[0].raiseException()
    judgements: list[Judgement] = ended[0]
    return judgements


def there(endpoint: Endpoint, workers: int, records: Sequence[Record], tick: Tick) -> list[Judgement]:
    """Ask a server, over as many connections as there are workers. Raises `LockLLMError` where it can't be asked at all."""
    idle: list[Connection] = []

    def answered(record: Record) -> Answer:
        connection = idle.pop() if idle else Connection(endpoint)
        try:
            return connection.scan(record.text, record.role)
        finally:
            idle.append(connection)

    answers = []
    with ThreadPoolExecutor(workers, "lockllm-evaluate") as pool:
        waiting = [pool.submit(answered, record) for record in records]
        try:
            for one in waiting:
                answers.append(one.result())
                tick()
        finally:
            pool.shutdown(cancel_futures=True)
            for connection in idle:
                connection.close()
    return _on_one_scale(answers)


def _on_one_scale(answers: Sequence[Answer]) -> list[Judgement]:
    """Scores from 0 to 1: the contract's run to 100, those of LockLLM's first version to 1."""
    scale = 100 if any(answer.score is not None and answer.score > 1 for answer in answers) else 1
    found = []
    for answer in answers:
        score = float(answer.flagged) if answer.score is None else answer.score / scale
        found.append(Judgement(score, answer.flagged, score, answer.flagged, answer.seconds, answer.failure))
    return found
