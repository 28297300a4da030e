"""Weighing: what the evidence in a text comes to, and what to tell of it.

Responsible for: `Judge`, whose `Judge.explain` gives the findings of one text.
Must never: do anything that depends on more than the text, its origin, the rules and the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from math import inf
from typing import Any

import attrs

from lockllm_twisted.detection import encoder_weights
from lockllm_twisted.detection.counting import DISGUISED, IN_DOUBT, Counting, Untold, sums_of
from lockllm_twisted.detection.digest import DIGEST, ENCODER_DIGEST
from lockllm_twisted.detection.encoder import Encoder, suspects
from lockllm_twisted.detection.evidence import OWN, Evidence, as_short, gather, glanced, is_long
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

_REVISION = 5
"""Stands for all that is neither in the rules nor in the weights. To be raised when it changes what is found."""

VERSION = f"{_REVISION}-{ALL.version}-{DIGEST[:12]}-{ENCODER_DIGEST[:12]}"

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

_READ = 4
"""Places of a text that are read again: more than one, so that none hides behind a louder one."""
_NEAR = 250
"""Characters to each side of a place in a long text that it is weighed with."""

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


@attrs.frozen
class _Weighed:
    """What a text came to for a kind: the score of what the trees say, and the plain hits of precise rules.

    ``suspicion``: the score at most, of the text as it is or as though it were a short one.
    """

    kind: str
    score: float
    exact: Sequence[tuple[float, View, Hit]]
    suspicion: float


@attrs.frozen
class Reading:
    """A place that was read again: what the trees say of it, and of its neighbourhood in a long text, and what the encoder says."""

    view: View
    unit: Seen
    trees: float
    said: float


class Judge:
    """The weights, the rules and the encoder at work. ``sums_of``, ``forest_of``: in Python, or compiled."""

    def __init__(
        self,
        weights: Weights,
        encoder: Encoder | None = None,
        sums_of: Callable[[Weights, Untold], Counting] = sums_of,
        forest_of: Callable[[list[Nodes], Sequence[int]], Weighing] = forest_of,
    ) -> None:
        self._encoder = encoder
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
        result, evidence = self._seen(text, origin)
        if evidence is not None:
            for weighed in self._weighed(evidence, origin):
                result += self._told(weighed, evidence, origin)
        result.sort(key=lambda finding: -finding.score)
        return result

    def glance(self, text: str, origin: Origin = Origin.USER) -> list[Finding] | None:
        """The same, where nothing has to be read again; else None."""
        result, evidence = self._seen(text, origin)
        if evidence is not None and any(one.suspicion > _LEAST for one in self._weighed(evidence, origin)):
            return None
        return result

    def readings(self, text: str, origin: Origin, encoder: Encoder) -> list[tuple[str, list[Reading]]]:
        """What is read again in a text, for each kind: what training learns to add up."""
        _, evidence = self._seen(text, origin)
        suspected = [] if evidence is None else [(one, evidence) for one in self._weighed(evidence, origin)]
        return [
            (one.kind, self._readings(one.kind, seen, origin, encoder)[0])
            for one, seen in suspected
            if one.suspicion > _LEAST
        ]

    def _seen(self, text: str, origin: Origin) -> tuple[list[Finding], Evidence | None]:
        """What is told of how a text is written, and the evidence in it."""
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
            return result, None
        plain = plain or read(text)
        if not glance[0] & DISGUISED:
            return result, glanced(self._model, plain, origin, glance)
        readings = list(views(text, plain))
        if readings[-1].via[-1:] == (UNDECODED,):
            via = readings.pop().via
            result.append(Finding(SCANNER, Category.OBFUSCATION, 0.6, "disguise.too_much", 0, len(text), via))
        return result, gather(self._model, readings, origin)

    def _weighed(self, evidence: Evidence, origin: Origin) -> Iterator[_Weighed]:
        for kind in ("planted" if origin in QUOTING else "attack", "harm"):
            forest, points = self._kinds[kind]
            exact = [] if kind == "harm" else _plain(evidence, origin)
            if exact or any(evidence.row[at] > least for at, least in self._least[kind]):
                scale = points[_speaker(origin)]
                score = max([scaled(scale, forest.weigh(evidence.row)), *(enough for enough, *_ in exact)])
                suspicion = score
                if is_long(evidence.row):
                    suspicion = max(score, scaled(scale, forest.weigh(as_short(evidence.row))))
                yield _Weighed(kind, score, exact, suspicion)

    def _readings(self, kind: str, evidence: Evidence, origin: Origin, encoder: Encoder) -> tuple[list[Reading], bool]:
        """The loudest places, read again; and whether none was left out: of these, or in a long text because it speaks within quotation marks only.

        In a long text each is weighed with its neighbourhood, as a text of its own.
        """
        forest, _ = self._kinds[kind]
        long = is_long(evidence.row)
        covered: list[View] = []
        places = list(suspects(evidence, KINDS[kind]))
        spoken = [(view, one) for view, one in places if one.outside > 0 or not long]
        found, complete = [], len(spoken) == len(places)
        for view, one in spoken[:_READ]:
            near: Evidence | None = evidence
            if long:
                start, end = view.part(one.first, one.end)
                around = max(0, start - _NEAR), min(len(view.folded), end + _NEAR)
                near = gather(self._model, [view.excerpt([around])], origin)
            said, english = encoder.read(view, one, kind, covered)
            complete = complete and english
            if said is not None and near is not None:
                found.append(Reading(view, one, forest.weigh(near.row), said))
        return found, complete

    def _told(self, weighed: _Weighed, evidence: Evidence, origin: Origin) -> Iterator[Finding]:
        """The findings of a kind, once what is worth telling was read again."""
        kind, score, exact = weighed.kind, weighed.score, weighed.exact
        place = None
        encoder = self._encoder
        if encoder is not None and weighed.suspicion > _LEAST:
            read, complete = self._readings(kind, evidence, origin, encoder)
            if read:
                both, loudest = max((encoder.together(kind, one.trees, one.said), at) for at, one in enumerate(read))
                said = encoder.scored(kind, _speaker(origin), both)
                if origin in OWN:  # who forbids attacks speaks of them, and the encoder does not know who speaks
                    said = min(said, score)
                enough = [each for each, *_ in exact]
                score = max([said, *enough] if complete else [said, score])
                place = (read[loudest].view, read[loudest].unit)
        score = round(score, 3)
        if score > _LEAST:
            told = self._finding(kind, score, evidence, origin, place or _loudest(evidence, kind))
            yield told
            yield from _others(exact, told, origin)

    def _finding(
        self, kind: str, score: float, evidence: Evidence, origin: Origin, place: tuple[View, Seen]
    ) -> Finding:
        view, unit = place
        found = [(look.near, hit) for look in evidence.looks for hit in look.hits if _harmful(hit) == (kind == "harm")]
        rule = max(found, key=lambda each: each[1].score, default=None)
        head = max(KINDS[kind], key=unit.logits.__getitem__)
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


def _loudest(evidence: Evidence, kind: str) -> tuple[View, Seen]:
    """The view, and the sentence or window in it, of which the sums say most."""
    return max(
        ((look.view, one) for look in evidence.looks for one in look.seen),
        key=lambda each: (max(each[1].logits[head] for head in KINDS[kind]), not each[1].window),
    )


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
    return Judge(load(), Encoder(encoder_weights.load()))


def explain(text: str, origin: Origin = Origin.USER) -> list[Finding]:
    """All findings in a text that speaks for ``origin``, the strongest first."""
    return judge().explain(text, origin)
