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

from lockllm_twisted.detection.evidence import FEATURES, KINDS
from lockllm_twisted.detection.grams import SCOUT_HEADS
from lockllm_twisted.detection.judge import Judge
from lockllm_twisted.detection.weights import NAME, parse
from training.combine import forest, points, weighed
from training.corpus import FOLDS, Example, fold, grown, held_out, load, written
from training.export import shipped, write
from training.grams import Encoded, Lexicon, encode, lexicon
from training.net import Recipe, Sums, logits, mean, shares, train
from training.planting import planted

WORDS = 30_000
RARE = 6
CLASSES = 500
LONGEST = 300
"""Tokens of a text that is learned from."""

ORDERS = 3
"""Trainings whose mean is taken."""

MOST_WEIGHED = {"user": 500, "system": 500, "tool": 1500}
"""Texts of a source and label whose evidence is weighed, by role: of tools' there are few sources."""

LOOSE = (-2.0, -4.5, -2.4)
"""The scout's alarm while the evidence is gathered that the trees learn from."""

FAINT = (-3.0, -4.0, -3.5)
"""The logit of each of the scout's heads up to which a unit is not asked more about."""

LEAST = (-0.8, -2.8, -2.0)
"""The logit that one of the scout's heads must come to for a text to be weighed: less than what is told of says, for the encoder finds more in it."""

KEPT = 0.5
"""The share of the grammars' texts that is learned from: more of them say little new."""

SILENT = {"indirect": 0.6, "harm": 0.75, "any": 0.52}
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
    return Judge(
        parse(shipped(known, *found, {"alarm": LOOSE, "faint": FAINT, "least": FAINT, **dict.fromkeys(KINDS, nothing)}))
    )


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


def sample(examples: Sequence[Example], seed: int) -> list[int]:
    """At most so many texts of each source, label and role."""
    chance = np.random.default_rng(seed)
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, one in enumerate(examples):
        groups.setdefault((one.source, one.label, one.role), []).append(number)
    chosen = [chance.permutation(group)[: MOST_WEIGHED[role]].tolist() for (_, _, role), group in groups.items()]
    return sorted(number for group in chosen for number in group)


def weighing(examples: Sequence[Example], evidence: NDArray[np.float64], kind: str, seed: int) -> dict[str, Any]:
    """The trees of a kind, and where their scores stand: of trees that did not learn from the source."""
    ours = [_about(one, kind) for one in examples]
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
        said[there] = weighed(forest(row[learn], wanted[learn], share[learn], kind, seed), row[there], kind)
    told = {}
    for name, (role, foreign) in _SCALES[kind].items():
        usual = ~wanted & np.array([_counts(one, role, foreign=foreign) for one in chosen])
        sources = [one.source for one, take in zip(chosen, usual, strict=True) if take]
        told[name] = points(said[usual], sources, kind, "foreign" if foreign and role == "user" else role)
    # Neither an operator's text nor one in another language is held to less than a user's. Neither an operator's nor a tool's
    # comes near harm often: a share of it all would be set by what is far from it.
    if kind == "attack":
        told |= {name: max(told[name], told["other"]) for name in ("own", "foreign")}
    elif kind == "planted":
        told["foreign"] = max(told["foreign"], told["brought"])
    elif kind == "harm":
        told |= dict.fromkeys(("own", "brought", "foreign"), told["other"])
    return {"trees": forest(row[seen], wanted[seen], share[seen], kind, seed), "points": told}


_SCALES = {
    "attack": {"own": ("system", False), "other": ("user", False), "foreign": ("user", True)},
    "planted": {"brought": ("tool", False), "foreign": ("tool", True)},
    "harm": {"other": ("user", False)},
}
"""Whose texts set the scales of each kind's scores: the role, and whether only those in other languages than English."""


def _counts(one: Example, role: str, *, foreign: bool) -> bool:
    """Whether a harmless text is one by which a scale is set."""
    return one.role == role and not one.templated and not one.paired and (not foreign or one.language != "en")


def _about(one: Example, kind: str) -> bool:
    """Whether a text tells something about a kind."""
    if kind == "harm":
        return one.benign or one.label == "harmful_request"
    return one.label != "harmful_request" and (one.role == "tool") == (kind == "planted")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and put the weights into the package."""
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    chance = np.random.default_rng(options.seed)
    by_hand = list(written())
    one_by_one = [one for one in by_hand if not held_out(one)]
    one_by_one += planted(options.seed, by_hand, held=False)
    by_grammar = [one for one in grown(options.seed) if chance.random() < KEPT]
    examples = [*load(options.data / "train.jsonl.gz"), *one_by_one, *by_grammar]
    known = lexicon(examples, WORDS, RARE, CLASSES, LONGEST, options.seed)
    texts = encode(known, examples, LONGEST, learning=True)
    chosen = sample(examples, options.seed)
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
    told: dict[str, Any] = {kind: weighing(weighed_on, evidence, kind, options.seed) for kind in KINDS}
    told |= {"alarm": np.mean(alarms, axis=0).round(3).tolist(), "faint": FAINT, "least": LEAST}
    found = sums(known, examples, texts, options.seed)
    write(NAME, shipped(known, *found, told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
