"""A dialect's labels as a tree that a walk goes down with the document.

Responsible for: the longest matching place wins; a place stands in the conversation where its outermost label stands.
Must never: trust a dialect's code: it is a plugin's, and one that fails labels nothing.
"""

from __future__ import annotations

from typing import Any

from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading.seams import UNLABELLED
from lockllm_twisted.values import Origin

UNKNOWN = Origin.UNKNOWN
_NONE: dict[Any, Place] = {}


class Place:
    """Who speaks at a place. ``below``: the places under it that have labels; ``others``: for all the rest, where it has any."""

    __slots__ = ("below", "origin", "others", "own", "rank")

    def __init__(self, origin: Origin, rank: int) -> None:
        self.origin = origin
        self.rank = rank
        self.own: tuple[Origin, int] | None = None
        self.below = _NONE
        self.others: Place | None = None  # never itself: that would be left to the garbage collector

    @property
    def rest(self) -> Place:
        """For what stands under it and has no label: itself, where nothing there has one."""
        return self.others or self


def places(dialect: Dialect | None, document: Any) -> Place:
    """The root of the document, with the labels below it."""
    if dialect is None:
        return NOBODY
    root = Place(UNKNOWN, UNLABELLED)
    late = False
    try:
        for rank, (path, origin) in enumerate(dialect(document)):
            place = root
            for step in path:
                below = place.below.get(step)
                if below is None:
                    if place.below is _NONE:
                        place.below, place.others = {}, _unlabelled(place)
                    below = place.below[step] = Place(place.origin, place.rank)
                place = below
            place.own = (origin, rank)
            place.origin = origin
            if place.rank == UNLABELLED:
                place.rank = rank
            late = late or place.below is not _NONE
    except Exception:  # noqa: BLE001 - the plugin boundary: what it did not label is scanned as unknown
        return NOBODY
    if late:
        _inherit(root)
    return root


def _inherit(root: Place) -> None:
    """Hand labels down that came after those below them."""
    open_places = [root]
    while open_places:
        place = open_places.pop()
        place.others = _unlabelled(place) if place.below else None
        for below in place.below.values():
            origin, rank = below.own or (place.origin, UNLABELLED)
            below.origin = origin
            below.rank = rank if place.rank == UNLABELLED else place.rank
            open_places.append(below)


def _unlabelled(place: Place) -> Place:
    """What stands under a place and has no label of its own."""
    return NOBODY if place.rank == UNLABELLED else Place(place.origin, place.rank)


NOBODY = Place(UNKNOWN, UNLABELLED)
"""Unlabelled text."""
