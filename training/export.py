"""From what training found to the file that ships: rounded, cut to what matters, with its digest.

Responsible for: `shipped`, `write`.
Must never: write anything but the weights and their digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lockllm_twisted.detection import encoder_weights, weights
from lockllm_twisted.detection.grams import LAYERS, SCOUT_LAYERS
from training.grams import Lexicon
from training.net import Sums

PACKAGE = Path(weights.__file__).parent

_MOST = 190_000
"""N-grams kept: the file is to stay below 4 MB, the service small."""
_SCOUT_MOST = 60_000
_LARGEST = 127


def shipped(known: Lexicon, full: Sums, scout: Sums, told: Mapping[str, Any]) -> bytes:
    """The bytes of the file of weights."""
    head = {
        **told,
        "sentence": _list(full.sentence),
        "window": _list(full.window),
        "share": _list(full.share),
        "scout_sentence": _list(scout.sentence),
        "scout_window": _list(scout.window),
        "scout_share": _list(scout.share),
    }
    layers = _tables(known, full.table, LAYERS, _MOST)
    scouts = _tables(known, scout.table, SCOUT_LAYERS, _SCOUT_MOST)
    return weights.dump(known.words, known.classes.tolist(), layers, scouts, head)


def _list(values: NDArray[np.float32]) -> list[float]:
    return [round(float(value), 4) for value in values]


def _tables(
    known: Lexicon, table: NDArray[np.float32], layers: tuple[str, ...], most: int
) -> dict[str, dict[int, list[int]]]:
    whole = np.clip(np.rint(table * weights.SCALE), -_LARGEST, _LARGEST).astype(int)
    size = np.square(whole).sum(1)
    size[0] = 0
    least = np.sort(size)[::-1][min(most, len(size)) - 1]
    found: dict[str, dict[int, list[int]]] = {}
    offset = 1
    for layer in layers:
        keys = known.keys[layer]
        rows = range(offset, offset + len(keys))
        found[layer] = {
            int(key): whole[row].tolist() for key, row in zip(keys, rows, strict=True) if size[row] >= max(least, 1)
        }
        offset += len(keys)
    return found


def write(name: str, content: bytes, package: Path = PACKAGE) -> None:
    """Put a file of weights, and the module that holds the digests of both, into the package."""
    (package / name).write_bytes(content)
    digests = {
        constant: sha256((package / each).read_bytes()).hexdigest()
        for constant, each in (("DIGEST", weights.NAME), ("ENCODER_DIGEST", encoder_weights.NAME))
    }
    (package / "digest.py").write_text(
        '"""The SHA-256 of the weights of this release.\n\n'
        "Responsible for: `DIGEST` and `ENCODER_DIGEST`, which training writes together with the weights.\n"
        'Must never: be changed by hand.\n"""\n\n'
        + "".join(f'{name} = "{found}"\n' for name, found in digests.items()),
        encoding="utf-8",
    )
