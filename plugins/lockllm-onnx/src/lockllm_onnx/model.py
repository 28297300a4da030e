"""The model: a text cut into windows of tokens, and what the network says of each window.

Responsible for: tokens with their place in the text, windows that overlap so that no attack lies on a cut, batches,
probabilities.
Must never: leave out a part of a text, or reach for the network: everything is read from one directory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import islice, takewhile
from typing import Any

import attrs
import numpy as np
import onnxruntime as ort
from lockllm_twisted.errors import SettingsError
from tokenizers import Tokenizer

from lockllm_onnx.config import Config, files

_PIECE = 16_384
"""Characters that are tokenised at once: no tokenizer's memory, or time, then grows faster than the text."""
_PIECES_SHARE = 1_024
"""Characters that two pieces share: some 250 tokens."""

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_QUIET = 3
"""ONNX Runtime's severity "error": its warnings are about the graph, and go to standard error."""


_Array = np.ndarray[Any, np.dtype[np.float64]]


class _Mismatch(ValueError):
    """The network answers something else than a number for each label."""


@attrs.frozen
class Window:
    """What the network said of a stretch of the text: a probability for each label."""

    start: int
    end: int
    probabilities: tuple[float, ...]


@attrs.frozen
class _Tokens:
    ids: Sequence[int]
    start: int
    end: int


class Classifier:
    """A loaded model. Threads may share it: neither the session nor the tokenizer changes after this.

    Raises `SettingsError` for files that are missing or can't be loaded, and for a network that is no text classifier
    with these labels.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        parts = files(config.directory)
        self._tokenizer = _tokenizer(parts[-1])
        self._session = _session(config)
        self._kinds = self._inputs()
        self._output = self._session.get_outputs()[0].name
        shape = self._session.get_inputs()[0].shape
        fixed = [size if isinstance(size, int) else None for size in (*shape, None, None)[:2]]
        self._length = fixed[1]
        window = min(config.window, fixed[1] or config.window)
        self._batch = (fixed[0] or config.batch) if "attention_mask" in self._kinds else 1
        self._fixed_batch = fixed[0]
        special = self._tokenizer.encode("a").special_tokens_mask
        ids = self._tokenizer.encode("a").ids
        before = len(list(takewhile(bool, special)))
        after = len(list(takewhile(bool, reversed(special[before:]))))
        self._before, self._after = ids[:before], ids[len(ids) - after :] if after else []
        self._room = window - before - after
        if self._room < 1:
            raise SettingsError(f"a window of {window} tokens has no room beside {before + after} special ones.")
        self._probe()
        self.version = _version(config, parts)

    def windows(self, text: str) -> list[Window]:
        """Every part of the text, judged. Empty for a text without a token."""
        found: list[Window] = []
        pending = self._tokens(text)
        while batch := list(islice(pending, self._batch)):
            for tokens, row in zip(batch, self._probabilities(batch), strict=True):
                found.append(Window(tokens.start, tokens.end, row))
        return found

    def _tokens(self, text: str) -> Iterator[_Tokens]:
        # A lone surrogate has no UTF-8; "?" takes its place, one character for one, so the spans stay right.
        text = text.encode("utf-8", "replace").decode()
        step = max(1, self._room - self._room // 4)
        for start in range(0, max(1, len(text) - _PIECES_SHARE), _PIECE - _PIECES_SHARE):
            piece = self._tokenizer.encode(text[start : start + _PIECE], add_special_tokens=False)
            ids, offsets = piece.ids, piece.offsets
            for first in range(0, max(1, len(ids) - self._room + step), step):
                mine = ids[first : first + self._room]
                if mine:
                    places = offsets[first : first + len(mine)]
                    yield _Tokens(mine, start + places[0][0], start + max(end for _, end in places))

    def _probabilities(self, batch: Sequence[_Tokens]) -> list[tuple[float, ...]]:
        rows = [[*self._before, *tokens.ids, *self._after] for tokens in batch]
        length = self._length or max(map(len, rows))
        ids = np.full((self._fixed_batch or len(rows), length), self._config.pad, np.int64)
        mask = np.zeros_like(ids)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = row
            mask[place, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: given[name].astype(kind, copy=False) for name, kind in self._kinds.items()}
        logits = np.asarray(self._session.run([self._output], feed)[0], np.float64)
        return [tuple(row) for row in self._activated(self._checked(logits, len(rows))).tolist()]

    def _activated(self, logits: _Array) -> _Array:
        if self._config.independent:
            return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))

    def _inputs(self) -> dict[str, Any]:
        kinds: dict[str, Any] = {}
        for one in self._session.get_inputs():
            if one.name not in _INPUTS or one.type not in _INTEGERS:
                raise SettingsError(
                    f"model.onnx wants an input {one.name} of {one.type}: a text classifier takes {', '.join(_INPUTS)}, "
                    "of whole numbers."
                )
            kinds[one.name] = _INTEGERS[one.type]
        if "input_ids" not in kinds:
            raise SettingsError("model.onnx has no input input_ids: it is no text classifier.")
        return kinds

    def _probe(self) -> None:
        """One run, so that a network of another shape stops the start and not the first request."""
        ids = self._tokenizer.encode("a", add_special_tokens=False).ids
        try:
            self._probabilities([_Tokens(ids, 0, 1)])
        except _Mismatch as problem:
            raise SettingsError(str(problem)) from None
        except Exception as problem:  # noqa: BLE001 # ONNX Runtime's exceptions have no common base
            raise SettingsError(f"model.onnx does not run on its tokenizer's tokens: {_first_line(problem)}") from None

    def _checked(self, logits: _Array, rows: int) -> _Array:
        labels = self._config.labels
        if logits.ndim != 2 or logits.shape[0] < rows or logits.shape[1] != len(labels):  # noqa: PLR2004 # as told here
            raise _Mismatch(
                f"model.onnx answers {self._output} of shape {list(logits.shape)}, but a text classifier with "
                f"{len(labels)} labels ({', '.join(labels)}) answers {[rows, len(labels)]}."
            )
        if not np.isfinite(logits).all():
            raise ValueError("the model gave something that is no number")
        return logits[:rows]


def _tokenizer(path: Any) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as problem:  # noqa: BLE001 # it raises nothing more exact
        raise SettingsError(f"{path} is no tokenizer: {_first_line(problem)}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _session(config: Config) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = config.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    path = config.directory / "model.onnx"
    try:
        return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as problem:  # noqa: BLE001 # its exceptions have no common base
        raise SettingsError(f"{path} is no ONNX model that can be run here: {_first_line(problem)}") from None


def _version(config: Config, parts: Sequence[Any]) -> str:
    """Changes with every byte of the model, and with what decides on its findings."""
    told = (config.labels, sorted(config.categories.items()), config.window, config.independent, sorted(config.origins))
    total = hashlib.sha256(repr(told).encode())
    for part in parts:
        with part.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


def _first_line(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:300]
