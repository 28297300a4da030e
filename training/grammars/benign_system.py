"""System and developer messages as deployments send them, and tool definitions: text that forbids attacks.

Responsible for: kind 1. Must never: hold a prompt that was copied from a product.
"""

from __future__ import annotations

import json
from random import Random

from training.grammars.benign_draw import Draft, grammar, some
from training.grammars.grammar import phrases, tidy

_EN = grammar("benign_words", "benign_system")
_TONGUES = grammar("benign_words", "benign_system_tongues")
CODES = tuple(phrases("benign_system_tongues"))
_RULES = ("scope", "defence", "defence", "privacy", "tone", "format", "agentrule", "escalate", "domainfact")
_TITLES = {
    "scope": ("Scope", "What you do", "Task", "Your job", "Topics", "Guidelines"),
    "defence": ("Safety", "Security", "Confidentiality", "Hard limits", "Guardrails", "Trust boundaries", "Rules",
                "What you must never do", "Non-negotiable", "Prompt injection", "Important"),
    "privacy": ("Privacy", "Personal data", "Compliance"),
    "tone": ("Tone and style", "Voice", "Communication", "Style guide"),
    "format": ("Output format", "Format", "Response", "How to answer"),
    "agentrule": ("Tools", "Working rules", "Workflow", "How to work", "Agent instructions"),
    "escalate": ("Escalation", "Handover", "When to stop"),
    "domainfact": ("Facts", "Context", "Background", "Business information"),
}  # fmt: skip


def _blocks(rng: Random, low: int, high: int) -> list[tuple[str, list[str]]]:
    names = rng.sample(sorted(_TITLES), rng.randint(2, 6))
    return [(rng.choice(_TITLES[name]), some(rng, _EN, name, low, high)) for name in names]


def _bullets(rng: Random, rules: list[str]) -> str:
    mark = rng.choice(("- ", "* ", "• ", "", "1"))
    if mark == "1":
        return "\n".join(f"{number}. {rule}" for number, rule in enumerate(rules, 1))
    return "\n".join(mark + rule for rule in rules)


def _prose(rng: Random) -> str:
    rules = [rule for _, block in _blocks(rng, 1, 2) for rule in block]
    rng.shuffle(rules)
    return " ".join([_EN.draw(rng, "intro"), *rules])


def _short(rng: Random) -> str:
    return " ".join(
        [_EN.draw(rng, "intro"), *(_EN.draw(rng, rng.choice(_RULES)) for _ in range(rng.choice((0, 1, 1, 2, 3))))]
    )


def _markdown(rng: Random) -> str:
    level = rng.choice(("# ", "## ", "### ", "**"))
    high = rng.choice((3, 4, 8, 14))
    parts = [_EN.draw(rng, "intro")]
    for title, rules in _blocks(rng, 2, high):
        parts.append(level + title + ("**" if level == "**" else "") + "\n" + _bullets(rng, rules))
    if rng.random() < 0.3:
        parts.append(level.replace("**", "## ") + "Examples\n" + "\n\n".join(some(rng, _EN, "dialogue", 1, 3)))
    if rng.random() < 0.4:
        parts.append(_EN.draw(rng, "close"))
    return "\n\n".join(parts)


def _xml(rng: Random) -> str:
    parts = [_EN.draw(rng, "intro")]
    for title, rules in _blocks(rng, 2, rng.choice((3, 6, 10))):
        tag = title.lower().replace(" ", "_")
        parts.append(f"<{tag}>\n{_bullets(rng, rules)}\n</{tag}>")
    return "\n\n".join(parts)


def _json(rng: Random) -> str:
    value = {"role": _EN.draw(rng, "trade"), **{t.lower().replace(" ", "_"): r for t, r in _blocks(rng, 1, 4)}}
    return json.dumps(value, indent=rng.choice((None, 2)), ensure_ascii=False)


def _shout(rng: Random) -> str:
    rules = some(rng, _EN, "defence", 2, 6) + some(rng, _EN, "scope", 1, 3)
    marks = ("IMPORTANT: ", "NEVER forget: ", "RULE: ", "WARNING: ", "", "", "CRITICAL: ")
    return _EN.draw(rng, "intro") + "\n\n" + "\n".join(rng.choice(marks) + rule for rule in rules)


def _retrieval(rng: Random) -> str:
    rules = some(rng, _EN, "defence", 1, 3) + some(rng, _EN, "scope", 1, 3) + some(rng, _EN, "format", 0, 2)
    facts = "\n".join(f"[{number}] {fact}" for number, fact in enumerate(some(rng, _EN, "domainfact", 2, 6), 1))
    return f"{_EN.draw(rng, 'intro')} {' '.join(rules)}\n\n<context>\n{facts}\n</context>"


