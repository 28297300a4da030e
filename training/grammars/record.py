"""Record: one labelled text that a grammar made, in the vocabulary of the data folder.

Responsible for: the shape of a record and its three vocabularies (labels, groups, roles).
Must never: make text.
"""

from __future__ import annotations

from typing import Final

import attrs

LABELS: Final = frozenset(
    {"benign", "injection", "jailbreak", "indirect_injection", "harmful_request", "prompt_leak", "obfuscated"}
)
GROUPS: Final = frozenset({"core", "harm", "aux"})
ROLES: Final = frozenset({"user", "tool", "system"})


@attrs.frozen
class Record:
    """A text with what it is, where it would stand in a request, and which record is its counterpart.

    Attributes:
        text: what the detector reads.
        label: one of ``LABELS``.
        source: ``grammar_`` and the family: what a recall or FPR is reported by.
        group: ``core``, ``harm`` (the second axis: plain harmful requests) or ``aux`` (reported, never pooled).
        role: ``user``, ``tool`` or ``system``: a proxy knows it.
        language: ISO 639-1; ``mixed`` where one text speaks several.
        family: the kind of attack, or the kind of benign text; an attack and its twins share it.
        twin: the name of the pair: an attack and its matched benign text carry the same one. None without counterpart.

    """

    text: str
    label: str = attrs.field(validator=attrs.validators.in_(LABELS))
    source: str
    group: str = attrs.field(default="core", validator=attrs.validators.in_(GROUPS))
    role: str = attrs.field(default="user", validator=attrs.validators.in_(ROLES))
    language: str = "en"
    family: str = ""
    twin: str | None = None
