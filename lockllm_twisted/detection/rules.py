"""What a rule is, how its pattern is written, and which rules can match in a window at all.

Responsible for: `Rule`, `rule` (a pattern in a small language -> a linear regex), `Rules` (the prefilter and the search).
Must never: hold a pattern with an unbounded gap or a nested quantifier; a rule spans less than `view.OVERLAP`.

The language: a space is one to four characters that are no letter or digit; ``<name>`` is a list of ``words``, and
``<name!>`` one that every match needs, which the prefilter relies on; ``<any5>`` is up to five words; the rest is a
regular expression over normalised text. A match starts and ends at the border of a word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import sha256

import attrs

from lockllm_twisted.detection.fold import fold
from lockllm_twisted.detection.heads import first_words
from lockllm_twisted.detection.steps import matches
from lockllm_twisted.detection.view import View, Window
from lockllm_twisted.detection.words import LISTS, one_of
from lockllm_twisted.values import Category

_GAP = r"[\W_]{1,4}"
_GAPS = {" ": _GAP, " ?": r"[\W_]{0,4}"}
_SPACE = re.compile(r"\\.|\(\?<[=!](?:\[(?:\\.|[^\]\\])*\]|\\.|[^)])*\)|\[(?:\\.|[^\]\\])*\]| \??")
"""A space to replace, or a part of a pattern in which a space means itself: a look-behind, a set."""

_LATIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_WORDS_BETWEEN = r"(?:[a-z0-9]{1,16}+(?>(?:[^\\w\\n]|_){1,3}|[,;.]?\\n)){0,\1}"
_NOT_INSIDE_WORD = "(?:(?![a-z0-9])|(?<![a-z0-9]))"
_LIST = re.compile(r"<([a-z_]+)(!?)>")
_ANY = re.compile(r"<any(\d+)>")
_WORD = re.compile(r"[a-z0-9]+")

PRECISE_SCORE = 0.85
"""From here on one plain match of a rule is enough by itself."""

_COMMON = frozenset(
    """a all an and any are as at be can do for from give have how i if in is it list make must no not now of on or say show
    so that the this to use was what when will with without write you your""".split()  # noqa: SIM905 # to be read
)
"""Words that tell least: a rule is looked up by those of its needs that hold fewest of them."""

SCRIPTS = {
    "cyrillic": re.compile("[\u0400-\u04ff][\u0400-\u04ff][\u0400-\u04ff]"),
    "han": re.compile("[\u4e00-\u9fff][\u4e00-\u9fff]"),
    "japanese": re.compile("[\u3040-\u30ff\u4e00-\u9fff][\u3040-\u30ff\u4e00-\u9fff]"),
    "hangul": re.compile("[\uac00-\ud7af][\uac00-\ud7af]"),
    "arabic": re.compile("[\u0600-\u06ff][\u0600-\u06ff][\u0600-\u06ff]"),
    "devanagari": re.compile("[\u0900-\u097f][\u0900-\u097f][\u0900-\u097f]"),
}
"""Where words have no borders or many endings, the script of a window takes the place of its words."""

_ANY_SCRIPT = re.compile("[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")


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


@attrs.frozen
class Match:
    """Where a rule matched in a view's text."""

    rule: Rule
    start: int
    end: int


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


