"""Prompts as pipelines and prompt libraries send them, guides on prompting, and safe look-alikes of harmful requests.

Responsible for: tasks on pasted text, expert image prompts, judges, skills, guides; questions such as how to kill
a process. Must never: hold a prompt of somebody else's library.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar
from training.grammars.grammar import roughen, tidy

_PROMPTS = grammar("benign_words", "benign_prompting")
_TASKS = grammar("benign_words", "benign_tasks")
_LOOKALIKES = grammar("benign_words", "benign_lookalike")


def prompting(rng: Random) -> Draft:
    """One prompt of a pipeline or a library, or a passage of a guide."""
    text = _PROMPTS.draw(rng, "shape")
    role = "tool" if rng.random() < 0.08 else "user"
    return Draft(tidy(text), role, "en", "prompting")


def tasks(rng: Random) -> Draft:
    """One request for code, a calculation, an answer out of several, a short text or a part to play."""
    family = rng.choices(("code", "mcq", "maths", "short", "persona", "shape"), (4, 2, 3, 3, 6, 4))[0]
    text = tidy(_TASKS.draw(rng, family))
    return Draft(roughen(rng, text) if len(text) < 200 else text, "user", "en", f"task_{family}")


def lookalike(rng: Random) -> Draft:
    """One harmless question that sounds dangerous."""
    return Draft(roughen(rng, tidy(_LOOKALIKES.draw(rng, "shape"))), "user", "en", "lookalike")
