"""Attacks by form: fake transcripts and role tags, many examples, tool calls, prompts inside prompts, split payloads.

Responsible for: the families whose shape carries the attack; the twins have the shape and a harmless content.
Must never: hold phrases; they stand in ``phrases/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.grammar import Family, Grammar, carried, phrases, records
from training.grammars.record import Record


def generate(seed: int) -> Iterator[Record]:
    """About 3,300 attacks and as many twins; the same for the same seed."""
    rng = Random(f"structure-{seed}")
    shared = phrases("common", "override", "persona")
    frames, tools, context = (shared | phrases(name) for name in ("structure", "tools", "context"))
    for tables, family in (
        (frames, Family("transcript", "injection", frames["transcript"], frames["transcript_twin"], 1000)),
        (frames, Family("examples", "jailbreak", frames["few"], frames["few_twin"], 450)),
        (tools, Family("tool_abuse", "injection", tools["attack"], tools["twin"], 900)),
        (context, Family("context", "injection", context["wrapped"], context["wrapped_twin"], 950)),
    ):
        grammar = Grammar(tables, once=frozenset({"pname"}))
        yield from records(rng, family, grammar, carried(grammar, 0.12))
