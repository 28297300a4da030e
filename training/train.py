"""``python -m training.train --data DIR``: from the data folder and the own grammars to the weights in the package.

Responsible for: the order of the steps, their seeds, and what is held out of which.
Must never: choose a threshold on a text that the weights were trained on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockllm_twisted.detection.evidence import FEATURES
from lockllm_twisted.detection.grams import SCOUT_HEADS
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

ORDERS = 3
"""Trainings whose mean is taken."""

MOST_WEIGHED = 500
"""Texts of a source and label whose evidence is weighed."""

LOOSE = (-2.0, -4.2, -2.0)
"""The scout's alarm while the evidence is gathered that the trees learn from."""

FAINT = (-3.0, -5.0, -3.5)
"""The logit of each of the scout's heads up to which a unit is not asked more about."""

KEPT = 0.5
"""The share of the grammars' texts that is learned from: more of them say little new."""

SILENT = {"indirect": 0.7, "harm": 0.85, "any": 0.75}
"""The share of benign texts of held-out sources in which each head of the scout stays silent; ``indirect`` is asked of texts that
a tool brought, and tells an instruction by little."""


def sums(known: Lexicon, examples: Sequence[Example], texts: Sequence[Encoded], seed: int) -> tuple[Sums, Sums]:
    """The learned sums and the scout's: the mean of some that saw the texts in other orders."""
    scouted = 1 + len(known.keys["w1"]) + len(known.keys["w2"])
    found = [train(known.size, scouted, examples, texts, Recipe(seed=seed + order)) for order in range(ORDERS)]
    return mean([full for full, _ in found]), mean([scout for _, scout in found])


def judge_of(known: Lexicon, found: tuple[Sums, Sums]) -> Judge:
    """The judge with some weights, as they will be shipped, but for the trees."""
    nothing = {"trees": [[[0.0]]], "points": {}}
    return Judge(parse(shipped(known, *found, {"alarm": LOOSE, "faint": FAINT, "attack": nothing, "harm": nothing})))


def rows(judge: Judge, examples: Sequence[Example]) -> NDArray[np.float64]:
    """The evidence of each text; a row of nothing but ``nan`` where there is none."""
    silent = [float("nan")] * len(FEATURES)
    found = [judge.evidence(one.text, one.origin) for one in examples]
    return np.array([silent if each is None else each.row for each in found])


def quiet(known: Lexicon, scout: Sums, unseen: Sequence[Example]) -> list[float]:
    """The logit of each head that the scout stays below in most benign texts that the head is asked about."""
    usual = [one for one in unseen if one.benign and one.role != "system"]
    said = logits(scout, encode(known, usual, None, learning=False))
    brought = np.array([one.role == "tool" for one in usual])
    return [
        float(np.quantile(said[brought | (head != "indirect"), number], SILENT[head]))
        for number, head in enumerate(SCOUT_HEADS)
    ]


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
    told = {}
    for name, role in (("own", "system"), ("brought", "tool"), ("other", "user")):
        usual = ~wanted & np.array([one.role == role and not one.templated for one in chosen])
        told[name] = points(
            said[usual], [one.source for one, take in zip(chosen, usual, strict=True) if take], kind, role
        )
    # An operator's text is never held to less than a user's. Neither his nor a tool's comes near harm often: a share of it all
    # would be set by what is far from it.
    told["own"] = max(told["own"], told["other"])
    if kind == "harm":
        told = dict.fromkeys(told, told["other"])
    return {"trees": forest(row[seen], wanted[seen], share[seen], seed), "points": told}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and put the weights into the package."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chance = np.random.default_rng(options.seed)
    one_by_one = [one for one in written() if not held_out(one)]
    by_grammar = [one for one in grown(options.seed) if chance.random() < KEPT]
    examples = [*load(options.data / "train.jsonl.gz"), *one_by_one, *by_grammar]
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
    told: dict[str, Any] = {kind: weighing(weighed_on, evidence, kind, options.seed) for kind in ("attack", "harm")}
    told |= {"alarm": np.mean(alarms, axis=0).round(3).tolist(), "faint": FAINT}
    found = sums(known, examples, texts, options.seed)
    write(shipped(known, *found, told), PACKAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
