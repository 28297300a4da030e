"""Jailbreaks by persona, game, fiction, plea and mode, from one line to several hundred words; with their twins.

Responsible for: the families that give the model another self or another world; the twins are role play without it.
Must never: hold phrases; they stand in ``phrases/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.grammar import Family, Grammar, carried, phrases, records
from training.grammars.record import Record


def generate(seed: int) -> Iterator[Record]:
    """About 2,500 attacks and as many twins; the same for the same seed."""
    rng = Random(f"persona-{seed}")
    tables = phrases("common", "persona", "persona_twins")
    grammar = Grammar(tables, once=frozenset({"pname", "acr", "tname"}))
    yield from records(
        rng, Family("persona", "jailbreak", tables["attack"], tables["twin"], 1600), grammar, carried(grammar, 0.08)
    )
    rules = Family("persona_rules", "jailbreak", tables["long"], tables["long_t"], 900)
    yield from records(rng, rules, grammar, carried(grammar, 0.05))
