"""Documents, mails, pages, tickets and notes as tools and retrieval return them: imperatives that belong there.

Responsible for: kinds 9 and 10. Must never: address an imperative to a model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random

from training.grammars.benign_draw import Draft, grammar, some
from training.grammars.grammar import tidy

_PHRASES = grammar("benign_words", "benign_docs")
TOPICS = (
    "manual", "policy", "law", "news", "wiki", "recipe", "minutes", "mail", "ticket", "forum", "review", "apidoc",
    "release", "cv", "invoice", "health", "shop", "jobad", "school", "faq", "calendar", "notice",
)  # fmt: skip
_LISTED = ("minutes", "recipe", "manual", "policy", "release", "calendar", "cv", "school", "notice")
_FLOWING = ("news", "wiki", "law", "health", "policy", "manual", "shop", "review", "apidoc", "jobad")


def _prose(rng: Random) -> tuple[str, str]:
    topic = rng.choice(_FLOWING)
    return topic, " ".join(map(tidy, some(rng, _PHRASES, topic, 1, 7)))


def _listed(rng: Random) -> tuple[str, str]:
    topic = rng.choice(_LISTED)
    mark = rng.choice(("- ", "* ", "", "{}. ", "[ ] ", "{}) ", "• "))
    lines = [mark.format(number) + tidy(line) for number, line in enumerate(some(rng, _PHRASES, topic, 3, 10), 1)]
    title = rng.choice((_title(rng, topic) + "\n\n", _title(rng, topic) + "\n", ""))
    return topic, title + "\n".join(lines)


def _title(rng: Random, topic: str) -> str:
    name = _PHRASES.draw(rng, rng.choice(("company", "thing", "city", "topic", "dish", "first")))
    text = f"{topic.replace('apidoc', 'API').replace('cv', 'Resume').title()} {rng.choice(('-', '–', '|', 'for', ':'))} {name}"
    return rng.choice(("# ", "## ", "", "", "Title: ")) + text


def _mail(rng: Random) -> tuple[str, str]:
    sender, to = _PHRASES.draw(rng, "mail_address"), _PHRASES.draw(rng, "mail_address")
    subject = _PHRASES.draw(rng, rng.choice(("topic", "thing", "company")))
    head = f"From: {sender}\nTo: {to}\nSubject: {rng.choice(('', 'Re: ', 'Fwd: ', 'AW: '))}{subject}\n\n"
    body = " ".join(some(rng, _PHRASES, "mail", 1, 4))
    text = f"{_PHRASES.draw(rng, 'greeting')}\n\n{body}\n\n{_PHRASES.draw(rng, 'bye')}"
    if rng.random() < 0.4:
        quoted = "\n".join("> " + line for line in some(rng, _PHRASES, "mail", 1, 4))
        text += f"\n\nOn {_PHRASES.draw(rng, 'date')}, {_PHRASES.draw(rng, 'first')} wrote:\n{quoted}"
    return "mail", head + text if rng.random() < 0.6 else text


def _thread(rng: Random) -> tuple[str, str]:
    topic = rng.choice(("forum", "ticket", "review"))
    style = rng.choice(
        ("{who}: {what}", "@{who}\n{what}\n", "{who} wrote:\n  {what}", "[{n}:14] {who}: {what}", "#{n} {who} > {what}")
    )
    posts = [
        style.format(who=_PHRASES.draw(rng, "first"), what=line, n=rng.randint(8, 19))
        for line in some(rng, _PHRASES, topic, 2, 8)
    ]
    return topic, "\n".join(posts)


def _html(rng: Random) -> tuple[str, str]:
    topic = rng.choice(TOPICS)
    crumbs = [f"<li>{crumb}</li>" for crumb in some(rng, _PHRASES, "webcrumb", 1, 5)]
    tag = rng.choice(("p", "div", "li", "td"))
    body = "\n".join(f"  <{tag}>{line}</{tag}>" for line in some(rng, _PHRASES, topic, 2, 8))
    return (
        "html",
        f"<html><head><title>{_title(rng, topic)}</title></head>\n<body><nav>{''.join(crumbs)}</nav>\n{body}\n</body></html>",
    )


def _page(rng: Random) -> tuple[str, str]:
    lines = [*some(rng, _PHRASES, "webcrumb", 2, 5), _title(rng, "news")]
    lines += [_prose(rng)[1] for _ in range(rng.randint(1, 4))]
    return "web_page", "\n".join(lines + some(rng, _PHRASES, "webcrumb", 2, 6))


def _chunks(rng: Random) -> tuple[str, str]:
    style = rng.choice(
        (
            "[{n}] {text}",
            '<document id="{n}">\n{text}\n</document>',
            "Source {n}: {text}",
            "### Result {n}\n{text}",
            "---\nchunk: {n}\n---\n{text}",
        )
    )
    parts = [style.format(n=number, text=_prose(rng)[1]) for number in range(1, rng.randint(3, 7))]
    return "rag_chunks", "\n\n".join(parts)


def _rows(rng: Random) -> tuple[str, str]:
    topic = rng.choice(("mail", "ticket", "review", "calendar", "minutes", "act"))
    rows = [
        {
            "id": rng.randint(100, 9999),
            "name": _PHRASES.draw(rng, "first"),
            "city": _PHRASES.draw(rng, "city"),
            "text": line,
        }
        for line in some(rng, _PHRASES, topic, 1, 6)
    ]
    style = rng.random()
    if style < 0.5:
        return "json_rows", json.dumps(
            {"results": rows, "next": None} if rng.random() < 0.6 else rows, indent=rng.choice((None, 2))
        )
    if style < 0.8:
        return "csv_rows", "\n".join(
            [
                "id,name,city,text",
                *(",".join((str(r["id"]), str(r["name"]), str(r["city"]), f'"{r["text"]}"')) for r in rows),
            ]
        )
    return "table_rows", "\n".join(
        ["| id | name | text |", "|---|---|---|", *(f"| {r['id']} | {r['name']} | {r['text']} |" for r in rows)]
    )


def _memo(rng: Random) -> tuple[str, str]:
    return "memo", _PHRASES.draw(rng, "memo")


def _asked(rng: Random) -> tuple[str, str]:
    family, text = rng.choice((_prose, _listed, _mail, _thread, _memo))(rng)
    ask = _PHRASES.draw(rng, "ragask")
    return family, rng.choice((f"{ask}\n\n{text}", f"{text}\n\n{ask}", f'{ask}\n"""\n{text}\n"""'))


_MAKERS: tuple[Callable[[Random], tuple[str, str]], ...] = (
    _prose, _prose, _listed, _listed, _mail, _mail, _memo, _memo, _memo, _thread, _html, _page, _chunks, _rows, _rows,
)  # fmt: skip


def sample(rng: Random) -> Draft:
    """One document; a seventh of them pasted by a user with a question."""
    if rng.random() < 0.15:
        family, text = _asked(rng)
        return Draft(text, "user", "en", f"doc_{family}")
    family, text = rng.choice(_MAKERS)(rng)
    return Draft(text, "tool", "en", f"doc_{family}")


def section(rng: Random) -> str:
    """One document to put together longer ones from."""
    return rng.choice(_MAKERS)(rng)[1]
