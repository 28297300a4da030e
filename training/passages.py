"""What the encoder learns from: passages as it will be shown them, short texts whole and of long ones what the sums find most suspicious.

Responsible for: `lessons`, of texts and of sentences put into documents.
Must never: show more of a text than ``detection.encoder`` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

import attrs

from lockllm_twisted.detection.encoder import LABELS, suspects
from lockllm_twisted.detection.judge import KINDS, Judge
from lockllm_twisted.detection.view import read
from training.corpus import Example
from training.planting import Placed

_SHORT = 560
"""Characters of a text that is shown whole."""

_MINED = {"attack": 2, "planted": 3}
"""Passages of a harmless text that are learned from, by the kind that they are asked about."""

_PLANTED = 1.5
"""How much a sentence in a document counts."""

_STRETCH = 60


@attrs.frozen(eq=False)
class Lesson:
    """A place in a text, as `detection.encoder.passage` takes it; what each label should say of it, and how much that counts."""

    text: str = attrs.field(repr=False)
    start: int
    end: int
    alone: bool
    wanted: tuple[float, ...]
    share: tuple[float, ...]

    @property
    def whole(self) -> bool:
        """All of a short text is asked about."""
        return not self.alone and self.start == 0 and self.end == len(self.text)


def _counts(**labels: float) -> tuple[float, ...]:
    return tuple(float(labels.get(label, 0)) for label in LABELS)


def lessons(judge: Judge, examples: Iterable[Example], sentences: Iterable[Placed], seed: int) -> Iterator[Lesson]:
    """The lessons in some texts, and of some sentences in documents."""
    for one in examples:
        if one.label != "obfuscated":
            yield from _of_text(judge, one, Random(f"{seed} {one.text}"))
    for placed in sentences:
        before, sentence, behind = (read(part).lowered for part in placed.text)
        if sentence:
            start, bad = len(before), placed.label != "benign"
            text = f"{before}{sentence}{behind}"
            yield Lesson(text, start, start + len(sentence), True, _counts(planted=bad), _counts(planted=_PLANTED))


def _of_text(judge: Judge, one: Example, chance: Random) -> Iterator[Lesson]:
    harm = one.label == "harmful_request"
    attack = not one.benign and not harm
    wanted = _counts(attack=attack, harm=harm)
    share = _counts(attack=one.worth * (not harm and not one.implicit), harm=one.worth * (not attack))
    text = read(one.text).lowered
    if text and len(text) <= _SHORT:
        yield Lesson(text, 0, len(text), False, wanted, share)
    if len(text) > _SHORT and not one.implicit:
        yield from _suspicious(judge, one, "harm" if harm else "attack", wanted, share, chance)
    if one.role == "tool" and not one.implicit and not harm:
        yield from _suspicious(judge, one, "planted", _counts(planted=attack), _counts(planted=one.worth), chance)


def _suspicious(
    judge: Judge, one: Example, kind: str, wanted: tuple[float, ...], share: tuple[float, ...], chance: Random
) -> Iterator[Lesson]:
    evidence = judge.evidence(one.text, one.origin)
    heads = KINDS[kind]
    most = _MINED.get(kind, 1) if one.benign else 1
    found = [] if evidence is None else list(suspects(evidence, heads))[:most]
    for view, unit in found:
        yield Lesson(view.lowered, *view.part(unit.first, unit.end), kind == "planted", wanted, share)
    if not found and one.benign:
        text = read(one.text).lowered
        start = chance.randrange(max(1, len(text) - _STRETCH))
        yield Lesson(text, start, min(len(text), start + _STRETCH), kind == "planted", wanted, share)
