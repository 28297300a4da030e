"""Telling: the findings that a score is told as, with the place, the rule or the words that carried it.

Responsible for: `tell`; `exact_hits`, what precise rules say by themselves.
Must never: change a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from lockllm_twisted.detection.evidence import KINDS, OWN, Evidence
from lockllm_twisted.detection.grams import HEADS
from lockllm_twisted.detection.hits import QUOTING, Hit, precise
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.rules import PRECISE_SCORE
from lockllm_twisted.detection.view import View
from lockllm_twisted.values import Category, Finding, Origin

SCANNER = "detector"

_REASONED = 0.35
"""From here on the words that spoke for it are told."""

_PLAIN_RULE = 0.6
"""A rule that matched this well names the finding."""

_MOST_PRECISE = 0.95
_CERTAIN = 0.6
"""A precise rule that matched plainly, neither quoted nor negated nor near words of defence, is enough for this score. In
the operator's own text, which talks of attacks to forbid them, only the most precise are."""

_MOST_OTHERS = 16
"""More hits say nothing new, and a text may be made of nothing else."""

_CATEGORIES = {
    "injection": Category.PROMPT_INJECTION,
    "jailbreak": Category.JAILBREAK,
    "extraction": Category.SYSTEM_PROMPT_EXTRACTION,
    "indirect": Category.INDIRECT_INJECTION,
}

Spot = tuple[View, Seen]
"""A sentence or window, and the view that it is in."""


@attrs.frozen
class Exact:
    """The plain hit of a precise rule, its view, and the score that it is enough for."""

    enough: float
    view: View
    hit: Hit


def exact_hits(evidence: Evidence, origin: Origin) -> list[Exact]:
    """What precise rules say of attacks by themselves."""
    least = _MOST_PRECISE if origin in OWN else PRECISE_SCORE
    return [
        Exact(hit.rule.score - PRECISE_SCORE + _CERTAIN, look.near, hit)
        for look in evidence.looks
        if look.hits
        for hit in precise(look.hits)
        if hit.rule.score >= least and not _harmful(hit)
    ]


def tell(
    model: Model,
    kind: str,
    score: float,
    evidence: Evidence,
    origin: Origin,
    exact: Sequence[Exact],
    spot: Spot | None,
) -> Iterator[Finding]:
    """The finding of a kind, and one for every further hit that would be enough. ``spot``: what carried the score, None for the loudest."""
    view, unit = spot or _loudest(evidence, kind)
    found = [(look.near, hit) for look in evidence.looks for hit in look.hits if _harmful(hit) == (kind == "harm")]
    rule = max(found, key=lambda each: each[1].score, default=None)
    head = max(KINDS[kind], key=unit.logits.__getitem__)
    because = model.reasons(view.tokens, unit, head) if score >= _REASONED else ()
    if rule is not None and rule[1].score >= _PLAIN_RULE:
        view, hit = rule
        start, end = view.span(hit.start, hit.end)
        category, name = hit.rule.category, hit.rule.name
    else:
        start, end = view.source(*view.part(unit.first, unit.end))
        category = Category.UNSAFE_INSTRUCTIONS if kind == "harm" else _category(unit)
        name = f"learned.{kind if kind == 'harm' else category.value}"
    told = Finding(SCANNER, _placed(category, origin), score, name, start, end, view.via, because)
    yield told
    yield from _others(exact, told, origin)


def _loudest(evidence: Evidence, kind: str) -> Spot:
    """That of which the sums say most."""
    return max(
        ((look.view, one) for look in evidence.looks for one in look.seen),
        key=lambda each: (max(each[1].logits[head] for head in KINDS[kind]), not each[1].window),
    )


def _others(exact: Sequence[Exact], told: Finding, origin: Origin) -> Iterator[Finding]:
    """What would be enough beside the finding that is told: who allows that one has not allowed these."""
    for one in exact[:_MOST_OTHERS]:
        start, end = one.view.span(one.hit.start, one.hit.end)
        if not (told.start <= start and end <= told.end):
            category = _placed(one.hit.rule.category, origin)
            yield Finding(SCANNER, category, round(one.enough, 3), one.hit.rule.name, start, end, one.view.via)


def _placed(category: Category, origin: Origin) -> Category:
    """An injection in what a tool brought is an indirect one."""
    return Category.INDIRECT_INJECTION if category is Category.PROMPT_INJECTION and origin in QUOTING else category


def _harmful(hit: Hit) -> bool:
    return hit.rule.category is Category.UNSAFE_INSTRUCTIONS


def _category(unit: Seen) -> Category:
    best = max(_CATEGORIES, key=lambda name: unit.logits[HEADS.index(name)])
    return _CATEGORIES[best]
