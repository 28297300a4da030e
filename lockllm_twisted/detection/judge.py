"""Weighing: what the evidence in a text comes to, and what to tell of it.

Responsible for: `Judge`, whose `Judge.explain` gives the findings of one text.
Must never: do anything that depends on more than the text, its origin, the rules and the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import inf
from typing import Any

from lockllm_twisted.detection.counting import DISGUISED, IN_DOUBT, Counting, Untold, sums_of
from lockllm_twisted.detection.digest import DIGEST
from lockllm_twisted.detection.evidence import OWN, Evidence, gather, glanced
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.grams import HEADS, SCOUT_HEADS
from lockllm_twisted.detection.hidden import hidden
from lockllm_twisted.detection.hits import QUOTING, Hit, precise
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.rules import PRECISE_SCORE
from lockllm_twisted.detection.traces import traces
from lockllm_twisted.detection.view import View, read
from lockllm_twisted.detection.views import UNDECODED, views
from lockllm_twisted.detection.weighing import Nodes, Weighing, forest_of, scaled, valued
from lockllm_twisted.detection.weights import Weights, load
from lockllm_twisted.values import Category, Finding, Origin

SCANNER = "detector"

_REVISION = 4
"""Stands for all that is neither in the rules nor in the weights. To be raised when it changes what is found."""

VERSION = f"{_REVISION}-{ALL.version}-{DIGEST[:12]}"

_LEAST = 0.25
"""Less is not worth telling. The sensitivities start at 0.35; this leaves room for a threshold of one's own."""

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
KINDS = {
    kind: tuple(map(HEADS.index, heads))
    for kind, heads in (("attack", ("any",)), ("planted", ("any", "indirect")), ("harm", ("harm",)))
}
"""What a text is weighed for, and the heads that say most of it: an attack by who speaks, one planted in what a tool brought, a
request for harm. One of the heads must say enough for a text to be weighed for it."""


class Judge:
    """The weights and the rules at work. ``sums_of``, ``forest_of``: in Python, or compiled."""

    def __init__(
        self,
        weights: Weights,
        sums_of: Callable[[Weights, Untold], Counting] = sums_of,
        forest_of: Callable[[list[Nodes], Sequence[int]], Weighing] = forest_of,
    ) -> None:
        self._kinds: dict[str, tuple[Weighing, Any]] = {
            kind: (forest_of(weights.told[kind]["trees"], heads), weights.told[kind]["points"])
            for kind, heads in KINDS.items()
        }
        untold = [
            valued(points[speaker], _LEAST) if speaker in points else -inf
            for _, points in self._kinds.values()
            for speaker in ("own", "other", "brought")
        ]
        self._model = Model(weights, sums_of(weights, (tuple(forest for forest, _ in self._kinds.values()), untold)))
        least = dict(zip(SCOUT_HEADS, weights.told["least"], strict=True))
        self._least = {kind: [(head, least[HEADS[head]]) for head in heads] for kind, heads in KINDS.items()}

    def evidence(self, text: str, origin: Origin) -> Evidence | None:
        """What training learns to weigh."""
        return gather(self._model, [view for view in views(text) if view.via[-1:] != (UNDECODED,)], origin)

    def explain(self, text: str, origin: Origin = Origin.USER) -> list[Finding]:
        """All findings in a text that speaks for ``origin``, the strongest first. Never raises."""
        quoting, own = origin in QUOTING, origin in OWN
        result: list[Finding] = []
        if text.isascii():  # folding only takes control codes out of it, and with one a glance is in doubt
            plain, glance = None, self._model.glance(text, quoting, own)
        else:
            result += [Finding(SCANNER, Category.OBFUSCATION, *trace) for trace in traces(text)]
            plain = read(text)
            unseen = next(hidden(text), None) is not None
            glance = IN_DOUBT if unseen else self._model.glance(plain.folded, quoting, own)
        if not glance[0]:
            return result
        plain = plain or read(text)
        if glance[0] & DISGUISED:
            readings = list(views(text, plain))
            if readings[-1].via[-1:] == (UNDECODED,):
                via = readings.pop().via
                result.append(Finding(SCANNER, Category.OBFUSCATION, 0.6, "disguise.too_much", 0, len(text), via))
            evidence = gather(self._model, readings, origin)
        else:
            evidence = glanced(self._model, plain, origin, glance)
        if evidence is not None:
            result += self._weighed(evidence, origin)
        result.sort(key=lambda finding: -finding.score)
        return result

    def _weighed(self, evidence: Evidence, origin: Origin) -> Iterator[Finding]:
        for kind in ("planted" if origin in QUOTING else "attack", "harm"):
            forest, points = self._kinds[kind]
            exact = [] if kind == "harm" else _plain(evidence, origin)
            if exact or any(evidence.row[at] > least for at, least in self._least[kind]):
                said = scaled(points[_speaker(origin)], forest.weigh(evidence.row))
                score = round(max([said, *(enough for enough, *_ in exact)]), 3)
                if score > _LEAST:
                    told = self._finding(kind, score, evidence, origin)
                    yield told
                    yield from _others(exact, told, origin)

    def _finding(self, kind: str, score: float, evidence: Evidence, origin: Origin) -> Finding:
        look, unit, head = max(
            ((look, one, head) for look in evidence.looks for one in look.seen for head in KINDS[kind]),
            key=lambda each: (each[1].logits[each[2]], not each[1].window),
        )
        view = look.view
        found = [(look.near, hit) for look in evidence.looks for hit in look.hits if _harmful(hit) == (kind == "harm")]
        rule = max(found, key=lambda each: each[1].score, default=None)
        because = self._model.reasons(view.tokens, unit, head) if score >= _REASONED else ()
        if rule is not None and rule[1].score >= _PLAIN_RULE:
            view, hit = rule
            start, end = view.span(hit.start, hit.end)
            category, name = hit.rule.category, hit.rule.name
        else:
            start, end = view.source(*view.part(unit.first, unit.end))
            category = Category.UNSAFE_INSTRUCTIONS if kind == "harm" else _category(unit)
            name = f"learned.{kind if kind == 'harm' else category.value}"
        return Finding(SCANNER, _placed(category, origin), score, name, start, end, view.via, because)


