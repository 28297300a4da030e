"""Reading again: which places of a text the encoder is shown, and what it makes of them.

Responsible for: `Rereading`, which chooses places that the sums find suspicious and has the encoder read them; `Reread`, what came of that.
Must never: decide what a text comes to: that is the judge's.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

import attrs

from lockllm_twisted.detection.encoder import READ, Encoder, Said, suspects
from lockllm_twisted.detection.evidence import KINDS, Evidence, gather, is_long
from lockllm_twisted.detection.grams import HEADS
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.telling import Spot
from lockllm_twisted.detection.view import View
from lockllm_twisted.detection.weighing import Weighing
from lockllm_twisted.values import Origin

_ANY = HEADS.index("any")

_FAINT = {"attack": -1.0, "planted": -0.5, "harm": 0.0}
"""What the sums say at most of a place in a long text that is not read again."""
_CALM = {"attack": -0.7, "planted": -inf, "harm": -inf}
"""What the trees say at least of the neighbourhood of a place in a long text that is read again."""
_WEIGHED = 8
"""Places of a long text that are weighed with their neighbourhood."""
_LOST = 1.0
"""What a sentence says less without its quotations, as a logit, where these say most of it."""
_NEAR = 250
"""Characters to each side of a place in a long text that it is weighed with."""


@attrs.frozen
class Reading:
    """A place that was read again: what the sums say of it, the trees of its neighbourhood, which is all of a short text, and the encoder."""

    view: View
    unit: Seen
    sums: float
    trees: float
    said: Said

    @property
    def values(self) -> tuple[float, ...]:
        """What is added up."""
        return self.sums, self.trees, *self.said


@attrs.frozen
class Reread:
    """What was read again.

    ``foreign``: places that were not, because the encoder can't read them; ``quoted``: how many were not, in a long text, because they speak within
    quotation marks only; ``calm``: how many, because the trees see nothing around them; ``more``: whether there are others, as in every long text.
    """

    places: list[Reading]
    foreign: list[Spot]
    quoted: int
    calm: int
    more: bool

    @property
    def everything(self) -> bool:
        """Nothing was left out."""
        return not (self.foreign or self.more)


@attrs.frozen
class Rereading:
    """The sums and the trees at work on what is read again. ``forests``: the trees of each kind."""

    _model: Model
    _forests: Mapping[str, Weighing]

    def read(self, kind: str, evidence: Evidence, origin: Origin, encoder: Encoder) -> Reread:
        """The loudest places, read again. In a long text each is weighed with its neighbourhood, as a text of its own."""
        forest = self._forests[kind]
        long = is_long(evidence.row)
        every = list(suspects(evidence, KINDS[kind]))
        places = [(view, one) for view, one in every if not long or one.most(KINDS[kind]) > _FAINT[kind]]
        spoken = [(view, one) for view, one in places if not (long and _only_quoted(one))]
        weighed = [
            (view, one, self._near(kind, view, one, origin) if long else forest.weigh(evidence.row))
            for view, one in spoken[: _WEIGHED if long else READ]
        ]
        loud = [each for each in weighed if not long or each[2] > _CALM[kind]]
        by_view: dict[View, list[tuple[Seen, float]]] = {}
        for view, one, trees in loud[:READ]:
            by_view.setdefault(view, []).append((one, trees))
        found, foreign = [], []
        for view, units in by_view.items():
            for (one, trees), said in zip(units, encoder.read(view, [one for one, _ in units], kind), strict=True):
                if said is None:
                    foreign.append((view, one))
                else:
                    found.append(Reading(view, one, one.most(KINDS[kind]), trees, said))
        more = long or len(spoken) > READ
        return Reread(found, foreign, quoted=len(places) - len(spoken), calm=len(weighed) - len(loud), more=more)

    def _near(self, kind: str, view: View, unit: Seen, origin: Origin) -> float:
        """What the trees say of the neighbourhood of a place in a long text."""
        start, end = view.part(unit.first, unit.end)
        around = max(0, start - _NEAR), min(len(view.folded), end + _NEAR)
        near = gather(self._model, [view.excerpt([around])], origin)
        return -inf if near is None else self._forests[kind].weigh(near.row)


def _only_quoted(unit: Seen) -> bool:
    """Whether what a sentence says is in quotation marks."""
    return unit.outside <= min(0.0, unit.logits[_ANY] - _LOST)
