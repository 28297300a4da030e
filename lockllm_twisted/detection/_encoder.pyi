from array import array
from typing import Self

class Network:
    def __new__(
        cls,
        *,
        heads: int,
        pieces: tuple[array[int], array[float], array[float]],
        places: array[float],
        first: tuple[array[float], array[float]],
        layers: list[tuple[tuple[array[int], array[float], array[float]] | tuple[array[float], array[float]], ...]],
        labels: tuple[array[int], array[float], array[float]],
        curve: array[float],
        fall: array[int],
        plain: bool,
    ) -> Self: ...
    def say(self, pieces: list[int], spans: list[tuple[int, int]], /) -> list[tuple[float, ...]]: ...
