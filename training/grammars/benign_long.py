"""Long texts: documents, chats, agents' sessions and articles of 2,000 to 20,000 characters.

Responsible for: kind 10, so that maxima over windows and sentences see long benign text. Must never: write phrases.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from training.grammars import benign_agent, benign_chat, benign_docs, benign_security, benign_tongues, benign_trigger
from training.grammars.benign_draw import Draft


def _grow(rng: Random, part: Callable[[Random], str], joint: str) -> str:
    goal = rng.choice((2000, 2500, 3000, 4000, 5000, 7000, 10000, 16000))
    parts: list[str] = []
    size = 0
    while size < goal:
        parts.append(part(rng))
        size += len(parts[-1])
    return joint.join(parts)[:20000]


def _chat(rng: Random) -> str:
    who = rng.choice((("User", "Assistant"), ("Human", "AI"), ("Q", "A"), ("Customer", "Agent"), ("me", "bot")))
    return f"{who[0]}: {benign_chat.chat(rng).text}\n{who[1]}: {benign_docs.section(rng)}"


def _essay(rng: Random) -> str:
    return " ".join(benign_trigger.sample(rng).text for _ in range(rng.randint(2, 6)))


def _foreign(rng: Random) -> Draft:
    language = rng.choice(benign_tongues.LANGUAGES)
    text = _grow(rng, lambda chance: benign_tongues.in_language(chance, language).text, rng.choice((" ", "\n", "\n\n")))
    end = rng.choice((1200, 2500, 5000))
    return Draft(text[:end], rng.choice(("user", "tool")), language.replace("zht", "zh"), "long_foreign")


_MAKERS: tuple[tuple[str, str, Callable[[Random], str], str], ...] = (
    ("long_docs", "tool", benign_docs.section, "\n\n"),
    ("long_docs", "user", benign_docs.section, "\n\n---\n\n"),
    ("long_agent", "tool", benign_agent.section, "\n\n"),
    ("long_agent", "user", benign_agent.section, "\n\n"),
    ("long_session", "user", lambda rng: benign_agent.sample(rng).text, "\n\n"),
    ("long_chat", "user", _chat, "\n\n"),
    ("long_security", "tool", lambda rng: benign_security.sample(rng).text, "\n\n"),
    ("long_essay", "user", _essay, "\n\n"),
    ("long_fiction", "user", lambda rng: benign_chat.fiction(rng).text, "\n\n"),
    ("long_mixed", "tool", lambda rng: rng.choice((benign_docs.section, benign_agent.section))(rng), "\n\n"),
)


def sample(rng: Random) -> Draft:
    """One long text."""
    if rng.random() < 0.2:
        return _foreign(rng)
    family, role, part, joint = rng.choice(_MAKERS)
    return Draft(_grow(rng, part, joint), role, "en", family)
