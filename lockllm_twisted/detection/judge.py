"""Weighing: what the evidence in a text comes to, and what to tell of it.

Responsible for: `Judge`, whose `Judge.explain` gives the findings of one text.
Must never: do anything that depends on more than the text, its origin, the rules and the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from lockllm_twisted.detection.digest import DIGEST
from lockllm_twisted.detection.evidence import OWN, Evidence, gather
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.grams import HEADS, SCOUT_HEADS
from lockllm_twisted.detection.hits import QUOTING, Hit, precise
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.traces import traces
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.views import UNDECODED, views
from lockllm_twisted.detection.weights import Weights, load
from lockllm_twisted.values import Category, Finding, Origin

SCANNER = "detector"

_REVISION = 3
"""Stands for all that is neither in the rules nor in the weights. To be raised when it changes what is found."""

VERSION = f"{_REVISION}-{ALL.version}-{DIGEST[:12]}"

_LEAST = 0.02
"""Less is nothing. The sensitivities start at 0.35, but who ranks texts, or sets a threshold of their own, needs the rest."""

_REASONED = 0.35
"""From here on the words that spoke for it are told."""

_PLAIN_RULE = 0.6
"""A rule that matched this well names the finding."""

_PRECISE = 0.85
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
KINDS = {"attack": HEADS.index("any"), "harm": HEADS.index("harm")}
"""What a text is weighed for, and the head that says most of it."""

_DECIDING = {"attack": ("any", "indirect"), "harm": ("harm",)}
"""The heads of which one must say more than a whisper, for a text to be weighed for it."""

_SLOPE = 0.15
"""Trees can't tell the strong from the stronger: a part of the logit itself is added."""


Tree = tuple[int, float, "Tree | float", "Tree | float"] | float
"""A feature, a threshold, the branch where the feature is at most that, the other branch; or the value that a leaf adds."""


def grow(nodes: Sequence[Sequence[float]], at: int = 0) -> Tree:
    """A tree from the list of its nodes: branches are places in it, a leaf is alone in its node."""
    node = nodes[at]
    if len(node) == 1:
        return node[0]
    return int(node[0]), node[1], grow(nodes, int(node[2])), grow(nodes, int(node[3]))


def weigh(trees: Sequence[Tree], row: Sequence[float], head: int) -> float:
    """What some trees say of a row, the sum of the leaves it comes to, and a part of the logit of a head."""
    total = _SLOPE * row[head]
    for tree in trees:
        node = tree
        while isinstance(node, tuple):
            node = node[2] if row[node[0]] <= node[1] else node[3]
        total += node
    return total


def scaled(points: Sequence[Sequence[float]], value: float) -> float:
    """A score from 0 to 1: between the points (value, score) in proportion."""
    (low, least), *_ = points
    if value <= low:
        return least
    for (left, below), (right, above) in pairwise(points):
        if value < right:
            return below + (above - below) * (value - left) / (right - left)
    return points[-1][1]


class Judge:
    """The weights and the rules at work."""

    def __init__(self, weights: Weights) -> None:
        self._model = Model(weights)
        self._kinds: dict[str, tuple[list[Tree], Any]] = {
            kind: ([grow(nodes) for nodes in weights.told[kind]["trees"]], weights.told[kind]["points"])
            for kind in KINDS
        }
        faint = dict(zip(SCOUT_HEADS, weights.told["faint"], strict=True))
        self._least = {kind: [(HEADS.index(head), faint[head]) for head in heads] for kind, heads in _DECIDING.items()}

    def evidence(self, text: str, origin: Origin) -> Evidence | None:
        """What training learns to weigh."""
        return gather(self._model, [view for view in views(text) if view.via[-1:] != (UNDECODED,)], origin)

    def explain(self, text: str, origin: Origin = Origin.USER) -> list[Finding]:
        """All findings in a text that speaks for ``origin``, the strongest first. Never raises."""
        result = [Finding(SCANNER, Category.OBFUSCATION, *trace) for trace in traces(text)]
        read = list(views(text))
        if read[-1].via[-1:] == (UNDECODED,):
            via = read.pop().via
            result.append(Finding(SCANNER, Category.OBFUSCATION, 0.6, "disguise.too_much", 0, len(text), via))
        evidence = gather(self._model, read, origin)
        if evidence is not None:
            for kind, head in KINDS.items():
                trees, points = self._kinds[kind]
                plain = _plain(evidence, origin) if kind == "attack" else []
                if not plain and all(evidence.row[at] <= least for at, least in self._least[kind]):
                    continue
                said = scaled(points[_speaker(origin)], weigh(trees, evidence.row, head))
                score = max([said, *(enough for enough, *_ in plain)])
                score = round(score, 3)
                if score > _LEAST:
                    told = self._finding(kind, score, evidence, origin)
                    result += [told, *_others(plain, told, origin)]
        result.sort(key=lambda finding: -finding.score)
        return result

    def _finding(self, kind: str, score: float, evidence: Evidence, origin: Origin) -> Finding:
        head = KINDS[kind]
        look, unit = max(
            ((look, one) for look in evidence.looks for one in look.seen),
            key=lambda each: (each[1].logits[head], not each[1].window),
        )
        view = look.view
        found = [(look.near, hit) for look in evidence.looks for hit in look.hits if _speaks(hit, kind)]
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
    least = _MOST_PRECISE if origin in OWN else _PRECISE
    return [
        (hit.rule.score - _PRECISE + _CERTAIN, look.near, hit)
        for look in evidence.looks
        for hit in precise(look.hits)
        if hit.rule.score >= least and _speaks(hit, "attack")
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


def _speaks(hit: Hit, kind: str) -> bool:
    return (hit.rule.category is Category.UNSAFE_INSTRUCTIONS) == (kind == "harm")


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
