"""The texts that were written one by one for training: whole, labelled in known words, none twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lockllm_twisted.evaluation.records import read
from training.corpus import Example, example, held_out
from training.planting import SENTENCES, planted

FILES = sorted((Path(__file__).parent.parent / "training" / "texts").glob("*.jsonl"))
PLANTED = sorted(SENTENCES.glob("*.jsonl"))
BRIEF = 11
"""Words of a text that two people may well write alike, such as "ping"."""
BLIND = sorted((Path(__file__).parent.parent / "training" / "blind").glob("*.jsonl"))
LABELS = {"benign", "injection", "jailbreak", "indirect_injection", "prompt_leak", "harmful_request"}


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_record_has_a_text_and_known_words(path: Path) -> None:
    for record in records(path):
        assert record.keys() == {"text", "label", "role", "language", "family"}
        assert record["text"].strip()
        assert record["label"] in LABELS
        assert record["role"] in {"user", "tool", "system"}


def test_no_text_stands_twice_and_attacks_have_benign_texts_beside_them() -> None:
    found = [record for path in FILES for record in records(path)]
    assert len({record["text"] for record in found}) == len(found)
    labels = Counter(record["label"] for record in found)
    assert set(labels) == LABELS
    assert labels["benign"] > sum(labels.values()) / 2
    assert len({record["language"] for record in found}) >= 20


@pytest.mark.parametrize("path", PLANTED, ids=lambda path: path.stem)
def test_sentences_to_plant_come_with_as_many_harmless_ones(path: Path) -> None:
    found = records(path)
    assert all(record.keys() == {"text", "label", "family"} and record["text"].strip() for record in found)
    assert len({record["text"] for record in found}) == len(found)
    labels = Counter(record["label"] for record in found)
    assert set(labels) == {"benign", "indirect_injection"}
    assert abs(labels["benign"] - labels["indirect_injection"]) < len(found) / 50


@pytest.mark.parametrize("path", BLIND, ids=lambda path: path.stem)
def test_blind_texts_can_be_evaluated_and_none_is_learned_from(path: Path) -> None:
    with path.open("rb") as lines:
        found = {record.text for record in read(lines, path.name)}
    assert len(found) >= 400
    learned = {record["text"] for each in (*FILES, *PLANTED) for record in records(each)}
    assert all(len(text.split()) <= BRIEF for text in found & learned)


def document(text: str) -> Example:
    return example(text, "benign", "text_tool", "tool", "en", text)


def test_a_sentence_is_planted_whole_in_a_document_that_is_held_out_as_it_is() -> None:
    documents = [
        document(
            f"Minutes of the harbour meeting, part {number}. The crane is mended.\nThe ferry leaves at noon, and the mail is late again. Bring a coat."
        )
        for number in range(40)
    ]
    told = {record["text"]: record["label"] for path in PLANTED for record in records(path)}
    seen: set[str] = set()
    for held in (False, True):
        for one, _ in zip(planted(0, documents, held=held), range(200), strict=False):
            kept = [text for text in told if text in one.text and told[text] == one.label and text not in seen]
            bare = one.text.replace(max(kept, key=len), "")
            home = [whole for whole in documents if sorted(bare.split()) == sorted(whole.text.split())]
            assert [held_out(whole) for whole in home] == [held]
            assert one.role == "tool"
            seen.add(max(kept, key=len))
