"""A network of a dozen weights: the word "evil" is an injection, "bomb" is harmful, all else is benign."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "evil", "bomb", "word")
EVIL, BOMB = WORDS.index("evil"), WORDS.index("bomb")


def tokenizer(directory: Path) -> None:
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # A tokenizer that comes with a cut and a padding of its own must not cut here.
    made.enable_truncation(8)
    made.enable_padding(length=8)
    made.save(str(directory / "tokenizer.json"))


def network(
    directory: Path,
    *,
    labels: int = 3,
    inputs: Sequence[str] = ("input_ids", "attention_mask", "token_type_ids"),
    shape: Sequence[int | str] = ("batch", "length"),
    pooled: bool = True,
    evil: float = 12.0,
    kind: int = TensorProto.INT64,
) -> None:
    table = np.zeros((len(WORDS), labels), np.float32)
    table[EVIL, min(1, labels - 1)] = evil
    table[BOMB, labels - 1] = 12
    bias = np.array([6.0, *[0.0] * (labels - 1)] if labels > 1 else [-6.0], np.float32)
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["ids"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "ids"], ["each"]),
    ]
    last = "each"
    if "attention_mask" in inputs:
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "two"], ["column"]),
            helper.make_node("Mul", ["each", "column"], ["masked"]),
        ]
        last = "masked"
    if pooled:
        nodes += [helper.make_node("ReduceMax", [last, "one"], ["sum"], keepdims=0)]
        last = "sum"
    nodes += [helper.make_node("Add", [last, "bias"], ["logits"])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name in inputs],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [None] * (3 - pooled))],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(bias, "bias"),
            numpy_helper.from_array(np.array([1], np.int64), "one"),
            numpy_helper.from_array(np.array([2], np.int64), "two"),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    onnx.save(made, str(directory / "model.onnx"))


def config(directory: Path, *labels: str, **more: Any) -> None:
    told = {"id2label": {str(place): label for place, label in enumerate(labels)}, **more}
    (directory / "config.json").write_text(json.dumps(told))


def model(directory: Path, **how: Any) -> Path:
    directory.mkdir(exist_ok=True)
    tokenizer(directory)
    network(directory, **how)
    config(directory, "SAFE", "INJECTION", "UNSAFE", max_position_embeddings=64, pad_token_id=0)
    return directory
