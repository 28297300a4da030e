"""Judging: what the evidence in a text comes to, whether it is read again, and what is to be told.

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
from lockllm_twisted.detection.counting import IN_DOUBT, Counting, Untold, is_curt, sums_of
from lockllm_twisted.detection.digest import DIGEST, ENCODER_DIGEST
from lockllm_twisted.detection.doubts import DISGUISED
from lockllm_twisted.detection.encoder import Encoder
from lockllm_twisted.detection.evidence import KINDS, OWN, Evidence, as_short, gather, is_brief, is_long, tokens_of
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.grams import HEADS, SCOUT_HEADS
from lockllm_twisted.detection.hidden import hidden
from lockllm_twisted.detection.hits import QUOTING
from lockllm_twisted.detection.model import Model
from lockllm_twisted.detection.rereading import Reading, Rereading
from lockllm_twisted.detection.telling import SCANNER, Exact, Spot, exact_hits, tell
from lockllm_twisted.detection.traces import traces
from lockllm_twisted.detection.view import View, read
from lockllm_twisted.detection.views import UNDECODED, views
from lockllm_twisted.detection.weighing import Nodes, Weighing, forest_of, scaled, valued
from lockllm_twisted.detection.weights import Weights, load
from lockllm_twisted.values import Category, Finding, Origin

_REVISION = 16
"""Stands for all that is neither in the rules nor in the weights. To be raised when it changes what is found."""

VERSION = f"{_REVISION}-{ALL.version}-{DIGEST[:12]}-{ENCODER_DIGEST[:12]}"

_LEAST = 0.25
"""Less is not worth reading again, or telling. The sensitivities start at 0.35; this leaves room for a threshold of one's own."""

_QUIET = {"attack": -1.8, "planted": -inf, "harm": -0.9}
"""What a kind's heads say at most where the trees decide whether a text is read again. Of what a tool brought, they never do: an order has no
words of its own, and they can't know whether it belongs there. They always do of an operator's text, which is never told louder for being
read again, and of fewer than five tokens: the name of a field, such as ``system``, is no sentence, and in every request."""
_QUIET_CURT = _QUIET | {"attack": -3.0}
"""The same of a curt text, which is soon read."""


