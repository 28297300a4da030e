"""Prose of every day: stories, letters, advice, reviews, requests, tasks, values, longer personas; words more than facts.

Responsible for: benign text that says I, you, she and they as often as an attack does. Sentences are put together of small
parts, so that no turn of phrase is met in attacks alone. Must never: give the reader an order that only a model could follow.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar
from training.grammars.grammar import roughen, tidy

_PHRASES = grammar("benign_words", "benign_prose")
_COUNTS = {
    "narr": (1, 14),
    "you": (1, 9),
    "review": (1, 7),
    "request": (1, 4),
    "spec": (1, 3),
    "values": (1, 8),
    "persona": (1, 1),
}
_WEIGHTS = (4, 3, 2, 4, 4, 2, 5)
_ASKS = (
    "Summarise the story.", "What is the main idea?", "Who is meant by 'they'?", "Is the review positive or negative?",
    "What happens next?", "Continue.", "Which title fits best?", "Translate this into Spanish.", "How does the author feel?",
)  # fmt: skip


def text(rng: Random, kind: str) -> str:
    """One passage of a kind: ``narr``, ``you``, ``review``, ``request``, ``spec``, ``values`` or ``persona``."""
    low, high = _COUNTS[kind]
    joint = rng.choice((" ", " ", " ", "\n", "\n\n"))
    return joint.join(tidy(_PHRASES.draw(rng, kind)) for _ in range(rng.randint(low, high)))


def sample(rng: Random) -> Draft:
    """One passage of prose, a third of the stories and reviews with a question about them."""
    kind = rng.choices(list(_COUNTS), _WEIGHTS)[0]
    passage = text(rng, kind)
    if kind == "spec" and rng.random() < 0.7:
        passage += "\n" + text(rng, rng.choice(("narr", "review", "you")))
    elif kind in {"narr", "review", "you"} and rng.random() < 0.35:
        ask = rng.choice(_ASKS)
        passage = rng.choice(
            (f"{ask}\n\n{passage}", f"{passage}\n\n{ask}", f"Text: {passage}\nQuestion: {ask}\nAnswer:")
        )
    elif len(passage) < 200:
        passage = roughen(rng, passage)
    role = "tool" if kind in {"values", "review", "narr"} and rng.random() < 0.3 else "user"
    return Draft(passage, role, "en", f"prose_{kind}")
