"""Disguises made of ordinary letters: shifted alphabets, reversal, leetspeak, spaced and glued letters, look-alikes.

Responsible for: undoing them. They have no alphabet of their own, so the words of an attack are looked for in disguise.
Must never: cost an ordinary text more than a set intersection per window.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from lockllm_twisted.detection.confusables import CONFUSABLE, LOOKALIKES
from lockllm_twisted.detection.decoders import Decoded, Spans
from lockllm_twisted.detection.doubts import ALPHABETS, GLUED, LEET, LOOKALIKE, SPACED
from lockllm_twisted.detection.steps import (
    Mirror,
    Pieces,
    Replace,
    Substitution,
    has,
    join,
    merged,
    substitute,
    translated,
)
from lockllm_twisted.detection.view import Stretch, View
from lockllm_twisted.detection.words import VOCABULARY, one_of


def _shifted(by: int) -> str:
    return ascii_lowercase[by:] + ascii_lowercase[:by]


_ALPHABETS = {"rot13" if by == 13 else f"caesar{26 - by}": _shifted(by) for by in range(1, 26)}  # noqa: PLR2004
_ALPHABETS["atbash"] = ascii_lowercase[::-1]
_UNDO = {
    name: str.maketrans(ascii_lowercase + ascii_uppercase, alphabet + alphabet.upper())
    for name, alphabet in _ALPHABETS.items()
}


_TELLING = 5
"""Shorter words turn up by chance: "emit" backwards is "time", another one is "date" shifted by eleven."""


def _disguises() -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = defaultdict(set)
    for word in VOCABULARY:
        short = len(word) < _TELLING
        if not short:
            found[word[::-1]].add("reversed")
        for name, alphabet in _ALPHABETS.items():
            if short and name != "rot13":
                continue
            found[word.translate(str.maketrans(alphabet, ascii_lowercase))].add(name)
    return {word: tuple(sorted(names)) for word, names in found.items() if word not in VOCABULARY}


WRITTEN_AS = _disguises()
"""The words of an attack as each cipher writes them, and the ciphers that do."""

CIPHERS = ("reversed", *_UNDO)
"""The ciphers' names."""

_DISGUISED_WORDS = frozenset(WRITTEN_AS)
USUAL = frozenset({"rot13", "reversed"})
"""One word tells these; the others take two, for by chance every text holds one of a shifted alphabet somewhere."""

_LETTERS = frozenset("bcefghjklnopqruvwxyz")
_SPACED = 5
"""Different single letters in a window that ordinary text does not have (a, i, and s, t, m, d of contractions aside)."""
_SPACED_RUN = re.compile(r"(?<!\w)\w([^\w\n])\w(?:\1\w)*(?!\w)")

_PLAIN = str.maketrans("013456789@$!|", "oieasgtbgasii")
_PLAIN_L = _PLAIN | str.maketrans("1!|", "lll")
_LEET_SIGNS = "013457@$"
_LEET_GATE = re.compile(f"[{_LEET_SIGNS}][a-z]")
_LEET_PLACES = 2
_LEET_WORD = re.compile(r"[A-Za-z!|]{0,24}[0-9@$][A-Za-z0-9@$!|]{0,24}")

_GLUED = 18
"""Letters of a word that may be several; the longest common English words have 16."""
_COVERED = 0.7
"""The share of a long word that known words must make up: identifiers of programs hold one or two."""
_GLUED_RUN = re.compile(f"[A-Za-z]{{{_GLUED},}}")
_FUNCTION_WORDS = (
    "the all any and you are were now new then this that from given with without above tell what will must have been just "
    "instead user"
)
KNOWN = VOCABULARY.union(_FUNCTION_WORDS.split())
"""The words of an attack, and those that join them."""
_SEGMENTS = re.compile(one_of(sorted(KNOWN)), re.IGNORECASE)


def _unspaced(match: re.Match[str]) -> str:
    return match[0][::2]


def _unleet(match: re.Match[str]) -> str:
    return _plain(match[0].lower())


def _plain(word: str) -> str:
    plain = word.translate(_PLAIN)
    if plain not in KNOWN and (other := word.translate(_PLAIN_L)) in KNOWN:
        return other
    return plain


def _segmented(match: re.Match[str]) -> str:
    return _SEGMENTS.sub(r" \g<0> ", match[0])


def _backwards(match: re.Match[str]) -> str:
    return match[0][::-1]


_WORDS = re.compile(r"[a-z]{4,}")
_ANY_WORD = re.compile(r"[^\W_]+")


