"""What a rule is, and how its pattern is written.

Responsible for: `Rule`, `rule` (a pattern in a small language -> a linear regex).
Must never: hold a pattern with an unbounded gap or a nested quantifier; a rule spans less than `view.OVERLAP`.

The language: a space is one to four characters that are no letter or digit; ``<name>`` is a list of ``words``, and
``<name!>`` one that every match needs, which the prefilter relies on; ``<any5>`` is up to five words; the rest is a
regular expression over normalised text. A match starts and ends at the border of a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

import attrs

from lockllm_twisted.detection.fold import fold
from lockllm_twisted.detection.heads import first_words
from lockllm_twisted.detection.words import LISTS, one_of
from lockllm_twisted.values import Category

_GAP = r"[\W_]{1,4}"
_GAPS = {" ": _GAP, " ?": r"[\W_]{0,4}"}
_SPACE = re.compile(r"\\.|\(\?<[=!](?:\[(?:\\.|[^\]\\])*\]|\\.|[^)])*\)|\[(?:\\.|[^\]\\])*\]| \??")
"""A space to replace, or a part of a pattern in which a space means itself: a look-behind, a set."""

_WORDS_BETWEEN = r"(?:[a-z0-9]{1,16}+(?>(?:[^\\w\\n]|_){1,3}|[,;.]?\\n)){0,\1}"
_NOT_INSIDE_WORD = "(?:(?![a-z0-9])|(?<![a-z0-9]))"
_LIST = re.compile(r"<([a-z_]+)(!?)>")
_ANY = re.compile(r"<any(\d+)>")
_WORD = re.compile(r"[a-z0-9]+")

PRECISE_SCORE = 0.85
"""From here on one plain match of a rule is enough by itself."""


@attrs.frozen(eq=False)
class Rule:
    """A named pattern.

    Every match holds a word of each set in ``needs`` and starts with one of ``heads``, if these are known, or is in
    ``script``. The pattern is compiled when it is first needed: all of them would take half a second of the start.
    """

    name: str
    category: Category
    score: float
    written: str = attrs.field(repr=False)
    needs: tuple[frozenset[str], ...] = ()
    heads: frozenset[str] | None = None
    script: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern."""
        return re.compile(self.written)

    @property
    def precise(self) -> bool:
        """One plain match is enough."""
        return self.score >= PRECISE_SCORE

    @property
    def family(self) -> str:
        """The first part of the name: rules of different families bear each other out."""
        return self.name.partition(".")[0]


def rule(
    name: str, category: Category, score: float, pattern: str, *, needs: str = "", script: str | None = None
) -> Rule:
    """A rule from a pattern in the language above. ``needs``: further sets, apart by spaces, a set's words by ``|``."""
    required = [frozenset(word_set.split("|")) for word_set in needs.split()]
    required += [_rarest(LISTS[listed]) for listed, sign in _LIST.findall(pattern) if sign]
    if not required and script is None:
        raise ValueError(f"{name}: nothing tells where this rule can match")
    heads = first_words(pattern, LISTS) if script is None else None
    if heads is not None:
        required.append(heads)
    pattern = _ANY.sub(_WORDS_BETWEEN, pattern)
    pattern = _LIST.sub(lambda listed: f"(?:{one_of(LISTS[listed[1]])})", pattern)
    pattern = _SPACE.sub(lambda part: _GAPS.get(part[0], part[0]), pattern)
    if script is None:
        pattern = f"(?:{pattern}){_NOT_INSIDE_WORD}"
    return Rule(name, category, score, fold(pattern)[0], tuple(required), heads, script)


def _rarest(phrases: Iterable[str]) -> frozenset[str]:
    return frozenset(max(_WORD.findall(phrase), key=len) for phrase in phrases)
