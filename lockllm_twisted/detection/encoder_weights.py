"""The file of the encoder: read without pickle, checked against the digest that stands in ``digest``.

Responsible for: `Encoding`, `load`, and `dump`, which training writes the file with.
Must never: accept a file whose digest is another.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from operator import lshift
from typing import Any

import attrs

from lockllm_twisted.detection.digest import ENCODER_DIGEST
from lockllm_twisted.detection.network import Layer, Matrix, Norm, Weights
from lockllm_twisted.detection.weights import packed, released, unpacked

NAME = "encoder.bin"

_MAGIC = b"lockllm-twisted encoder 3\n"

LEVELS = 7
"""The largest whole number that a weight of the pieces or of a layer is stored as: two of them in a byte."""
_SIZE = 2 * LEVELS + 1
_FIRST, _SECOND = (
    bytes((part - LEVELS) % 256 for part in parts)
    for parts in ([byte // _SIZE for byte in range(256)], [byte % _SIZE for byte in range(256)])
)

_DROPPED = 16
"""Bits of a number that are not stored."""

_MATRICES = ("pieces", "places", "labels")
_FINE = ("places", "labels")
"""Those whose numbers have a byte each."""
_LAYER_MATRICES = ("query", "key", "value", "mixed", "wider", "narrower")
_NORMS = ("first",)
_LAYER_NORMS = ("attended", "done")

Rounded = tuple[Sequence[Sequence[int]], Sequence[float], Sequence[float]]
"""A matrix: rows of whole numbers, from -`LEVELS` to `LEVELS`, of places and labels from -127 to 127; what one is worth in each row, and what is added to what it comes to."""


@attrs.frozen(eq=False)
class Encoding:
    """``pieces``: the vocabulary, by number; ``told``: what else the file says."""

    pieces: tuple[str, ...]
    network: Weights
    told: Mapping[str, Any] = attrs.field(repr=False)


def load() -> Encoding:
    """The encoder of this release. Raises PluginError where the file is not the one that was released."""
    return parse(released(NAME, ENCODER_DIGEST))


def _names(layers: int) -> tuple[list[str], list[str]]:
    """Of the matrices, and of the norms."""
    numbers = range(layers)
    return (
        [*_MATRICES, *(f"{number}.{name}" for number in numbers for name in _LAYER_MATRICES)],
        [*_NORMS, *(f"{number}.{name}" for number in numbers for name in _LAYER_NORMS)],
    )


def parse(content: bytes) -> Encoding:
    """The encoder in a file's bytes."""
    told, numbers = unpacked(content.removeprefix(_MAGIC))
    pieces = bytes(numbers("B", told["bytes"])).decode().split("\n")
    matrices, norms = _names(told["layers"])

    def wide(count: int) -> array[float]:
        return _widened(numbers("H", count))

    def whole(name: str, count: int) -> array[int]:
        return numbers("b", count) if name in _FINE else _apart(numbers("B", count // 2))

    matrix = {
        name: Matrix(whole(name, rows * columns), wide(rows), wide(rows))
        for name, (rows, columns) in zip(matrices, told["shapes"], strict=True)
    }
    width = matrix["pieces"].inputs
    norm = {name: Norm(wide(width), wide(width)) for name in norms}

    def layer(number: int) -> Layer:
        query, key, value, mixed, wider, narrower = (matrix[f"{number}.{name}"] for name in _LAYER_MATRICES)
        attended, done = (norm[f"{number}.{name}"] for name in _LAYER_NORMS)
        return Layer(query, key, value, mixed, wider, narrower, attended, done)

    network = Weights(
        heads=told["heads"],
        pieces=matrix["pieces"],
        places=matrix["places"].flat,
        first=norm["first"],
        layers=[*map(layer, range(told["layers"]))],
        labels=matrix["labels"],
    )
    return Encoding(tuple(pieces), network, told)


def _together(numbers: array[int]) -> array[int]:
    """Small numbers, two in a byte."""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return array("B", ((one + LEVELS) * _SIZE + other + LEVELS for one, other in pairs))


def _apart(pairs: array[int]) -> array[int]:
    """The same, one by one."""
    both = bytearray(2 * len(pairs))
    both[::2], both[1::2] = (pairs.tobytes().translate(part) for part in (_FIRST, _SECOND))
    return array("b", bytes(both))


def _halved(numbers: Sequence[float]) -> array[int]:
    """Numbers of 32 bits as the first sixteen of these, rounded."""
    return array("H", (each + (1 << _DROPPED - 1) >> _DROPPED for each in array("I", array("f", numbers).tobytes())))


def _widened(numbers: array[int]) -> array[float]:
    return array("d", array("f", array("I", map(lshift, numbers, repeat(_DROPPED))).tobytes()))


def dump(
    pieces: Sequence[str],
    matrix: Mapping[str, Rounded],
    norm: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    told: Mapping[str, Any],
) -> bytes:
    """The bytes of a file. ``told``: the numbers of ``heads`` and ``layers``, and what else it is to say."""
    spelled = "\n".join(pieces).encode()
    matrices, norms = _names(told["layers"])
    parts: list[array[Any]] = [array("B", spelled)]
    for name in matrices:
        rows, *others = matrix[name]
        flat = array("b", chain.from_iterable(rows))
        parts += [flat if name in _FINE else _together(flat), *map(_halved, others)]
    parts += [_halved(each) for name in norms for each in norm[name]]
    shapes = [(len(matrix[name][0]), len(matrix[name][0][0])) for name in matrices]
    head = {**told, "bytes": len(spelled), "shapes": shapes}
    return _MAGIC + packed(head, parts)
