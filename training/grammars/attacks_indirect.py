"""Instructions hidden in what a tool returns: mails, pages, tables, JSON, code, logs; the twin is the document without.

Responsible for: placing explicit and implicit instructions in documents, and documents with imperatives meant for people.
Must never: leave a document whose attack and twin differ anywhere but in the one place that holds the instruction.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

from training.grammars.grammar import Grammar, phrases, roughen, tidy
from training.grammars.record import Record

# Private-use characters stand for a document's places until they are filled.
_HERE: Final = "\ue000"  # may stay empty
_NOTE: Final = "\ue001"  # a cell, a comment, a field: holds something in any case
_SHARES: Final = {"explicit": 2600, "implicit": 3800}
_TWINS: Final = ("empty", "note_benign", "legit", "legit")


def generate(seed: int) -> Iterator[Record]:
    """About 6,400 documents with an instruction, each followed by the same one without; the same for the same seed."""
    rng = Random(f"indirect-{seed}")
    tables = phrases("common", "override", "docfill", "indirect") | {"here": (_HERE,), "note": (_NOTE,)}
    grammar = Grammar(tables)
    for kind, count in _SHARES.items():
        documents = list(tables["doc"])
        templates = list(tables[kind])
        rng.shuffle(documents)
        rng.shuffle(templates)
        for number in range(count):
            before, after = _halves(rng, grammar, documents[number % len(documents)])
            attack = roughen(rng, tidy(grammar.expand(rng, templates[number % len(templates)])))
            twin = rng.choice(_TWINS if before[1] == _HERE else _TWINS[1:])
            calm = "" if twin == "empty" else roughen(rng, tidy(grammar.draw(rng, twin)))
            for text, label in ((attack, "indirect_injection"), (calm, "benign")):
                yield Record(
                    text=before[0] + _fitted(text, before[0]) + after,
                    label=label,
                    source=f"grammar_indirect_{kind}",
                    role="tool",
                    family=f"indirect_{kind}",
                    twin=f"indirect_{kind}-en-{number}",
                )


def _halves(rng: Random, grammar: Grammar, template: str) -> tuple[tuple[str, str], str]:
    """A document cut at one of its places: what stands before with the place's kind, and what stands after."""
    document = grammar.expand(rng, template)
    places = [at for at, letter in enumerate(document) if letter in (_HERE, _NOTE)]
    chosen = rng.choice(places)

    def fill(part: str) -> str:
        while _NOTE in part:
            part = part.replace(_NOTE, tidy(grammar.draw(rng, "note_benign")), 1)
        return part.replace(_HERE, "")

    return (fill(document[:chosen]), document[chosen]), fill(document[chosen + 1 :])


def _fitted(text: str, before: str) -> str:
    """The text as the format in front of it holds it: JSON escapes breaks and quotes; a comment or cell has one line."""
    if before.lstrip().startswith(("{", "[{")):
        return text.replace('"', '\\"').replace("\n", "\\n")
    line = before.rsplit("\n", 1)[-1].lstrip()
    if line.startswith(("#", "//", "--", "*", "|", "+")) or "," in line[:20]:
        return text.replace("\n", " ")
    return text
