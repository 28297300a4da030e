"""How models learn: one loop over passages, for the encoder and for what teaches it, and its parts.

Responsible for: `Course`, `learn`, `meaned`, `mismatch`, `apart`, and which device does it, in which numbers; `batches` and `descent`, for any model.
Must never: know what a label means.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lockllm_twisted.detection.encoder import Passage

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

_WARMING = 0.05
_LEAST = 0.01
"""What the rate comes down to, of what it was."""
_SORTED = 50
"""Batches of texts that are sorted by their length together."""

_UNKNOWN, _MARKS = 0, 3
"""The piece that stands for what is not known, and how many are no pieces: that one, and the marks at a text's ends."""

Array = NDArray[np.float32]
Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Of some passages: pieces, (texts, pieces); 1, or 0 behind a text's end, likewise; spans, (spans, 3): text, first piece, end."""


@attrs.frozen
class Course:
    """``rate_of_labels``: that of the last matrix, which starts from nothing; ``batch``: passages at once; ``hidden``: the share of pieces not shown."""

    passes: int
    rate: float
    rate_of_labels: float
    batch: int
    hidden: float = 0.0


def meaned(states: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
    """The mean of the states of each span: (texts, pieces, width), (spans, 3) -> (spans, width). A span: text, first piece, end."""
    total = functional.pad(states.float().cumsum(1), (0, 0, 1, 0))
    text, start, end = spans.T
    return (total[text, end] - total[text, start]) / (end - start)[:, None]


def batches(tokens: Sequence[Sequence[int]], chance: np.random.Generator, size: int) -> Iterator[list[int]]:
    """Numbers of texts that are about as long, in random order, so many at once."""
    order = chance.permutation(len(tokens))
    found = [
        part[at : at + size]
        for first in range(0, len(order), _SORTED * size)
        for part in [sorted(order[first : first + _SORTED * size].tolist(), key=lambda number: len(tokens[number]))]
        for at in range(0, len(part), size)
    ]
    chance.shuffle(found)
    yield from found


def descent(model: torch.nn.Module, rate: float, rate_of_labels: float, steps: int) -> Callable[[torch.Tensor], None]:
    """What takes one of so many steps down a loss; a model's last matrix, ``labels``, has a rate of its own."""
    labels, others = (
        [each for name, each in model.named_parameters() if ("labels" in name.split(".")) == last]
        for last in (True, False)
    )
    optimiser = torch.optim.AdamW(
        [{"params": others, "lr": rate}, {"params": labels, "lr": rate_of_labels}], weight_decay=0.01
    )
    warm = _WARMING * steps
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / warm) * max(_LEAST, 1 - step / steps)
    )

    def descend(loss: torch.Tensor) -> None:
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()

    return descend


def mixed() -> torch.autocast:
    """The numbers that a model is run in: where `DEVICE` is a GPU, mostly of 16 bits."""
    return torch.autocast(DEVICE.type, torch.bfloat16, enabled=DEVICE.type == "cuda")


def mismatch(logits: torch.Tensor, wanted: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """How far what is said is from what should be, in nats: all (spans, labels)."""
    error = functional.binary_cross_entropy_with_logits(logits.float(), wanted, reduction="none")
    return (error * counts).sum() / counts.sum().clamp(min=1)


def learn(
    model: torch.nn.Module,
    passages: Sequence[Passage],
    said: Sequence[Array],
    course: Course,
    seed: int,
    loss: Callable[[float, Inputs, torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
) -> None:
    """Teach a model what each label should say of each span, on `DEVICE`.

    ``model``: of `Inputs` it makes logits, with its last matrix, ``labels``; ``said``: of each passage what each label should say of each span, and how
    much that counts: (2, spans, labels); ``loss``: if not the mismatch alone, what is made of the share that is learned, inputs, what should be said, and how much that counts.
    """
    model.to(DEVICE).train()
    torch.manual_seed(seed)
    plan = [
        batch
        for turn in range(course.passes)
        for batch in batches([one.pieces for one in passages], np.random.default_rng(seed + turn), course.batch)
    ]
    descend = descent(model, course.rate, course.rate_of_labels, len(plan))
    for step, chosen in enumerate(plan):
        wanted, counts = torch.from_numpy(np.concatenate([said[number] for number in chosen], axis=1)).to(DEVICE)
        inputs = _hiding(_padded([passages[number] for number in chosen]), course.hidden)
        if loss:
            lost = loss(step / len(plan), inputs, wanted, counts)
        else:
            lost = mismatch(_logits(model, inputs), wanted, counts)
        descend(lost)
        if step % 200 == 0:
            sys.stderr.write(f"{step} of {len(plan)}: {lost.item():.3f}\n")


def apart(now: torch.Tensor, was: torch.Tensor) -> torch.Tensor:
    """The share of what states were that they no longer are."""
    was = was.float()
    return ((now.float() - was) ** 2).sum() / (was**2).sum()


def _logits(model: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    with mixed():
        found: torch.Tensor = model(*inputs)
    return found.float()


def _padded(passages: Sequence[Passage]) -> Inputs:
    most = max(len(one.pieces) for one in passages)
    ids, shown = (np.zeros((len(passages), most), np.int64) for _ in range(2))
    for row, one in enumerate(passages):
        size = len(one.pieces)
        ids[row, :size], shown[row, :size] = one.pieces, 1
    spans = [(row, *span) for row, one in enumerate(passages) for span in one.spans if span is not None]
    return torch.from_numpy(ids).to(DEVICE), torch.from_numpy(shown).to(DEVICE), torch.tensor(spans).to(DEVICE)


def _hiding(inputs: Inputs, share: float) -> Inputs:
    ids, shown, spans = inputs
    hidden = (torch.rand(ids.shape, device=ids.device) < share) & (ids >= _MARKS)
    return torch.where(hidden, _UNKNOWN, ids), shown, spans
