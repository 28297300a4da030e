"""Weighing the evidence: small trees over what the learned sums and the rules say, and scores that mean something.

Responsible for: `forest`, `points`.
Must never: learn from evidence of a text that the sums were trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from lockllm_twisted.detection.evidence import APART, FEATURES, KINDS, RISING
from lockllm_twisted.detection.weighing import Nodes, forest_of

_TREES = 64
"""Each takes a microsecond and more of every text that the scout finds suspicious, and there are two sets of them."""
_LEAVES = 8


def forest(
    rows: NDArray[np.float64], wanted: NDArray[np.bool_], share: NDArray[np.float64], kind: str, seed: int
) -> list[Nodes]:
    """Trees that tell the wanted rows from the others; more evidence never speaks for less."""
    if kind == "harm":
        rows = np.where([name in APART for name in FEATURES], 0.0, rows)
    model = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        learning_rate=0.2,
        min_samples_leaf=40,
        l2_regularization=5.0,
        monotonic_cst=[int(name in RISING) for name in FEATURES],
        early_stopping=False,
        random_state=seed,
    ).fit(rows, wanted, sample_weight=share)
    trees: list[Nodes] = [[[float(np.ravel(model._baseline_prediction)[0])]]]
    for (predictor,) in model._predictors:
        trees.append(
            [
                [round(float(node["value"]), 4)]
                if node["is_leaf"]
                else [
                    int(node["feature_idx"]),
                    round(float(node["num_threshold"]), 4),
                    int(node["left"]),
                    int(node["right"]),
                ]
                for node in predictor.nodes
            ]
        )
    return trees


def weighed(trees: list[Nodes], rows: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """What the trees say of each row."""
    grown = forest_of(trees, KINDS[kind])
    return np.array([grown.weigh(tuple(row)) for row in rows.tolist()])


_USUAL = {"low": 0.0015, "medium": 0.007, "high": 0.03}
_RATES = {
    "user": _USUAL,
    "system": _USUAL,
    "foreign": {"low": 0.002, "medium": 0.011, "high": 0.04},
    "tool": {"low": 0.003, "medium": 0.015, "high": 0.06},
}
"""The share of benign texts of a role, or of users in other languages than English, that may come to the score at which a sensitivity
starts, the mean over their sources. The tool texts that were written one by one are full of requests between people, more than tools bring."""

_HARM_RATES = {"low": 0.0003, "medium": 0.001, "high": 0.004}
"""The same for requests for harm, a narrow subject: a share of all benign texts is many of the few that are near it."""

_SCORES = {"low": 0.85, "medium": 0.6, "high": 0.35}


def points(said: NDArray[np.float64], sources: Sequence[str], kind: str, whose: str) -> list[list[float]]:
    """Where the scores of the sensitivities stand, from what benign texts of held-out sources came to (-inf: nothing seen).

    Each source counts alike: a threshold for the pool would be one for its largest and easiest parts.
    """
    rates = _HARM_RATES if kind == "harm" else _RATES[whose]
    _, of, size = np.unique(np.array(sources), return_inverse=True, return_counts=True)
    order = np.argsort(-said)
    above = np.cumsum(1 / size[of[order]]) / len(size)
    start = {name: float(said[order[np.searchsorted(above, rate)]]) for name, rate in rates.items()}
    return [
        [round(start["high"] - 6, 3), 0.02],
        *([round(start[name], 3), _SCORES[name]] for name in ("high", "medium", "low")),
        [round(start["low"] + 4, 3), 0.99],
    ]
