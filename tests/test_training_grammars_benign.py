"""The benign grammars: the same text for the same seed, the data's vocabulary, many languages, few duplicates."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice
from random import Random

import pytest

from training.grammars.benign import KINDS, benign
from training.grammars.record import Record


@pytest.fixture(scope="module")
def texts() -> list[Record]:
    return list(benign(7))


def test_the_same_seed_gives_the_same_texts(texts: list[Record]) -> None:
    assert list(islice(benign(7), 3000)) == texts[:3000]
    assert [record.text for record in islice(benign(8), 50)] != [record.text for record in texts[:50]]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_draws_from_nothing_but_its_generator(kind: str) -> None:
    _, sample = KINDS[kind]
    first, second = Random("a"), Random("a")
    assert [sample(first) for _ in range(40)] == [sample(second) for _ in range(40)]


def test_every_text_is_benign_and_names_its_kind(texts: list[Record]) -> None:
    assert {record.label for record in texts} == {"benign"}
    assert {record.source for record in texts} == {f"own_benign_{kind}" for kind in KINDS}
    assert {record.role for record in texts} == {"user", "tool", "system"}
    assert all(record.family and record.text.strip() for record in texts)


def test_the_languages_of_deployments_are_there(texts: list[Record]) -> None:
    counts = Counter(record.language for record in texts)
    wanted = {
        "en",
        "de",
        "fr",
        "es",
        "it",
        "pt",
        "nl",
        "sv",
        "pl",
        "cs",
        "ru",
        "uk",
        "el",
        "tr",
        "ar",
        "fa",
        "he",
        "hi",
    }
    wanted |= {"bn", "th", "vi", "id", "zh", "ja", "ko"}
    assert all(counts[language] >= 60 for language in wanted), counts
    assert all(re.fullmatch("[a-z]{2}|mixed", language) for language in counts)


def test_no_text_comes_twice_and_there_are_many(texts: list[Record]) -> None:
    assert len(texts) > 25_000
    assert len({record.text for record in texts}) == len(texts)


def test_no_slot_or_choice_is_left_open(texts: list[Record]) -> None:
    prose = ("own_benign_chat", "own_benign_trigger", "own_benign_tongue", "own_benign_fiction")
    left = re.compile(r"\{[a-z_]+\}|\([^()\n]*\|[^()\n]*\)")
    assert [record.text for record in texts if record.source in prose and left.search(record.text)] == []


def test_some_texts_are_long(texts: list[Record]) -> None:
    sizes = [len(record.text) for record in texts]
    assert sum(size > 5_000 for size in sizes) > 200
    assert max(sizes) <= 30_000  # what they quote of the standard library is another in each Python
