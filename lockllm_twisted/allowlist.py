"""The allow list: texts that an operator called benign, known by keyed digests, and what they excuse.

Responsible for: the digest of a text, and which hits are set aside because of it.
Must never: keep a text, or excuse a text that differs from the allowed one in a single character.

A digest is keyed (HMAC-SHA256): with a plain hash, whoever has the list could try texts until one fits. The origin is
part of it: what is harmless from a user need not be so in the result of a tool.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence

import attrs

from lockllm_twisted.reading.seams import REACH
from lockllm_twisted.values import Hit, Passage

Entry = tuple[str, str, str]
"""The digest of a text, a scanner's name, and the category of what it found there."""

_MOST = 1_000
"""Hits of one request that are looked for in seams: an attacker's request may have a hundred thousand, and it waits
on the reactor's thread. What is beyond stays, and is judged."""


def digest(secret: bytes, passage: Passage) -> str:
    """The keyed digest of a text and its origin, 32 hex digits."""
    message = f"{passage.origin.value}\0{passage.text}".encode("utf-8", "surrogatepass")
    return hmac.digest(secret, message, "sha256").hex()[:32]


@attrs.frozen
class AllowList:
    """The entries in force."""

    secret: bytes = attrs.field(repr=False)
    entries: frozenset[Entry] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def split(self, hits: Sequence[Hit]) -> tuple[tuple[Hit, ...], tuple[Hit, ...]]:
        """The hits that stay, and those that the list sets aside.

        Set aside are the hits of an entry's scanner and category in the very text of that entry; and those in a seam
        that lie within an allowed text, which stands in this request as a whole too. A hit that reaches over the edge of
        the allowed text stays: that is how an attack in two pieces looks.
        """
        digests: dict[int, str] = {}
        aside: list[Hit] = []
        rest: list[Hit] = []
        for hit in hits:
            passage = hit.passage
            if passage is None:
                rest.append(hit)
                continue
            known = digests.get(id(passage))
            if known is None:
                known = digests[id(passage)] = digest(self.secret, passage)
            fits = (known, hit.finding.scanner, hit.finding.category) in self.entries
            (aside if fits else rest).append(hit)
        excused = [(hit.finding.scanner, hit.finding.category, hit.passage) for hit in aside if hit.until is None]
        if not excused:
            return tuple(rest), tuple(aside)
        seams = _Seams(excused)
        within = [number < _MOST and seams.excuse(hit) for number, hit in enumerate(rest)]
        stays = tuple(hit for hit, fine in zip(rest, within, strict=True) if not fine)
        return stays, (*aside, *(hit for hit, fine in zip(rest, within, strict=True) if fine))


class _Seams:
    """The seams of one request, beside the texts that are excused in it."""

    def __init__(self, excused: Iterable[tuple[str, str, Passage | None]]) -> None:
        self._members: dict[tuple[str, str], dict[int, Passage]] = {}
        for scanner, category, member in excused:
            if member is not None:
                self._members.setdefault((scanner, category), {})[id(member)] = member
        self._places: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def excuse(self, hit: Hit) -> bool:
        """Whether the span of a hit in a seam is part of an excused text there. A hit without a span is never excused."""
        seam, finding = hit.passage, hit.finding
        if seam is None or hit.until is None:
            return False
        for name, member in self._members.get((finding.scanner, finding.category), {}).items():
            places = self._places.get((id(seam), name))
            if places is None:
                places = self._places[id(seam), name] = _places(seam, member)
            if any(start <= finding.start < finding.end <= end for start, end in places):
                return True
        return False


def _places(seam: Passage, member: Passage) -> list[tuple[int, int]]:
    """Where a text stands in a seam: as a whole, or cut at the end where it is the first or the last of its texts.

    A text that comes again has the place where it came first: there, as much as a seam has of a long text must agree.
    """
    text, whole = seam.text, member.text
    found = [(match, match + len(whole)) for match in _occurrences(text, whole)]
    least = 1 if member.where == seam.where else REACH
    found += [(0, length) for length in range(len(text), least - 1, -1) if whole.endswith(text[:length])][:1]
    least = 1 if member.where == seam.until else REACH
    found += [(place, len(text)) for place in range(len(text) - least + 1) if whole.startswith(text[place:])][:1]
    return found


def _occurrences(text: str, part: str) -> Iterator[int]:
    place = text.find(part)
    while place != -1:
        yield place
        place = text.find(part, place + 1)
