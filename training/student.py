"""The encoder while it learns: a few layers of a larger one, its pieces in fewer numbers.

Responsible for: `Student`, `begun`, `vocabulary`, `rounded`.
Must never: see a text that is held out.
"""

from __future__ import annotations

import json
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from lockllm_twisted.detection.encoder import LABELS, SEATS, mostly_spelled
from lockllm_twisted.detection.encoder_weights import LEVELS, Rounded
from lockllm_twisted.detection.wordpieces import FIRST, LAST, UNKNOWN, WordPieces
from training.learning import meaned

PIECES = 7600
_NARROW = 64
"""Numbers of a piece."""
_LAYERS = (0, 3, 5)
"""Those of the larger one that it starts with."""
_DROPPED = 0.1
_END_OF_LATIN = "\u0250"
_STEP = 0.68
"""How far apart two whole numbers of a layer are: so many of a row's root mean squares."""
_FINE, _FINEST = 15, 63
"""The largest whole number that a weight of the pieces is stored as, and one of the small matrices."""

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


def _in_steps(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    step = _STEP * weight.pow(2).mean(1, keepdim=True).sqrt() + 1e-12
    return (weight / step).round().clamp(-LEVELS, LEVELS), step


class _Linear(torch.nn.Linear):
    """``stored``: the weights are as they will be stored, and learn as if they were not."""

    stored = False

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        weight = self.weight
        if self.stored:
            whole, step = _in_steps(weight.detach())
            weight = weight + (whole * step - weight.detach())
        return functional.linear(states, weight, self.bias)


class _Layer(torch.nn.Module):
    def __init__(self, width: int, heads: int, wide: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mixed = (_Linear(width, width) for _ in range(4))
        self.wider, self.narrower = _Linear(width, wide), _Linear(wide, width)
        self.attended, self.done = (torch.nn.LayerNorm(width, eps=1e-12) for _ in range(2))
        self.dropped = torch.nn.Dropout(_DROPPED)

    def forward(self, states: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        texts, tokens, width = states.shape

        def apart(each: torch.Tensor) -> torch.Tensor:
            return each.view(texts, tokens, self.heads, width // self.heads).transpose(1, 2)

        taken = functional.scaled_dot_product_attention(
            apart(self.query(states)), apart(self.key(states)), apart(self.value(states)), attn_mask=hidden
        )
        states = self.attended(states + self.dropped(self.mixed(taken.transpose(1, 2).reshape(texts, tokens, width))))
        found: torch.Tensor = self.done(states + self.dropped(self.narrower(functional.gelu(self.wider(states)))))
        return found


class Student(torch.nn.Module):
    """`network.Network` in torch: the logits of each span."""

    def __init__(self, pieces: int, width: int, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.pieces, self.spread = torch.nn.Embedding(pieces, _NARROW), torch.nn.Linear(_NARROW, width, bias=False)
        self.places = torch.nn.Embedding(SEATS, width)
        self.first = torch.nn.LayerNorm(width, eps=1e-12)
        self.layers = torch.nn.ModuleList(_Layer(width, heads, wide) for _ in _LAYERS)
        self.labels = torch.nn.Linear(width, len(LABELS))

    def forward(self, ids: torch.Tensor, shown: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """(texts, pieces) twice, (spans, 3) -> (spans, labels). ``shown``: 1, or 0 behind a text's end; a span: text, first piece, end."""
        states = self.first(self.spread(self.pieces(ids)) + self.places.weight[: ids.shape[1]])
        hidden = torch.where(shown == 1, 0.0, -1e9)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, hidden)
        found: torch.Tensor = self.labels(meaned(states, spans))
        return found

    def store(self) -> None:
        """From here on, the layers' weights are rounded whenever they are used."""
        for layer in self.layers:
            for part in layer.children():
                if isinstance(part, _Linear):
                    part.stored = True


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
    type_of_all = given["embeddings.token_type_embeddings.weight"][0]
    with torch.no_grad():
        student.pieces.weight.copy_(left[:, :_NARROW] * root)
        student.spread.weight.copy_((right[:_NARROW] * root[:, None]).T)
        student.places.weight.copy_(given["embeddings.position_embeddings.weight"][:SEATS] + type_of_all + usual)
        _copied(student.first, given, "embeddings.LayerNorm")
        for layer, of in zip(student.layers, _LAYERS, strict=True):
            for name, there in _OF_BERT.items():
                _copied(getattr(layer, name), given, f"encoder.layer.{of}.{there}")
    return student


def _copied(to: torch.nn.Linear | torch.nn.LayerNorm, given: Tensors, name: str) -> None:
    to.weight.copy_(given[f"{name}.weight"])
    to.bias.copy_(given[f"{name}.bias"])


def rounded(student: Student) -> tuple[dict[str, Rounded], dict[str, tuple[list[float], list[float]]]]:
    """The matrices in whole numbers, and the norms, by their names in ``detection.encoder_weights``."""
    small = {"spread": student.spread.weight, "places": student.places.weight, "labels": student.labels.weight}
    matrices = {name: _fine(weight, _FINEST) for name, weight in small.items()}
    matrices["labels"] = (*matrices["labels"][:2], student.labels.bias.tolist())
    matrices["pieces"] = _fine(student.pieces.weight, _FINE)
    norms = {"first": student.first}
    for number, layer in enumerate(student.layers):
        for name in _OF_BERT:
            each = getattr(layer, name)
            if isinstance(each, torch.nn.LayerNorm):
                norms[f"{number}.{name}"] = each
            else:
                whole, step = _in_steps(each.weight.detach())
                matrices[f"{number}.{name}"] = (whole.int().tolist(), step[:, 0].tolist(), each.bias.tolist())
    return matrices, {name: (each.weight.tolist(), each.bias.tolist()) for name, each in norms.items()}


def _fine(weight: torch.Tensor, most: int) -> Rounded:
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
    return found.tolist(), worth.tolist(), [0.0] * len(rows)
