"""Attacks that say what they want: override, hijack, authority, extraction of the system prompt; with their twins.

Responsible for: the families whose attack is one plain request, in English, alone or at the edge of an ordinary text.
Must never: hold phrases; they stand in ``phrases/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.grammar import Family, Grammar, carried, phrases, records
from training.grammars.record import Record


def generate(seed: int) -> Iterator[Record]:
    """About 5,000 attacks and as many twins; the same for the same seed."""
    rng = Random(f"direct-{seed}")
    override = phrases("common", "override", "override_twins")
    extraction = phrases("common", "extraction")
    for tables, family in (
        (override, Family("override", "injection", override["attack"], override["twin"], 1600)),
        (override, Family("hijack", "injection", override["hijack"], override["twin"], 1100)),
        (override, Family("authority", "injection", override["authority"], override["twin"], 1000)),
        (extraction, Family("extraction", "prompt_leak", extraction["attack"], extraction["twin"], 1300)),
    ):
        grammar = Grammar(tables)
        yield from records(rng, family, grammar, carried(grammar, 0.25))
