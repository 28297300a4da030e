"""The file of weights: read without pickle, checked against the digest that stands in ``digest``.

Responsible for: `Weights`, `load`, and `dump`, which training writes the file with; `released`, `packed` and `unpacked`, for any such file.
Must never: accept a file whose digest is another.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from importlib import resources
from itertools import accumulate, repeat
from operator import add, lshift
from typing import Any

import attrs

from lockllm_twisted.detection.digest import DIGEST
from lockllm_twisted.errors import PluginError

NAME = "weights.bin"

_MAGIC = b"lockllm-twisted detector 2\n"

FIELD = 20
"""Bits of a sum for one head: heads are added up side by side in one integer."""
_HALF = 3
"""Heads in each of the two 64-bit numbers of a row in memory; in the file each head stands by itself."""

_LENGTH = 4
"""Bytes that tell how long a part of a file is."""

SCALE = 32
"""A weight of one in the file's units."""


@attrs.frozen(eq=False)
class Table:
    """N-grams and their weights. ``columns``: the keys, and the weights of three heads side by side, once or twice."""

    columns: tuple[array[int], ...]

    def rows(self) -> dict[int, int]:
        """N-gram -> the weights of its heads, side by side."""
        keys, *halves = self.columns
        values: Iterable[int] = halves[0]
        if len(halves) > 1:
            values = map(add, values, map(lshift, halves[1], repeat(FIELD * _HALF)))
        return dict(zip(keys, values, strict=True))


@attrs.frozen(eq=False)
class Weights:
    """``words`` by number, the class of each; ``layers`` and ``scout``: a table for each kind of n-gram.

    ``told``: what else the file says: biases, the trees that weigh the evidence, thresholds.
    """

    words: tuple[str, ...]
    classes: tuple[int, ...]
    layers: Mapping[str, Table] = attrs.field(repr=False)
    scout: Mapping[str, Table] = attrs.field(repr=False)
    told: Mapping[str, Any] = attrs.field(repr=False)


def released(name: str, digest: str) -> bytes:
    """A file of this package. Raises PluginError where it is not the one that was released."""
    content = resources.files(__package__).joinpath(name).read_bytes()
    if sha256(content).hexdigest() != digest:
        raise PluginError(
            f"lockllm_twisted/detection/{name} is damaged or was changed: its SHA-256 is not the one of this release. "
            "Install lockllm-twisted again."
        )
    return content


def packed(told: Mapping[str, Any], parts: Iterable[array[Any]]) -> bytes:
    """What a file says, and numbers: the first bytes of all numbers of a part, then the second ones, and so on, each as short as it gets."""
    every = [json.dumps(told, separators=(",", ":")).encode()]
    for part in parts:
        if sys.byteorder == "big":
            part.byteswap()
        content = part.tobytes()
        every += [content[at :: part.itemsize] for at in range(part.itemsize)]
    found = map(_shortest, every)
    return b"".join(len(each).to_bytes(_LENGTH, "little") + each for each in found)


def _shortest(content: bytes) -> bytes:
    """Compressed: what is alike but never the same is shortest without a search for what repeats."""
    letters = zlib.compressobj(9, strategy=zlib.Z_HUFFMAN_ONLY)
    return min(zlib.compress(content, 9), letters.compress(content) + letters.flush(), key=len)


def unpacked(content: bytes) -> tuple[dict[str, Any], Callable[[str, int], array[Any]]]:
    """What `packed` packed: what the file says, and what gives the next so many numbers of a kind (``array``'s code)."""
    data = memoryview(content)
    at = 0

    def column() -> bytes:
        nonlocal at
        start = at + _LENGTH
        at = start + int.from_bytes(data[at:start], "little")
        return zlib.decompress(data[start:at])

    told = json.loads(column())

    def numbers(kind: str, count: int) -> array[Any]:
        found: array[Any] = array(kind)
        both = bytearray(count * found.itemsize)
        for place in range(found.itemsize):
            both[place :: found.itemsize] = column()
        found.frombytes(both)
        if sys.byteorder == "big":
            found.byteswap()
        return found

    return told, numbers


def load() -> Weights:
    """The weights of this release. Raises PluginError where the file is not the one that was released."""
    return parse(released(NAME, DIGEST))


def parse(content: bytes) -> Weights:
    """The weights in a file's bytes."""
    told, numbers = unpacked(content.removeprefix(_MAGIC))
    words = bytes(numbers("B", told["bytes"])).decode().split("\n")
    classes = tuple(numbers("H", len(words)))

    def side_by_side(count: int) -> array[int]:
        rows = zip(*(numbers("b", count) for _ in range(_HALF)), strict=True)
        return array("q", [first + (second << FIELD) + (third << 2 * FIELD) for first, second, third in rows])

    tables = [
        {
            layer: Table((array("Q", accumulate(numbers("Q", count))), *(side_by_side(count) for _ in range(halves))))
            for layer, count in told[part].items()
        }
        for part, halves in (("layers", 2), ("scout", 1))
    ]
    return Weights(tuple(words), classes, tables[0], tables[1], told)


def dump(
    words: Sequence[str],
    classes: Sequence[int],
    layers: Mapping[str, Mapping[int, Sequence[int]]],
    scout: Mapping[str, Mapping[int, Sequence[int]]],
    told: Mapping[str, Any],
) -> bytes:
    """The bytes of a file; the rows of ``layers`` have a weight for each head, those of ``scout`` for each of the scout's, from -128 to 127."""
    spelled = "\n".join(words).encode()
    parts = [array("B", spelled), array("H", classes)]
    for table, halves in ((layers, 2), (scout, 1)):
        for rows in table.values():
            keys = sorted(rows)
            parts.append(array("Q", [key - before for key, before in zip(keys, [0, *keys], strict=False)]))
            parts += [array("b", [rows[key][head] for key in keys]) for head in range(halves * _HALF)]
    head = {
        **told,
        "bytes": len(spelled),
        "layers": {layer: len(rows) for layer, rows in layers.items()},
        "scout": {layer: len(rows) for layer, rows in scout.items()},
    }
    return _MAGIC + packed(head, parts)
