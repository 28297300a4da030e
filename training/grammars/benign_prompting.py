"""Prompts as pipelines and prompt libraries send them, guides on prompting, and safe look-alikes of harmful requests.

Responsible for: tasks on pasted text, expert personas, image prompts, judges, skills, guides; questions such as how to kill
a process. Must never: hold a prompt of somebody else's library.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar
from training.grammars.grammar import roughen, tidy

_PROMPTS = grammar("benign_words", "benign_prompting")
_LOOKALIKES = grammar("benign_words", "benign_lookalike")


def prompting(rng: Random) -> Draft:
    """One prompt of a pipeline or a library, or a passage of a guide."""
    text = _PROMPTS.draw(rng, "shape")
    role = "tool" if rng.random() < 0.08 else "user"
    return Draft(tidy(text), role, "en", "prompting")


def lookalike(rng: Random) -> Draft:
    """One harmless question that sounds dangerous."""
    return Draft(roughen(rng, tidy(_LOOKALIKES.draw(rng, "shape"))), "user", "en", "lookalike")
