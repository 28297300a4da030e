"""The encoder while it learns: a larger one's layers and some of its pieces, in whole numbers or not yet.

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

from lockllm_twisted.detection.encoder import LABELS, NARROW, SEATS
from lockllm_twisted.detection.encoder_weights import LEVELS, Rounded
from lockllm_twisted.detection.wordpieces import FIRST, LAST, UNKNOWN, WordPieces
from training.learning import meaned

PIECES = 7600
_DROPPED = 0.1
_END_OF_LATIN = "\u0250"
_STEP, _STEP_OF_PIECES = 1.55, 1.2
"""How far apart two whole numbers of a layer are, and of a piece: so many of a row's root mean squares."""
_FINEST = 63
"""The largest whole number that a weight of the small matrices is stored as."""

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
        if not NARROW.unread(words, shown):
            count.update(shown)
    letters = [piece for piece in every if len(piece.removeprefix("##")) == 1 and piece[-1] < _END_OF_LATIN]
    usual = [every[number] for number, _ in count.most_common()]
    return list(dict.fromkeys([UNKNOWN, FIRST, LAST, *letters, *usual]))[:PIECES]


def _in_steps(weight: torch.Tensor, apart: float) -> tuple[torch.Tensor, torch.Tensor]:
    step = apart * weight.pow(2).mean(1, keepdim=True).sqrt() + 1e-12
    return (weight / step).round().clamp(-LEVELS, LEVELS), step


def _stored(weight: torch.Tensor, apart: float) -> torch.Tensor:
    """Weights in such steps, which learn as if they were not; as they are, where these are none."""
    if not apart:
        return weight
    whole, step = _in_steps(weight.detach(), apart)
    return weight + (whole * step - weight.detach())


class _Linear(torch.nn.Linear):
    """``apart``: the steps that its weights are used in."""

    apart = 0.0

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return functional.linear(states, _stored(self.weight, self.apart), self.bias)


class _Pieces(torch.nn.Embedding):
    """``apart``: the steps that its weights are used in."""

    apart = 0.0

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return functional.embedding(ids, _stored(self.weight, self.apart))


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

    def __init__(self, pieces: int, width: int, wide: int, heads: int, layers: int) -> None:
        super().__init__()
        self.heads = heads
        self.pieces = _Pieces(pieces, width)
        self.places = torch.nn.Embedding(SEATS, width)
        self.first = torch.nn.LayerNorm(width, eps=1e-12)
        self.layers = torch.nn.ModuleList(_Layer(width, heads, wide) for _ in range(layers))
        self.labels = torch.nn.Linear(width, len(LABELS))

    def forward(self, ids: torch.Tensor, shown: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """(texts, pieces) twice, (spans, 3) -> (spans, labels). ``shown``: 1, or 0 behind a text's end; a span: text, first piece, end."""
        return self.said(self.states(ids, shown)[-1], spans)

    def states(self, ids: torch.Tensor, shown: torch.Tensor) -> list[torch.Tensor]:
        """What each layer makes of each piece: (texts, pieces, width)."""
        states = self.first(self.pieces(ids) + self.places.weight[: ids.shape[1]])
        hidden = torch.where(shown == 1, 0.0, -1e9)[:, None, None, :]
        found = []
        for layer in self.layers:
            states = layer(states, hidden)
            found.append(states)
        return found

    def said(self, states: torch.Tensor, spans: torch.Tensor) -> torch.Tensor:
        """The logits of each span, from the last layer's states."""
        found: torch.Tensor = self.labels(meaned(states, spans))
        return found

    def coarsen(self, share: float) -> None:
        """From here on, weights are used in steps that are such a share of those that they are stored in."""
        self.pieces.apart = share * _STEP_OF_PIECES
        for part in self.layers.modules():
            if isinstance(part, _Linear):
                part.apart = share * _STEP


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
    """The student before its first lesson: the larger one, which knows fewer pieces."""
    given = base_weights(base)
    told = json.loads((base / "config.json").read_text(encoding="utf-8"))
    sizes = (told[name] for name in ("hidden_size", "intermediate_size", "num_attention_heads", "num_hidden_layers"))
    student = Student(len(pieces), *sizes)
    number = {piece: at for at, piece in enumerate((base / "vocab.txt").read_text(encoding="utf-8").splitlines())}
    rows = given["embeddings.word_embeddings.weight"][[number[piece] for piece in pieces]]
    usual = rows.mean(0)
    type_of_all = given["embeddings.token_type_embeddings.weight"][0]
    with torch.no_grad():
        student.pieces.weight.copy_(rows - usual)
        student.places.weight.copy_(given["embeddings.position_embeddings.weight"][:SEATS] + type_of_all + usual)
        _copied(student.first, given, "embeddings.LayerNorm")
        for at, layer in enumerate(student.layers):
            for name, there in _OF_BERT.items():
                _copied(getattr(layer, name), given, f"encoder.layer.{at}.{there}")
    return student


def _copied(to: torch.nn.Linear | torch.nn.LayerNorm, given: Tensors, name: str) -> None:
    to.weight.copy_(given[f"{name}.weight"])
    to.bias.copy_(given[f"{name}.bias"])


def rounded(student: Student) -> tuple[dict[str, Rounded], dict[str, tuple[list[float], list[float]]]]:
    """The matrices in whole numbers, and the norms, by their names in ``detection.encoder_weights``."""
    matrices = {
        "pieces": _coarse(student.pieces.weight, _STEP_OF_PIECES, torch.zeros(len(student.pieces.weight))),
        "places": _fine(student.places.weight, torch.zeros(SEATS)),
        "labels": _fine(student.labels.weight, student.labels.bias),
    }
    norms = {"first": student.first}
    for number, layer in enumerate(student.layers):
        for name in _OF_BERT:
            each = getattr(layer, name)
            if isinstance(each, torch.nn.LayerNorm):
                norms[f"{number}.{name}"] = each
            else:
                matrices[f"{number}.{name}"] = _coarse(each.weight, _STEP, each.bias)
    return matrices, {name: (each.weight.tolist(), each.bias.tolist()) for name, each in norms.items()}


def _coarse(weight: torch.Tensor, apart: float, added: torch.Tensor) -> Rounded:
    whole, step = _in_steps(weight.detach(), apart)
    return whole.int().tolist(), step[:, 0].tolist(), added.tolist()


def _fine(weight: torch.Tensor, added: torch.Tensor) -> Rounded:
    """Each row in steps that lose least of it."""
    rows = weight.detach().numpy().astype(np.float64)
    widest = np.abs(rows).max(1) + 1e-12
    best, worth, found = np.full(len(rows), np.inf), widest, np.zeros(rows.shape, np.int64)
    for part in np.linspace(0.4, 1, 24):
        step = widest * part / _FINEST
        whole = np.clip(np.rint(rows / step[:, None]), -_FINEST, _FINEST).astype(np.int64)
        lost = ((whole * step[:, None] - rows) ** 2).sum(1)
        better = lost < best
        best, worth = np.where(better, lost, best), np.where(better, step, worth)
        found[better] = whole[better]
    return found.tolist(), worth.tolist(), added.tolist()
