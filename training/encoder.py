"""``python -m training.encoder --data DIR --base DIR --teacher DIR``: the encoder in the package, and how what it says is weighed.

Responsible for: the order of the steps, their seeds, and what is held out of which. It needs the sums' weights in the package: `training.train` comes first.
Must never: weigh with a text that the sums or the encoder learned from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import mul
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import torch

from lockllm_twisted.detection import encoder_weights, weights
from lockllm_twisted.detection.encoder import NARROW, WIDE, Encoder, Passage, passage
from lockllm_twisted.detection.evidence import KINDS
from lockllm_twisted.detection.judge import Judge
from lockllm_twisted.detection.wordpieces import WordPieces
from training.corpus import Example, held_out, load, written
from training.export import write
from training.following import follow
from training.learning import Array
from training.passages import Lesson, lessons
from training.planting import placed, planted
from training.rounding import settle
from training.student import Student, begun, rounded, vocabulary
from training.teacher import schooled

_DRAWS = 2
"""Documents that each sentence is put into."""
_OFTEN = 3
"""How often a lesson is learned from of which there are few."""


@attrs.frozen(eq=False)
class Shown:
    """A lesson as the encoder is shown it. ``said``: what each label should say of each span, and how much that counts: (2, spans, labels)."""

    passage: Passage
    said: Array = attrs.field(repr=False)


def shown(words: WordPieces, some: Iterable[Lesson]) -> Iterator[Shown]:
    """The lessons that can be read and teach something."""
    for one in some:
        sight = NARROW if one.narrow else WIDE
        found = passage(words, one.text, one.around, [each.place for each in one.asked], sight)
        if found is None:
            continue
        there = [number for number, span in enumerate(found.spans) if span is not None]
        asked = [one.asked[number] for number in there]
        said = np.array([[each.wanted for each in asked], [each.share for each in asked]], np.float32)
        if said.size and said[1].any():
            yield Shown(attrs.evolve(found, spans=[found.spans[number] for number in there]), said)


def file_of(student: Student, pieces: Sequence[str], told: Mapping[str, Any]) -> bytes:
    """The bytes of the encoder's file."""
    head = {"heads": student.heads, "layers": len(student.layers), **told}
    return encoder_weights.dump(pieces, *rounded(student), head)


@attrs.frozen
class Read:
    """What the sums, the trees and the encoder say, for a kind, of each place of a text that is read again."""

    example: Example
    kind: str
    places: list[tuple[float, ...]]


def readings(judge: Judge, encoder: Encoder, examples: Sequence[Example]) -> Iterator[Read]:
    """Of each text that is read again."""
    for one in examples:
        for kind, found in judge.readings(one.text, one.origin, encoder):
            if found:
                yield Read(one, kind, [each.values for each in found])


_SPEAKERS = {"attack": ("own", "other"), "planted": ("brought",), "harm": ("own", "other", "brought")}
_ROLE = {"attack": "user", "planted": "tool", "harm": "user"}

_PARTS = {
    "attack": (0.0, 0.9, 0.6),
    "planted": (0.1, 0.25, 0.4, 0.2),
    "harm": (0.0, 0.55, 0.55),
}
"""How much the sums, the trees and the encoder count.

Fitted to the held-out texts, the encoder counted nearly alone: these are by who wrote what it learned from. By texts of others the trees are worth as much.
"""

_RATES = {
    "attack": {0.35: 0.022, 0.6: 0.0075, 0.85: 0.002},
    "planted": {0.35: 0.014, 0.6: 0.003, 0.85: 0.001},
    "harm": {0.35: 0.004, 0.6: 0.0011, 0.85: 0.0004},
}
"""The share of the harmless held-out texts, many of them look-alikes of attacks, that the encoder may bring to each score."""


def _usual(one: Example, kind: str) -> bool:
    return one.benign and not one.paired and one.role == _ROLE[kind]


def weighing(kind: str, read: Sequence[Read], unseen: Sequence[Example]) -> dict[str, Any]:
    """How the sums, the trees and the encoder are added up for a kind, and the scale of that."""
    parts = _PARTS[kind]
    usual = [one for one in read if one.kind == kind and _usual(one.example, kind)]
    there = sorted((max(sum(map(mul, parts, each)) for each in one.places) for one in usual), reverse=True)
    every = sum(_usual(one, kind) for one in unseen)
    points = [[there[round(rate * every)], score] for score, rate in _RATES[kind].items()]
    (high, _), *_, (low, _) = points
    told = [[high - 3, 0.02], *points, [low + 4, 0.99]]
    scale = [[round(value, 3), score] for value, score in told]
    return {"parts": parts, "points": dict.fromkeys(_SPEAKERS[kind], scale)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and put the encoder into the package."""
    parser = argparse.ArgumentParser(prog="python -m training.encoder", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument(
        "--base", type=Path, required=True, metavar="DIR", help="all-MiniLM-L6-v2, as transformers saves it"
    )
    parser.add_argument("--teacher", type=Path, required=True, metavar="DIR", help="all-mpnet-base-v2, likewise")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    sums = weights.load()
    judge = Judge(sums)
    by_hand = written()
    kept = [one for one in by_hand if not held_out(one)]
    sentences = chain.from_iterable(placed(options.seed + draw, by_hand, held=False) for draw in range(_DRAWS))
    every = list(lessons(judge, chain(load(options.data / "train.jsonl.gz"), kept), sentences, options.seed))
    pieces = vocabulary(options.base, (one.text for one in every if one.whole))
    often = (one for one in every for _ in range(_OFTEN if one.rare else 1))
    some = list(shown(WordPieces(pieces), often))
    passages, said = [one.passage for one in some], [one.said for one in some]
    teacher = schooled(options.teacher, pieces, passages, said, options.seed)
    student = begun(options.base, pieces)
    follow(student, teacher, passages, said, options.seed)
    settle(student, teacher, passages, said, options.seed)
    student.cpu()
    encoder = Encoder(encoder_weights.parse(file_of(student, pieces, {"again": {}})))
    unseen = [one for one in by_hand if held_out(one)]
    unseen += planted(options.seed, by_hand, held=True)
    read = list(readings(judge, encoder, unseen))
    again = {kind: weighing(kind, read, unseen) for kind in KINDS}
    write(encoder_weights.NAME, file_of(student, pieces, {"again": again}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
