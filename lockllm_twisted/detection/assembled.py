"""Text that its reader is to put together: strings with names that are added up, and pig Latin.

Responsible for: `assembled`.
Must never: cost a text more than a few searches where there is nothing to put together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lockllm_twisted.detection.decoders import Decoded
from lockllm_twisted.detection.steps import Substitution, join, matches, substitute
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.words import VOCABULARY

_VALUE = re.compile(r"[:=]\s{0,2}([\"'`])([^\"'`\n]{1,300})\1")
_NAME_BEFORE = re.compile(r"([A-Za-z_]\w{0,15})\"?\s{0,2}:?\Z")
_NAME_AFTER = re.compile(r"\s{0,2}([A-Za-z_]\w{0,15})")
_REACH = 24
_FEW = 2
_MANY = 64
"""Named strings of a text that are put together."""

_PIG = re.compile(r"[a-z]{2,20}ay\b")
_PIGS = 4
_PIG_SHARE = 0.4
_ONSETS = frozenset(
    """b bl br c ch cl cr d dr f fl fr g gh gl gr h j k kn l m n p ph pl pr q qu r s sc sch scr sh shr sk sl sm sn sp sph spl
    spr squ st str sw t th thr tr tw v w wh wr y z""".split()  # noqa: SIM905 # to be read
)


def _from_pig(match: re.Match[str]) -> str:
    """The English word: the known one, or that with the longest beginning that English has."""
    body = match[0][:-2]
    guesses = [body[:-1]] if body.endswith(("w", "y")) else []
    guesses += [body[-size:] + body[:-size] for size in (3, 2, 1) if body[-size:] in _ONSETS and len(body) > size]
    return next((guess for guess in guesses if guess in VOCABULARY), guesses[0] if guesses else match[0])


def assembled(view: View) -> Iterator[Decoded]:
    """One text of the strings that are added up, in their order, and one that is no longer pig Latin."""
    folded = view.folded
    if "+" in folded and ("=" in folded or ":" in folded):
        yield from _sums(folded)
    if folded.count("ay") >= max(_PIGS, _PIG_SHARE * len(view.tokens)):
        text = substitute(_PIG, _from_pig, view.lowered)
        yield ("pig-latin",), text, (Substitution(_PIG, _from_pig, view.lowered),)


def _sums(folded: str) -> Iterator[Decoded]:
    named: dict[str, tuple[int, int]] = {}
    for value, _ in zip(matches(_VALUE, folded), range(_MANY), strict=False):
        if (name := _name_before(folded, value.start())) is not None:
            named[name] = value.span(2)
    spans = [named[name] for name in _added(folded) if name in named] if len(named) >= _FEW else []
    if len(spans) >= _FEW:
        for between in ("", " "):
            text, pieces = join([(folded[start:end], start, end) for start, end in spans], between)
            yield ("parts",), text, (pieces,)


def _name_before(folded: str, at: int) -> str | None:
    found = _NAME_BEFORE.search(folded[max(0, at - _REACH) : at])
    return None if found is None else found[1]


def _added(folded: str) -> Iterator[str]:
    """The names on both sides of plus signs, in order."""
    at, last = folded.find("+"), -_REACH
    for _ in range(_MANY):
        if at < 0:
            return
        before, after = _name_before(folded, at), _NAME_AFTER.match(folded, at + 1)
        if before is not None and after is not None:
            if last < at - _REACH:
                yield before
            yield after[1]
            last = at
        at = folded.find("+", at + 1)
