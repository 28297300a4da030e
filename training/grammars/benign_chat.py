"""Everyday chat, fiction and personas as people type them.

Responsible for: kinds 3 and 4. Must never: ask a model to give up its rules.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar
from training.grammars.grammar import roughen, tidy

_CHAT = grammar("benign_words", "benign_chat")
_FICTION = grammar("benign_words", "benign_fiction")
_NEAR = grammar("benign_words", "benign_near")
_FAMILIES = ("followup", "question", "task", "pretend", "rant", "shape", "query", "opinion")


def chat(rng: Random) -> Draft:
    """One message of an everyday conversation."""
    family = rng.choices(_FAMILIES, (3, 3, 3, 2, 1, 4, 2, 2))[0]
    text = _CHAT.draw(rng, family)
    if rng.random() < 0.6:
        text = tidy(text)
    return Draft(roughen(rng, text), "user", "en", "chat_mixed" if family == "shape" else f"chat_{family}")


def near(rng: Random) -> Draft:
    """One harmless message in the words of an attack: the rules on refunds, the instructions for the shelf."""
    family = rng.choice(("leak", "leak", "override", "override", "persona", "authority", "sending", "shape"))
    text = tidy(_NEAR.draw(rng, family))
    return Draft(roughen(rng, text), "user", "en", f"near_{family}")


def fiction(rng: Random) -> Draft:
    """One request for a story, a game, a scene or a persona."""
    text = tidy(_FICTION.draw(rng, "shape"))
    return Draft(roughen(rng, text) if len(text) < 200 else text, "user", "en", "fiction")
