"""The embedded scanner: the rules of ``detection``, behind the same protocol as everybody's.

Responsible for: `RuleScanner`.
Must never: hold a threshold (that is the policy's), or depend on anything but the passage's text and origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from lockllm_twisted.detection import VERSION, explain
from lockllm_twisted.values import Finding, Passage

_INLINE_CHARS = 5_000
"""Judged in about a millisecond: 0.3 ms for 2,500 characters of English was measured, half a millisecond with emoji and
typographic quotes in it (docs/detection.md)."""


@attrs.frozen
class RuleScanner:
    """Normalised and decoded views of a text under a set of named rules: the floor, not the detector."""

    name: str = "rules"
    version: str = VERSION
    kind: Literal["core"] = "core"
    inline_chars: int = _INLINE_CHARS

    def scan(self, passage: Passage) -> Sequence[Finding]:
        """All findings of at least 0.35, the strongest first."""
        return explain(passage.text, passage.origin)
