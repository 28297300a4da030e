"""``python -m training.train --data DIR``: from the data folder and the own grammars to the weights in the package.

Responsible for: the order of the steps, their seeds, and what is held out of which.
Must never: choose a threshold on a text that the weights were trained on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockllm_twisted.detection.evidence import FEATURES
from lockllm_twisted.detection.judge import Judge
from lockllm_twisted.detection.weights import parse
from training.combine import forest, points, weighed
from training.corpus import FOLDS, Example, fold, grown, held_out, load, written
from training.export import shipped, write
from training.grams import Encoded, Lexicon, encode, lexicon
from training.net import Recipe, Sums, logits, mean, shares, train

PACKAGE = Path(__file__).parent.parent / "lockllm_twisted" / "detection"

WORDS = 30_000
RARE = 6
CLASSES = 500
LONGEST = 300
"""Tokens of a text that is learned from."""

ORDERS = 2
"""Trainings whose mean is taken."""

MOST_WEIGHED = 300
"""Texts of a source and label whose evidence is weighed."""

LOOSE = (-3.5, -4.2, -2.0)
"""The scout's alarm while the evidence is gathered that the trees learn from."""

SILENT = 0.9
"""The share of benign texts of held-out sources in which each head of the scout stays silent."""


def sums(known: Lexicon, examples: Sequence[Example], texts: Sequence[Encoded], seed: int) -> tuple[Sums, Sums]:
    """The learned sums: the mean of some that saw the texts in other orders."""
    scouted = 1 + len(known.keys["w1"]) + len(known.keys["w2"])
    found = [train(known.size, scouted, examples, texts, Recipe(seed=seed + order)) for order in range(ORDERS)]
    return mean([full for full, _ in found]), mean([scout for _, scout in found])


def judge_of(known: Lexicon, found: tuple[Sums, Sums], told: Mapping[str, Any] | None = None) -> Judge:
    """The judge with some weights, as they will be shipped."""
    nothing = {"trees": [[[0.0]]], "points": [[0.0, 0.0]]}
    told = {"alarm": LOOSE, "attack": nothing, "harm": nothing, **(told or {})}
    return Judge(parse(shipped(known, *found, told)))


def rows(judge: Judge, examples: Sequence[Example]) -> NDArray[np.float64]:
    """The evidence of each text; a row of nothing but ``nan`` where there is none."""
    silent = [float("nan")] * len(FEATURES)
    found = [judge.evidence(one.text, one.origin) for one in examples]
    return np.array([silent if each is None else each.row for each in found])


def quiet(known: Lexicon, scout: Sums, unseen: Sequence[Example]) -> list[float]:
    """The logit of each head that the scout stays below in most benign texts."""
    usual = [one for one in unseen if one.benign and one.role != "system"]
    said = logits(scout, encode(known, usual, None, learning=False))
    return [float(level) for level in np.quantile(said, SILENT, axis=0)]


def sample(examples: Sequence[Example], most: int, seed: int) -> list[int]:
    """At most so many texts of each source and label."""
    chance = np.random.default_rng(seed)
    groups: dict[tuple[str, str], list[int]] = {}
    for number, one in enumerate(examples):
        groups.setdefault((one.source, one.label), []).append(number)
    chosen = [chance.permutation(group)[:most].tolist() for group in groups.values()]
    return sorted(number for group in chosen for number in group)


def weighing(examples: Sequence[Example], evidence: NDArray[np.float64], kind: str, seed: int) -> dict[str, Any]:
    """The trees for attacks or for harm, and where their scores stand: of trees that did not learn from the source."""
    ours = [one.benign or (one.label == "harmful_request") == (kind == "harm") for one in examples]
    part = np.flatnonzero(np.array(ours))
    chosen = [examples[number] for number in part.tolist()]
    row = evidence[part]
    seen = ~np.isnan(row[:, 0])
    wanted = np.array([not one.benign for one in chosen])
    share = shares(chosen, 0.5)
    folds = np.array([fold(one) for one in chosen])
    said = np.full(len(chosen), -np.inf)
    for held in range(FOLDS):
        learn = seen & (folds != held)
        there = seen & (folds == held)
        said[there] = weighed(forest(row[learn], wanted[learn], share[learn], seed), row[there], kind)
    usual = ~wanted & np.array([one.role != "system" for one in chosen])
    return {
        "trees": forest(row[seen], wanted[seen], share[seen], seed),
        "points": points(said[usual], [one.source for one, take in zip(chosen, usual, strict=True) if take]),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and put the weights into the package."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    texts_by_hand = [one for one in written() if not held_out(one)]
    examples = [*load(options.data / "train.jsonl.gz"), *texts_by_hand, *grown(options.seed)]
    known = lexicon(examples, WORDS, RARE, CLASSES, LONGEST, options.seed)
    texts = encode(known, examples, LONGEST, learning=True)
    chosen = sample(examples, MOST_WEIGHED, options.seed)
    evidence = np.full((len(chosen), len(FEATURES)), np.nan)
    alarms = []
    for held in range(FOLDS):
        others = [number for number, one in enumerate(examples) if fold(one) != held]
        found = sums(known, [examples[number] for number in others], [texts[number] for number in others], options.seed)
        here = [place for place, number in enumerate(chosen) if fold(examples[number]) == held]
        unseen = [examples[chosen[place]] for place in here]
        evidence[here] = rows(judge_of(known, found), unseen)
        alarms.append(quiet(known, found[1], unseen))
    weighed_on = [examples[number] for number in chosen]
    told = {kind: weighing(weighed_on, evidence, kind, options.seed) for kind in ("attack", "harm")}
    found = sums(known, examples, texts, options.seed)
    write(shipped(known, *found, {"alarm": np.mean(alarms, axis=0).round(3).tolist(), **told}), PACKAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
