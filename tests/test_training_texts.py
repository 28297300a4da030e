"""The texts that were written one by one for training: whole, labelled in known words, none twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FILES = sorted((Path(__file__).parent.parent / "training" / "texts").glob("*.jsonl"))
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
