"""A dialect's labels: the longest place wins, the outermost tells the order."""

from __future__ import annotations

import json

import pytest

from lockllm_twisted.hooks import Label
from lockllm_twisted.reading import read
from lockllm_twisted.values import Origin

DOCUMENT = {"last": "one ", "turns": [{"a": "two ", "b": {"c": "three ", "d": "four "}}], "first": "five "}
LABELS: list[Label] = [
    (("first",), Origin.SYSTEM),
    (("turns", 0), Origin.USER),
    (("turns", 0, "b"), Origin.TOOL_RESULT),
    (("turns", 0, "b", "d"), Origin.DOCUMENT),
    (("last",), Origin.ASSISTANT),
]


def told(labels: list[Label]) -> tuple[dict[str, Origin], list[str]]:
    body = json.dumps(DOCUMENT).encode()
    found = read(method=b"POST", target=b"/", headers=[], body=body, dialect=lambda _: labels).passages
    singles = {passage.text: passage.origin for passage in found if passage.text.endswith(" ") and not passage.until}
    return singles, [passage.text for passage in found if passage.until]


EXPECTED = {
    "one ": Origin.ASSISTANT,
    "two ": Origin.USER,
    "three ": Origin.TOOL_RESULT,
    "four ": Origin.DOCUMENT,
    "five ": Origin.SYSTEM,
}


def test_the_longest_place_wins_and_the_order_is_the_dialects() -> None:
    origins, seams = told(LABELS)
    assert origins == EXPECTED
    assert seams == ["five two three four one "]


@pytest.mark.parametrize("turn", range(5))
def test_labels_may_come_in_any_order(turn: int) -> None:
    origins, _ = told(LABELS[turn:] + LABELS[:turn])
    assert origins == EXPECTED
    assert told(LABELS[::-1])[0] == EXPECTED


def test_a_label_of_the_whole_document_is_for_all_the_rest() -> None:
    origins, _ = told([*LABELS[1:2], ((), Origin.DEVELOPER)])
    assert set(origins.values()) == {Origin.USER, Origin.DEVELOPER}
