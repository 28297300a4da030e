"""Documents as tools return them, cut at the one place where an instruction may stand.

Responsible for: a document's two halves, and an insert in the form that the format around it holds.
Must never: decide what is inserted.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import attrs

from training.grammars.grammar import Grammar, Tables

# Private-use characters stand for a document's places until they are filled.
_HERE: Final = "\ue000"  # may stay empty
_NOTE: Final = "\ue001"  # a cell, a comment, a field: holds something in any case
PLACES: Final[Tables] = {"here": (_HERE,), "note": (_NOTE,)}


@attrs.frozen
class Cut:
    """A document without its insert; ``blank`` where the place may stay empty."""

    before: str
    after: str
    blank: bool

    def filled(self, text: str) -> str:
        """The document with ``text`` in its place: JSON escapes breaks and quotes; a comment or cell has one line."""
        if self.before.lstrip().startswith(("{", "[{")):
            text = text.replace('"', '\\"').replace("\n", "\\n")
        line = self.before.rsplit("\n", 1)[-1].lstrip()
        if line.startswith(("#", "//", "--", "*", "|", "+")) or "," in line[:20]:
            text = text.replace("\n", " ")
        return self.before + text + self.after


def cut(rng: Random, grammar: Grammar, template: str, clean: Callable[[str], str]) -> Cut:
    """A document of a template, cut at one of its places; the others hold a note of table ``note_benign`` or nothing.

    The grammar's tables must hold ``PLACES``.
    """
    document = grammar.expand(rng, template)
    chosen = rng.choice([at for at, letter in enumerate(document) if letter in (_HERE, _NOTE)])

    def fill(part: str) -> str:
        while _NOTE in part:
            part = part.replace(_NOTE, clean(grammar.draw(rng, "note_benign")), 1)
        return part.replace(_HERE, "")

    return Cut(before=fill(document[:chosen]), after=fill(document[chosen + 1 :]), blank=document[chosen] == _HERE)