@attrs.frozen
class _Weighed:
    """What a text came to for a kind: what the trees say, as what score, what precise rules say by themselves, and whether it is to be read again."""

    kind: str
    value: float
    score: float
    exact: Sequence[Exact]
    again: bool


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
        forests = tuple(forest for forest, _ in self._kinds.values())
        quiet = [limits[kind] for limits in (_QUIET, _QUIET_CURT) for kind in KINDS]
        self._model = Model(weights, sums_of(weights, (forests, untold, quiet)))
        self._rereading = Rereading(self._model, {kind: forest for kind, (forest, _) in self._kinds.items()})
        self._least, self._least_curt = (
            {kind: [(head, told[SCOUT_HEADS.index(HEADS[head])]) for head in heads] for kind, heads in KINDS.items()}
            for told in (weights.told["least"], weights.told["faint"])
        )

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
        if evidence is not None and any(one.again for one in self._weighed(evidence, origin)):
            return None
        return result

    def readings(self, text: str, origin: Origin, encoder: Encoder) -> list[tuple[str, list[Reading]]]:
        """What is read again in a text, for each kind: what training learns to add up."""
        _, evidence = self._seen(text, origin)
        suspected = [] if evidence is None else [(one, evidence) for one in self._weighed(evidence, origin)]
        return [
            (one.kind, self._rereading.read(one.kind, seen, origin, encoder).places)
            for one, seen in suspected
            if one.again
        ]

    def _seen(self, text: str, origin: Origin) -> tuple[list[Finding], Evidence | None]:
        """What is told of how a text is written, and the evidence in it."""
        quoting, own = origin in QUOTING, origin in OWN
        result: list[Finding] = []
        if text.isascii():  # folding only takes control codes out of it, and with one a glance is in doubt
            plain, glance = None, self._model.glance(text, brought=quoting, own=own, alone=True)
        else:
            result += [Finding(SCANNER, Category.OBFUSCATION, *trace) for trace in traces(text)]
            plain = read(text)
            unseen = next(hidden(text), None) is not None
            glance = IN_DOUBT if unseen else self._model.glance(plain.folded, brought=quoting, own=own, alone=True)
        if not glance[0]:
            return result, None
        plain = plain or read(text)
        glances = {plain: glance}

        def doubts(view: View) -> int:
            if view not in glances:
                glances[view] = self._model.glance(view.folded, brought=quoting, own=own, alone=False)
            return glances[view][0]

        readings = list(views(text, plain, doubts)) if glance[0] & DISGUISED else [plain]
        if readings[-1].via[-1:] == (UNDECODED,):
            via = readings.pop().via
            result.append(Finding(SCANNER, Category.OBFUSCATION, 0.6, "disguise.too_much", 0, len(text), via))
        return result, gather(self._model, readings, origin, glances)

    def _weighed(self, evidence: Evidence, origin: Origin) -> Iterator[_Weighed]:
        curt = is_curt(tokens_of(evidence.row))
        quiet, leasts = (_QUIET_CURT, self._least_curt) if curt else (_QUIET, self._least)
        for kind in ("planted" if origin in QUOTING else "attack", "harm"):
            forest, points = self._kinds[kind]
            exact = [] if kind == "harm" else exact_hits(evidence, origin)
            if exact or any(evidence.row[at] > least for at, least in leasts[kind]):
                scale = points[_speaker(origin)]
                value = forest.weigh(evidence.row)
                score = max([scaled(scale, value), *(one.enough for one in exact)])
                loud = any(evidence.row[head] > quiet[kind] for head in KINDS[kind])
                spoken = loud and origin not in OWN and not is_brief(evidence.row)
                again = score > _LEAST or spoken
                if not again and is_long(evidence.row):
                    again = scaled(scale, forest.weigh(as_short(evidence.row))) > _LEAST
                yield _Weighed(kind, value, score, exact, again)

    def _alone(self, kind: str, places: Sequence[Spot], origin: Origin) -> float:
        """The score of some places by themselves, which the encoder can't read, by the trees."""
        if not places:
            return 0.0
        by_view: dict[View, list[tuple[int, int]]] = {}
        for view, one in places:
            by_view.setdefault(view, []).append(view.part(one.first, one.end))
        evidence = gather(self._model, [view.excerpt(sorted(parts)) for view, parts in by_view.items()], origin)
        forest, points = self._kinds[kind]
        return 0.0 if evidence is None else scaled(points[_speaker(origin, foreign=True)], forest.weigh(evidence.row))

    def _told(self, weighed: _Weighed, evidence: Evidence, origin: Origin) -> Iterator[Finding]:
        """The findings of a kind, once what is suspicious was read again."""
        kind, score, exact = weighed.kind, weighed.score, weighed.exact
        spot = None
        encoder = self._encoder
        if encoder is not None and weighed.again:
            again = self._rereading.read(kind, evidence, origin, encoder)
            if again.places or (again.calm and not again.foreign):
                said = 0.0
                if again.places:
                    both, loudest = max((encoder.together(kind, one.values), at) for at, one in enumerate(again.places))
                    said = encoder.scored(kind, _speaker(origin), both)
                    spot = again.places[loudest].view, again.places[loudest].unit
                enough = [] if again.everything and said < _LEAST else [one.enough for one in exact]
                if again.quoted:
                    enough.append(score)
                most = (
                    score if origin in OWN else 1.0
                )  # who forbids attacks speaks of them, and the encoder can't tell who speaks
                score = min(most, max([said, self._alone(kind, again.foreign, origin), *enough]))
            elif again.foreign:
                scale = self._kinds[kind][1][_speaker(origin, foreign=True)]
                score = max([scaled(scale, weighed.value), *(one.enough for one in exact)])
        score = round(score, 3)
        if score > _LEAST:
            yield from tell(self._model, kind, score, evidence, origin, exact, spot)


def _speaker(origin: Origin, *, foreign: bool = False) -> str:
    """Whose scale a score is told in: what is usual in one's text is an alarm in another's. ``foreign``: the encoder can't read it."""
    if origin in OWN:
        return "own"
    if foreign:
        return "foreign"
    return "brought" if origin in QUOTING else "other"


@cache
def judge() -> Judge:
    """The judge with the weights of this release, read once. Raises PluginError for a damaged file."""
    return Judge(load(), Encoder(encoder_weights.load()))


def explain(text: str, origin: Origin = Origin.USER) -> list[Finding]:
    """All findings in a text that speaks for ``origin``, the strongest first."""
    return judge().explain(text, origin)
