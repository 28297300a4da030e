"""Where each key of a TOML text stands: ``tomllib`` tells it only for what is not TOML.

Responsible for: the line of every table and key.
Must never: judge the text. It is known to be TOML, so that the patterns here may be lenient.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

Lines = Mapping[tuple[str, ...], int]

_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*(\.?)""")
_VALUE = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'{3}.*?\'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*'|#[^\n]*|[\[{\]}\n]|[^"'#\[\]{}\n]+''',
    re.DOTALL,
)


def key_lines(text: str) -> Lines:
    """The line of each table and key; a key inside an inline table or an array has its parent's."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    line, place = 1, 0
    while (start := _end(_GAP, text, place)) < len(text):
        line += text.count("\n", place, start)
        brackets = 2 if text.startswith("[[", start) else int(text[start] == "[")
        keys, place = _keys(text, start + brackets)
        table, full = (keys, keys) if brackets else (table, table + keys)
        for length in range(1, len(full) + 1):
            lines.setdefault(full[:length], line)
        end = place + brackets if brackets else _value_end(text, place)
        line, place = line + text.count("\n", place, end), end
    return lines


def _keys(text: str, place: int) -> tuple[tuple[str, ...], int]:
    keys: list[str] = []
    while (match := _KEY.match(text, place)) is not None:
        keys.append(tomllib.loads(f"k = {match[1]}")["k"] if match[1][0] in "\"'" else match[1])
        place = match.end()
        if not match[2]:
            break
    return tuple(keys), place


def _value_end(text: str, place: int) -> int:
    """The end of the line on which a value ends."""
    depth = 0
    while (match := _VALUE.match(text, place)) is not None:
        depth += (match[0] in ("[", "{")) - (match[0] in ("]", "}"))
        if match[0] == "\n" and depth == 0:
            return place
        place = match.end()
    return len(text)


def _end(pattern: re.Pattern[str], text: str, place: int) -> int:
    match = pattern.match(text, place)
    return place if match is None else match.end()
