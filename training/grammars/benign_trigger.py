"""Harmless sentences full of the words that attacks use: ignore, override, system, reveal, bypass, kill, exploit.

Responsible for: kind 6, everyday senses only. Must never: put together a demand on the model to drop its rules.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar
from training.grammars.grammar import roughen, tidy

_PHRASES = grammar("benign_words", "benign_trigger")


def sample(rng: Random) -> Draft:
    """One passage with trigger words in everyday senses."""
    text = tidy(_PHRASES.draw(rng, "shape"))
    if rng.random() < 0.12:
        return Draft(text, "tool", "en", "trigger_words")
    return Draft(roughen(rng, text), "user", "en", "trigger_words")