class Rules:
    """A set of rules and its prefilter: the words of a window tell which rules can match in it.

    ``meets``: the needs that each word meets, a bit each; ``worded``: the rules that go by words, each with its needs; ``starts``: the
    words that a match may start with, each with those rules of which it may, a bit each.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rules)
        self.meets: dict[str, int] = defaultdict(int)
        self.worded: list[tuple[int, Rule]] = []
        self.starts: dict[str, int] = defaultdict(int)
        self._hinted: dict[str, list[tuple[int, Rule]]] = defaultdict(list)
        self._scripted: dict[str, list[Rule]] = defaultdict(list)
        known: dict[frozenset[str], int] = {}
        for each in self.rules:
            if each.script is not None:
                self._scripted[each.script].append(each)
                continue
            need = 0
            for words in each.needs:
                bit = known.setdefault(words, 1 << len(known))
                need |= bit
                for word in words:
                    self.meets[word] |= bit
            for word in each.heads or ():
                self.starts[word] |= 1 << len(self.worded)
            self.worded.append((need, each))
            for word in min(each.needs, key=lambda words: (len(words & _COMMON), len(words))):
                self._hinted[word].append((need, each))
        self._words = frozenset(self.meets)

    @property
    def version(self) -> str:
        """A digest of all that a finding depends on in the rules."""
        told = ((r.name, r.category.value, r.score, r.written, sorted(map(sorted, r.needs))) for r in self.rules)
        return sha256(repr(list(told)).encode()).hexdigest()[:12]

    def search(self, view: View) -> Iterator[Match]:
        """All matches in a view, window by window."""
        latin = view.latin
        scripts = [] if latin is view.text else _scripts(view.text)
        reached: dict[str, int] = {}
        for window in view.windows:
            rules = self._possible(window.words)
            if scripts:
                rules += self._in_script(scripts, view.text, window)
            places: dict[str, list[int]] = {}
            for each in rules:
                text = latin if each.script is None else view.text
                for match in _tries(each, text, window, places):
                    start = match.start()
                    if start < reached.get(each.name, 0) or (
                        start and text[start - 1] in _LATIN and text[start] in _LATIN
                    ):
                        continue  # seen in the window before; inside of a word (a look-behind would cost more)
                    reached[each.name] = start + 1  # not its end: what it spans may hold the one that counts
                    yield Match(each, start, match.end())

    def tried(self, view: View, starts: Iterable[tuple[int, int]]) -> Iterator[Match]:
        """All matches in a short view, where it was told at which places rules may match: (number in ``worded``, place; -1 for anywhere)."""
        text = view.lowered
        if view.text is not text:  # white space was taken out: the places have moved
            yield from self.search(view)
            return
        for number, at in starts:
            each = self.worded[number][1]
            found = each.pattern.finditer(text) if at < 0 else filter(None, (each.pattern.match(text, at),))
            for match in found:
                start = match.start()
                if not start or text[start - 1] not in _LATIN or text[start] not in _LATIN:
                    yield Match(each, start, match.end())

    def may_match(self, words: set[str]) -> bool:
        """Whether a rule that goes by words can match where these are."""
        return bool(self._possible(words))

    def _possible(self, words: set[str]) -> list[Rule]:
        found = words & self._words
        if not found:
            return []
        present = 0
        bits = self.meets
        for word in found:
            present |= bits[word]
        rules: dict[str, Rule] = {}
        for word in found:
            for need, each in self._hinted.get(word, ()):
                if need & present == need:
                    rules[each.name] = each
        return list(rules.values())

    def _in_script(self, scripts: list[str], text: str, window: Window) -> list[Rule]:
        return [
            each
            for script in scripts
            if SCRIPTS[script].search(text, window.start, window.end)
            for each in self._scripted[script]
        ]


def _scripts(text: str) -> list[str]:
    if next(matches(_ANY_SCRIPT, text), None) is None:
        return []
    return [script for script, letters in SCRIPTS.items() if next(matches(letters, text), None) is not None]


def _tries(each: Rule, text: str, window: Window, places: dict[str, list[int]]) -> Iterator[re.Match[str]]:
    """The matches of a rule in a window. ``places`` remembers where in it words are, from rule to rule."""
    if each.heads is None:
        yield from each.pattern.finditer(text, window.start, window.end)
        return
    starts: list[int] = []
    for word in each.heads & window.words:
        found = places.get(word)
        if found is None:
            found = places[word] = _find(word, text, window)
        starts += found
    starts.sort()
    for start in starts:
        match = each.pattern.match(text, start, window.end)
        if match is not None:
            yield match


def _find(word: str, text: str, window: Window) -> list[int]:
    found = []
    at = text.find(word, window.start, window.end)
    while at >= 0:
        end = at + len(word)
        if (at == 0 or text[at - 1] not in _LATIN) and text[end : end + 1] not in _LATIN:
            found.append(at)
        at = text.find(word, end, window.end)
    return found
