"""What the commands share.

Responsible for: the settings and the store that the options name, and how lines look.
Must never: let a control character out of a request or a file reach a terminal.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs

from lockllm_twisted.settings import Settings
from lockllm_twisted.store import Store, state_directory


@attrs.frozen
class Command:
    """One command: ``run`` returns the exit code."""

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    options: Callable[[argparse.ArgumentParser], None]


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that ``--config`` names, or the defaults."""
    file = getattr(options, "config", None)
    return Settings() if file is None else Settings.from_toml(file)


def store_of(options: argparse.Namespace, settings: Settings) -> Store:
    """The store in ``--state``, or where the settings say."""
    chosen = getattr(options, "state", None)
    return Store.open(state_directory(settings.state if chosen is None else Path(chosen)))


def json_option(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """An argument's type: a number between two others."""

    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"write a number from {low} to {high}")
        return value

    return number


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def complain(message: str) -> None:
    """Print a line for the operator, out of the way of what a program may read."""
    sys.stderr.write(f"lockllm: {message}\n")


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows with aligned columns; the first one is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(visible(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def visible(text: str) -> str:
    """The text without what could paint a terminal or turn its direction."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def moment(seconds: float | None) -> str:
    """A time, to the second, in UTC."""
    return "-" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
