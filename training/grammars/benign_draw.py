"""What the benign grammars share: a draft of a record, and draws of several different phrases at once.

Responsible for: ``Draft``, ``grammar``, ``some``. Must never: hold text.
"""

from __future__ import annotations

from random import Random

import attrs

from training.grammars.grammar import Grammar, phrases


@attrs.frozen
class Draft:
    """A benign text before its kind has named the source: where it stands, its language (ISO 639-1), its family."""

    text: str
    role: str
    language: str
    family: str


def grammar(*names: str) -> Grammar:
    """The grammar over the tables of ``phrases/<name>.txt``, later files over earlier ones."""
    return Grammar(phrases(*names))


def some(rng: Random, tables: Grammar, name: str, low: int, high: int) -> list[str]:
    """``low`` to ``high`` different templates of table ``name``, expanded; as many as the table has."""
    templates = tables.tables[name]
    return [tables.expand(rng, line) for line in rng.sample(templates, min(len(templates), rng.randint(low, high)))]
