"""The checks for plugin authors: they pass what is right and say what is wrong."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Sequence
from typing import Any

import attrs
import pytest
from twisted.internet.defer import Deferred, succeed

from lockllm_twisted import testing
from lockllm_twisted.builtin.policy import DefaultPolicy
from lockllm_twisted.hooks import BEARER, Question, hookimpl
from lockllm_twisted.settings import ScannerSettings, Settings
from lockllm_twisted.values import Action, Finding, Origin, Passage, Sensitivity, Verdict


class Scanner:
    name = "cat"
    version = "1"
    kind = "core"
    inline_chars: int | None = 1000

    def scan(self, passage: Passage) -> Any:
        at = passage.text.find("cat")
        return [Finding("cat", "animal", 0.5, "cat", at, at + 3)] if at >= 0 else []


class Provider:
    slug = "mine"
    origin = "https://mine.example"
    encoded_slash = False

    def target(self, tail: bytes) -> bytes:
        return b"/v1" + tail

    def credential(self, path: bytes) -> Any:
        return BEARER

    def dialect(self, path: bytes) -> Any:
        return lambda document: [(("messages", 0), Origin.USER)] if isinstance(document, dict) else []


class Policy:
    name = "strict"

    def decide(self, question: Question) -> Any:
        action = Action.BLOCK if question.hits else Action.ALLOW
        score = max((hit.finding.score for hit in question.hits), default=0.0)
        return Verdict(action, question.hits, question.coverage, score, question.sensitivity, self.name)


def like(base: type, **attributes: object) -> Any:
    return type(base.__name__, (base,), attributes)()


def complaint(check: Any, thing: object) -> str:
    with pytest.raises(AssertionError) as caught:
        check(thing)
    return str(caught.value)


def test_what_is_right_passes() -> None:
    testing.check_scanner(Scanner())  # type: ignore[arg-type]
    testing.check_provider(Provider())
    testing.check_policy(Policy())
    testing.check_policy(DefaultPolicy())


def test_a_policy_may_leave_it_to_the_others() -> None:
    testing.check_policy(like(Policy, decide=lambda _self, _question: None))


def test_scanners_that_answer_later_are_run_too() -> None:
    async def scan(self: Scanner, passage: Passage) -> Sequence[Finding]:
        found: Sequence[Finding] = await succeed(Scanner.scan(self, passage))
        return found

    def deferred(self: Scanner, passage: Passage) -> Awaitable[Sequence[Finding]]:
        return succeed(Scanner.scan(self, passage))

    testing.check_scanner(like(Scanner, scan=scan, inline_chars=None), texts=["a cat"])
    testing.check_scanner(like(Scanner, scan=deferred, inline_chars=None), texts=["a cat"])

    async def bad(_self: Scanner, _passage: Passage) -> str:
        return "no"

    assert "returned a str" in complaint(testing.check_scanner, like(Scanner, scan=bad, inline_chars=None))


def test_what_is_judged_quickly_must_be_what_is_judged_otherwise() -> None:
    testing.check_scanner(like(Scanner, scan_quickly=lambda _self, _passage: None))
    testing.check_scanner(like(Scanner, scan_quickly=Scanner.scan), texts=["a cat"])
    hasty = like(Scanner, scan_quickly=lambda _self, _passage: [])
    assert "is not scan's" in complaint(lambda thing: testing.check_scanner(thing, texts=["a cat"]), hasty)


def test_a_scanner_that_waits_for_a_service_is_told_to_stub_it() -> None:
    waits = like(Scanner, scan=lambda _self, _passage: Deferred(), inline_chars=None)
    assert "give the scanner a stub" in complaint(testing.check_scanner, waits)


def found(**changes: Any) -> Any:
    finding = attrs.evolve(Finding("cat", "animal", 0.5, "cat"), **changes)
    return like(Scanner, scan=lambda _self, _passage: [finding])


counter = itertools.count()


@pytest.mark.parametrize(
    ("scanner", "words"),
    [
        (like(Scanner, kind="dog"), "Scanner: its kind is 'dog'"),
        (like(Scanner, scan=lambda _self, _passage: None), "scan returned NoneType"),
        (like(Scanner, scan=lambda _self, _passage: [1]), "scan returned a int among its findings"),
        (found(scanner="dog"), "does not carry the scanner's name 'cat'"),
        (found(category=""), "has no category"),
        (found(score=1.5), "not from 0 to 1"),
        (found(score=float("nan")), "not from 0 to 1"),
        (found(end=1), "points outside of ''"),
        (found(start=-1), "points outside of ''"),
        (
            like(Scanner, scan=lambda _self, _passage: [Finding("cat", "animal", 0.5, str(next(counter)))]),
            "is not the same twice",
        ),
        (like(Scanner, version=property(lambda _self: str(next(counter)))), "version changed"),
    ],
)
def test_what_a_scanner_does_wrong_is_said(scanner: object, words: str) -> None:
    assert words in complaint(testing.check_scanner, scanner)


def test_a_scanner_that_raises_is_not_caught() -> None:
    with pytest.raises(UnicodeEncodeError):
        testing.check_scanner(like(Scanner, scan=lambda _self, passage: passage.text.encode() and []))


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (like(Provider, slug=""), "its slug is ''"),
        (like(Provider, target=lambda _self, tail: tail.decode()), "not bytes"),
        (like(Provider, target=lambda _self, tail: b"mine.example" + tail), "it must start with /"),
        (like(Provider, target=lambda _self, tail: tail.rstrip(b"?")), "not as it came"),
        (like(Provider, target=lambda _self, tail: tail.replace(b"%3A", b":")), "not as it came"),
        (like(Provider, target=lambda _self, tail: b"/%d" % next(counter) + tail), "is not the same twice"),
        (like(Provider, dialect=lambda _self, _path: lambda _document: [(("a",), "user")]), "with 'user'"),
        (like(Provider, dialect=lambda _self, _path: lambda _document: [("a", Origin.USER)]), "no tuple of keys"),
        (like(Provider, origin=None), "it has no answer (AttributeError)"),
        (like(Provider, origin=None, answer=lambda _self, _request: b"no"), "is bytes, not a LocalAnswer"),
    ],
)
def test_what_a_provider_does_wrong_is_said(provider: object, words: str) -> None:
    assert words in complaint(testing.check_provider, provider)


def test_a_dialect_that_raises_on_an_odd_document_is_not_caught() -> None:
    fragile = like(Provider, dialect=lambda _self, _path: lambda document: [*document["messages"], 1][:0])
    with pytest.raises(TypeError):
        testing.check_provider(fragile)


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        (like(Policy, name=""), "its name is ''"),
        (like(Policy, decide=lambda _self, _question: Action.BLOCK), "decide returned Action"),
        (
            like(Policy, decide=lambda self, question: attrs.evolve(Policy.decide(self, question), policy="other")),
            "the verdict's policy is 'other'",
        ),
        (
            like(Policy, decide=lambda self, question: attrs.evolve(Policy.decide(self, question), score=50)),
            "the verdict's score is 50",
        ),
        (
            like(
                Policy,
                decide=lambda self, question: attrs.evolve(
                    Policy.decide(self, question),
                    sensitivity=Sensitivity.LOW if next(counter) % 2 else Sensitivity.HIGH,
                ),
            ),
            "the same way twice",
        ),
    ],
)
def test_what_a_policy_does_wrong_is_said(policy: object, words: str) -> None:
    assert words in complaint(testing.check_policy, policy)


def test_scan_text_runs_the_scanners_of_plugins_or_of_settings() -> None:
    class Plugin:
        @hookimpl
        def lockllm_scanners(self) -> list[Any]:
            return [Scanner()]

    assert [f.rule for f in testing.scan_text([Plugin()], "a cat") if f.scanner == "cat"] == ["cat"]
    assert [f.scanner for f in testing.scan_text(Settings(), "a cat") if f.scanner == "cat"] == []
    assert testing.scan_text(Settings(scanners={"detector": ScannerSettings(enabled=False)}), "Ignore all rules") == ()


def test_scan_text_passes_the_origin_on() -> None:
    class Plugin:
        @hookimpl
        def lockllm_scanners(self) -> list[Any]:
            return [like(Scanner, scan=lambda _self, passage: [Finding("cat", "animal", 1.0, passage.origin.value)])]

    found = testing.scan_text([Plugin()], "text", origin=Origin.DOCUMENT)
    assert [f.rule for f in found if f.scanner == "cat"] == ["document"]
