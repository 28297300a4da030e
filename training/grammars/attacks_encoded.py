"""Hidden attacks: a text in code or cipher with the wish to decode and obey it; the twin hides something harmless.

Responsible for: payloads in every form of ``encodings``, with and without words around them.
Must never: let a form stand for attacks more often than for harmless text.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from training.grammars.encodings import HIDES
from training.grammars.grammar import Grammar, phrases, tidy
from training.grammars.record import Record

_COUNT = 1500


def generate(seed: int) -> Iterator[Record]:
    """About 1,500 hidden attacks and as many twins; the same for the same seed."""
    rng = Random(f"encoded-{seed}")
    tables = phrases("common", "override", "override_twins", "persona", "persona_twins", "encoded")
    forms = list(HIDES)
    sides = (("obfuscated", "payload", "obey"), ("benign", "calm", "explain"))
    for number in range(_COUNT):
        form = forms[number % len(forms)]
        named = {"form": (form,), "form_id": (form.split()[-1].lower().strip("\\"),), "code": ("\ue000",)}
        grammar = Grammar({**tables, **named}, once=frozenset({"pname"}))
        for label, hidden, frame in sides:
            code = HIDES[form](rng, tidy(grammar.draw(rng, hidden)))
            yield Record(
                text=tidy(grammar.draw(rng, frame)).replace("\ue000", code),
                label=label,
                source="grammar_encoded",
                family="encoded",
                twin=f"encoded-en-{number}",
            )
