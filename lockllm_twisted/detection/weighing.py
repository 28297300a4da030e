"""Weighing: small trees that tell what a row of evidence comes to, and the score that this is told as.

Responsible for: `Forest`, in Python; `forest_of`, which gives the compiled twin of it, in ``_quick.c``, where that was built; `scaled`, and back
again `valued`.
Must never: weigh with one otherwise than with the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

try:
    from lockllm_twisted.detection._quick import Forest as _Quick
except ImportError:  # there was no compiler
    _Quick = None  # type: ignore[assignment, misc]

_SLOPE = 0.15
"""Trees can't tell the strong from the stronger: a part of the logit itself is added."""

Nodes = list[list[float]]
"""A tree: (feature, threshold, the node where the feature is at most that, the other node), or alone the value that a leaf adds."""

_Tree = tuple[int, float, "_Tree | float", "_Tree | float"] | float


class Weighing(Protocol):
    """What weighs."""

    def weigh(self, row: tuple[float, ...], /) -> float:
        """What a row of evidence comes to: a part of the logit of some heads, and the sum of the leaves."""


def _grow(nodes: Nodes, at: int = 0) -> _Tree:
    node = nodes[at]
    if len(node) == 1:
        return node[0]
    return int(node[0]), node[1], _grow(nodes, int(node[2])), _grow(nodes, int(node[3]))


class Forest:
    """`Weighing` in Python. ``heads``: the features that are these logits."""

    def __init__(self, trees: list[Nodes], heads: Sequence[int]) -> None:
        self._trees = [_grow(nodes) for nodes in trees]
        self._heads = heads

    def weigh(self, row: tuple[float, ...], /) -> float:
        """As `Weighing.weigh`."""
        total = 0.0
        for head in self._heads:
            total += _SLOPE * row[head]
        for tree in self._trees:
            node = tree
            while isinstance(node, tuple):
                node = node[2] if row[node[0]] <= node[1] else node[3]
            total += node
        return total


def forest_of(trees: list[Nodes], heads: Sequence[int]) -> Weighing:
    """What weighs with some trees: compiled where it was built, else in Python."""
    return Forest(trees, heads) if _Quick is None else _Quick(trees, heads, _SLOPE)


def valued(points: Sequence[Sequence[float]], score: float) -> float:
    """What trees say where a score below the second point's is told."""
    (low, least), (high, most), *_ = points
    return low + (high - low) * (score - least) / (most - least)


def scaled(points: Sequence[Sequence[float]], value: float) -> float:
    """A score from 0 to 1: between the points (value, score) in proportion."""
    (low, least), *_ = points
    if value <= low:
        return least
    for (left, below), (right, above) in pairwise(points):
        if value < right:
            return below + (above - below) * (value - left) / (right - left)
    return points[-1][1]
