"""The learned part: a weight for each n-gram and kind of attack, added up over sentences and windows.

Responsible for: `train`, which gives `Sums`; what each head learns from, and how much each record counts.
Must never: look at a source's name but to weigh it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits

from lockllm_twisted.detection.grams import HEADS, LAYERS, SCOUT_HEADS, SCOUT_LAYERS
from training.corpus import Example
from training.grams import Encoded

_LABELS = {"injection": 0, "jailbreak": 1, "prompt_leak": 2, "indirect_injection": 3}
_HARM, _ANY, _INDIRECT = HEADS.index("harm"), HEADS.index("any"), HEADS.index("indirect")

_TOKENS = 40_000
"""Tokens in a batch."""


@attrs.frozen(eq=False)
class Sums:
    """A linear score.

    ``table`` has a row for each feature (row 0 is nothing), a column for each head. ``sentence`` and ``window`` are what
    is added to a sum over either, ``share`` what a window's sum counts.
    """

    table: NDArray[np.float32]
    sentence: NDArray[np.float32]
    window: NDArray[np.float32]
    share: NDArray[np.float32]


def mean(of: Sequence[Sums]) -> Sums:
    """The mean of some."""
    return Sums(
        *(np.mean(parts, axis=0) for parts in zip(*(attrs.astuple(one, recurse=False) for one in of), strict=True))
    )


class _Sums(torch.nn.Module):
    def __init__(self, size: int, heads: int, dropped: float, words: float = 0.0) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(size, heads, padding_idx=0)
        torch.nn.init.zeros_(self.table.weight)
        self.sentence = torch.nn.Parameter(torch.full((heads,), -2.0))
        self.window = torch.nn.Parameter(torch.full((heads,), -2.0))
        self.share = torch.nn.Parameter(torch.full((heads,), 0.7))
        self._dropped = dropped
        self._words = words

    def forward(self, rows: torch.Tensor, batch: _Batch) -> torch.Tensor:
        if self.training:
            rows = rows * (torch.rand(rows.shape) > self._dropped)
            if self._words and rows.shape[1] > 4:
                hidden = torch.rand(len(rows), 1) < self._words
                rows = torch.cat([rows[:, :4] * ~hidden, rows[:, 4:]], 1)
        each = self.table(rows).sum(1)
        if self.training:
            each = each / (1 - self._dropped)
        total = torch.cat([torch.zeros(1, each.shape[1]), each.cumsum(0)])
        sentence = total[batch.sentences[:, 1]] - total[batch.sentences[:, 0]] + self.sentence
        window = (total[batch.windows[:, 1]] - total[batch.windows[:, 0]]) * self.share + self.window
        return torch.logaddexp(
            _most(sentence, batch.sentence_of, batch.size), _most(window, batch.window_of, batch.size)
        )

    def learned(self) -> Sums:
        return Sums(*(part.detach().numpy() for part in (self.table.weight, self.sentence, self.window, self.share)))


@attrs.frozen(eq=False)
class _Batch:
    rows: torch.Tensor
    sentences: torch.Tensor
    sentence_of: torch.Tensor
    windows: torch.Tensor
    window_of: torch.Tensor
    size: int


def _most(values: torch.Tensor, of: torch.Tensor, size: int) -> torch.Tensor:
    least = torch.full((size, values.shape[1]), -30.0)
    return least.scatter_reduce(0, of[:, None].expand(-1, values.shape[1]), values, "amax")


def _batches(texts: Sequence[Encoded], order: Sequence[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    tokens = 0
    for number in order:
        size = len(texts[number].rows)
        if batch and tokens + size > _TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(number)
        tokens += size
    if batch:
        yield batch


def _packed(texts: Sequence[Encoded]) -> _Batch:
    offsets = np.cumsum([0, *(len(text.rows) for text in texts)])

    def spans(of: list[NDArray[np.int64]]) -> tuple[torch.Tensor, torch.Tensor]:
        places = np.concatenate([part + offset for part, offset in zip(of, offsets, strict=False)])
        return torch.from_numpy(places), torch.from_numpy(np.repeat(np.arange(len(of)), list(map(len, of))))

    rows = torch.from_numpy(np.concatenate([text.rows for text in texts])).long()
    sentences, windows = spans([text.sentences for text in texts]), spans([text.windows for text in texts])
    return _Batch(rows, *sentences, *windows, len(texts))


def targets(examples: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
    """What each head should say, and where it is asked at all. A kind of attack says nothing on the other kinds.

    Where no tool brought the text, an instruction is in its place: the head ``indirect`` has no say.
    """
    wanted = torch.zeros(len(examples), len(HEADS))
    asked = torch.zeros(len(examples), len(HEADS))
    for row, one in enumerate(examples):
        if one.benign:
            asked[row] = 1
            asked[row, _INDIRECT] = one.role == "tool"
        elif one.label == "harmful_request":
            heads = [_HARM]
            wanted[row, heads] = asked[row, heads] = 1
        else:
            heads = [_LABELS[one.label]] if one.label in _LABELS else []
            if not one.implicit:
                heads.append(_ANY)
            wanted[row, heads] = asked[row, heads] = 1
    return wanted, asked


def shares(examples: Sequence[Example], power: float) -> NDArray[np.float64]:
    """How much each record counts.

    Large sources less than in proportion, what was written one by one more than what grew from templates; benign records more
    than attacks together.
    """
    count = Counter((one.source, one.label) for one in examples)
    share = np.array([one.worth * count[one.source, one.label] ** -power for one in examples])
    benign = np.array([one.benign for one in examples])
    for part, of_all in ((benign, 0.6), (~benign, 0.4)):
        share[part] *= of_all * len(examples) / share[part].sum()
    return share


@attrs.frozen
class Recipe:
    """How to train."""

    epochs: int = 3
    rate: float = 0.03
    decay: float = 1e-5
    dropped: float = 0.25
    words: float = 0.15
    power: float = 0.5
    seed: int = 0


def train(
    size: int, scout_size: int, examples: Sequence[Example], texts: Sequence[Encoded], recipe: Recipe
) -> tuple[Sums, Sums]:
    """The weights of ``size`` features, and those of the scout, which knows the first ``scout_size`` of them."""
    torch.manual_seed(recipe.seed)
    chance = np.random.default_rng(recipe.seed)
    full, scout = (
        _Sums(size, len(HEADS), recipe.dropped, recipe.words),
        _Sums(scout_size, len(SCOUT_HEADS), recipe.dropped),
    )
    share = torch.tensor(shares(examples, recipe.power), dtype=torch.float32)
    wanted, asked = targets(examples)
    of_scout = [HEADS.index(head) for head in SCOUT_HEADS]
    optimiser = torch.optim.Adam([*full.parameters(), *scout.parameters()], lr=recipe.rate)
    orders = [chance.permutation(len(examples)).tolist() for _ in range(recipe.epochs)]
    plan = [batch for order in orders for batch in _batches(texts, order)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=len(plan) + 1, pct_start=0.15)
    for chosen in plan:
        batch = _packed([texts[number] for number in chosen])
        loss = torch.zeros(())
        for net, rows, heads in (
            (full, batch.rows, list(range(len(HEADS)))),
            (scout, batch.rows[:, : len(SCOUT_LAYERS)], of_scout),
        ):
            said = net(rows, batch)
            each = binary_cross_entropy_with_logits(said, wanted[chosen][:, heads], reduction="none")
            loss = loss + (each * asked[chosen][:, heads] * share[chosen][:, None]).sum() / len(chosen)
            loss = loss + recipe.decay * net.table.weight.square().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return full.learned(), scout.learned()


def logits(found: Sums, texts: Sequence[Encoded]) -> NDArray[np.float32]:
    """What each head says of each text. The sums may know fewer features, and fewer layers, than the texts have."""
    size, heads = found.table.shape
    net = _Sums(size, heads, dropped=0.0)
    net.load_state_dict(
        {
            "table.weight": torch.from_numpy(found.table),
            **{name: torch.from_numpy(getattr(found, name)) for name in ("sentence", "window", "share")},
        }
    )
    net.eval()
    layers = len(LAYERS) if heads == len(HEADS) else len(SCOUT_LAYERS)
    said = []
    with torch.no_grad():
        for chosen in _batches(texts, range(len(texts))):
            batch = _packed([texts[number] for number in chosen])
            said.append(net(batch.rows[:, :layers], batch).numpy())
    return np.concatenate(said)
