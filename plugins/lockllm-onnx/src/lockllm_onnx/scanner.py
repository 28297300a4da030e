"""The scanner: what the model says of each window, as findings.

Responsible for: one finding for each label at its strongest place, and for other places where the label is likely.
Must never: hold a threshold that decides (that is the policy's), or judge more than one text at a time.
"""

from __future__ import annotations

from typing import Literal

from lockllm_twisted.values import Finding, Passage

from lockllm_onnx.config import Config
from lockllm_onnx.model import Classifier, Window

MAX_FINDINGS = 16
"""Findings of one label in one text. The verdict needs one; the rest is for the reader of the log."""

_LIKELY = 0.5


class OnnxScanner:
    """The scanner ``onnx``: always in the project's thread pool, since even one window takes milliseconds."""

    name = "onnx"
    kind: Literal["core", "policy"] = "core"
    inline_chars = 0

    def __init__(self, classifier: Classifier, config: Config) -> None:
        self._classifier = classifier
        self._origins = config.origins
        self._wanted = [
            (place, label, config.categories[label])
            for place, label in enumerate(config.labels)
            if label in config.categories
        ]
        self.version = classifier.version

    def scan(self, passage: Passage) -> list[Finding]:
        """The findings of one text, of any score."""
        if passage.origin not in self._origins:
            return []
        windows = self._classifier.windows(passage.text)
        return [finding for wanted in self._wanted for finding in self._findings(windows, *wanted)]

    def _findings(self, windows: list[Window], place: int, label: str, category: str) -> list[Finding]:
        ranked = sorted(windows, key=lambda window: -window.probabilities[place])[:MAX_FINDINGS]
        return [
            Finding(self.name, category, window.probabilities[place], label, window.start, window.end)
            for rank, window in enumerate(ranked)
            if rank == 0 or window.probabilities[place] >= _LIKELY
        ]
