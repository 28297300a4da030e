"""What the embedded scanner promises for any text at all."""

from __future__ import annotations

import re
import sys

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from lockllm_twisted.detection import explain, normalise, views
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.steps import CHUNK, matches
from lockllm_twisted.detection.view import read
from lockllm_twisted.detection.views import UNDECODED
from lockllm_twisted.values import Origin
from tests.test_detection_views import ATTACK, ENCODINGS

ANY_TEXT = st.text(alphabet=st.characters(codec=None), max_size=400)  # lone surrogates too
ODD_TEXT = st.text(
    alphabet="aA1 \t\n%&#;\\xu0+=/<>*`\"'.-_{}\u200b\u00ad\u0301\u1161가か\u3099а\ud800\U000e0041", max_size=400
)

SENTENCES = st.sampled_from(
    [
        "The meeting is at noon on Friday.",
        "Please find the quarterly figures attached.",
        "Our garden has three apple trees and a pond.",
        "def add(a, b): return a + b",
        "Zwei Kaffee und ein Stück Kuchen, bitte.",
        "The parcel arrived “yesterday” – thanks!",
        "See https://example.com/a/b?c=d for 12 more details.",
        "| name | qty |\n|------|-----|\n| tea  | 4   |",
    ]
)
BENIGN = st.lists(SENTENCES, max_size=12).map(" ".join)


@given(st.one_of(ANY_TEXT, ODD_TEXT), st.sampled_from(Origin))
@example("\ud800" * 40, Origin.USER)
@example("&#xd800;&#55296;&#x110000;\\ud800\\U00110000\\u{fffff}%ff%fe", Origin.TOOL_RESULT)
def test_no_text_makes_it_fail_and_spans_lie_inside(text: str, origin: Origin) -> None:
    for finding in explain(text, origin):
        assert 0 <= finding.start < finding.end <= len(text)
        assert 0 < finding.score <= 1


@given(st.one_of(ANY_TEXT, ODD_TEXT))
def test_any_part_of_any_view_came_from_the_text(text: str) -> None:
    for view in views(text):
        size = len(view.text)
        for start in range(0, size, max(1, size // 8)):
            source = view.span(start, min(size, start + 5))
            assert 0 <= source[0] < source[1] <= len(text)


@given(st.one_of(ANY_TEXT, ODD_TEXT))
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


@pytest.mark.parametrize("first", range(0, sys.maxunicode + 1, 0x8000))
def test_every_character_folds_to_what_stays(first: int) -> None:
    for code in range(first, first + 0x8000):
        once = normalise(chr(code))
        assert normalise(once) == once, hex(code)


SIGNS = [
    "abcXYZ019+/-_= \n",
    "abcXYZ019!$%&*;<=>?@^`~{} \n",
    "ABCXYZ234567= \n",
    "0123456789abcdefxX :;,-\n",
    "0123456789 ,;\n",
    "01 ,\n",
    ".-_ /|\n",
    "\\uUxn0123456789abcdf{}%&#;\"'+ ",
    "ig.n0r3 1!|@$prevusay\n",
]
"""What encodings and disguises are written in, and what stands beside it."""


def _of_signs(signs: str) -> st.SearchStrategy[str]:
    return st.lists(st.text(signs, max_size=12) | st.text(signs, min_size=24, max_size=80), max_size=6).map("".join)


@given(st.sampled_from(SIGNS).flatmap(_of_signs))
@settings(max_examples=1000)
def test_no_decoder_is_upset_by_its_own_signs(text: str) -> None:
    assert list(views(text))


@given(st.one_of(ANY_TEXT, ODD_TEXT))
def test_views_are_bounded(text: str) -> None:
    found = [view for view in views(text) if view.via[-1:] != (UNDECODED,)]
    assert sum(len(view.folded) for view in found) <= 70_000 + 40 * len(text)
    assert all(len([step for step in view.via if step != "nfkc"]) <= 3 for view in found)


@given(BENIGN, BENIGN, st.sampled_from(sorted(ENCODINGS)), st.sampled_from([" ", "\n", "\n\n", ": "]))
def test_a_disguised_attack_is_found_wherever_it_stands(before: str, after: str, name: str, between: str) -> None:
    text = between.join(part for part in (before, ENCODINGS[name](ATTACK), after) if part)
    assert max(finding.score for finding in explain(text, Origin.USER)) >= 0.6


@given(
    BENIGN,
    st.integers(0, 100_000),
    st.integers(0, 100_000),
    st.sampled_from(["plain", "base64", "rot13", "zero-width", "spaced"]),
)
@example("Our garden has three apple trees and a pond.", 524, 1, "plain")
@settings(max_examples=30)
def test_padding_hides_nothing(sentences: str, before: int, after: int, name: str) -> None:
    assume(sentences)
    attack = ATTACK if name == "plain" else ENCODINGS[name](ATTACK)
    padding = (sentences + " ") * (100_000 // len(sentences) + 1)
    text = f"{padding[:before]} {attack} {padding[:after]}"
    assert max(finding.score for finding in explain(text, Origin.USER)) >= 0.6


@given(st.data())
@settings(max_examples=100)
def test_the_prefilter_hides_no_match(data: st.DataObject) -> None:
    each = data.draw(st.sampled_from(ALL.rules))
    text = normalise(data.draw(st.from_regex(each.pattern)))
    view = read(text)
    source = view.latin if each.script is None else view.text
    if any(not _inside_word(source, match.start()) for match in each.pattern.finditer(source)):
        assert any(match.rule is each for match in ALL.search(view))


def _inside_word(text: str, at: int) -> bool:
    return at > 0 and re.fullmatch("[a-z0-9]{2}", text[at - 1 : at + 1]) is not None


@given(st.integers(0, 3 * CHUNK), st.integers(1, 40))
@settings(max_examples=40)
def test_chunks_change_no_match(before: int, runs: int) -> None:
    text = "b" * before + " %41%42" * runs + "b" * 50
    pattern = re.compile("%[0-9a-f]{2}(?:%[0-9a-f]{2})*")
    assert [match.span() for match in matches(pattern, text)] == [match.span() for match in pattern.finditer(text)]
