"""How the encoder comes to be of whole numbers: it learns on in ever larger steps, and its layers go on saying what they said.

Responsible for: `settle`.
Must never: change what the encoder was taught, or choose the steps: that is `training.student`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch

from lockllm_twisted.detection.encoder import Passage
from training.learning import DEVICE, Array, Course, Inputs, apart, learn, mismatch, mixed
from training.student import Student
from training.teacher import Teacher, advised

_COURSE = Course(passes=8, rate=4e-4, rate_of_labels=1.6e-3, batch=256, hidden=0.035)
_AT_FIRST, _BY = 0.5, 0.06
"""How large the steps are at first, of what they come to, and the share of the course after which they are that."""
_LEFT = 0.2
"""How much it still counts in the end that its layers say what they said: by then it knows more than it did."""


def settle(student: Student, teacher: Teacher, passages: Sequence[Passage], said: Sequence[Array], seed: int) -> None:
    """Make of a student that has learned one that says nearly the same in the steps that it is stored in. ``said``: as `learn` has it."""
    before = deepcopy(student).to(DEVICE).eval().requires_grad_(False)
    for part in student.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0

    def loss(learned: float, inputs: Inputs, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        student.coarsen(min(1.0, _AT_FIRST + (1 - _AT_FIRST) * learned / _BY))
        left = 1 - (1 - _LEFT) * learned
        should, _ = advised(teacher, inputs, wanted)
        ids, shown, spans = inputs
        with mixed():
            with torch.no_grad():
                were = before.states(ids, shown)
            states = student.states(ids, shown)
            logits = student.said(states[-1], spans)
        moved = [apart(now[shown == 1], was[shown == 1]) for now, was in zip(states, were, strict=True)]
        return mismatch(logits, should, counts) + left * torch.stack(moved).mean()

    learn(student, passages, said, _COURSE, seed, loss)
    student.coarsen(1.0)
