"""What teaches the encoder: a far larger one, which says what it makes of passages that it has not seen.

Responsible for: `Teacher`; `taught`, what two of them say, each of the half that the other learned from.
Must never: say what it was told: that is what the labels are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from lockllm_twisted.detection.encoder import LABELS, Passage
from lockllm_twisted.detection.wordpieces import FIRST, LAST, UNKNOWN, WordPieces
from training.learning import Array, Course, learn, meaned, said_by

_COURSE = Course(passes=3, rate=4e-5, rate_of_labels=1e-3, batch=64)


class Teacher(torch.nn.Module):
    """The logits of each span, from the mean of an encoder's last states there."""

    def __init__(self, base: Path) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(base, add_pooling_layer=False)
        self.labels = torch.nn.Linear(self.encoder.config.hidden_size, len(LABELS))

    def forward(self, ids: torch.Tensor, shown: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """(texts, pieces) twice, (spans, 3) -> (spans, labels), as `student.Student` has them."""
        ids = torch.where(shown == 1, ids, self.encoder.config.pad_token_id)
        states = self.encoder(input_ids=ids, attention_mask=shown).last_hidden_state
        found: torch.Tensor = self.labels(meaned(states, spans))
        return found


def words_of(base: Path) -> WordPieces:
    """The pieces that the larger one knows, its own marks at a text's ends."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    marks = {tokenizer.cls_token: FIRST, tokenizer.sep_token: LAST, tokenizer.unk_token: UNKNOWN}
    numbers = sorted(tokenizer.get_vocab().items(), key=lambda each: each[1])
    return WordPieces(
        marks.get(piece, f"unused {number}" if piece in marks.values() else piece) for piece, number in numbers
    )


def taught(
    base: Path,
    passages: Sequence[Passage],
    said: Sequence[Array],
    halves: Sequence[int],
    seed: int,
    course: Course = _COURSE,
) -> list[Array]:
    """What a larger one that learned from one half says of the spans of the passages in the other: (spans, labels), probabilities."""
    found: list[Array] = [np.zeros(0, np.float32)] * len(passages)
    for half in (0, 1):
        ours, others = (
            [number for number, each in enumerate(halves) if (each == half) == same] for same in (True, False)
        )
        torch.manual_seed(seed)
        teacher = Teacher(base)
        learn(teacher, [passages[number] for number in ours], [said[number] for number in ours], course, seed)
        others.sort(key=lambda number: len(passages[number].pieces))
        for number, each in zip(
            others, said_by(teacher, [passages[number] for number in others], 4 * course.batch), strict=True
        ):
            found[number] = each
    return found
