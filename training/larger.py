"""``python -m training.larger --data DIR --base DIR --to DIR``: a larger model from the same texts, for the plugin lockllm-onnx.

Responsible for: an encoder that knows a language already, taught what an attack is; the folder that the plugin reads.
Must never: learn from a text that is held out, or be needed by the detector that ships.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoModel, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from training.corpus import Example, held_out, load, written
from training.learning import batches, descent
from training.planting import planted

LABELS = ("prompt_injection", "unsafe")
WINDOW = 128
"""Tokens of a text that is learned from, and that the plugin shows the model at once."""

_BATCH = 32
_RATE, _RATE_OF_LABELS = 6e-5, 1e-3
_USUAL = (0.005, 0.0005)
"""The share of the harmless held-out texts of users that may come to each label's 0.6, where `medium` starts."""


class Classifier(torch.nn.Module):
    """Logits for `LABELS` from the mean of an encoder's last states."""

    def __init__(self, encoder: PreTrainedModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.labels = torch.nn.Linear(encoder.config.hidden_size, len(LABELS))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(texts, tokens) -> (texts, labels)."""
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        shown = mask[..., None].to(states.dtype)
        found: torch.Tensor = self.labels((states * shown).sum(1) / shown.sum(1))
        return found


def lessons(examples: Sequence[Example]) -> list[Example]:
    """What can be told by its words alone: no transformed texts, and no ordinary instructions."""
    return [one for one in examples if one.label != "obfuscated" and not one.implicit]


def wanted(one: Example) -> tuple[list[float], list[float]]:
    """What each label should say of a text, and how much it counts there: an attack is no example of no harm, or the other way round."""
    harm = one.label == "harmful_request"
    said = [float(not one.benign and not harm), float(harm)]
    return said, [one.worth * (one.benign or said[0]), one.worth * (one.benign or said[1])]


def padded(rows: Sequence[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token numbers and mask of some texts."""
    most = max(map(len, rows))
    ids = torch.tensor([[*row, *([pad] * (most - len(row)))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (most - len(row)) for row in rows])
    return ids, mask


def train(model: Classifier, examples: Sequence[Example], tokens: Sequence[list[int]], pad: int, seed: int) -> None:
    """One pass."""
    plan = list(batches(tokens, np.random.default_rng(seed), _BATCH))
    descend = descent(model, _RATE, _RATE_OF_LABELS, len(plan))
    model.train()
    for step, chosen in enumerate(plan):
        told = [wanted(examples[number]) for number in chosen]
        target, share = torch.tensor([said for said, _ in told]), torch.tensor([counts for _, counts in told])
        said = model(*padded([tokens[number] for number in chosen], pad))
        loss = (binary_cross_entropy_with_logits(said, target, reduction="none") * share).sum() / share.sum()
        descend(loss)
        if step % 50 == 0:
            sys.stderr.write(f"{step} of {len(plan)}: {loss.item():.3f}\n")


def logits(model: Classifier, tokens: Sequence[list[int]], pad: int) -> NDArray[np.float64]:
    """What the model says of each text, by its first window."""
    model.eval()
    with torch.no_grad():
        said = [model(*padded(tokens[at : at + _BATCH], pad)).numpy() for at in range(0, len(tokens), _BATCH)]
    return np.concatenate(said).astype(np.float64)


def scale(model: Classifier, usual: Sequence[list[int]], pad: int) -> None:
    """Shift each label so that its share of harmless texts comes to 0.6."""
    said = logits(model, usual, pad)
    with torch.no_grad():
        for label, share in enumerate(_USUAL):
            model.labels.bias[label] += float(np.log(0.6 / 0.4) - np.quantile(said[:, label], 1 - share))


def export(model: Classifier, tokenizer: PreTrainedTokenizerBase, base: Path, to: Path) -> None:
    """The plugin's folder: ``model.onnx``, ``tokenizer.json``, ``config.json``."""
    to.mkdir(parents=True, exist_ok=True)
    model.eval()
    example = padded([[1, 2, 3], [1, 2, 3]], 0)
    texts, length = torch.export.Dim("texts"), torch.export.Dim("tokens", max=WINDOW)
    torch.onnx.export(
        model,
        example,
        to / "model.onnx",
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_shapes=({0: texts, 1: length}, {0: texts, 1: length}),
        external_data=False,
    )
    shutil.copyfile(base / "tokenizer.json", to / "tokenizer.json")
    told = {
        "id2label": dict(enumerate(LABELS)),
        "problem_type": "multi_label_classification",
        "max_position_embeddings": WINDOW,
        "pad_token_id": tokenizer.pad_token_id,
    }
    (to / "config.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and write the plugin's folder."""
    parser = argparse.ArgumentParser(prog="python -m training.larger", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the folder with train.jsonl.gz")
    parser.add_argument(
        "--base", type=Path, required=True, metavar="DIR", help="a BERT-like encoder, as transformers saves it"
    )
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="the folder for the plugin")
    parser.add_argument("--texts", type=int, default=200_000, metavar="N", help="learn from so many at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    torch.manual_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(options.base)
    by_hand = written()
    kept = [one for one in by_hand if not held_out(one)]
    kept += planted(options.seed, by_hand, held=False)
    examples = lessons([*load(options.data / "train.jsonl.gz"), *kept])
    usual = [one for one in by_hand if held_out(one) and one.benign and one.role == "user" and not one.paired]

    def encoded(some: Sequence[Example]) -> list[list[int]]:
        found: list[list[int]] = tokenizer([one.text for one in some], truncation=True, max_length=WINDOW + 1)[
            "input_ids"
        ]
        return found

    tokens = encoded(examples)
    order = np.random.default_rng(options.seed).permutation(len(examples)).tolist()
    chosen = [number for number in order if len(tokens[number]) <= WINDOW][: options.texts]
    model = Classifier(AutoModel.from_pretrained(options.base))
    train(model, [examples[n] for n in chosen], [tokens[n] for n in chosen], tokenizer.pad_token_id, options.seed)
    scale(model, [row[:WINDOW] for row in encoded(usual)], tokenizer.pad_token_id)
    export(model, tokenizer, options.base, options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
