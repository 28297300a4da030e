"""Instructions hidden in what a tool returns: mails, pages, tables, JSON, code, logs; the twin is the document without.

Responsible for: explicit and implicit instructions in English documents, and documents with imperatives meant for people.
Must never: leave a document whose attack and twin differ anywhere but in the one place that holds the instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from training.grammars.documents import PLACES, cut
from training.grammars.grammar import Grammar, phrases, roughen, tidy
from training.grammars.record import Record

_SHARES: Final = {"explicit": 2400, "implicit": 3600}
_TWINS: Final = ("empty", "note_benign", "legit", "legit")


def generate(seed: int) -> Iterator[Record]:
    """About 6,000 documents with an instruction, each followed by the same one without; the same for the same seed."""
    rng = Random(f"indirect-{seed}")
    tables = {**phrases("common", "override", "docfill", "docmore", "indirect"), **PLACES}
    grammar = Grammar(tables)
    for kind, count in _SHARES.items():
        documents = list(tables["doc"])
        templates = list(tables[kind])
        rng.shuffle(documents)
        rng.shuffle(templates)
        for number in range(count):
            document = cut(rng, grammar, documents[number % len(documents)], tidy)
            attack = roughen(rng, tidy(grammar.expand(rng, templates[number % len(templates)])))
            twin = rng.choice(_TWINS if document.blank else _TWINS[1:])
            calm = "" if twin == "empty" else roughen(rng, tidy(grammar.draw(rng, twin)))
            for text, label in ((attack, "indirect_injection"), (calm, "benign")):
                yield Record(
                    text=document.filled(text),
                    label=label,
                    source=f"grammar_indirect_{kind}",
                    role="tool",
                    family=f"indirect_{kind}",
                    twin=f"indirect_{kind}-en-{number}",
                )
