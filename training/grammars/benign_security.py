"""Talk about attacks: questions, articles, reports, write-ups, rules and tests that quote them.

Responsible for: kind 5. Must never: hold a working attack that isn't quoted within an explanation.
"""

from __future__ import annotations

from random import Random

from training.grammars.benign_draw import Draft, grammar, some
from training.grammars.grammar import roughen, tidy

_PHRASES = grammar("benign_words", "benign_security")


def _article(rng: Random) -> str:
    mark = rng.choice(("## ", "", "### ", "**"))
    lines = some(rng, _PHRASES, "line", 4, 18)
    parts = [rng.choice(("# ", "", "Title: ")) + _PHRASES.draw(rng, "title")]
    while lines:
        size = rng.randint(1, 4)
        heading = mark + _PHRASES.draw(rng, "heading") + ("**" if mark == "**" else "")
        parts.append(heading + "\n" + rng.choice((" ", "\n- ")).join(["", *lines[:size]]).strip())
        lines = lines[size:]
    return "\n\n".join(parts)


def _ctf(rng: Random) -> str:
    lines = some(rng, _PHRASES, "ctf", 2, 6) + some(rng, _PHRASES, "line", 1, 3)
    return _PHRASES.draw(rng, "title") + "\n\n" + " ".join(lines)


def _paragraph(rng: Random) -> str:
    return " ".join(tidy(line) for line in some(rng, _PHRASES, "line", 1, 6))


def _code(rng: Random) -> str:
    # Expanding would read a regular expression's alternatives as ours: the code stands as it is.
    code = "\n\n".join(rng.sample(_PHRASES.tables["code"], rng.randint(1, 3))).replace("\\\\s", "\\s")
    if rng.random() < 0.5:
        code = f"```\n{code}\n```"
    return f"{_PHRASES.draw(rng, 'codeask')}\n\n{code}" if rng.random() < 0.6 else code


def sample(rng: Random) -> Draft:
    """One question, article, paragraph, write-up or piece of code on security."""
    chance = rng.random()
    if chance < 0.4:
        return Draft(roughen(rng, tidy(_PHRASES.draw(rng, "question"))), "user", "en", "security_question")
    role = rng.choice(("user", "tool"))
    if chance < 0.62:
        return Draft(_paragraph(rng), role, "en", "security_paragraph")
    if chance < 0.72:
        return Draft(f"{_PHRASES.draw(rng, 'wrapask')}\n\n{_paragraph(rng)}", "user", "en", "security_paragraph")
    if chance < 0.86:
        return Draft(_article(rng), role, "en", "security_article")
    if chance < 0.93:
        return Draft(_code(rng), role, "en", "security_code")
    return Draft(_ctf(rng), role, "en", "security_ctf")
