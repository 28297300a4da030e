"""Neighbouring texts joined where they meet, so that a cut inside a word or a sentence hides nothing.

Responsible for: which texts are neighbours, and the windows around their boundaries.
Must never: cost more than a window per boundary; change a window because texts were added behind it.

Rule 1. Three kinds of neighbourhood are joined: the conversation (what the dialect labelled, in the order it gave; all
        texts where it labelled none), the texts of one origin in it (user turns across the answers between them), and
        the texts at places that differ in array indexes only (which needs no dialect).
Rule 2. A boundary costs the `REACH` characters before and after it. Where such stretches overlap they are one, cut into
        windows of four reaches, two apart, counted from its start: an attack in one-letter pieces is seen whole, and a
        conversation that grows gives the same earlier windows, whose verdicts are cached.
Rule 3. Each window is told joined without and with a space; once only where no letters or digits meet, and then with a
        space where text has one (behind a comma, between sentences).
Rule 4. A seam speaks for the least trusted of its texts (the last one of these): who writes a part of it, may have
        written the attack.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain

from lockllm_twisted.values import Origin, Passage

Text = tuple[str, str, Origin, int]
"""A text, where it stands, whom it speaks for, and the rank of its label (`UNLABELLED`, `ASIDE`)."""

UNLABELLED = -1
ASIDE = -2
"""A text inside another text (JSON in tool arguments): no neighbour in the conversation, its container is."""

REACH = 120
"""Characters told on each side of a boundary: one long English sentence. The seam is the dearest text of a short chat (it
is new in each request, where the system prompt is not), and its cost goes with this number. More of it would hide rather
than show: of attacks (dev set, 1,800 trials) that were cut in two inside a word, 99.0 % were found where they were all that
there was (with 200: 99.7 %, with 80: 96.5 %), and 91 % between two benign texts (with 200: 87 %, with 80: 91 %)."""

_SPAN = 4 * REACH
_STEP = 2 * REACH
_MISTRUST = {Origin.SYSTEM: 0, Origin.DEVELOPER: 0, Origin.ASSISTANT: 1, Origin.TOOL_DEFINITION: 2}
_PAUSE = frozenset(",;:)]}\"'")
_SENTENCE_END = frozenset(".!?")


def seams(texts: Sequence[Text], groups: Iterable[Sequence[int]]) -> list[Passage]:
    """The seams of one conversation. ``groups``: indexes of the texts whose places differ in array indexes only."""
    found: list[Passage] = []
    if len(texts) == 2 and -1 < texts[0][3] <= texts[1][3]:  # noqa: PLR2004 - most requests: an instruction, a question
        _pair(texts, found)
        return found
    for sequence in _neighbourhoods(texts, groups):
        _windows([texts[index] for index in sequence], found)
    return found


def _neighbourhoods(texts: Sequence[Text], groups: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    ranks = [text[3] for text in texts]
    talk = [index for index, rank in enumerate(ranks) if rank > UNLABELLED]
    if talk:
        talk.sort(key=ranks.__getitem__)
    else:
        talk = [index for index, rank in enumerate(ranks) if rank == UNLABELLED]
    if len(talk) > 1:
        yield talk
    place = dict(zip(talk, range(len(talk)), strict=True))
    speakers: dict[Origin, list[int]] = {}
    for index in talk:
        speakers.setdefault(texts[index][2], []).append(index)
    told: set[tuple[int, ...]] = set()
    for group in chain(speakers.values(), groups):
        if len(group) > 1 and not _adjacent([place.get(index, -len(ranks)) for index in group]):
            key = tuple(group)
            if key not in told:
                told.add(key)
                yield group


def _adjacent(places: Sequence[int]) -> bool:
    """Whether these texts stand next to each other in the conversation, which is told already."""
    first = places[0]
    return first >= 0 and places[-1] - first == len(places) - 1 and places == list(range(first, first + len(places)))


def _pair(texts: Sequence[Text], found: list[Passage]) -> None:
    """The one window of two texts."""
    before, after = texts
    found += _joined([before[0][-REACH:], after[0][:REACH]], texts)


def _windows(texts: Sequence[Text], found: list[Passage]) -> None:
    ends = list(accumulate([len(text[0]) for text in texts]))
    start, stop = max(0, ends[0] - REACH), ends[0] + REACH
    for end in ends[1:-1]:
        if end - REACH > stop:
            _stretch(texts, ends, start, stop, found)
            start = end - REACH
        stop = end + REACH
    _stretch(texts, ends, start, min(stop, ends[-1]), found)


def _stretch(texts: Sequence[Text], ends: Sequence[int], start: int, stop: int, found: list[Passage]) -> None:
    if stop - start <= _SPAN:
        _window(texts, ends, start, stop, found)
        return
    for left in range(start, stop - _STEP, _STEP):
        _window(texts, ends, left, min(left + _SPAN, stop), found)


def _window(texts: Sequence[Text], ends: Sequence[int], start: int, stop: int, found: list[Passage]) -> None:
    first, last = bisect_right(ends, start), bisect_left(ends, stop)
    members = texts[first : last + 1]
    pieces = [text[0] for text in members]
    pieces[-1] = pieces[-1][: stop - ends[last] + len(pieces[-1])]
    pieces[0] = pieces[0][start - ends[first] :]
    found += _joined(pieces, members)


def _joined(pieces: Sequence[str], members: Sequence[Text]) -> list[Passage]:
    """What the pieces of these texts say together: without a space between them, and with one where that may matter."""
    tight = spaced = pieces[0]
    for piece in pieces[1:]:
        doubtful, between = _between(spaced[-1], piece[0])
        tight += piece if doubtful else between + piece
        spaced += between + piece
    origin, where, until = _least_trusted(members), members[0][1], members[-1][1]
    found = [Passage(origin, where, tight, until)]
    if tight != spaced:
        found.append(Passage(origin, where, spaced, until))
    return found


def _between(before: str, after: str) -> tuple[bool, str]:
    """Whether it is in doubt that there is something between two characters, and what it is."""
    if not after.isalnum():
        return False, ""
    if before.isalnum() or before == "_":
        return True, " "
    return False, " " if before in _PAUSE or (before in _SENTENCE_END and after.isupper()) else ""


def _least_trusted(texts: Sequence[Text]) -> Origin:
    worst, found = -1, texts[0][2]
    for text in texts:
        mistrust = _MISTRUST.get(text[2], 3)
        if mistrust >= worst:
            worst, found = mistrust, text[2]
    return found
