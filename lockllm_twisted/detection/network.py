"""The encoder's network: what its pieces come to together, as a transformer adds it up.

Responsible for: `Matrix`, `Norm`, `Layer`, `Sizes`; `Network`, in Python; `network_of`, which gives the compiled twin of it, in
``_encoder.c``, where that was built.
Must never: say with one what the other does not, on any machine.

All long sums are sums of whole numbers, so that the order of adding them up, which compilers and machines choose, changes nothing: weights are
whole numbers as they are stored, and each row of states is rounded before it is multiplied: to 255 steps with these, to 4,095 with another row. In Python, sums of a row's products
are taken for all rows of a matrix at once, side by side in one long integer.

Source: Vaswani et al., Attention Is All You Need (2017); Devlin et al., BERT (2019), whose layer this is.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from math import erf, exp, inf, sqrt
from operator import add, mul
from typing import Protocol

import attrs

try:
    from lockllm_twisted.detection import _encoder
except ImportError:  # there was no compiler
    _encoder = None  # type: ignore[assignment]

_STEPS, _FEW = 2047, 127
"""The largest whole number of a row that is multiplied with another one, and with weights."""
_FIXED = 4096
_CURVE_STEP, _CURVE_END = 256, 8
_FALL_STEP, _FALL = 128, 2048

_CURVE = array(
    "d",
    (
        number / _CURVE_STEP * 0.5 * (1 + erf(number / _CURVE_STEP / sqrt(2)))
        for number in range(-_CURVE_END * _CURVE_STEP, _CURVE_END * _CURVE_STEP + 1)
    ),
)
"""GELU (Hendrycks and Gimpel, 2016), in steps."""

_SHARES = array("h", (round(exp(-number / _FALL_STEP) * 4096) for number in range(_FALL)))
"""What a token takes from another, by how much less that says to it than the one which says most."""

_FIELD = 32
_HALF = 1 << (_FIELD - 1)

Span = tuple[int, int]
"""The first of some pieces, and the one behind their last."""

Rows = list[list[float]]
Whole = list[list[int]]


@attrs.frozen(eq=False)
class Matrix:
    """Rows of small whole numbers, one after the other; what one of them is worth in each row; what is added to what it comes to."""

    weights: array[int] = attrs.field(repr=False)
    worth: array[float] = attrs.field(repr=False)
    added: array[float] = attrs.field(repr=False)

    @property
    def parts(self) -> tuple[array[int], array[float], array[float]]:
        """What the compiled twin is made from."""
        return self.weights, self.worth, self.added

    @property
    def inputs(self) -> int:
        """How many numbers a row has."""
        return len(self.weights) // len(self.worth)

    @property
    def columns(self) -> Whole:
        """The numbers that each input is multiplied with."""
        return [list(self.weights[number :: self.inputs]) for number in range(self.inputs)]

    @property
    def flat(self) -> array[float]:
        """What the rows are worth, one after the other."""
        size = self.inputs
        return array("d", (number * self.worth[at // size] for at, number in enumerate(self.weights)))


@attrs.frozen(eq=False)
class Norm:
    """What normalised states are multiplied by, and what is added to them."""

    by: array[float] = attrs.field(repr=False)
    added: array[float] = attrs.field(repr=False)

    @property
    def parts(self) -> tuple[array[float], array[float]]:
        """What the compiled twin is made from."""
        return self.by, self.added


@attrs.frozen(eq=False)
class Layer:
    """Attention, and behind it a wider layer; each with its norm."""

    query: Matrix
    key: Matrix
    value: Matrix
    mixed: Matrix
    wider: Matrix
    narrower: Matrix
    attended: Norm
    done: Norm


@attrs.frozen(eq=False)
class Weights:
    """A network: ``pieces`` has a row for each piece, a state; ``places`` are added, flat."""

    heads: int
    pieces: Matrix
    places: array[float] = attrs.field(repr=False)
    first: Norm
    layers: Sequence[Layer]
    labels: Matrix


class Saying(Protocol):
    """What says something of pieces."""

    def say(self, pieces: list[int], spans: list[Span], /) -> list[tuple[float, ...]]:
        """The logit of each label, for each span of pieces that were read together.

        Raises ValueError for no pieces, more than the network has places, a number that it doesn't know, and a span that is empty or not theirs.
        """


def _side_by_side(row: Sequence[int]) -> int:
    """Numbers as fields of one."""
    fields = array("I", [number + _HALF for number in row])
    if sys.byteorder == "big":
        fields.byteswap()
    return int.from_bytes(fields.tobytes(), "little") - _halves(len(row))


def _halves(count: int) -> int:
    return _HALF * (((1 << _FIELD * count) - 1) // ((1 << _FIELD) - 1))


def _apart(total: int, count: int) -> list[int]:
    """The fields of a number."""
    fields = array("I", (total + _halves(count)).to_bytes(4 * count, "little"))
    if sys.byteorder == "big":
        fields.byteswap()
    return [number - _HALF for number in fields]


def _in_steps(row: Sequence[float], steps: int) -> tuple[list[int], float]:
    """A row as whole numbers, and what one of them is worth."""
    most = max(map(abs, row))
    by = steps / most if most > 0 else 0.0
    return [round(number * by) for number in row], most / steps


class _Multiplied:
    """A matrix, its columns side by side."""

    def __init__(self, matrix: Matrix) -> None:
        self._worth, self._added = matrix.worth, matrix.added
        self._columns = [_side_by_side(column) for column in matrix.columns]

    def of(self, row: Sequence[int], worth: float) -> list[float]:
        sums = _apart(sum(map(mul, row, self._columns)), len(self._worth))
        return [
            total * (worth * each) + added for total, each, added in zip(sums, self._worth, self._added, strict=True)
        ]

    def each(self, rows: Rows) -> Rows:
        return [self.of(*_in_steps(row, _FEW)) for row in rows]


def _normed(norm: Norm, row: Sequence[float]) -> list[float]:
    fixed = [round(number * _FIXED) for number in row]
    size, total = len(fixed), sum(fixed)
    spread = float(sum(map(mul, fixed, fixed)) * size - total * total)
    by = 1 / sqrt(spread) if spread > 0 else 0.0
    return [
        float(number * size - total) * by * each + added
        for number, each, added in zip(fixed, norm.by, norm.added, strict=True)
    ]


def _curved(number: float) -> float:
    if number >= _CURVE_END:
        return number
    return _CURVE[round(number * _CURVE_STEP) + len(_CURVE) // 2] if number > -_CURVE_END else 0.0


class _Layered:
    def __init__(self, layer: Layer, heads: int) -> None:
        self._heads = heads
        self._query, self._key, self._value, self._mixed, self._wider, self._narrower = map(
            _Multiplied, (layer.query, layer.key, layer.value, layer.mixed, layer.wider, layer.narrower)
        )
        self._attended, self._done = layer.attended, layer.done

    def of(self, states: Rows) -> Rows:
        states = self._sum(states, self._mixed.each(self._attend(states)), self._attended)
        wide = [list(map(_curved, row)) for row in self._wider.each(states)]
        return self._sum(states, self._narrower.each(wide), self._done)

    def _sum(self, states: Rows, made: Rows, norm: Norm) -> Rows:
        return [_normed(norm, list(map(add, *both))) for both in zip(states, made, strict=True)]

    def _attend(self, states: Rows) -> Rows:
        width = len(states[0])
        size = width // self._heads
        value = self._value.each(states)
        flat, value_worth = _in_steps([number for row in value for number in row], _STEPS)
        queries = [_in_steps(row, _STEPS) for row in self._query.each(states)]
        keys = [_in_steps(row, _STEPS) for row in self._key.each(states)]
        found: Rows = [[] for _ in states]
        for start in range(0, width, size):
            values = [_side_by_side(flat[at + start : at + start + size]) for at in range(0, len(flat), width)]
            of_keys = [_side_by_side([row[at] for row, _ in keys]) for at in range(start, start + size)]
            for (query, worth), to in zip(queries, found, strict=True):
                sums = _apart(sum(map(mul, query[start : start + size], of_keys)), len(keys))
                shares = self._shares(
                    [total * (worth * each) for total, (_, each) in zip(sums, keys, strict=True)], size
                )
                taken = _apart(sum(map(mul, shares, values)), size)
                by = value_worth / sum(shares)
                to += [number * by for number in taken]
        return found

    def _shares(self, said: list[float], size: int) -> list[int]:
        scale = 1 / sqrt(float(size))
        said = [number * scale for number in said]
        most = max(said, default=-inf)
        steps = [round((most - number) * _FALL_STEP) for number in said]
        return [_SHARES[step] if step < _FALL else 0 for step in steps]


class Network:
    """`Saying` in Python: some tenths of a second for a hundred pieces."""

    def __init__(self, weights: Weights) -> None:
        self._pieces, self._labels = weights.pieces, _Multiplied(weights.labels)
        self._width = weights.pieces.inputs
        self._places, self._first = weights.places, weights.first
        self._layers = [_Layered(layer, weights.heads) for layer in weights.layers]

    def say(self, pieces: list[int], spans: list[Span], /) -> list[tuple[float, ...]]:
        """As `Saying.say`."""
        if not 0 < len(pieces) <= len(self._places) // self._width:
            raise ValueError("one piece at least, and no more than the network has places")
        if not all(0 <= first < end <= len(pieces) for first, end in spans):
            raise ValueError("a span without pieces, or of others")
        states = [self._start(*one) for one in enumerate(pieces)]
        for layer in self._layers:
            states = layer.of(states)
        return [self._labelled(states[first:end]) for first, end in spans]

    def _labelled(self, states: Rows) -> tuple[float, ...]:
        total = [0.0] * self._width
        for row in states:
            total = list(map(add, total, row))
        return tuple(self._labels.of(*_in_steps([number / len(states) for number in total], _FEW)))

    def _start(self, place: int, piece: int) -> list[float]:
        if not 0 <= piece < len(self._pieces.worth):
            raise ValueError("a number that the network does not know")
        width, worth = self._width, self._pieces.worth[piece]
        row = self._pieces.weights[piece * width : (piece + 1) * width]
        there = self._places[place * width : (place + 1) * width]
        return _normed(self._first, [number * worth + added for number, added in zip(row, there, strict=True)])


def network_of(weights: Weights, *, plain: bool = False) -> Saying:
    """What says something with some weights: compiled where it was built, else in Python.

    ``plain``: without the instructions that only some processors have.
    """
    if _encoder is None:
        return Network(weights)
    return _encoder.Network(
        heads=weights.heads,
        pieces=weights.pieces.parts,
        places=weights.places,
        first=weights.first.parts,
        layers=[tuple(part.parts for part in attrs.astuple(layer, recurse=False)) for layer in weights.layers],
        labels=weights.labels.parts,
        curve=_CURVE,
        fall=_SHARES,
        plain=plain,
    )
