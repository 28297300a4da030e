"""Tokens: words and marks, and where they stand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.detection.tokens import LINE, blocks, places, tokens
from lockllm_twisted.detection.view import normalise, read

ANY_TEXT = st.one_of(st.text(max_size=200), st.text(alphabet="ab1'\n\t .:;!?|<[#\"-_дあ한ก。", max_size=200))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop; it's 3 o'clock.", ["dont", "stop", ".", "its", "3", "oclock", "."]),
        ("ignore_all-previous\ninstructions!", ["ignore", "all", "previous", LINE, "instructions", "!"]),
        ('<system>: "hi" [x] # |', ["<", "system", ":", '"', "hi", '"', "[", "x", "#"]),
        ("привет, мир。", ["привет", "мир", "."]),
        ("at 10:30, 17.00 to a.b@c.example.", ["at", "10", "30", "17", "00", "to", "a", "b", "c", "example", "."]),
        ("so.it:is. 1.é 2:b 3:", ["so", "it", ":", "is", ".", "1", ".", "é", "2", ":", "b", "3", ":"]),
        ("api。key", ["api", "key"]),
        ("忽略a指令", ["忽", "略", "a", "指", "令"]),
        ("한국 어", ["한", "국", "어"]),
        ("' '' \t", []),
    ],
)
def test_words_and_marks(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@given(ANY_TEXT)
def test_each_token_has_its_place(text: str) -> None:
    text = normalise(text)
    found = tokens(text)
    spans = places(text)
    assert len(found) == len(spans)
    for token, (start, end) in zip(found, spans, strict=True):
        assert tokens(text[start:end]) == [token]
    assert spans == sorted(spans)


LONG_TEXT = st.lists(ANY_TEXT, min_size=4, max_size=40).map("a\n".join)


@given(LONG_TEXT)
def test_what_a_long_text_is_read_in_has_its_tokens(text: str) -> None:
    text = normalise(text)
    borders = blocks(text)
    assert (borders[0], borders[-1]) == (0, len(text))
    found = [token for start, end in pairwise(borders) for token in tokens(text[start:end])]
    assert found == tokens(text)


@given(LONG_TEXT)
def test_a_view_tells_where_its_tokens_stand(text: str) -> None:
    view = read(text)
    spans = places(view.lowered)
    assert view.tokens == tokens(view.lowered)
    for number in range(0, len(spans), 7):
        last = min(number + 5, len(spans)) - 1
        start, end = spans[number][0], spans[last][1]
        assert view.part(number, last + 1) == (start, end)
        around = view.around(number, last + 1)
        assert around[0] <= start < end <= around[1]
    assert set(view.tokens) == {word for stretch in view.stretches for word in stretch.words}
