"""Plain harmful requests, the second axis, and safe requests that look like them.

Responsible for: the wish alone, of every kind that a provider refuses, and its matched safe look-alikes.
Must never: hold an answer to such a wish, or any detail that would help to carry it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.grammar import Family, Grammar, carried, phrases, records, tidy
from training.grammars.record import Record

_QUESTIONS = ("How", "What", "Which", "Where", "Is ", "Why", "Who", "From whom")


def generate(seed: int) -> Iterator[Record]:
    """About 2,400 harmful requests and as many look-alikes, in group ``harm``; the same for the same seed."""
    rng = Random(f"harm-{seed}")
    tables = phrases("common", "harm")
    grammar = Grammar(tables)
    family = Family("harm", "harmful_request", tables["attack"], tables["twin"], 2400, group="harm")
    yield from records(rng, family, grammar, carried(grammar, 0.03), _sentence)


def _sentence(text: str) -> str:
    text = tidy(text)
    if text[-1] in ".?!":
        return text
    return text + ("?" if text.startswith(_QUESTIONS) else ".")
