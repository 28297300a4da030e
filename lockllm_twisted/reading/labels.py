"""A dialect's labels as a tree that a walk goes down with the document.

Responsible for: the longest matching place wins; a place stands in the conversation where its outermost label stands.
Must never: trust a dialect's code: it is a plugin's, and one that fails labels nothing.
"""

from __future__ import annotations

from typing import Any

from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading.seams import UNLABELLED
from lockllm_twisted.values import Origin

_NONE: dict[Any, Place] = {}


class Place:
    """Who speaks at a place. ``below``: the places under it that have labels; ``rest``: for all the others."""

    __slots__ = ("below", "origin", "rank", "rest")

    def __init__(self, origin: Origin = Origin.UNKNOWN, rank: int = UNLABELLED) -> None:
        self.origin = origin
        self.rank = rank
        self.below = _NONE
        self.rest = self


def places(dialect: Dialect | None, document: Any) -> Place:
    """The root of the document, with the labels below it."""
    if dialect is not None:
        root = Place()
        try:
            for rank, (path, origin) in enumerate(dialect(document)):
                place = root
                for step in path:
                    below = place.below.get(step)
                    if below is None:
                        if place.below is _NONE:
                            place.below = {}
                        below = place.below[step] = Place()
                    place = below
                place.origin, place.rank = origin, rank
        except Exception:  # noqa: BLE001 - the plugin boundary: what it did not label is scanned as unknown
            return NOBODY
        return _inherited(root)
    return NOBODY


def _inherited(root: Place) -> Place:
    open_places = [root]
    while open_places:
        place = open_places.pop()
        if place.below:
            place.rest = Place(place.origin, place.rank)
        for below in place.below.values():
            if below.rank == UNLABELLED:
                below.origin = place.origin
            if place.rank != UNLABELLED:
                below.rank = place.rank
            open_places.append(below)
    return root


NOBODY = Place()
"""Unlabelled text."""
