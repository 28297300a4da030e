"""Weighing the evidence: small trees over what the learned sums and the rules say, and scores that mean something.

Responsible for: `forest`, `points`.
Must never: learn from evidence of a text that the sums were trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from lockllm_twisted.detection.evidence import FEATURES, RISING

Tree = list[list[float]]

_TREES = 60
_LEAVES = 8


def forest(rows: NDArray[np.float64], wanted: NDArray[np.bool_], share: NDArray[np.float64], seed: int) -> list[Tree]:
    """Trees that tell the wanted rows from the others; more evidence never speaks for less."""
    model = HistGradientBoostingClassifier(
        max_iter=_TREES,
        max_leaf_nodes=_LEAVES,
        learning_rate=0.12,
        min_samples_leaf=40,
        l2_regularization=5.0,
        monotonic_cst=[int(name in RISING) for name in FEATURES],
        early_stopping=False,
        random_state=seed,
    ).fit(rows, wanted, sample_weight=share)
    trees: list[Tree] = [[[float(np.ravel(model._baseline_prediction)[0])]]]
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


def weighed(trees: Sequence[Tree], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the trees say of each row."""
    from lockllm_twisted.detection.judge import weigh

    return np.array([weigh(trees, row) for row in rows.tolist()])


_RATES = {"low": 0.001, "medium": 0.006, "high": 0.03}
"""The share of benign texts that may come to the score at which a sensitivity starts."""
_SCORES = {"low": 0.85, "medium": 0.6, "high": 0.35}
_WORST = 4
"""How much more than that share the worst source may have."""
_LEAST = 100
"""Texts of a source of which a share can be told."""


def points(said: NDArray[np.float64], sources: Sequence[str]) -> list[list[float]]:
    """Where the scores of the sensitivities stand, from what benign texts of held-out sources came to (-inf: nothing seen)."""
    names, of = np.unique(np.array(sources), return_inverse=True)
    parts = [part for number in range(len(names)) if len(part := said[of == number]) >= _LEAST]

    def starts(rate: float) -> float:
        pooled = np.quantile(said, 1 - rate)
        worst = max(np.quantile(part, 1 - min(0.5, _WORST * rate)) for part in parts)
        return float(max(pooled, worst))

    start = {name: starts(rate) for name, rate in _RATES.items()}
    start["medium"] = max(start["medium"], start["high"] + 0.2)
    start["low"] = max(start["low"], start["medium"] + 0.2)
    return [
        [round(start["high"] - 3, 3), 0.05],
        *([round(start[name], 3), _SCORES[name]] for name in ("high", "medium", "low")),
        [round(start["low"] + 4, 3), 0.99],
    ]
