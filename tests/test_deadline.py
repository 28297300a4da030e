from __future__ import annotations

from twisted.internet.task import Clock

from lockllm_twisted.deadline import Deadline


def test_it_fires_once_at_its_time_and_not_before() -> None:
    clock, missed = Clock(), []
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append(clock.seconds()))
    clock.advance(9.5)
    assert missed == []
    clock.advance(0.5)
    clock.advance(100)
    assert missed == [10]


def test_moving_it_either_way_counts_from_now_and_only_the_last_word_is_called() -> None:
    clock, missed = Clock(), []
    deadline = Deadline(clock)
    deadline.set(10, lambda: missed.append("first"))
    clock.advance(9)
    deadline.set(10, lambda: missed.append("later"))
    clock.advance(5)
    assert missed == []
    deadline.set(1, lambda: missed.append("sooner"))
    clock.advance(1)
    assert missed == ["sooner"]
    clock.advance(100)
    assert missed == ["sooner"]


def test_what_was_cleared_is_not_missed_and_may_be_set_again() -> None:
    clock, missed = Clock(), []
    deadline = Deadline(clock)
    deadline.set(5, lambda: missed.append("cleared"))
    deadline.clear()
    clock.advance(6)
    deadline.set(5, lambda: missed.append("again"))
    clock.advance(5)
    assert missed == ["again"]


def test_moving_it_on_does_not_touch_the_reactors_timer() -> None:
    clock = Clock()
    deadline = Deadline(clock)
    for _ in range(50):
        deadline.set(60, lambda: None)
        clock.advance(1)
    assert len(clock.getDelayedCalls()) == 1


def test_after_its_stop_nothing_is_waited_for() -> None:
    clock, missed = Clock(), []
    deadline = Deadline(clock)
    deadline.set(5, lambda: missed.append(1))
    deadline.stop()
    deadline.set(5, lambda: missed.append(2))
    assert clock.getDelayedCalls() == []
    clock.advance(10)
    assert missed == []
