"""What speaks for an attack in one text, from all that was seen in it, as numbers.

Responsible for: `gather`: which views show something, what was seen there, which rules matched near it, and the row of features.
Must never: weigh (that is ``judge`` with the trees of the weights), or know a text's source.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from types import MappingProxyType

import attrs

from lockllm_twisted.detection.counting import NOTHING, Glance
from lockllm_twisted.detection.doubts import SPEAKING
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

KINDS = {
    kind: tuple(map(HEADS.index, heads))
    for kind, heads in (("attack", ("any",)), ("planted", ("any", "indirect")), ("harm", ("harm",)))
}
"""What a text is weighed for, and the heads that say most of it: an attack by who speaks, one planted in what a tool brought, a
request for harm. One of the heads must say enough for a text to be weighed for it."""

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

_ANY, _INDIRECT = HEADS.index("any"), HEADS.index("indirect")
_LEAST = (float("-inf"),) * len(HEADS)

RISING = frozenset(FEATURES[: len(HEADS) + 4 + len(_KINDS)])
"""Features of which more can't mean less."""

_LENGTH = FEATURES.index("log of tokens")
_SHORT = log(1 + 100)
_BRIEF = log(1 + 4.5)

_NO_GLANCES: Mapping[View, Glance] = MappingProxyType({})

APART = frozenset({"mentioned", *(f"rules: {kind}" for kind in _KINDS if kind != "unsafe")})
"""What rules for attacks say: a request for harm is weighed without it, so that it can be weighed before these were asked."""


@attrs.frozen(eq=False)
class Look:
    """A view in which something was seen, its number of tokens, and the rules' hits in a view that is that or an excerpt of it."""

    view: View
    size: int
    seen: list[Seen]
    near: View
    hits: list[Hit]


@attrs.frozen(eq=False)
class Evidence:
    """What was seen where, and the row of features."""

    looks: list[Look]
    row: tuple[float, ...]


def _look(model: Model, view: View, origin: Origin, glance: Glance | None) -> Look | None:
    flags, spoken, size = glance or model.glance(view.folded, brought=origin in QUOTING, own=origin in OWN, alone=False)
    if spoken is None:
        seen, size = model.look(view.tokens, brought=origin in QUOTING), len(view.tokens)
    elif flags & SPEAKING:
        seen = [Seen(*one) for one in spoken]
    else:
        return None
    if not seen:
        if not precise(hits_of(view, origin, PRECISE)):
            return None
        seen = model.look(view.tokens, brought=origin in QUOTING, everything=True)
    return Look(view, size, seen, *_hits(view, seen, origin))


def _hits(view: View, seen: Sequence[Seen], origin: Origin) -> tuple[View, list[Hit]]:
    """The rules' matches around what was seen, and the view that they are in: an excerpt of a long one."""
    if len(view.folded) > WINDOW:
        size = len(view.folded)
        parts = [view.around(one.first, one.end) for one in seen]
        near = sorted((start - OVERLAP, end + OVERLAP) for start, end in parts)
        view = view.excerpt(merged((max(0, start), min(size, end)) for start, end in near))
    return view, hits_of(view, origin)


def _second(logits: list[float]) -> float:
    """The second largest."""
    return sorted(logits)[-2] if len(logits) > 1 else NOTHING


def gather(
    model: Model, views: Iterable[View], origin: Origin, glances: Mapping[View, Glance] = _NO_GLANCES
) -> Evidence | None:
    """The evidence in the views of a text; None where there is none. ``glances``: what is known of some of them."""
    found = [look for view in views if (look := _look(model, view, origin, glances.get(view))) is not None]
    if not found:
        return None
    units = [one for look in found for one in look.seen]
    sentences = [one.logits for one in units if not one.window]
    windows = [one.logits for one in units if one.window]
    masked = [one.logits for look in found if disguised(look.view) for one in look.seen]
    rules = dict.fromkeys(_KINDS, 0.0)
    mentioned = 0.0
    for look in found:
        for hit in look.hits:
            kind = _KIND[hit.rule.family]
            rules[kind] = max(rules[kind], hit.score)
            if not hit.firm:
                mentioned = max(mentioned, hit.rule.score)
    row = (
        *map(max, _LEAST, *sentences, *windows),
        max([each[_ANY] for each in windows], default=NOTHING),
        _second([each[_ANY] for each in sentences]),
        max([each[_ANY] for each in masked], default=NOTHING),
        max([one.outside for one in units]),
        *rules.values(),
        _second([each[_INDIRECT] for each in sentences]),
        mentioned,
        float(origin in QUOTING),
        float(origin in OWN),
        log(1 + max(look.size for look in found)),
    )
    return Evidence(found, row)


def is_brief(row: tuple[float, ...]) -> bool:
    """Whether a text has fewer than five tokens."""
    return row[_LENGTH] < _BRIEF


def tokens_of(row: tuple[float, ...]) -> int:
    """The tokens of the text, or of the longest reading of it."""
    return round(exp(row[_LENGTH])) - 1


def is_long(row: tuple[float, ...]) -> bool:
    """Whether a text has more than a hundred tokens."""
    return row[_LENGTH] > _SHORT


def as_short(row: tuple[float, ...]) -> tuple[float, ...]:
    """The row of a long text as though it had a hundred tokens: what padding can't change."""
    return (*row[:_LENGTH], _SHORT, *row[_LENGTH + 1 :])