_KINDS = {
    "reversed": "order",
    "reversed-words": "order",
    **dict.fromkeys(_UNDO, "alphabet"),
    **{name: name for name in ("leet", "spaced", "glued", "confusables")},
}
"""What taking off one disguise makes look like another of the same kind."""


def deciphered(view: View, doubts: int) -> Iterator[Decoded]:
    """One text for each disguise in doubt that something of the view wears, but for the kind just taken off."""
    if not doubts & _DISGUISES:
        return
    kind = _KINDS.get(view.via[-1]) if view.via else None
    for name, spans in _suspects(view, doubts).items():
        if kind is not None and _KINDS.get(name) == kind:
            continue
        region, pieces = _regions(view, spans)
        if name in _UNDO:
            yield (name,), translated(region, _UNDO[name]), (pieces,)
        elif name == "confusables":
            yield (name,), translated(region, LOOKALIKES), (pieces,)
        elif name == "reversed":
            yield (name,), region[::-1], (pieces, Mirror(len(region)))
            yield ("reversed-words",), substitute(_ANY_WORD, _backwards, region), (pieces,)
        else:
            pattern, replace = _RUNS[name]
            yield (name,), substitute(pattern, replace, region), (pieces, Substitution(pattern, replace, region))


_RUNS: dict[str, tuple[re.Pattern[str], Replace]] = {
    "leet": (_LEET_WORD, _unleet),
    "spaced": (_SPACED_RUN, _unspaced),
    "glued": (_GLUED_RUN, _segmented),
}


_DISGUISES = ALPHABETS | SPACED | GLUED | LEET | LOOKALIKE


def _suspects(view: View, doubts: int) -> dict[str, Spans]:
    """Where in a view to look for which disguise: stretches in which taking it off shows words of an attack."""
    found: dict[str, Spans] = defaultdict(list)
    leet = doubts & LEET and has(_LEET_SIGNS, view.lowered)
    lookalikes = doubts & LOOKALIKE and not view.folded.isascii()
    for stretch in view.stretches:
        names = _ciphers(stretch.words) if doubts & ALPHABETS else []
        if doubts & SPACED and len(stretch.words & _LETTERS) >= _SPACED and _is_spaced(view, stretch):
            names.append("spaced")
        if doubts & GLUED and any(map(_is_glued, stretch.words)):
            names.append("glued")
        if leet and _is_leet(view, stretch):
            names.append("leet")
        if lookalikes and _has_lookalikes(view, stretch):
            names.append("confusables")
        for name in names:
            found[name].append((stretch.start, stretch.end))
    return found


def _has_lookalikes(view: View, stretch: Stretch) -> bool:
    if CONFUSABLE.search(view.folded, stretch.start, stretch.end) is None:
        return False
    words = set(_WORDS.findall(view.folded[stretch.start : stretch.end].translate(LOOKALIKES).lower()))
    return not VOCABULARY.isdisjoint(words - stretch.words)


def _ciphers(words: set[str]) -> list[str]:
    disguised = words & _DISGUISED_WORDS
    if not disguised:
        return []
    count = Counter(name for word in disguised for name in WRITTEN_AS[word])
    return [name for name, times in count.items() if times > 1 or name in USUAL]


def _is_spaced(view: View, stretch: Stretch) -> bool:
    words = map(_unspaced, _SPACED_RUN.finditer(view.lowered, stretch.start, stretch.end))
    return any(word in VOCABULARY or _is_glued(word) for word in words)


def _is_glued(word: str) -> bool:
    if len(word) < _GLUED or not word.isalpha():
        return False
    parts = _SEGMENTS.findall(word)
    return len(parts) > 2 and sum(map(len, parts)) >= _COVERED * len(word)  # noqa: PLR2004 # more than a compound


def _is_leet(view: View, stretch: Stretch) -> bool:
    text = view.lowered[stretch.start : stretch.end]
    if len(_LEET_GATE.findall(text)) < _LEET_PLACES:
        return False
    mixed = {word for word in stretch.words if not word.isalpha() and not word.isdigit()}
    if "@" in text or "$" in text:
        mixed.update(match[0] for match in _LEET_WORD.finditer(text))
    return not VOCABULARY.isdisjoint({_plain(word) for word in mixed} - stretch.words)


def _regions(view: View, spans: Spans) -> tuple[str, Pieces]:
    return join((view.folded[start:end], start, end) for start, end in merged(spans))
