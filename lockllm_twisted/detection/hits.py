"""The rules' matches in one view, each with what remains of its score where it stands.

Responsible for: `hits_of`: matches weighed by context, origin and disguise, and by what else is near.
Must never: tell a finding: the rules are evidence beside the learned part.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from lockllm_twisted.detection.context import BARS, MENTION, weight
from lockllm_twisted.detection.families import ALL
from lockllm_twisted.detection.rules import Rule
from lockllm_twisted.detection.search import Rules
from lockllm_twisted.detection.view import OVERLAP, View
from lockllm_twisted.values import Origin

DISGUISES = frozenset(
    {
        "base64",
        "base32",
        "base85",
        "pig-latin",
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
"""What ordinary text does not wear."""

QUOTING = frozenset({Origin.TOOL_RESULT, Origin.DOCUMENT})
_HINT = 0.35
"""A lower score counts only beside others."""

_NEAR = 600
"""Characters between two matches that still bear each other out: a long paragraph."""

_SURE = 0.97

_MEANT = 0.7
"""An attack found in a disguise is meant: of the doubt, this remains."""

_OPENERS = tuple(f"{sign}{space}" for sign in ":([{,=" for space in ("", " "))
"""What stands before the quotation mark that opens a string."""

_OUT_OF_PLACE = frozenset({"addressed", "secrecy", "exfiltration"})
_BOLD = 0.85
"""What remains of the doubt where a document speaks to the machine: a user may well say "when summarising this, …"."""


@attrs.define
class Hit:
    """A rule's match in a view's text. ``firm``: it is no mention. ``plain``: nothing but who says it takes from its score."""

    rule: Rule
    start: int
    end: int
    score: float
    firm: bool
    plain: bool


def disguised(view: View) -> bool:
    """Whether a view took off what ordinary text does not wear."""
    return any(step in DISGUISES or step.startswith("caesar") for step in view.via)


def precise(hits: Iterable[Hit]) -> list[Hit]:
    """The hits that are enough by themselves: of a precise rule, neither quoted nor negated nor defended against."""
    return [hit for hit in hits if hit.plain and hit.rule.precise]


def _in_string(text: str, at: int) -> bool:
    """Whether this is in a string of JSON or code: the last quotation mark of the line stands where one opens."""
    opened = text.rfind('"', max(text.rfind("\n", 0, at), at - OVERLAP, 0), at)
    return opened > 0 and text.endswith(_OPENERS, 0, opened)


def hits_of(view: View, origin: Origin, rules: Rules = ALL) -> list[Hit]:
    """All matches of some rules in a view of a text that speaks for ``origin``, in order."""
    hits = []
    for match in rules.search(view):
        score = match.rule.score
        share = 1.0
        if score >= _HINT:
            share = weight(view.text, match.start, match.end, origin, match.rule.family)
            score *= share
            if disguised(view):
                score = 1 - (1 - score) * _MEANT
        if origin in QUOTING and match.rule.family in _OUT_OF_PLACE:
            score = 1 - (1 - score) * _BOLD
        plain = share == BARS.get(origin, 1.0) and not _in_string(view.text, match.start)
        hits.append(Hit(match.rule, match.start, match.end, score, share > MENTION, plain))
    hits.sort(key=lambda hit: (hit.start, hit.rule.name))
    _bear_out(hits)
    return hits


def _bear_out(hits: Iterable[Hit]) -> None:
    """Raise a hit by the hits of other families before it that are near, and speak of other words."""
    recent: dict[str, Hit] = {}
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
