"""Disguises made of ordinary letters: shifted alphabets, reversal, leetspeak, spaced letters, look-alikes, hidden bytes.

Responsible for: undoing them. They have no alphabet of their own, so the words of an attack are looked for in disguise,
or characters that ordinary text does not hold.
Must never: cost an ordinary text more than a set intersection per window.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from lockllm_twisted.detection.confusables import CONFUSABLE, LOOKALIKES
from lockllm_twisted.detection.decoders import Decoded, Spans
from lockllm_twisted.detection.steps import Mirror, Pieces, Substitution, join, matches, merged, substitute, translated
from lockllm_twisted.detection.view import View
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


_DISGUISED = _disguises()
"""The words of an attack as each cipher writes them, and the ciphers that do."""

_DISGUISED_WORDS = frozenset(_DISGUISED)

_LETTERS = frozenset("bcefghjklnopqruvwxyz")
_SPACED = 5
"""Different single letters in a window that ordinary text does not have (a, i, and s, t, m, d of contractions aside)."""
_SPACED_RUN = re.compile(r"(?<!\w)\w([^\w\n])\w(?:\1\w)*(?!\w)")

_LEET = str.maketrans("013456789@$!|", "oieasgtbgasii")
_LEET_L = _LEET | str.maketrans("1!|", "lll")
_LEET_SIGNS = "013457@$"
_LEET_GATE = re.compile(f"[{_LEET_SIGNS}][a-z]")
_LEET_PLACES = 2
_LEET_WORD = re.compile(r"[A-Za-z!|]{0,24}[0-9@$][A-Za-z0-9@$!|]{0,24}")

_GLUED = 18
"""Letters of a word that may be several; the longest common English words have 16."""
_GLUED_RUN = re.compile(f"[A-Za-z]{{{_GLUED},}}")
_FUNCTION_WORDS = (
    "the",
    "all",
    "any",
    "and",
    "you",
    "are",
    "were",
    "now",
    "new",
    "then",
    "this",
    "that",
    "from",
    "given",
    "with",
    "without",
    "above",
    "tell",
    "what",
    "will",
    "must",
    "have",
    "been",
    "just",
    "instead",
    "user",
)
_KNOWN = VOCABULARY.union(_FUNCTION_WORDS)
_SEGMENTS = re.compile(one_of(sorted(_KNOWN)), re.IGNORECASE)


def _unspaced(match: re.Match[str]) -> str:
    return match[0][::2]


def _unleet(match: re.Match[str]) -> str:
    word = match[0].lower()
    plain = word.translate(_LEET)
    if plain not in _KNOWN and (other := word.translate(_LEET_L)) in _KNOWN:
        return other
    return plain


def _segmented(match: re.Match[str]) -> str:
    return _SEGMENTS.sub(r" \g<0> ", match[0])


def _backwards(match: re.Match[str]) -> str:
    return match[0][::-1]


_ANY_WORD = re.compile(r"[^\W_]+")


_KINDS = {
    "reversed": "order",
    "reversed-words": "order",
    **dict.fromkeys(_UNDO, "alphabet"),
    **{name: name for name in ("leet", "spaced", "glued")},
}
"""What taking off one disguise makes look like another of the same kind."""


def deciphered(view: View) -> Iterator[Decoded]:
    """One text for each disguise that something of the view wears, but for the kind just taken off."""
    kind = _KINDS.get(view.via[-1]) if view.via else None
    for name, spans in _suspects(view).items():
        if kind is not None and _KINDS.get(name) == kind:
            continue
        region, pieces = _regions(view, spans)
        if name in _UNDO:
            yield name, translated(region, _UNDO[name]), (pieces,)
        elif name == "reversed":
            yield name, region[::-1], (pieces, Mirror(len(region)))
            yield "reversed-words", substitute(_ANY_WORD, _backwards, region), (pieces,)
        elif name == "leet":
            yield name, substitute(_LEET_WORD, _unleet, region), (pieces,)
        elif name == "spaced":
            yield (
                name,
                substitute(_SPACED_RUN, _unspaced, region),
                (
                    pieces,
                    Substitution(_SPACED_RUN, _unspaced, region),
                ),
            )
        else:
            yield (
                name,
                substitute(_GLUED_RUN, _segmented, region),
                (
                    pieces,
                    Substitution(_GLUED_RUN, _segmented, region),
                ),
            )
    if not view.folded.isascii() and next(matches(CONFUSABLE, view.folded), None):
        yield "confusables", translated(view.folded, LOOKALIKES), ()


def _suspects(view: View) -> dict[str, Spans]:
    found: dict[str, Spans] = defaultdict(list)
    leet = any(sign in view.latin for sign in _LEET_SIGNS)
    for window in view.windows:
        span = window.start, window.end
        for word in window.words & _DISGUISED_WORDS:
            for name in _DISGUISED[word]:
                if found[name][-1:] != [span]:
                    found[name].append(span)
        if len(window.words & _LETTERS) >= _SPACED:
            found["spaced"].append(span)
        if window.longest >= _GLUED:
            found["glued"].append(span)
        if leet and _is_leet(view.latin[slice(*span)], window.words):
            found["leet"].append(span)
    return found


def _is_leet(text: str, words: set[str]) -> bool:
    if len(_LEET_GATE.findall(text)) < _LEET_PLACES:
        return False
    plain = {_unleet(match) for match in _LEET_WORD.finditer(text)}
    return not VOCABULARY.isdisjoint(plain - words)


def _regions(view: View, spans: Spans) -> tuple[str, Pieces]:
    places = merged(view.in_folded(*span) for span in merged(spans))
    return join((view.folded[start:end], start, end) for start, end in places)


_TAGS = re.compile("[\U000e0020-\U000e007e][\U000e0020-\U000e007e]*")
_TAG_LETTERS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}
_FLAG = "\U0001f3f4"
_FLAG_LETTERS = 6
"""The flag of a part of a country is a black flag and the letters of its code as tags: "gbeng"."""

_FEW_TAGS = 3

_SELECTORS = re.compile("[\ufe00-\ufe0e\U000e0100-\U000e01ef][\ufe00-\ufe0e\U000e0100-\U000e01ef]*")
_FEW_SELECTORS = 8
"""An ideograph or two in a text may ask for a variant; a message has more. U+FE0F, the emoji's own, carries none."""


def _tags(piece: str) -> str:
    return piece.translate(_TAG_LETTERS)


def _selectors(piece: str) -> str:
    codes = (ord(selector) for selector in piece)
    return "".join(chr(code - 0xFE00 if code < 0xE0000 else code - 0xE00F0) for code in codes)  # noqa: PLR2004


def _is_flag(raw: str, start: int, end: int) -> bool:
    return raw[start - 1 : start] == _FLAG and end - start <= _FLAG_LETTERS


def hidden(raw: str) -> Iterator[Decoded]:
    """Text in characters that nobody sees: the tag block, and bytes as variation selectors. Works on the raw text."""
    if raw.isascii():
        return
    for name, pattern, few, decode in (
        ("tags", _TAGS, _FEW_TAGS, _tags),
        ("variation-selectors", _SELECTORS, _FEW_SELECTORS, _selectors),
    ):
        spans = [match.span() for match in matches(pattern, raw) if not _is_flag(raw, *match.span())]
        if sum(end - start for start, end in spans) > few:
            text, pieces = join(((decode(raw[start:end]), start, end) for start, end in spans), "")
            if name == "variation-selectors":
                text = text.encode("latin-1").decode("utf-8", "replace")
            yield name, text, (pieces,)
