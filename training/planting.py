"""Sentences that were written one by one, each put into a document that a tool might bring.

Responsible for: `planted`: orders, tasks and addresses to the machine in documents that are not theirs, what people ordinarily ask among
them, beside harmless sentences in the same documents; `placed`, the same with the place; `put`, which puts a sentence into a document.
Must never: put a held-out sentence into a document that is learned from, or the other way round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import attrs

from training.corpus import Example, example, held_out, in_fifth


@attrs.frozen
class Placed:
    """A document in three parts: what stands before the sentence, the sentence, and what stands behind it."""

    text: tuple[str, str, str] = attrs.field(repr=False)
    label: str
    family: str
    name: str


SENTENCES = Path(__file__).parent / "sentences"

SHORTEST = 120
"""Characters of a document that a sentence is put into."""
_BRIEF = 200
"""Characters, at most, of what somebody ordinarily asks an assistant, for it to be planted."""

_BORDER = re.compile(r"(?<=[.!?])[\"')]?\s+|\n+|(?<=\\n)|(?<=\. )")
"""Between two sentences, or two lines."""


def planted(seed: int, written: Sequence[Example], *, held: bool) -> Iterator[Example]:
    """The held-out sentences, a fifth, or the others; in documents from ``written`` that are held out likewise."""
    for one in placed(seed, written, held=held):
        yield example("".join(one.text), one.label, f"text_{one.family}", "tool", "en", one.name)


def placed(seed: int, written: Sequence[Example], *, held: bool) -> Iterator[Placed]:
    """The same, with what stands before and behind each sentence."""
    documents = [
        one.text
        for one in written
        if one.benign and one.role == "tool" and len(one.text) >= SHORTEST and held_out(one) == held
    ]
    for text, label, family, name in _sentences(written, held=held):
        chance = Random(f"{seed} {text}")
        yield Placed(put(chance, text, chance.choice(documents)), label, family, name)


def _sentences(written: Sequence[Example], *, held: bool) -> Iterator[tuple[str, str, str, str]]:
    """Text, label, family and name of those that were written to be planted, and of what people ordinarily ask."""
    for path in sorted(SENTENCES.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            record = json.loads(line)
            if in_fifth(record["text"]) == held:
                yield record["text"], record["label"], record["family"], f"{path.name}:{number}"
    for one in written:
        if one.source == "text_ordinary" and len(one.text) <= _BRIEF and held_out(one) == held:
            yield one.text, "indirect_injection", "implicit_ordinary", one.cluster


def put(chance: Random, sentence: str, document: str) -> tuple[str, str, str]:
    """A document around a sentence: what stands before it, the sentence, and what stands behind it."""
    borders = [match.span() for match in _BORDER.finditer(document)]
    if not borders:
        return f"{document}\n", sentence, ""
    start, end = chance.choice(borders)
    gap = document[start:end] or " "
    if document.lstrip().startswith(("{", "[")):
        sentence = sentence.replace('"', '\\"')
    return f"{document[:start]}{gap}", sentence, f"{gap}{document[end:]}"
