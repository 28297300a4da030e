"""Tokens: words and marks, and where they stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.detection.tokens import LINE, places, tokens
from lockllm_twisted.detection.view import normalise

ANY_TEXT = st.one_of(st.text(max_size=200), st.text(alphabet="ab1'\n\t .;!?|<[#\"-_дあ한ก。", max_size=200))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't stop; it's 3 o'clock.", ["dont", "stop", ".", "its", "3", "oclock", "."]),
        ("ignore_all-previous\ninstructions!", ["ignore", "all", "previous", LINE, "instructions", "!"]),
        ('<system>: "hi" [x] # |', ["<", "system", ":", '"', "hi", '"', "[", "x", "#"]),
        ("привет, мир。", ["привет", "мир", "."]),
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
