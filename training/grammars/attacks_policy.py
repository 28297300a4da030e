"""Defensive system prompts, and users' texts that turn the same rules round.

Responsible for: text that forbids attacks (role ``system``, or pasted by a user for review: benign) and its inversion.
Must never: label a prohibition an attack.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.grammar import Grammar, phrases, roughen, tidy
from training.grammars.record import Record

_COUNT = 800


def generate(seed: int) -> Iterator[Record]:
    """800 inverted policies (role ``user``), each followed by a policy; the same for the same seed."""
    rng = Random(f"policy-{seed}")
    grammar = Grammar(phrases("common", "docfill", "docmore", "policy"))
    for number in range(_COUNT):
        table, role = ("review", "user") if number % 4 == 0 else ("system", "system")
        sides = (("injection", "inverted", "user"), ("benign", table, role))
        for label, drawn, where in sides:
            yield Record(
                text=roughen(rng, tidy(grammar.draw(rng, drawn))),
                label=label,
                source="grammar_policy",
                role=where,
                family="policy",
                twin=f"policy-en-{number}",
            )
