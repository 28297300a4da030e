"""How the encoder learns: what its teacher says it should say, and what its teacher makes of each piece it should be able to tell.

Responsible for: `follow`.
Must never: round a weight: that is `training.rounding`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from lockllm_twisted.detection.encoder import Passage
from training.learning import Array, Course, Inputs, apart, learn, mismatch, mixed
from training.student import Student
from training.teacher import Teacher, advised

_COURSE = Course(passes=4, rate=3e-4, rate_of_labels=1.2e-3, batch=256, hidden=0.035)
_HINTED = 0.3
"""How much it counts how far the teacher's states are from those that can be told from its own."""


class _Following(torch.nn.Module):
    """A student, and what tells the teacher's states from its own."""

    def __init__(self, student: Student, width: int) -> None:
        super().__init__()
        self.student = student
        self.told = torch.nn.Linear(student.labels.in_features, width)


def follow(student: Student, teacher: Teacher, passages: Sequence[Passage], said: Sequence[Array], seed: int) -> None:
    """Teach a student. ``said``: as `learn` has it."""
    following = _Following(student, teacher.width)

    def loss(_learned: float, inputs: Inputs, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        should, theirs = advised(teacher, inputs, wanted)
        ids, shown, spans = inputs
        with mixed():
            states = student.states(ids, shown)[-1]
            logits = student.said(states, spans)
            told = following.told(states)
        return mismatch(logits, should, counts) + _HINTED * apart(told[shown == 1], theirs[shown == 1])

    learn(following, passages, said, _COURSE, seed, loss)
