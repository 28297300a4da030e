"""Weighing: which matches speak for an attack, and how strongly.

Responsible for: `explain`: the findings of one text.
Must never: do anything that depends on more than the text, its origin and the rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from lockllm_twisted.detection.context import MENTION, weight
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.rules import Rule
from lockllm_twisted.detection.traces import traces
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.views import UNDECODED, views
from lockllm_twisted.values import Category, Finding, Origin

SCANNER = "rules"

_REVISION = 1
"""Stands for all that is not in the rules: views, decoders, weights. To be raised when they change what is found."""

VERSION = f"{_REVISION}-{ALL.version}"

_LEAST = 0.35
"""No sensitivity looks at less."""

_NEAR = 600
"""Characters between two matches that still bear each other out: a long paragraph."""

_SURE = 0.97
_MOST = 32
_MOST_OF_A_RULE = 4
"""Findings told: more of them say nothing new, and a text may be made of nothing else."""

_MEANT = 0.7
_DISGUISES = frozenset(
    {
        "base64",
        "base32",
        "hex",
        "binary",
        "decimal",
        "morse",
        "tags",
        "variation-selectors",
        "reversed",
        "reversed-words",
        "rot13",
        "atbash",
        "leet",
        "spaced",
        "confusables",
    }
)
"""What ordinary text does not wear. An attack found in one is meant: of the doubt, `_MEANT` remains."""

_QUOTING = frozenset({Origin.TOOL_RESULT, Origin.DOCUMENT})
_OUT_OF_PLACE = frozenset({"addressed", "secrecy", "exfiltration"})
_BOLD = 0.85
"""What remains of the doubt where a document speaks to the machine: a user may well say "when summarising this, …"."""


@attrs.define
class _Hit:
    rule: Rule
    start: int
    end: int
    score: float
    firm: bool
    plain: float
    """The score as it would be without the disguise and without others beside it."""


def explain(text: str, origin: Origin = Origin.USER) -> list[Finding]:
    """All findings of at least 0.35 in a text that speaks for ``origin``, the strongest first. Never raises."""
    told: dict[str, list[Finding]] = {}
    result = [Finding(SCANNER, Category.OBFUSCATION, *trace) for trace in traces(text)]
    for view in views(text):
        if view.via[-1:] == (UNDECODED,):
            result.append(Finding(SCANNER, Category.OBFUSCATION, 0.6, "disguise.too_much", 0, len(text), view.via))
            continue
        hits = _hits(view, origin)
        if not hits:
            continue
        _bear_out(hits)
        result += _findings(view, hits, told, quoting=origin in _QUOTING)
    result.sort(key=lambda finding: -finding.score)
    return result[:_MOST]


def _hits(view: View, origin: Origin) -> list[_Hit]:
    disguised = any(step in _DISGUISES or step.startswith("caesar") for step in view.via)
    hits = []
    for match in ALL.search(view):
        score = match.rule.score
        share = 1.0
        if score >= _LEAST:  # a hint counts only beside others: they are weighed
            share = weight(view.text, match.start, match.end, origin, harm=match.rule.family == "unsafe")
            score *= share
        plain = score
        if disguised and score >= _LEAST:
            score = 1 - (1 - score) * _MEANT
        if origin in _QUOTING and match.rule.family in _OUT_OF_PLACE:
            score = 1 - (1 - score) * _BOLD
        hits.append(_Hit(match.rule, match.start, match.end, score, share > MENTION, plain))
    hits.sort(key=lambda hit: (hit.start, hit.rule.name))
    return hits


def _bear_out(hits: Iterable[_Hit]) -> None:
    """Raise a hit by the hits of other families before it that are near, and speak of other words."""
    recent: dict[str, _Hit] = {}
    scores: dict[int, float] = {}
    for hit in hits:
        if not hit.firm:
            continue
        family = hit.rule.family
        partners = [
            other
            for name, other in recent.items()
            if name != family and hit.start - other.start <= _NEAR and other.end <= hit.start
        ]
        if partners:
            together = sorted([hit, *partners], key=lambda one: -one.score)
            left = 1.0
            for one in together:
                left *= 1 - one.score
            best = together[0]
            scores[id(best)] = max(scores.get(id(best), 0.0), min(1 - left, _SURE))
        last = recent.get(family)
        if last is None or hit.score >= last.score or hit.start - last.start > _NEAR:
            recent[family] = hit
    for hit in hits:
        hit.score = max(hit.score, scores.get(id(hit), 0.0))


def _findings(view: View, hits: list[_Hit], told: dict[str, list[Finding]], *, quoting: bool) -> Iterable[Finding]:
    """The best hits of each rule, but for those that an earlier view has shown at the same place, as strong as here."""
    count: Counter[str] = Counter()
    for hit in sorted(hits, key=lambda hit: -hit.score):
        if hit.score < _LEAST:
            return
        name = hit.rule.name
        if count[name] == _MOST_OF_A_RULE:
            continue
        count[name] += 1
        start, end = view.span(hit.start, hit.end)
        before = told.setdefault(name, [])
        if any(start < one.end and one.start < end and one.score >= hit.plain for one in before):
            continue
        category = hit.rule.category
        if quoting and category is Category.PROMPT_INJECTION:
            category = Category.INDIRECT_INJECTION
        finding = Finding(SCANNER, category, round(hit.score, 3), name, start, end, view.via)
        before.append(finding)
        yield finding
