from array import array
from collections.abc import Sequence
from typing import Self

from lockllm_twisted.detection.counting import Glance, Spoken
from lockllm_twisted.detection.starts import Start
from lockllm_twisted.detection.weighing import Weighing

NEEDS: int
RULES: int

def rows(text: str, least: int, /) -> list[tuple[int, int]]: ...
def tokens(text: str, /) -> list[str]: ...

class Sums:
    def __new__(
        cls,
        *,
        classes: array[int],
        layers: list[tuple[array[int], ...]],
        scout: list[tuple[array[int], ...]],
        sentence: Sequence[float],
        window: Sequence[float],
        share: Sequence[float],
        faint: Sequence[float],
        least: Sequence[float],
        limits: Sequence[int],
        words: dict[str, tuple[int, int, int]],
        shapes: Sequence[int],
        quote: int,
        line: int,
        usual: int,
        starts: Starts,
        forests: tuple[Weighing, ...],
        untold: list[float],
        quiet: list[float],
    ) -> Self: ...
    def look(self, ids: list[int], brought: bool, everything: bool, /) -> list[Spoken]: ...
    def weight(self, layer: int, key: int, head: int, /) -> float: ...
    def glance(self, text: str, brought: bool, own: bool, alone: bool, /) -> Glance: ...

class Starts:
    def __new__(cls, *, words: dict[str, tuple[int, int, int]], meets: array[int], rules: array[int]) -> Self: ...
    def of(self, text: str, /) -> list[Start]: ...

class Forest:
    def __new__(cls, trees: list[list[list[float]]], heads: Sequence[int], slope: float, /) -> Self: ...
    def weigh(self, row: tuple[float, ...], /) -> float: ...
