"""What the encoder learns from: passages as it will be shown them, and what it should say of all of each and of places in it.

Responsible for: `lessons`, of texts, of short texts between others, of sentences by themselves, and of sentences put into documents: those that
were written for it, and those that ask for something in a document of their own.
Must never: show more of a text than ``detection.encoder`` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf
from random import Random

import attrs

from lockllm_twisted.detection.encoder import LABELS, READ, Place, suspects
from lockllm_twisted.detection.evidence import KINDS
from lockllm_twisted.detection.grams import LAST_END, sentences
from lockllm_twisted.detection.judge import Judge
from lockllm_twisted.detection.tokens import ENDS
from lockllm_twisted.detection.view import View, read
from training.corpus import Example, is_stray
from training.planting import SHORTEST, Placed, put

_SHORT = 560
"""Characters of a text that is shown whole."""

_MINED = 3
"""Places of a harmless text that are learned from, the most suspicious."""

_PLANTED = 1.5
"""How much a sentence in a document counts."""
_STRAY = 0.3
"""How much a harmless one does that is the pair of an order or a task: often a request too, out of place where it was put."""
_ASKING, _MOVED = -1.5, 2
"""What the sums say at least of a request in a harmless document, which they learned from; and how many of each are put into others."""
_LOUD = 0.5
"""How much a suspicious sentence of a harmless text counts, beside all of the text."""
_BESIDE = 0.1
"""How much a harmless sentence counts that nothing speaks against, beside one that is asked about."""

_BETWEEN = 0.1
"""The share of short texts that are shown once more, between two others."""
_BRIEF = 320
"""Characters of such a text."""
_STRETCH = 60
_LONE = 2
"""Sentences of a longer harmless text that are shown without the rest of it."""

Row = tuple[float, ...]


@attrs.frozen(eq=False)
class Asked:
    """What each label should say of a place, or of all that is shown where there is none, and how much that counts."""

    place: Place | None
    wanted: Row
    share: Row


@attrs.frozen(eq=False)
class Lesson:
    """What is shown of a text around a place, and what is asked about it.

    ``name``: of what it comes from; ``whole``: all of a short text; ``narrow``: little around it.
    """

    name: str
    text: str = attrs.field(repr=False)
    around: Place
    asked: Sequence[Asked]
    whole: bool = False
    narrow: bool = False

    @property
    def rare(self) -> bool:
        """Of a text as people type, or that goes about it sideways: there are few of these."""
        return self.name.startswith(("wild.jsonl:", "sly.jsonl:"))


def _row(**labels: float) -> Row:
    return tuple(float(labels.get(label, 0)) for label in LABELS)


_HARMLESS = _row()


def places(view: View) -> list[Place]:
    """Where each sentence of a view stands."""
    ids = [LAST_END if token in ENDS else LAST_END + 1 for token in view.tokens]
    return [view.part(*unit) for unit in sentences(ids)] if ids else []


def lessons(judge: Judge, examples: Iterable[Example], planted: Iterable[Placed], seed: int) -> Iterator[Lesson]:
    """The lessons in some texts, and of some sentences in documents."""
    texts = [one for one in examples if one.label != "obfuscated"]
    for one in texts:
        yield from _of_text(judge, one, Random(f"{seed} {one.text}"))
    yield from _between(texts, seed)
    yield from _apart(texts, seed)
    yield from _moved(judge, texts, seed)
    for placed in planted:
        before, sentence, behind = (read(part).lowered for part in placed.text)
        if sentence:
            place = len(before), len(before) + len(sentence)
            counts = _STRAY if is_stray(placed.label, placed.family) else _PLANTED
            asked = Asked(place, _row(planted=placed.label != "benign"), _row(planted=counts))
            beside = _beside(before, place, behind)
            said = [asked, *_quiet(beside, _row(planted=_BESIDE))]
            yield Lesson(placed.name, f"{before}{sentence}{behind}", place, said, narrow=True)


def _beside(before: str, place: Place, behind: str) -> list[Place]:
    """The sentences before a place and behind it."""
    later = places(View(behind, (), ()))
    return [*places(View(before, (), ())), *((start + place[1], end + place[1]) for start, end in later)]


def _quiet(some: Iterable[Place], share: Row) -> list[Asked]:
    return [Asked(place, _HARMLESS, share) for place in some]


def _of(one: Example) -> tuple[Row, Row]:
    """What all of a text should be said to be, and how much that counts."""
    harm = one.label == "harmful_request"
    attack = not one.benign and not harm
    share = _row(attack=one.worth * (not harm and not one.implicit), harm=one.worth * (not attack))
    return _row(attack=attack, harm=harm), share


def _of_text(judge: Judge, one: Example, chance: Random) -> Iterator[Lesson]:
    view = read(one.text)
    text = view.lowered
    if not text:
        return
    harm = one.label == "harmful_request"
    tool = one.role == "tool" and not harm and not one.implicit
    mined = _suspicious(judge, one, "planted" if tool else "harm" if harm else "attack")
    asked = [Asked(None, *_of(one)), *_of_sentences(one, view, mined, tool=tool)]
    if len(text) <= _SHORT:
        yield Lesson(one.cluster, text, (0, len(text)), asked, whole=True)
    elif not one.implicit:
        around = mined[: READ if tool and one.benign else 1]
        if one.benign:
            start = chance.randrange(max(1, len(text) - _STRETCH))
            around.append((start, start + _STRETCH))
        for place in around:
            yield Lesson(one.cluster, text, place, asked, narrow=tool)


def _of_sentences(one: Example, view: View, mined: Sequence[Place], *, tool: bool) -> list[Asked]:
    """Each sentence of a harmless text is harmless, alone or not; of an attack in what a tool brought, the most suspicious one is planted."""
    if not one.benign:
        return [Asked(place, _row(planted=1), _row(planted=one.worth)) for place in mined[:1] if tool]
    suspicious = mined[:_MINED]
    others = [place for place in places(view) if place not in suspicious]
    if not tool and len(suspicious) + len(others) == 1:
        return []
    loud = _row(attack=_LOUD * one.worth, harm=_LOUD * one.worth, planted=one.worth * tool)
    quiet = _row(attack=_BESIDE, harm=_BESIDE, planted=_BESIDE * tool)
    return [*_quiet(suspicious, loud), *_quiet(others, quiet)]


def _suspicious(judge: Judge, one: Example, kind: str, least: float = -inf) -> list[Place]:
    """Places in the plain text of which the sums say so much at least, the most suspicious first."""
    evidence = judge.evidence(one.text, one.origin)
    found = [] if evidence is None else suspects(evidence, KINDS[kind])
    text = read(one.text).lowered
    return [
        view.part(unit.first, unit.end)
        for view, unit in found
        if view.lowered == text and unit.most(KINDS[kind]) > least
    ]


def _between(texts: Sequence[Example], seed: int) -> Iterator[Lesson]:
    """Some short texts of users, each between two longer harmless ones of which it is no part."""
    users = [one for one in texts if one.role == "user" and one.language == "en"]
    others = [read(one.text).lowered for one in users if one.benign and not one.paired and len(one.text) > _BRIEF]
    for one in users:
        chance = Random(f"{seed} between {one.text}")
        if others and len(one.text) <= _BRIEF and chance.random() < _BETWEEN:
            text, gap = read(one.text).lowered, chance.choice((" ", "\n", "\n\n"))
            before, behind = chance.choice(others) + gap, gap + chance.choice(others)
            place = len(before), len(before) + len(text)
            wanted, share = _of(one)
            asked = [Asked(place, wanted, share), *([Asked(None, wanted, share)] if one.benign else [])]
            quiet = _quiet(_beside(before, place, behind), _row(attack=_BESIDE, harm=_BESIDE))
            yield Lesson(one.cluster, f"{before}{text}{behind}", place, [*asked, *quiet])


def _apart(texts: Sequence[Example], seed: int) -> Iterator[Lesson]:
    """Sentences of longer harmless texts, each as a text of its own."""
    for one in texts:
        if one.benign and one.role != "system" and len(one.text) > _BRIEF:
            view = read(one.text)
            found = places(view)
            for start, end in Random(f"{seed} apart {one.text}").sample(found, min(_LONE, len(found))):
                sentence = view.lowered[start:end]
                share = _row(attack=1, harm=1, planted=one.role == "tool")
                yield Lesson(one.cluster, sentence, (0, len(sentence)), [Asked(None, _HARMLESS, share)])


def _moved(judge: Judge, texts: Sequence[Example], seed: int) -> Iterator[Lesson]:
    """What asks for something in harmless documents, put into others: the very words that are harmless where they belong."""
    documents = [
        one for one in texts if one.benign and one.role == "tool" and one.language == "en" and len(one.text) >= SHORTEST
    ]
    for one in documents:
        for start, end in _suspicious(judge, one, "planted", _ASKING)[:_MOVED]:
            chance = Random(f"{seed} moved {start} {one.text}")
            sentence, other = read(one.text).lowered[start:end], chance.choice(documents)
            if other is not one:
                before, _, behind = put(chance, sentence, read(other.text).lowered)
                place = len(before), len(before) + len(sentence)
                asked = [Asked(place, _row(planted=1), _row(planted=1))]
                yield Lesson(one.cluster, f"{before}{sentence}{behind}", place, asked, narrow=True)
