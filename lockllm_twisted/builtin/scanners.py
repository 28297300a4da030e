"""The embedded scanner: ``detection``, behind the same protocol as everybody's.

Responsible for: `Detector`.
Must never: hold a threshold (that is the policy's), or depend on anything but the passage's text and origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from lockllm_twisted.detection import VERSION, Judge, judge
from lockllm_twisted.values import Finding, Passage

_INLINE_CHARS = 5_000
"""Judged in about a millisecond (docs/detection.md), unless something in it has to be read again."""


@attrs.frozen
class Detector:
    """Normalised and decoded views of a text under a learned model and a set of named rules."""

    name: str = "detector"
    version: str = VERSION
    kind: Literal["core"] = "core"
    inline_chars: int = _INLINE_CHARS
    _judge: Judge = attrs.field(factory=judge, repr=False, eq=False)

    def scan(self, passage: Passage) -> Sequence[Finding]:
        """All findings, the strongest first."""
        return self._judge.explain(passage.text, passage.origin)

    def scan_quickly(self, passage: Passage) -> Sequence[Finding] | None:
        """The same, where nothing has to be read again."""
        return self._judge.glance(passage.text, passage.origin)
