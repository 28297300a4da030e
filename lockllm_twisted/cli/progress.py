"""A bar that tells how far a long command has come.

Responsible for: one line on standard error, drawn over and over, and gone at the end.
Must never: write a byte where standard error is no terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_WIDTH = 30
_EVERY = 0.1
"""Seconds between two drawings."""

_CLEAR = "\r\x1b[K"


class Bar:
    """``tick`` counts one of ``total`` done."""

    def __init__(self, total: int, out: TextIO) -> None:
        self._total = total
        self._out = out
        self._done = 0
        self._started = self._drawn = time.monotonic()

    def tick(self) -> None:
        """One more is done."""
        now = time.monotonic()
        if self._done == 0:  # what was loaded before says nothing of the time that is left
            self._started = now
        self._done += 1
        if now - self._drawn >= _EVERY:
            self._drawn = now
            self._out.write(_CLEAR + self.line(now - self._started))
            self._out.flush()

    def line(self, seconds: float) -> str:
        """How it looks after so many seconds."""
        share = self._done / self._total
        left = round(seconds / share * (1 - share))
        full = round(share * _WIDTH)
        return (
            f"[{'#' * full}{'.' * (_WIDTH - full)}] {self._done:,} of {self._total:,}, {left // 60}:{left % 60:02} left"
        )

    def clear(self) -> None:
        """Take the line away."""
        self._out.write(_CLEAR)
        self._out.flush()


class Silence:
    """What stands for a bar where nobody looks."""

    def tick(self) -> None:
        """Nothing is drawn."""


@contextmanager
def progress(total: int) -> Iterator[Bar | Silence]:
    """A bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield Silence()
        return
    bar = Bar(total, sys.stderr)
    try:
        yield bar
    finally:
        bar.clear()


@contextmanager
def under_way(what: str) -> Iterator[None]:
    """A word on what goes on, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    sys.stderr.write(f"{_CLEAR}{what} ...")
    sys.stderr.flush()
    try:
        yield
    finally:
        sys.stderr.write(_CLEAR)
        sys.stderr.flush()
