"""What speaks for an attack in one text, from all that was seen in it, as numbers.

Responsible for: `Evidence`, `gather`: which views were looked at, what was seen, which rules matched, and the row of features.
Must never: weigh (that is ``judge`` with the trees of the weights), or know a text's source.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import attrs

from lockllm_twisted.detection.grams import HEADS
from lockllm_twisted.detection.hits import QUOTING, Hit, disguised, hits_of
from lockllm_twisted.detection.model import Model, Seen
from lockllm_twisted.detection.view import View
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

_NOTHING = -8.0
"""The logit of what the scout did not find worth a look."""

FEATURES = (
    *HEADS,
    "any in a window",
    "any in second place",
    "any hidden",
    *(f"rules: {kind}" for kind in _KINDS),
    "quoting",
    "own",
    "log of tokens",
)
"""The names of a row's numbers, in order."""

RISING = frozenset(FEATURES[: len(HEADS) + 3 + len(_KINDS)])
"""Features of which more can't mean less."""


@attrs.frozen(eq=False)
class Evidence:
    """Views in which something was seen, each with it and with its rules' hits, and the row of features."""

    views: tuple[tuple[View, list[Seen], list[Hit]], ...]
    row: tuple[float, ...]


def gather(model: Model, views: Sequence[View], origin: Origin) -> Evidence | None:
    """The evidence in the views of a text; None where there is none."""
    found = [(view, seen, hits_of(view, origin)) for view in views if (seen := model.look(view.tokens))]
    if not found:
        return None
    heads = [max(each) for each in zip(*(one.logits for _, seen, _ in found for one in seen), strict=True)]
    any_ = HEADS.index("any")
    wide = max((one.logits[any_] for _, seen, _ in found for one in seen if one.window), default=_NOTHING)
    near = sorted((one.logits[any_] for _, seen, _ in found for one in seen if not one.window), reverse=True)
    hidden = max((one.logits[any_] for view, seen, _ in found if disguised(view) for one in seen), default=_NOTHING)
    rules = dict.fromkeys(_KINDS, 0.0)
    for _, _, hits in found:
        for hit in hits:
            kind = _KIND[hit.rule.family]
            rules[kind] = max(rules[kind], hit.score)
    row = (
        *heads,
        wide,
        near[1] if len(near) > 1 else _NOTHING,
        hidden,
        *rules.values(),
        float(origin in QUOTING),
        float(origin in OWN),
        log(1 + max(len(view.tokens) for view, _, _ in found)),
    )
    return Evidence(tuple(found), row)
