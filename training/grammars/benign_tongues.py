"""Chat, trigger words, security talk and documents in other languages, and texts that switch between two.

Responsible for: kind 8 (the system prompts in other languages stand with the system prompts). Must never: speak English alone.
"""

from __future__ import annotations

from random import Random
from typing import Final

from training.grammars.benign_draw import Draft, grammar, some
from training.grammars.benign_trigger import sample as english
from training.grammars.grammar import phrases

_FILES = ("benign_tongues_europe", "benign_tongues_world", "benign_tongues_more")
_PHRASES = grammar("benign_words", *_FILES)
_KINDS = ("chat", "chat", "trigger", "more", "security", "doc")
LANGUAGES: Final = tuple(sorted({name.split("_")[0] for name in phrases(*_FILES)}))
"""The languages by their tables' names: ISO 639-1, and ``zht`` for traditional Chinese."""
_BIG = ("de", "fr", "es", "it", "pt", "ru", "zh", "ja", "ar", "ko", "tr", "hi", "pl")


def in_language(rng: Random, language: str) -> Draft:
    """One passage in ``language``, one to five sentences."""
    kind = rng.choice(_KINDS)
    count = rng.choice((1, 1, 1, 2, 3))
    joint = (
        rng.choice((" ", " ", "\n", "\n- ")) if language not in {"zh", "zht", "ja", "th"} else rng.choice(("", "\n"))
    )
    lines = some(rng, _PHRASES, f"{language}_{kind}", count, count)
    if rng.random() < 0.15:
        lines += some(rng, _PHRASES, f"{language}_{rng.choice(_KINDS)}", 1, 2)
    role = "tool" if kind == "doc" or rng.random() < 0.15 else "user"
    return Draft(joint.join(lines), role, language.replace("zht", "zh"), f"tongue_{kind}")


def _switched(rng: Random) -> Draft:
    first, second = rng.sample(LANGUAGES, 2)
    if rng.random() < 0.6:
        texts = [in_language(rng, first).text, english(rng).text]
        rng.shuffle(texts)
    else:
        texts = [in_language(rng, first).text, in_language(rng, second).text]
    return Draft(rng.choice((" ", "\n", "\n\n", " / ")).join(texts), "user", "mixed", "tongue_switched")


def sample(rng: Random) -> Draft:
    """One passage in a language other than English, or in two."""
    if rng.random() < 0.1:
        return _switched(rng)
    return in_language(rng, rng.choice(_BIG if rng.random() < 0.5 else LANGUAGES))
