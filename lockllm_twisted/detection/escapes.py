"""Encodings that are undone where they stand: escapes of strings, HTML entities, percent signs, strings in parts, markup.

Responsible for: `unescaped`: the stretches of a text that hold any of them, decoded in place, so that a sentence that is
encoded in part reads on.
Must never: take long over a text that holds none of their signs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from lockllm_twisted.detection.decoders import Decoded, Spans
from lockllm_twisted.detection.steps import Pieces, Step, Substitution, has, join, matches, merged, substitute
from lockllm_twisted.detection.view import View

_NEAR = 256
"""Characters kept around what was decoded in place, so that a sentence that is encoded in part reads on."""

_PERCENT = re.compile(r"%[0-9a-fA-F]{2}(?:%[0-9a-fA-F]{2})*")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,31});?")
_ESCAPE = re.compile(
    r"[\\%](?:u[0-9a-fA-F]{4}(?:[\\%]u[0-9a-fA-F]{4})*|(?<=\\)(?:u\{[0-9a-fA-F]{1,6}\}|U[0-9a-fA-F]{8}|"
    r"x[0-9a-fA-F]{2}(?:\\x[0-9a-fA-F]{2})*|[0-3][0-7]{2}|[nrt\"'/]))"
)
_UNITS = re.compile(r"[0-9a-fA-F]{4}")
_CONCATENATED = re.compile(r"([\"'])(?<=[A-Za-z ].)[ \n]{0,4}(?:\+|\.\.?|\|\||&)?[ \n]{0,4}\1(?=[A-Za-z ])")
_INSIDE_WORD = re.compile(r"[<*`~](?<=[A-Za-z].)(?:(?<=<)/?[A-Za-z!][^<>]{0,80}>|(?<!<)[*`~]{0,2})(?=[A-Za-z])")
"""Each starts with a set of signs: the engine skips to them at once, which it can't do for a look-behind."""


def _percent(match: re.Match[str]) -> str:
    return unquote_to_bytes(match[0]).decode("utf-8", "replace")


def _entity(match: re.Match[str]) -> str:
    return html.unescape(match[0])


def _escape(match: re.Match[str]) -> str:
    text = match[0]
    kind = text[1]
    if kind == "x":
        return bytes.fromhex(text.replace("\\x", "")).decode("utf-8", "replace")
    if kind in "uU" and "{" not in text and len(text) % 6 == 0:
        units = "".join(chr(int(unit, 16)) for unit in _UNITS.findall(text))
        return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if kind in "uU":
        code = int(text[2:].strip("{}"), 16)
        return chr(code) if code < 0x110000 else ""  # noqa: PLR2004 # the end of Unicode
    if kind.isdigit():
        return chr(int(text[1:], 8))
    return {"n": "\n", "r": "\n", "t": "\t"}.get(kind, kind)


def _nothing(_: re.Match[str]) -> str:
    return ""


_LONGEST_JOINT = 10


def _has_joint(text: str) -> bool:
    for quote in "\"'":
        if quote in text:
            for piece in text.split(quote)[1:-1]:
                if len(piece) < _LONGEST_JOINT and not piece.strip(" \n+.&|"):
                    return True
    return False


def _signs(*signs: str) -> Callable[[str], bool]:
    return lambda text: has(signs, text)


_IN_PLACE: tuple[tuple[str, Callable[[str], bool], re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("escapes", _signs("\\", "%u"), _ESCAPE, _escape),
    ("html", _signs("&"), _ENTITY, _entity),
    ("url", _signs("%"), _PERCENT, _percent),
    ("concatenation", _has_joint, _CONCATENATED, _nothing),
    ("markup", _signs("<", "*", "`", "~"), _INSIDE_WORD, _nothing),
)
"""Name, a quick test of a text that may hold it, what it looks like, what it stands for. Undone in this order, each on what the one
before it left: a page escaped into a string holds entities, and these a URL."""


def _nearby(text: str, spans: Spans) -> tuple[str, Pieces]:
    """Stretches of a text around some places in it."""
    around = merged(_of_lines(text, max(0, start - _NEAR), min(len(text), end + _NEAR)) for start, end in spans)
    return join((text[start:end], start, end) for start, end in around)


def _of_lines(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch up to where its lines start and end, if that is near: in half a line a quotation has lost one of its marks."""
    before, behind = text.rfind("\n", max(0, start - _NEAR), start), text.find("\n", end, end + _NEAR)
    return (start if before < 0 else before + 1), (end if behind < 0 else behind)


def unescaped(view: View) -> Iterator[Decoded]:
    """One text in which everything that is escaped in the view is undone."""
    folded = view.folded
    spans = sorted(
        match.span() for _, may_hold, pattern, _ in _IN_PLACE if may_hold(folded) for match in matches(pattern, folded)
    )
    if not spans:
        return
    text, pieces = _nearby(folded, spans)
    names: list[str] = []
    steps: list[Step] = [pieces]
    for name, may_hold, pattern, replace in _IN_PLACE:
        if not may_hold(text):
            continue
        plainer = substitute(pattern, replace, text)
        if plainer != text:
            names.append(name)
            steps.append(Substitution(pattern, replace, text))
            text = plainer
    if names:
        yield tuple(names), text, tuple(steps)
