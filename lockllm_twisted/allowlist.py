"""The allow list: texts that an operator called benign, known by keyed digests, and what they excuse.

Responsible for: the digest of a text, and which hits are set aside because of it.
Must never: keep a text, or excuse a text that differs from the allowed one in a single character.

A digest is keyed (HMAC-SHA256): with a plain hash, whoever has the list could try texts until one fits. The origin is
part of it: what is harmless from a user need not be so in the result of a tool.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence

import attrs

from lockllm_twisted.values import Hit, Passage

Entry = tuple[str, str, str]
"""The digest of a text, a scanner's name, and the category of what it found there."""


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
        excused = {(hit.finding.scanner, hit.finding.category, hit.passage) for hit in aside if hit.until is None}
        stays, more = _seams_apart(rest, excused)
        return tuple(stays), (*aside, *more)


def _seams_apart(
    hits: Iterable[Hit], excused: Iterable[tuple[str, str, Passage | None]]
) -> tuple[list[Hit], list[Hit]]:
    stays: list[Hit] = []
    aside: list[Hit] = []
    for hit in hits:
        kind = (hit.finding.scanner, hit.finding.category)
        within = hit.until is not None and any(
            kind == (scanner, category) and member is not None and _lies_within(hit, member)
            for scanner, category, member in excused
        )
        (aside if within else stays).append(hit)
    return stays, aside


def _lies_within(hit: Hit, member: Passage) -> bool:
    """Whether the span of a hit in a seam is part of a text that stands there, as a whole or cut at one end."""
    seam, start, end = hit.passage, hit.finding.start, hit.finding.end
    if seam is None or start == end:  # no span: the whole seam was judged
        return False
    text = seam.text
    place = text.find(member.text, max(0, end - len(member.text)))
    if -1 < place <= start:
        return True
    if member.where == seam.where:
        return any(member.text.endswith(text[:length]) for length in range(end, len(text) + 1))
    return member.where == seam.until and any(member.text.startswith(text[place:]) for place in range(start + 1))
