"""What speaks for an attack in one text, from all that was seen in it, as numbers.

Responsible for: `gather`: which views show something, what was seen there, which rules matched near it, and the row of features.
Must never: weigh (that is ``judge`` with the trees of the weights), or know a text's source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log

import attrs

from lockllm_twisted.detection.counting import NOTHING
from lockllm_twisted.detection.families import PRECISE
from lockllm_twisted.detection.grams import HEADS
from lockllm_twisted.detection.hits import QUOTING, Hit, disguised, hits_of, precise
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.steps import merged
from lockllm_twisted.detection.view import OVERLAP, WINDOW, View
from lockllm_twisted.values import Origin

_KINDS = {
    "override": ("override", "hijack", "authority", "role"),
    "extraction": ("extraction",),
    "persona": ("jailbreak", "persona", "refusal", "fiction"),
    "indirect": ("addressed", "secrecy", "exfiltration", "tool", "output"),
    "disguise": ("disguise",),
    "unsafe": ("unsafe",),
}
_KIND = {family: kind for kind, families in _KINDS.items() for family in families}

OWN = frozenset({Origin.SYSTEM, Origin.DEVELOPER, Origin.ASSISTANT, Origin.TOOL_DEFINITION})
"""Who writes for the operator: there, text that forbids attacks is usual."""

FEATURES = (
    *HEADS,
    "any in a window",
    "any in second place",
    "any hidden",
    "any outside of quotes",
    *(f"rules: {kind}" for kind in _KINDS),
    "indirect in second place",
    "mentioned",
    "quoting",
    "own",
    "log of tokens",
)
"""The names of a row's numbers, in order."""

RISING = frozenset(FEATURES[: len(HEADS) + 4 + len(_KINDS)])
"""Features of which more can't mean less."""


@attrs.frozen(eq=False)
class Look:
    """A view in which something was seen, and the rules' hits in a view that is that or an excerpt of it."""

    view: View
    seen: list[Seen]
    near: View
    hits: list[Hit]


@attrs.frozen(eq=False)
class Evidence:
    """What was seen where, and the row of features."""

    looks: list[Look]
    row: tuple[float, ...]


def _look(model: Model, view: View, origin: Origin) -> Look | None:
    seen = model.look(view.tokens, brought=origin in QUOTING)
    if not seen:
        if view.folded.isascii() and not any(PRECISE.may_match(stretch.words) for stretch in view.stretches):
            return None
        if not precise(hits_of(view, origin, PRECISE)):
            return None
        seen = model.look(view.tokens, brought=origin in QUOTING, everything=True)
    return Look(view, seen, *_hits(view, seen, origin))


def _hits(view: View, seen: Sequence[Seen], origin: Origin) -> tuple[View, list[Hit]]:
    """The rules' matches around what was seen, and the view that they are in: an excerpt of a long one."""
    if len(view.folded) > WINDOW:
        size = len(view.folded)
        parts = [view.around(one.first, one.end) for one in seen]
        near = sorted((start - OVERLAP, end + OVERLAP) for start, end in parts)
        view = view.excerpt(merged((max(0, start), min(size, end)) for start, end in near))
    return view, hits_of(view, origin)


def _second(logits: Iterable[float]) -> float:
    """The second largest."""
    found = sorted(logits, reverse=True)
    return found[1] if len(found) > 1 else NOTHING


def gather(model: Model, views: Sequence[View], origin: Origin) -> Evidence | None:
    """The evidence in the views of a text; None where there is none."""
    found = [look for view in views if (look := _look(model, view, origin)) is not None]
    if not found:
        return None
    any_, indirect = HEADS.index("any"), HEADS.index("indirect")
    units = [one for look in found for one in look.seen]
    heads = [max(each) for each in zip(*(one.logits for one in units), strict=True)]
    wide = max((one.logits[any_] for one in units if one.window), default=NOTHING)
    near = _second(one.logits[any_] for one in units if not one.window)
    orders = _second(one.logits[indirect] for one in units if not one.window)
    hidden = max((one.logits[any_] for look in found if disguised(look.view) for one in look.seen), default=NOTHING)
    rules = dict.fromkeys(_KINDS, 0.0)
    mentioned = 0.0
    for look in found:
        for hit in look.hits:
            kind = _KIND[hit.rule.family]
            rules[kind] = max(rules[kind], hit.score)
            if not hit.firm:
                mentioned = max(mentioned, hit.rule.score)
    row = (
        *heads,
        wide,
        near,
        hidden,
        max(one.outside for one in units),
        *rules.values(),
        orders,
        mentioned,
        float(origin in QUOTING),
        float(origin in OWN),
        log(1 + max(len(look.view.tokens) for look in found)),
    )
    return Evidence(found, row)
