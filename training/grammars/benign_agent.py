"""What coding agents and services pass on: listings, diffs, traces, logs, configurations, answers of APIs, blobs.

Responsible for: kind 2. Must never: hold a secret that is one, or an instruction that no project would give.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random

from training.grammars.benign_code import FILES
from training.grammars.benign_draw import Draft, grammar, some

_PHRASES = grammar("benign_words", "benign_agent")
_HEX = "0123456789abcdef"


def _hex(rng: Random, size: int) -> str:
    return "".join(rng.choices(_HEX, k=size))


def _uuid(rng: Random) -> str:
    return "-".join(_hex(rng, size) for size in (8, 4, 4, 4, 12))


def _blob(rng: Random, size: int) -> str:
    return base64.b64encode(rng.randbytes(size)).decode()


def _name(rng: Random, joint: str = "_") -> str:
    return joint.join(_PHRASES.draw(rng, table) for table in ("verb", "noun"))


def _path(rng: Random) -> str:
    parts = [_PHRASES.draw(rng, "folder") for _ in range(rng.randint(1, 3))]
    return "/".join([*parts, _name(rng) + _PHRASES.draw(rng, "suffix")])


_STAMPS = (
    "2026-{0:02}-{1:02}T{2:02}:{3:02}:{4:02}Z",
    "2026-{0:02}-{1:02} {2:02}:{3:02}:{4:02},{5:03}",
    "[{2:02}:{3:02}:{4:02}]",
)


def _time(rng: Random, stamp: str = _STAMPS[0]) -> str:
    ranges = ((1, 12), (1, 28), (0, 23), (0, 59), (0, 59), (0, 999))
    return stamp.format(*(rng.randint(low, high) for low, high in ranges))


def _times(rng: Random, count: int) -> list[str]:
    stamp = rng.choice(_STAMPS)
    return sorted(
        _time(rng, "2026-03-14" + stamp[stamp.find("}-{1:02}") + 8 :] if "{1" in stamp else stamp) for _ in range(count)
    )


def _listing(rng: Random) -> str:
    names = sorted({_path(rng) for _ in range(rng.randint(3, 20))})
    style = rng.randrange(4)
    if style == 0:
        return "\n".join(names)
    if style == 1:
        return f"total {rng.randint(8, 400)}\n" + "\n".join(
            f"{rng.choice(('drwxr-xr-x', '-rw-r--r--', '-rwx------'))} {rng.randint(1, 9)} app app {rng.randint(0, 90000):6} Mar {rng.randint(1, 30):2} 09:{rng.randint(10, 59)} {name.split('/')[-1]}"
            for name in names
        )
    if style == 2:
        return (
            ".\n"
            + "\n".join(f"├── {name}" for name in names)
            + f"\n\n{rng.randint(2, 9)} directories, {len(names)} files"
        )
    return "\n".join(f"{rng.choice((' M', '??', 'A ', ' D', 'R '))} {name}" for name in names)


def _grep(rng: Random) -> str:
    return "\n".join(f"{_path(rng)}:{rng.randint(1, 900)}:{line}" for line in some(rng, _PHRASES, "codeline", 2, 9))


def _diff(rng: Random) -> str:
    path = _path(rng)
    lines = [rng.choice(" +-") + line for line in some(rng, _PHRASES, "codeline", 4, 16)]
    head = f"diff --git a/{path} b/{path}\nindex {_hex(rng, 7)}..{_hex(rng, 7)} 100644\n--- a/{path}\n+++ b/{path}\n"
    return head + f"@@ -{rng.randint(1, 200)},{len(lines)} +{rng.randint(1, 200)},{len(lines)} @@\n" + "\n".join(lines)


def _trace(rng: Random) -> str:
    frames = [
        f'  File "/srv/app/{_path(rng)}", line {rng.randint(3, 700)}, in {_name(rng)}\n    {line}'
        for line in some(rng, _PHRASES, "codeline", 2, 6)
    ]
    error = _PHRASES.draw(rng, "error")
    if rng.random() < 0.6:
        return "Traceback (most recent call last):\n" + "\n".join(frames) + "\n" + error
    calls = "\n".join(
        f"    at {_name(rng, '')}.{_name(rng, '')}({_name(rng, '')}.java:{rng.randint(3, 700)})"
        for _ in range(rng.randint(3, 9))
    )
    return f"{error}\n{calls}"


def _tests(rng: Random) -> str:
    lines = [
        f"{_path(rng)}::test_{_name(rng)} {rng.choice(('PASSED', 'PASSED', 'FAILED', 'SKIPPED', 'XFAIL'))} [{rng.randint(1, 100):3}%]"
        for _ in range(rng.randint(3, 18))
    ]
    return (
        "============ test session starts ============\n"
        + "\n".join(lines)
        + f"\n===== {rng.randint(0, 3)} failed, {rng.randint(3, 900)} passed in {rng.randint(1, 90)}.{rng.randint(10, 99)}s ====="
    )


def _log(rng: Random) -> str:
    lines = some(rng, _PHRASES, "logline", 3, 20)
    levels = ("INFO", "INFO", "WARN", "ERROR", "DEBUG")
    return "\n".join(
        f"{time} {rng.choice(levels)} {_name(rng, '.')}: {line}"
        for time, line in zip(_times(rng, len(lines)), lines, strict=True)
    )


def _access(rng: Random) -> str:
    return "\n".join(
        f'10.0.{rng.randint(0, 255)}.{rng.randint(1, 254)} - - [{rng.randint(1, 28):02}/Mar/2026:10:{rng.randint(10, 59)}:{rng.randint(10, 59)} +0000] "{rng.choice(("GET", "POST", "PUT"))} /{_name(rng, "/")}?id={rng.randint(1, 9999)} HTTP/1.1" {rng.choice((200, 200, 301, 404, 500))} {rng.randint(20, 99999)} "-" "curl/8.{rng.randint(0, 9)}"'
        for _ in range(rng.randint(3, 15))
    )


def _shell(rng: Random) -> str:
    return "\n".join(
        f"{rng.choice(('$', 'app@web1:~$', '#', '>'))} {line}" for line in some(rng, _PHRASES, "shell", 2, 8)
    )


def _reminder(rng: Random) -> str:
    tag = rng.choice(("system-reminder", "environment_details", "context", "ide_selection", "user_info", "reminder"))
    note = f"<{tag}>\n" + "\n".join(some(rng, _PHRASES, "reminder", 1, 5)) + f"\n</{tag}>"
    ask = _PHRASES.draw(rng, "ask")
    return rng.choice((f"{note}\n\n{ask}", f"{ask}\n\n{note}", note, f"<user_query>\n{ask}\n</user_query>\n{note}"))


def _ask(rng: Random) -> str:
    ask = _PHRASES.draw(rng, "ask")
    if rng.random() < 0.4:
        return ask
    return f"{ask}\n\n```\n{rng.choice((_trace, _diff, _tests, _log, _listing, _file))(rng)}\n```"


def _guide(rng: Random) -> str:
    parts = [
        f"# {rng.choice(('AGENTS.md', 'CONTRIBUTING', 'README', 'Developer guide', 'CLAUDE.md', _name(rng, '-')))}"
    ]
    for title in some(rng, _PHRASES, "guidetitle", 1, 5):
        mark = rng.choice(("- ", "- ", "* ", ""))
        parts.append(f"## {title}\n" + "\n".join(mark + rule for rule in some(rng, _PHRASES, "guide", 2, 8)))
    return "\n\n".join(parts)


def _file(rng: Random) -> str:
    lines = (
        rng.choice(FILES)
        .replace("§name§", _name(rng))
        .replace("§noun§", _PHRASES.draw(rng, "noun"))
        .replace("§n§", str(rng.randint(2, 90)))
        .replace("§Name§", _name(rng, "").title())
        .replace("§say§", _PHRASES.draw(rng, "logline"))
    )
    if rng.random() < 0.25:
        return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines.strip().splitlines(), 1))
    return lines.strip()


def _value(rng: Random, depth: int = 0) -> object:
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return {_name(rng): _value(rng, depth + 1) for _ in range(rng.randint(1, 5))}
    if kind == 7:
        return [_value(rng, depth + 1) for _ in range(rng.randint(0, 4))]
    return (rng.randint(0, 99999), rng.random() < 0.5, None, _PHRASES.draw(rng, "logline"), _uuid(rng), _time(rng))[
        kind
    ]


def _json(rng: Random) -> str:
    body = {_PHRASES.draw(rng, "noun"): _value(rng) for _ in range(rng.randint(2, 9))}
    return json.dumps(body, indent=rng.choice((None, None, 2, 4)), separators=rng.choice(((",", ":"), (", ", ": "))))


def _config(rng: Random) -> str:
    style = rng.randrange(4)
    pairs = [
        (
            _name(rng),
            rng.choice((str(rng.randint(1, 9000)), "true", "false", _PHRASES.draw(rng, "noun"), f'"{_path(rng)}"')),
        )
        for _ in range(rng.randint(4, 18))
    ]
    if style == 0:
        return "\n".join(f"{key.upper()}={value}" for key, value in pairs)
    if style == 1:
        return f"[{_PHRASES.draw(rng, 'noun')}]\n" + "\n".join(f"{key} = {value}" for key, value in pairs)
    if style == 2:
        return f"{_PHRASES.draw(rng, 'noun')}:\n" + "\n".join(
            f"{'  ' * rng.randint(1, 3)}{key}: {value}" for key, value in pairs
        )
    return "\n".join(f"{key.replace('_', '.')}={value} # {_PHRASES.draw(rng, 'logline')}" for key, value in pairs)


def _blobs(rng: Random) -> str:
    token = ".".join(
        _blob(rng, size).rstrip("=").replace("+", "-").replace("/", "_") for size in (27, rng.randint(60, 150), 32)
    )
    offset = rng.randrange(0, 4096, 16)
    dump = "\n".join(
        f"{offset + 16 * row:08x}  {' '.join(_hex(rng, 2) for _ in range(16))}" for row in range(rng.randint(2, 20))
    )
    key = _blob(rng, rng.randint(90, 600))
    pem = "\n".join(key[at : at + 64] for at in range(0, len(key), 64))
    return rng.choice(
        (
            _blob(rng, rng.randint(30, 900)),
            f"data:image/png;base64,{_blob(rng, rng.randint(60, 900))}",
            f"Authorization: Bearer {token}",
            dump,
            f"-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----",
            "\n".join(f"{_hex(rng, 64)}  {_path(rng)}" for _ in range(rng.randint(1, 9))),
            "\n".join(_uuid(rng) for _ in range(rng.randint(1, 12))),
            "\n".join(
                f"commit {_hex(rng, 40)}\nAuthor: {_PHRASES.draw(rng, 'first')} <dev@example.org>\n\n    {line}\n"
                for line in some(rng, _PHRASES, "commit", 1, 6)
            ),
        )
    )


def _minified(rng: Random) -> str:
    calls = [
        f"{rng.choice('abcdefgh')}.{_name(rng, '')}=function({','.join(rng.sample('tenrio', 2))}){{return {rng.choice('te')}&&{_name(rng, '')}({rng.randint(0, 99)}),!{rng.randint(0, 1)}}}"
        for _ in range(rng.randint(4, 30))
    ]
    return "!function(){" + ";".join(calls) + "}();"


def _csv(rng: Random) -> str:
    head = [_PHRASES.draw(rng, "noun") for _ in range(rng.randint(3, 7))]
    rows = [
        ",".join(
            rng.choice(
                (str(rng.randint(0, 9999)), _PHRASES.draw(rng, "first"), _PHRASES.draw(rng, "city"), _hex(rng, 8))
            )
            for _ in head
        )
        for _ in range(rng.randint(3, 25))
    ]
    return "\n".join([",".join(head), *rows])


def _ci(rng: Random) -> str:
    lines = some(rng, _PHRASES, "ci", 4, 16)
    return "\n".join(
        f"{time} {rng.choice(('##[group]', '', '', '+ ', '> '))}{line}"
        for time, line in zip(_times(rng, len(lines)), lines, strict=True)
    )


def _done(rng: Random) -> str:
    return _PHRASES.draw(rng, "toolsay")


_TOOL: dict[str, tuple[int, Callable[[Random], str]]] = {
    "listing": (2, _listing), "grep": (1, _grep), "diff": (3, _diff), "trace": (2, _trace), "tests": (2, _tests),
    "log": (3, _log), "access_log": (1, _access), "shell": (2, _shell), "guide": (3, _guide), "file": (5, _file),
    "json": (4, _json), "config": (3, _config), "blob": (2, _blobs), "minified": (1, _minified), "csv": (1, _csv),
    "ci": (2, _ci), "tool_answer": (2, _done),
}  # fmt: skip
_WRAPS = (
    "<tool_result>\n{}\n</tool_result>",
    '<file path="{p}">\n{}\n</file>',
    "```\n{}\n```",
    "Output:\n{}",
    "exit code 0\n{}",
    "<stdout>{}</stdout>",
)


def sample(rng: Random) -> Draft:
    """One passage of an agent's traffic."""
    chance = rng.random()
    if chance < 0.12:
        return Draft(_reminder(rng), "user", "en", "agent_reminder")
    if chance < 0.28:
        return Draft(_ask(rng), "user", "en", "agent_request")
    family = rng.choices(list(_TOOL), [weight for weight, _ in _TOOL.values()])[0]
    text = _TOOL[family][1](rng)
    if rng.random() < 0.15:
        text = rng.choice(_WRAPS).replace("{p}", _path(rng)).replace("{}", text)
    return Draft(text, "tool" if chance < 0.85 else "user", "en", f"agent_{family}")


def section(rng: Random) -> str:
    """One piece of an agent's traffic to put together longer texts from."""
    return rng.choice((_file, _diff, _log, _tests, _guide, _json, _ci, _listing))(rng)
