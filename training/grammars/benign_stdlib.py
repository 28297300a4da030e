"""The interpreter's own standard library as benign text: code and docstrings that agents read all day.

Responsible for: chunks of the installed sources, Python Software Foundation licence, taken while training, never stored.
Must never: reach outside the standard library. The same interpreter and seed give the same texts.
"""

from __future__ import annotations

import inspect
import re
import sysconfig
from functools import cache
from pathlib import Path
from random import Random

from training.grammars.benign_draw import Draft

_SKIPPED = frozenset({"site-packages", "dist-packages", "test", "tests", "__pycache__", "lib2to3", "idlelib"})
_DOCSTRING = re.compile(r'"""(.{80,}?)"""', re.DOTALL)
_ASKS = (
    "Explain this code.", "What does this do?", "Add type hints.", "Find the bug.", "Write tests for this.", "",
    "Refactor this.", "Document this function.", "Port this to Rust.", "Is this thread-safe?", "Summarise this text.",
)  # fmt: skip


@cache
def _sources() -> tuple[Path, ...]:
    root = Path(sysconfig.get_path("stdlib"))
    found = (path for path in sorted(root.rglob("*.py")) if not _SKIPPED.intersection(path.relative_to(root).parts))
    return tuple(path for path in found if 2000 < path.stat().st_size < 300_000)


@cache
def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace")


def _chunk(rng: Random, lines: list[str]) -> list[str]:
    size = rng.choice((8, 15, 30, 60, 120, 300))
    start = rng.randrange(max(1, len(lines) - size))
    return lines[start : start + size]


def sample(rng: Random) -> Draft:
    """One chunk of a module as a tool returns it or a user pastes it, or a docstring."""
    path = rng.choice(_sources())
    docs = _DOCSTRING.findall(_text(path)) if rng.random() < 0.3 else []
    if docs:
        text = inspect.cleandoc(rng.choice(docs))[:8000]
    else:
        lines = _chunk(rng, _text(path).splitlines())
        if rng.random() < 0.25:
            lines = [f"{number:6}\t{line}" for number, line in enumerate(lines, 1)]
        text = "\n".join(lines)
    if rng.random() < 0.4:
        return Draft(f"{rng.choice(_ASKS)}\n\n{text}".strip(), "user", "en", "stdlib")
    return Draft(text, "tool", "en", "stdlib")
