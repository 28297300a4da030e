"""How the encoder comes to be of whole numbers: it learns on in ever larger steps, and its layers go on saying what they said.

Responsible for: `settle`.
Must never: change what the encoder was taught, or choose the steps: that is `training.student`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch

from lockllm_twisted.detection.encoder import Passage
from training.learning import DEVICE, Array, Course, Inputs, learn, mismatch, mixed
from training.student import Student

_COURSE = Course(passes=2, rate=2.5e-4, rate_of_labels=1e-3, batch=64)
_AT_FIRST, _BY = 0.5, 0.12
"""How large the steps are at first, of what they come to, and the share of the course after which they are that."""
_OWN = 0.5
"""How far what it should say is at first what it said, and not what it is taught."""
_LEFT = 0.25
"""What is left in the end of that, and of how much it counts that its layers say what they said: by then it knows more than it did."""


def settle(
    student: Student, passages: Sequence[Passage], said: Sequence[Array], seed: int, course: Course = _COURSE
) -> None:
    """Make of a student that has learned one that says nearly the same in the steps that it is stored in. ``said``: as `learn` has it."""
    before = deepcopy(student).to(DEVICE).eval().requires_grad_(False)
    for part in student.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0

    def loss(learned: float, inputs: Inputs, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        student.coarsen(min(1.0, _AT_FIRST + (1 - _AT_FIRST) * learned / _BY))
        left = 1 - (1 - _LEFT) * learned
        ids, shown, spans = inputs
        with mixed():
            were = before.states(ids, shown)
            own = torch.sigmoid(before.said(were[-1], spans).float())
            states = student.states(ids, shown)
            logits = student.said(states[-1], spans)
        apart = [_apart(now[shown == 1], was[shown == 1]) for now, was in zip(states, were, strict=True)]
        should = (1 - _OWN * left) * wanted + _OWN * left * own
        return mismatch(logits, should, counts) + left * torch.stack(apart).mean()

    learn(student, passages, said, course, seed, loss)
    student.coarsen(1.0)


def _apart(now: torch.Tensor, was: torch.Tensor) -> torch.Tensor:
    """The share of what states were that they no longer are."""
    was = was.float()
    return ((now.float() - was) ** 2).sum() / (was**2).sum()
