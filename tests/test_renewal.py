"""A value that expires: made once for all who wait, anew before its end, and never for a caller who has left."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import provider

from lockllm_twisted.errors import ConfigurationProblem
from lockllm_twisted.renewal import RETRY_SECONDS, Renewed, State, in_daemon_thread


class Maker:
    """Makes 1, 2, 3 …, when the test lets it."""

    def __init__(self) -> None:
        self.age: State = "fresh"
        self.running: list[Deferred[int]] = []
        self.clock = Clock()
        self.renewed = Renewed(
            lambda: len(self.running), lambda _: self.age, in_thread=self._start, clock=self.clock.seconds
        )

    def _start(self, make: Callable[[], int]) -> Deferred[int]:
        self.running.append(Deferred())
        return self.running[-1]

    def ask(self) -> list[Any]:
        got: list[Any] = []
        self.renewed.get().addBoth(got.append)
        return got

    def finish(self, result: object = None) -> None:
        number = len(self.running)
        self.running[-1].callback(number) if result is None else self.running[-1].errback(Failure(result))


def test_all_who_wait_share_one_call_and_then_get_it_at_once() -> None:
    maker = Maker()
    first, second = maker.ask(), maker.ask()
    assert (first, second, len(maker.running)) == ([], [], 1)
    maker.finish()
    assert (first, second, maker.ask()) == ([1], [1], [1])
    assert len(maker.running) == 1


def test_a_stale_one_serves_while_it_is_made_anew_and_an_expired_one_does_not() -> None:
    maker = Maker()
    maker.ask()
    maker.finish()
    maker.age = "stale"
    assert (maker.ask(), maker.ask(), len(maker.running)) == ([1], [1], 2)
    maker.age = "expired"
    waiting = maker.ask()
    assert (waiting, len(maker.running)) == ([], 2)
    maker.finish()
    assert waiting == [2]
    assert maker.ask() == []
    assert len(maker.running) == 3


def test_a_failure_reaches_all_who_wait_and_the_next_one_tries_again() -> None:
    maker = Maker()
    first, second = maker.ask(), maker.ask()
    maker.finish(ConfigurationProblem("No credentials."))
    assert [got[0].value.message for got in (first, second)] == ["No credentials."] * 2
    third = maker.ask()
    assert len(maker.running) == 2
    maker.finish()
    assert third == [2]


def test_a_stale_one_outlives_a_renewal_that_fails_and_is_tried_again_later() -> None:
    maker = Maker()
    maker.ask()
    maker.finish()
    maker.age = "stale"
    maker.ask()
    maker.finish(OSError("secret"))
    assert (maker.ask(), len(maker.running)) == ([1], 2)
    maker.clock.advance(RETRY_SECONDS)
    assert (maker.ask(), len(maker.running)) == ([1], 3)


@pytest.mark.parametrize("how", ["made", "failed"])
def test_one_who_leaves_does_not_end_it_for_the_others(how: str) -> None:
    maker = Maker()
    leaving = maker.renewed.get()
    staying = maker.ask()
    leaving.addErrback(lambda failure: failure.trap(CancelledError))
    leaving.cancel()
    maker.finish(None if how == "made" else OSError())
    assert len(staying) == 1
    assert len(maker.running) == 1


def test_the_log_tells_no_more_than_the_kind_of_an_unexpected_failure() -> None:
    maker = Maker()
    events: list[LogEvent] = []

    @provider(ILogObserver)
    def watch(event: LogEvent) -> None:
        events.append(event)

    globalLogPublisher.addObserver(watch)
    maker.ask()
    maker.finish(OSError("sk-secret"))
    globalLogPublisher.removeObserver(watch)
    assert [event["reason"] for event in events if "reason" in event] == ["OSError"]
    assert "sk-secret" not in str(events)


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator] # it ships no types
async def test_its_thread_is_another_one_and_dies_with_the_process() -> None:
    def where() -> tuple[threading.Thread, bool]:
        return threading.current_thread(), threading.current_thread().daemon

    thread, daemon = await in_daemon_thread(where)
    assert thread is not threading.current_thread()
    assert daemon

    def fails() -> None:
        raise OSError("no network")

    with pytest.raises(OSError, match="no network"):
        await in_daemon_thread(fails)