def _plain(evidence: Evidence, origin: Origin) -> list[tuple[float, View, Hit]]:
    """The plain hits of precise rules, each with its view and the score that it is enough for."""
    least = _MOST_PRECISE if origin in OWN else PRECISE_SCORE
    return [
        (hit.rule.score - PRECISE_SCORE + _CERTAIN, look.near, hit)
        for look in evidence.looks
        if look.hits
        for hit in precise(look.hits)
        if hit.rule.score >= least and not _harmful(hit)
    ]


def _others(plain: Sequence[tuple[float, View, Hit]], told: Finding, origin: Origin) -> list[Finding]:
    """What would be enough beside the finding that is told: who allows that one has not allowed these."""
    found = []
    for enough, view, hit in plain[:_MOST_OTHERS]:
        start, end = view.span(hit.start, hit.end)
        if not (told.start <= start and end <= told.end):
            category = _placed(hit.rule.category, origin)
            found.append(Finding(SCANNER, category, round(enough, 3), hit.rule.name, start, end, view.via))
    return found


def _speaker(origin: Origin) -> str:
    """Whose scale a score is told in: what is usual in one's text is an alarm in another's."""
    if origin in OWN:
        return "own"
    return "brought" if origin in QUOTING else "other"


def _placed(category: Category, origin: Origin) -> Category:
    """An injection in what a tool brought is an indirect one."""
    return Category.INDIRECT_INJECTION if category is Category.PROMPT_INJECTION and origin in QUOTING else category


def _harmful(hit: Hit) -> bool:
    return hit.rule.category is Category.UNSAFE_INSTRUCTIONS


def _category(unit: Seen) -> Category:
    best = max(_CATEGORIES, key=lambda name: unit.logits[HEADS.index(name)])
    return _CATEGORIES[best]


@cache
def judge() -> Judge:
    """The judge with the weights of this release, read once. Raises PluginError for a damaged file."""
    return Judge(load())


def explain(text: str, origin: Origin = Origin.USER) -> list[Finding]:
    """All findings in a text that speaks for ``origin``, the strongest first."""
    return judge().explain(text, origin)
