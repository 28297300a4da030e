"""What teaches the encoder: a far larger one, which is at hand while it learns, and says what it makes of whatever that is shown.

Responsible for: `Teacher`; `schooled`, one that has learned; `advised`, what the encoder should say once the teacher was asked.
Must never: be needed by the detector that ships.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer

from lockllm_twisted.detection.encoder import LABELS, Passage
from lockllm_twisted.detection.wordpieces import FIRST, LAST, UNKNOWN
from training.learning import Array, Course, Inputs, learn, meaned, mixed

_COURSE = Course(passes=3, rate=5e-5, rate_of_labels=1e-3, batch=128, hidden=0.035)
_TRUST = 0.6
"""How far what a passage is said to be is what the teacher makes of it, and not what the text that it comes from is labelled."""


class Teacher(torch.nn.Module):
    """The logits of each span, from the mean of an encoder's last states there. It is shown what the student is: ``pieces``."""

    def __init__(self, base: Path, pieces: Sequence[str]) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
        known = self.encoder.get_input_embeddings().weight[_numbers(base, pieces)]
        self.pieces = torch.nn.Embedding.from_pretrained(known.detach().clone(), freeze=False)
        self.labels = torch.nn.Linear(self.width, len(LABELS))

    @property
    def width(self) -> int:
        """Of its states."""
        width: int = self.encoder.config.hidden_size
        return width

    def forward(self, ids: torch.Tensor, shown: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """(texts, pieces) twice, (spans, 3) -> (spans, labels), as `student.Student` has them."""
        return self.said(self.states(ids, shown), spans)

    def states(self, ids: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
        """What it makes of each piece in the end: (texts, pieces, width)."""
        found: torch.Tensor = self.encoder(inputs_embeds=self.pieces(ids), attention_mask=shown).last_hidden_state
        return found

    def said(self, states: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """The logits of each span, from these."""
        found: torch.Tensor = self.labels(meaned(states, spans))
        return found


def _numbers(base: Path, pieces: Sequence[str]) -> list[int]:
    """Those that the larger one has for some pieces, with marks of its own at a text's ends."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    marks = {FIRST: tokenizer.cls_token, LAST: tokenizer.sep_token, UNKNOWN: tokenizer.unk_token}
    number = tokenizer.get_vocab()
    return [number[marks.get(piece, piece)] for piece in pieces]


def schooled(
    base: Path, pieces: Sequence[str], passages: Sequence[Passage], said: Sequence[Array], seed: int
) -> Teacher:
    """One that has learned from the passages, and does no more. ``said``: as `learn` has it."""
    torch.manual_seed(seed)
    teacher = Teacher(base, pieces)
    learn(teacher, passages, said, _COURSE, seed)
    teacher.eval().requires_grad_(False)
    return teacher


def advised(teacher: Teacher, inputs: Inputs, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What each label should say of each span once the teacher was asked, and the states from which that speaks."""
    ids, shown, spans = inputs
    with torch.no_grad(), mixed():
        states = teacher.states(ids, shown)
        said = torch.sigmoid(teacher.said(states, spans).float())
    return (1 - _TRUST) * wanted + _TRUST * said, states
