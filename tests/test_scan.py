from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import attrs
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from lockllm_twisted.scan import Scanners
from lockllm_twisted.settings import ScannerSettings
from lockllm_twisted.values import Action, Finding, Origin, Passage, ScanMode

PASSAGE = Passage(Origin.USER, "/a", "some text")
FOUND = Finding("s", "jailbreak", 0.9, "r", 0, 4)


@attrs.define
class FakeScanner:
    """Answers what it is told to, and counts."""

    answer: Callable[[Passage], Any]
    name: str = "s"
    version: str = "1"
    kind: Literal["core", "policy"] = "core"
    inline_chars: int | None = 1000
    calls: int = 0

    def scan(self, passage: Passage) -> Sequence[Finding]:
        self.calls += 1
        result: Sequence[Finding] = self.answer(passage)
        return result


def engine(*scanners: FakeScanner, clock: Clock | None = None, **setting: Any) -> Scanners:
    threads: list[str] = []

    def in_thread(function: Callable[[], Any]) -> Deferred[Any]:
        threads.append("used")
        return succeed(function())

    made = Scanners(
        [(scanner, ScannerSettings(**setting)) for scanner in scanners], Action.BLOCK, clock or Clock(), in_thread
    )
    made.threads = threads  # type: ignore[attr-defined]
    return made


def judge(made: Scanners, *passages: Passage, mode: ScanMode = ScanMode.COMBINED) -> Any:
    results: list[Any] = []
    Deferred.fromCoroutine(made.scan(passages, mode)).addBoth(results.append)
    return results[0] if results else None


def test_findings_are_told_with_their_place() -> None:
    result = judge(engine(FakeScanner(lambda _: [FOUND])), PASSAGE)
    assert [(hit.finding, hit.where, hit.origin) for hit in result.hits] == [(FOUND, "/a", Origin.USER)]
    assert result.failed == ()


def test_a_text_is_judged_once_for_each_origin_and_told_wherever_it_stands() -> None:
    scanner = FakeScanner(lambda _: [FOUND])
    made = engine(scanner)
    judge(made, PASSAGE, attrs.evolve(PASSAGE, where="/b"))
    result = judge(made, attrs.evolve(PASSAGE, where="/c"))
    assert scanner.calls == 1
    assert [hit.where for hit in result.hits] == ["/c"]
    judge(made, attrs.evolve(PASSAGE, origin=Origin.SYSTEM))
    assert scanner.calls == 2


@pytest.mark.parametrize(
    "answer",
    [lambda _: 1 / 0, lambda _: None, lambda _: [1], lambda _: "junk", lambda _: {FOUND}],
    ids=["raises", "none", "not findings", "text", "a set"],
)
def test_a_scanner_that_breaks_is_a_failure_and_never_nothing_found(answer: Callable[[Passage], Any]) -> None:
    result = judge(engine(FakeScanner(answer), FakeScanner(lambda _: [FOUND], name="t")), PASSAGE)
    assert result.failed == (("s", Action.BLOCK),)
    assert len(result.hits) == 1


def test_a_failure_is_not_remembered_as_a_judgement() -> None:
    scanner = FakeScanner(lambda _: 1 / 0)
    made = engine(scanner)
    judge(made, PASSAGE)
    scanner.answer = lambda _: [FOUND]
    assert judge(made, PASSAGE).hits


def test_a_scanner_that_hangs_times_out_with_its_own_action() -> None:
    clock = Clock()
    made = engine(FakeScanner(lambda _: Deferred(), inline_chars=None), clock=clock, timeout=3, on_error=Action.FLAG)
    results: list[Any] = []
    Deferred.fromCoroutine(made.scan([PASSAGE], ScanMode.COMBINED)).addBoth(results.append)
    assert not results
    clock.advance(3)
    assert results[0].failed == (("s", Action.FLAG),)


def test_long_texts_are_judged_off_the_reactor() -> None:
    made = engine(FakeScanner(lambda _: [FOUND], inline_chars=10))
    judge(made, PASSAGE)
    assert not made.threads  # type: ignore[attr-defined]
    assert judge(made, attrs.evolve(PASSAGE, text="x" * 11)).hits
    assert made.threads  # type: ignore[attr-defined]


@attrs.define
class FakeQuickScanner(FakeScanner):
    """Judges at once what is not "slow"."""

    def scan_quickly(self, passage: Passage) -> Sequence[Finding] | None:
        return None if "slow" in passage.text else [attrs.evolve(FOUND, rule="quick")]


def test_only_what_a_quick_scanner_will_not_judge_at_once_goes_to_a_thread() -> None:
    scanner = FakeQuickScanner(lambda _: [FOUND])
    made = engine(scanner)
    quick, slow = (attrs.evolve(PASSAGE, text=text, where=f"/{text}") for text in ("quick", "slow"))
    assert [hit.finding.rule for hit in judge(made, quick).hits] == ["quick"]
    assert not made.threads  # type: ignore[attr-defined]
    told = {hit.where: hit.finding.rule for hit in judge(made, slow, attrs.evolve(quick, text="quick too")).hits}
    assert told == {"/slow": "r", "/quick": "quick"}
    assert made.threads == ["used"]  # type: ignore[attr-defined]
    assert scanner.calls == 1


def test_what_a_quick_scanner_leaves_to_a_thread_fails_like_any_scan() -> None:
    result = judge(engine(FakeQuickScanner(lambda _: 1 / 0)), attrs.evolve(PASSAGE, text="slow"))
    assert result.failed == (("s", Action.BLOCK),)


def test_the_mode_chooses_the_kind_of_scanner() -> None:
    made = engine(FakeScanner(lambda _: [FOUND]), FakeScanner(lambda _: [FOUND], name="p", kind="policy"))
    kinds = {mode: [hit.kind for hit in judge(made, PASSAGE, mode=mode).hits] for mode in ScanMode}
    assert kinds == {
        ScanMode.NORMAL: ["core"],
        ScanMode.POLICY_ONLY: ["policy"],
        ScanMode.COMBINED: ["core", "policy"],
    }


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator] # it ships no types
async def test_a_coroutine_function_is_awaited() -> None:
    class Remote(FakeScanner):
        async def scan(self, passage: Passage) -> Sequence[Finding]:  # type: ignore[override]
            return await succeed([FOUND])

    result = await engine(Remote(lambda _: [])).scan([PASSAGE], ScanMode.COMBINED)
    assert result.hits


def test_a_lone_surrogate_is_no_reason_to_fail() -> None:
    assert judge(engine(FakeScanner(lambda _: [])), attrs.evolve(PASSAGE, text="\ud800" * 100)).failed == ()
