"""What every test must hold: nothing goes wrong unseen."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import hypothesis
import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_collection_finish() -> None:
    """What was imported stays; the collection after each test need not look at it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_unseen_failures() -> Iterator[None]:
    """A Deferred that failed with nobody listening is told to the log only: here it fails the test."""
    failures: list[LogEvent] = []

    @provider(ILogObserver)
    def watch(event: LogEvent) -> None:
        if "log_failure" in event:
            failures.append(event)

    globalLogPublisher.addObserver(watch)
    yield
    gc.collect()
    globalLogPublisher.removeObserver(watch)
    assert not failures, [str(event["log_failure"]) for event in failures]
