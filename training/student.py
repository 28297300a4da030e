"""The encoder while it learns: a few layers of a larger one, taught by the texts and by what the larger one makes of them.

Responsible for: `Student`, `begun`, `vocabulary`, `learn`, `rounded`.
Must never: see a text that is held out.
"""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from lockllm_twisted.detection.encoder import LABELS, PLACES, Passage, mostly_spelled
from lockllm_twisted.detection.encoder_weights import Rounded
from lockllm_twisted.detection.network import ASKED, BESIDE
from lockllm_twisted.detection.wordpieces import FIRST, LAST, UNKNOWN, WordPieces
from training.larger import batches

PIECES = 8192
_NARROW = 64
"""Numbers of a piece."""
_LAYERS = (0, 5)
"""Those of the larger one that it starts with."""
_PASSES = 2
_RATE, _RATE_OF_LABELS = 2e-4, 2e-3
_WARMING = 0.05
_END_OF_LATIN = "\u0250"
_LEVELS, _FINE = 7, 63
"""The largest whole number that a weight of a layer is stored as, and one of the smaller matrices."""

Array = NDArray[np.float32]
Tensors = Mapping[str, torch.Tensor]


def base_weights(base: Path) -> dict[str, torch.Tensor]:
    """The tensors of a ``model.safetensors``: https://github.com/huggingface/safetensors, "Format"."""
    content = (base / "model.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + size])
    head.pop("__metadata__", None)
    found = {}
    for name, told in head.items():
        if told["dtype"] == "F32":
            start, end = told["data_offsets"]
            part = np.frombuffer(content[8 + size + start : 8 + size + end], "<f4").reshape(told["shape"])
            found[name.removeprefix("bert.")] = torch.from_numpy(part.copy())
    return found


def vocabulary(base: Path, texts: Iterable[str]) -> list[str]:
    """The pieces of the larger one that some English texts need most, and every letter."""
    every = (base / "vocab.txt").read_text(encoding="utf-8").splitlines()
    words = WordPieces(every)
    count: Counter[int] = Counter()
    for text in texts:
        shown = words.of(text)
        if not mostly_spelled(words, shown):
            count.update(shown)
    letters = [piece for piece in every if len(piece.removeprefix("##")) == 1 and piece[-1] < _END_OF_LATIN]
    usual = [every[number] for number, _ in count.most_common()]
    return list(dict.fromkeys([UNKNOWN, FIRST, LAST, *letters, *usual]))[:PIECES]


class _Layer(torch.nn.Module):
    def __init__(self, width: int, heads: int, wide: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mixed = (torch.nn.Linear(width, width) for _ in range(4))
        self.wider, self.narrower = torch.nn.Linear(width, wide), torch.nn.Linear(wide, width)
        self.attended, self.done = (torch.nn.LayerNorm(width, eps=1e-12) for _ in range(2))

    def forward(self, states: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        texts, tokens, width = states.shape

        def apart(each: torch.Tensor) -> torch.Tensor:
            return each.view(texts, tokens, self.heads, width // self.heads).transpose(1, 2)

        taken = functional.scaled_dot_product_attention(
            apart(self.query(states)), apart(self.key(states)), apart(self.value(states)), attn_mask=hidden
        )
        states = self.attended(states + self.mixed(taken.transpose(1, 2).reshape(texts, tokens, width)))
        found: torch.Tensor = self.done(states + self.narrower(functional.gelu(self.wider(states))))
        return found


class Student(torch.nn.Module):
    """`network.Network` in torch: the logit of each label, and the mean of the last states of what is asked about."""

    def __init__(self, pieces: int, width: int, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.pieces, self.spread = torch.nn.Embedding(pieces, _NARROW), torch.nn.Linear(_NARROW, width, bias=False)
        self.places, self.parts = torch.nn.Embedding(PLACES, width), torch.nn.Embedding(2, width)
        self.first = torch.nn.LayerNorm(width, eps=1e-12)
        self.layers = torch.nn.ModuleList(_Layer(width, heads, wide) for _ in _LAYERS)
        self.labels = torch.nn.Linear(width, len(LABELS))

    def forward(self, ids: torch.Tensor, parts: torch.Tensor, shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(texts, pieces) each -> (texts, labels), (texts, width). ``shown``: 1, or 0 behind a text's end."""
        states = self.spread(self.pieces(ids)) + self.places.weight[: ids.shape[1]]
        states = self.first(states + self.parts((parts == BESIDE).long()))
        hidden = torch.where(shown == 1, 0.0, -1e9)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, hidden)
        asked = ((parts == ASKED) & (shown == 1)).to(states.dtype)[..., None]
        mean = (states * asked).sum(1) / asked.sum(1).clamp(min=1)
        return self.labels(mean), mean


_OF_BERT = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "mixed": "attention.output.dense",
    "attended": "attention.output.LayerNorm",
    "wider": "intermediate.dense",
    "narrower": "output.dense",
    "done": "output.LayerNorm",
}


def begun(base: Path, pieces: Sequence[str]) -> Student:
    """The student before its first lesson: some layers of the larger one, and its pieces in fewer numbers, by singular value decomposition."""
    given = base_weights(base)
    told = json.loads((base / "config.json").read_text(encoding="utf-8"))
    student = Student(len(pieces), told["hidden_size"], told["intermediate_size"], told["num_attention_heads"])
    number = {piece: at for at, piece in enumerate((base / "vocab.txt").read_text(encoding="utf-8").splitlines())}
    rows = given["embeddings.word_embeddings.weight"][[number[piece] for piece in pieces]]
    usual = rows.mean(0)
    left, size, right = torch.linalg.svd(rows - usual, full_matrices=False)
    root = size[:_NARROW].sqrt()
    types = given["embeddings.token_type_embeddings.weight"]
    with torch.no_grad():
        student.pieces.weight.copy_(left[:, :_NARROW] * root)
        student.spread.weight.copy_((right[:_NARROW] * root[:, None]).T)
        student.places.weight.copy_(given["embeddings.position_embeddings.weight"][:PLACES])
        student.parts.weight.copy_(types[0] + usual + torch.randn(types.shape) * 0.05 * torch.tensor([[0.0], [1.0]]))
        _copied(student.first, given, "embeddings.LayerNorm")
        for layer, of in zip(student.layers, _LAYERS, strict=True):
            for name, there in _OF_BERT.items():
                _copied(getattr(layer, name), given, f"encoder.layer.{of}.{there}")
    return student


def _copied(to: torch.nn.Linear | torch.nn.LayerNorm, given: Tensors, name: str) -> None:
    to.weight.copy_(given[f"{name}.weight"])
    to.bias.copy_(given[f"{name}.bias"])


def _padded(passages: Sequence[Passage]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    most = max(len(one.pieces) for one in passages)
    ids, parts, shown = (torch.zeros(len(passages), most, dtype=torch.long) for _ in range(3))
    for row, one in enumerate(passages):
        size = len(one.pieces)
        ids[row, :size], parts[row, :size] = torch.tensor(one.pieces), torch.tensor(one.parts)
        shown[row, :size] = 1
    return ids, parts, shown


def learn(
    student: Student, passages: Sequence[Passage], wanted: Array, share: Array, taught: Mapping[int, Array], seed: int
) -> None:
    """Some passes. ``wanted``, ``share``: (passages, labels); ``taught``: what the larger one's states come to in some of the passages."""
    sizes = [one.pieces for one in passages]
    plan = [batch for turn in range(_PASSES) for batch in batches(sizes, np.random.default_rng(seed + turn))]
    labels = list(student.labels.parameters())
    others = [each for name, each in student.named_parameters() if not name.startswith("labels")]
    optimiser = torch.optim.AdamW(
        [{"params": others, "lr": _RATE}, {"params": labels, "lr": _RATE_OF_LABELS}], weight_decay=0.01
    )
    warm = _WARMING * len(plan)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / warm) * max(0.01, 1 - step / len(plan))
    )
    spread = float(np.std(np.stack(list(taught.values()))))
    student.train()
    for step, chosen in enumerate(plan):
        said, mean = student(*_padded([passages[number] for number in chosen]))
        counts = torch.from_numpy(share[chosen])
        error = functional.binary_cross_entropy_with_logits(said, torch.from_numpy(wanted[chosen]), reduction="none")
        loss = (error * counts).sum() / counts.sum().clamp(min=1)
        known = [row for row, number in enumerate(chosen) if number in taught]
        if known:
            like = np.stack([taught[chosen[row]] for row in known]) / spread
            loss = loss + ((mean[known] - torch.from_numpy(like)) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0:
            sys.stderr.write(f"{step} of {len(plan)}: {loss.item():.3f}\n")


def rounded(student: Student) -> tuple[dict[str, Rounded], dict[str, tuple[list[float], list[float]]]]:
    """The matrices in whole numbers, and the norms, by their names in ``detection.encoder_weights``."""
    fine = {"pieces": student.pieces, "spread": student.spread, "places": student.places, "parts": student.parts}
    matrices = {name: _whole(each.weight, None, _FINE) for name, each in fine.items()}
    matrices["labels"] = _whole(student.labels.weight, student.labels.bias, _FINE)
    norms = {"first": student.first}
    for number, layer in enumerate(student.layers):
        for name in _OF_BERT:
            each = getattr(layer, name)
            if isinstance(each, torch.nn.LayerNorm):
                norms[f"{number}.{name}"] = each
            else:
                matrices[f"{number}.{name}"] = _whole(each.weight, each.bias, _LEVELS)
    return matrices, {name: (each.weight.tolist(), each.bias.tolist()) for name, each in norms.items()}


def _whole(weight: torch.Tensor, bias: torch.Tensor | None, most: int) -> Rounded:
    """Each row in as many steps as lose least of it."""
    rows = weight.detach().numpy().astype(np.float64)
    widest = np.abs(rows).max(1) + 1e-12
    best, worth, found = np.full(len(rows), np.inf), widest, np.zeros(rows.shape, np.int64)
    for part in np.linspace(0.4, 1, 24):
        step = widest * part / most
        whole = np.clip(np.rint(rows / step[:, None]), -most, most).astype(np.int64)
        lost = ((whole * step[:, None] - rows) ** 2).sum(1)
        better = lost < best
        best, worth = np.where(better, lost, best), np.where(better, step, worth)
        found[better] = whole[better]
    added = [0.0] * len(rows) if bias is None else bias.tolist()
    return found.tolist(), worth.tolist(), added