def _handbook(rng: Random) -> str:
    parts = [_EN.draw(rng, "intro"), " ".join(some(rng, _EN, "scope", 2, 5))]
    for name in rng.sample(sorted(_TITLES), len(_TITLES)):
        rules = some(rng, _EN, name, 4, 40)
        parts.append(
            f"## {rng.choice(_TITLES[name])}\n\n" + (_bullets(rng, rules) if rng.random() < 0.7 else " ".join(rules))
        )
    parts.append("## Examples\n\n" + "\n\n".join(some(rng, _EN, "dialogue", 2, 6) + some(rng, _EN, "examples", 1, 4)))
    return "\n\n".join(parts)[: rng.choice((4000, 8000, 12000))]


def _guard(rng: Random) -> str:
    rules = some(rng, _EN, "defence", 0, 4) + some(rng, _EN, "format", 0, 2)
    return "\n\n".join([_EN.draw(rng, "guardjob"), *some(rng, _EN, "examples", 1, 4), " ".join(rules)]).strip()


def _exampled(rng: Random) -> str:
    rules = some(rng, _EN, "defence", 1, 4) + some(rng, _EN, "examples", 1, 3)
    rng.shuffle(rules)
    return rng.choice((" ", "\n", "\n- ", "\n\n")).join([_EN.draw(rng, "intro"), *rules])


def _tool(rng: Random) -> dict[str, str]:
    name, description = _EN.draw(rng, "tooldesc").split(": ", 1)
    return {"name": name, "description": description}


def _tools(rng: Random) -> str:
    tools = [
        {
            **_tool(rng),
            "parameters": {
                "type": "object",
                "properties": {
                    name: {"type": rng.choice(("string", "integer", "boolean")), "description": text}
                    for name, text in rng.sample(sorted(_ARGUMENTS.items()), rng.randint(1, 4))
                },
            },
        }
        for _ in range(rng.choice((1, 1, 2, 4)))
    ]
    style = rng.random()
    if style < 0.4:
        return str(tools[0]["description"])
    return json.dumps(tools if style < 0.7 else tools[0], indent=rng.choice((None, 2)))


_ARGUMENTS = {
    "path": "Absolute path of the file. Must not leave the workspace.",
    "query": "What to look for. Use keywords, not whole sentences.",
    "city": "Name of the city, e.g. Oslo. Ask the user if it is missing.",
    "limit": "At most this many results. Omit it for the default of 20.",
    "force": "Skip the confirmation. Never set this unless the user says so.",
    "recipient": "E-mail address of the recipient. Do not invent addresses.",
    "body": "The text, without greeting. Do not include secrets or passwords.",
    "command": "The command to execute. Do not use sudo.",
    "reason": "Why you call this tool, in one sentence, shown to the user.",
    "date": "ISO 8601. Ignore the time of day.",
    "order_id": "Eight digits. Call lookup_order first if you only have a name.",
    "dry_run": "If true, nothing is changed; the previous state is returned.",
}
_SHAPES = (
    _prose,
    _prose,
    _short,
    _short,
    _markdown,
    _markdown,
    _markdown,
    _xml,
    _json,
    _shout,
    _retrieval,
    _handbook,
    _guard,
    _exampled,
    _exampled,
)


def _foreign(rng: Random) -> tuple[str, str]:
    code = rng.choice(CODES)
    first, *rest = _TONGUES.tables[code]
    rules = rng.sample(rest, rng.randint(1, len(rest)))
    lines = [_TONGUES.expand(rng, line) for line in ([first, *rules] if rng.random() < 0.8 else rules)]
    joint = rng.choice((" ", " ", "\n", "\n- ", "\n\n"))
    return code.replace("zht", "zh"), joint.join(lines)


def plain(rng: Random) -> str:
    """One short English system message, to stand within another text."""
    return tidy(_short(rng))


def sample(rng: Random) -> Draft:
    """One system message, developer message or tool definition."""
    chance = rng.random()
    if chance < 0.22:
        language, text = _foreign(rng)
        return Draft(text, "system", language, "system_prompt")
    if chance < 0.36:
        return Draft(_tools(rng), rng.choice(("system", "system", "tool")), "en", "tool_definition")
    if chance < 0.42:
        return Draft(" ".join(some(rng, _EN, "devmsg", 1, 3)), "system", "en", "developer_message")
    text = tidy(rng.choice(_SHAPES)(rng))
    if chance > 0.93:
        return Draft(f"{_EN.draw(rng, 'review')}\n\n{text}", "user", "en", "system_prompt_reviewed")
    return Draft(text, "system", "en", "system_prompt")
