"""Texts whose form an attack borrows: transcripts with roles, calendars' files, links and pictures, remarks in code and pages.

Responsible for: harmless role tags, chat templates, hidden elements and comments. Must never: put an order for a model in them.
"""

from __future__ import annotations

import json
from random import Random

from training.grammars import benign_chat, benign_docs, benign_prompting, benign_system, benign_trigger
from training.grammars.benign_draw import Draft, grammar, some

_PHRASES = grammar("benign_words", "benign_docs", "benign_forms")


def _turns(rng: Random) -> list[tuple[str, str]]:
    turns = [("system", benign_system.plain(rng))] if rng.random() < 0.6 else []
    for _ in range(rng.randint(1, 4)):
        asked = rng.choice((benign_chat.chat, benign_prompting.tasks, benign_trigger.sample))(rng).text
        turns += [("user", asked), ("assistant", _PHRASES.draw(rng, "answer"))]
    return turns


def _transcript(rng: Random) -> str:
    turns = _turns(rng)
    style = rng.randrange(6)
    if style == 0:
        messages = [{"role": role, "content": content} for role, content in turns]
        return json.dumps({"model": "small-8b", "messages": messages}, indent=rng.choice((None, 2)), ensure_ascii=False)
    if style == 1:
        return "\n".join(f"<|im_start|>{role}\n{content}<|im_end|>" for role, content in turns)
    if style == 2:
        return "\n\n".join(f"### {role.title()}:\n{content}" for role, content in turns)
    if style == 3:
        return "\n".join(json.dumps({"from": role, "value": content}, ensure_ascii=False) for role, content in turns)
    if style == 4:
        return "\n".join(f"[{role.upper()}] {content}" for role, content in turns)
    return "\n\n".join(f"{role.title()}: {content}" for role, content in turns)


def _calendar(rng: Random) -> str:
    events = [
        f"BEGIN:VEVENT\nUID:{rng.randint(1000, 99999)}@example.org\nDTSTART:2026{rng.randint(1, 12):02}{rng.randint(1, 28):02}T0900Z\n"
        f"SUMMARY:{_PHRASES.draw(rng, 'calendar')}\nDESCRIPTION:{_PHRASES.draw(rng, 'act')}\nEND:VEVENT"
        for _ in range(rng.randint(1, 4))
    ]
    return "BEGIN:VCALENDAR\nVERSION:2.0\n" + "\n".join(events) + "\nEND:VCALENDAR"


def _links(rng: Random) -> str:
    lines = [
        f"- [{line.splitlines()[0][:60]}](https://example.{rng.choice(('org', 'com', 'net'))}/{rng.choice('abcdef')}?id={rng.randint(1, 9999)}&lang=en)"
        for line in some(rng, _PHRASES, rng.choice(("wiki", "news", "shop", "faq", "notice")), 2, 7)
    ]
    picture = f"![{_PHRASES.draw(rng, 'thing')}](https://example.org/img/{rng.randint(1, 999)}.png)"
    return "\n".join([f"## {_PHRASES.draw(rng, 'topic')}", "", picture, "", *lines])


def _remarks(rng: Random) -> str:
    marks = rng.choice(
        (("<!-- ", " -->"), ("# ", ""), ("// ", ""), ("/* ", " */"), ("-- ", ""), ("; ", ""), ("% ", ""), ("REM ", ""))
    )
    remarks = [marks[0] + line + marks[1] for line in some(rng, _PHRASES, "remark", 1, 4)]
    lines = some(rng, _PHRASES, rng.choice(("wiki", "apidoc", "release", "law", "recipe")), 2, 6)
    for remark in remarks:
        lines.insert(rng.randint(0, len(lines)), remark)
    return "\n".join(lines)


def _hidden(rng: Random) -> str:
    styles = (
        'style="display:none"',
        'class="sr-only"',
        "hidden",
        'aria-hidden="true"',
        'style="font-size:0"',
        'data-test="x"',
    )
    lines = [f"<div {rng.choice(styles)}>{line}</div>" for line in some(rng, _PHRASES, "hidden", 1, 3)]
    lines += [f"<p>{line}</p>" for line in some(rng, _PHRASES, rng.choice(benign_docs.TOPICS), 2, 6)]
    rng.shuffle(lines)
    return "<main>\n" + "\n".join(lines) + "\n</main>"


def _marked(rng: Random) -> str:
    fence = rng.choice(("=====", "-----", "#####", '"""', "```", "***", "[BEGIN DOCUMENT]", "<<<"))
    head = rng.choice(
        ("", "END OF SECTION\n", "Page 2 of 9\n", "CONFIDENTIAL\n", "-- forwarded message --\n", "*** NOTICE ***\n")
    )
    return f"{fence}\n{head}{benign_docs.section(rng)[:1500]}\n{fence}\n{_PHRASES.draw(rng, 'ragask') if rng.random() < 0.5 else ''}".strip()


_FORMS = {
    "transcript": (4, _transcript), "calendar_file": (1, _calendar), "links": (2, _links), "remarks": (3, _remarks),
    "hidden": (2, _hidden), "marked": (3, _marked),
}  # fmt: skip


def sample(rng: Random) -> Draft:
    """One text in a form that attacks borrow."""
    family = rng.choices(list(_FORMS), [weight for weight, _ in _FORMS.values()])[0]
    text = _FORMS[family][1](rng)
    asked = family == "transcript" and rng.random() < 0.5
    if asked:
        text = f"{_PHRASES.draw(rng, 'transcriptask')}\n\n{text}"
    return Draft(text, "user" if asked or rng.random() < 0.25 else "tool", "en", f"form_{family}")
