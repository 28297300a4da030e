"""The embedded scanner: the rules of `detection`, behind the same protocol as anybody's.

Responsible for: telling the host what `detection.explain` finds in a passage, and how long that takes.
Must never: hold anything of a passage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from lockllm_twisted.detection import VERSION, explain
from lockllm_twisted.values import Finding, Passage


@attrs.frozen
class RuleScanner:
    """Finds explicit attacks by rule, in plain text and in its decoded views."""

    name: str = "rules"
    version: str = VERSION
    kind: Literal["core"] = "core"
    inline_chars: int = 2000

    def scan(self, passage: Passage) -> Sequence[Finding]:
        """All findings of at least 0.35."""
        return explain(passage.text, passage.origin)
