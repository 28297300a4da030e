"""What the settings and the model's own ``config.json`` say.

Responsible for: the table ``[plugins.onnx]``, the labels and what each of them means.
Must never: guess what a label means. One that says nothing, such as ``LABEL_1``, has to be told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import Settings, nearest
from lockllm_twisted.values import Category, Origin

_TELLING: Mapping[str, str | None] = MappingProxyType(
    {
        **dict.fromkeys(("benign", "safe", "legit", "legitimate", "normal", "harmless"), None),
        **dict.fromkeys(("injection", "prompt_injection", "malicious"), Category.PROMPT_INJECTION.value),
        "jailbreak": Category.JAILBREAK.value,
        **dict.fromkeys(("unsafe", "harmful"), Category.UNSAFE_INSTRUCTIONS.value),
    }
)
"""Labels that say what they mean; ``None``: that there is nothing to find."""

HARMLESS = "harmless"
"""What the settings write for a label that means no harm."""

_DEFAULT_WINDOW = 512
"""Tokens: what Prompt Guard, DeBERTa and most others were trained with."""

_KNOWN = ("model", "labels", "categories", "window", "batch", "threads", "origins")


@attrs.frozen
class Config:
    """One model: its directory, its labels in the order of its outputs, and the category that each of them stands for.

    ``window`` counts tokens, special ones included; ``independent``: each label has a probability of its own.
    """

    directory: Path
    labels: tuple[str, ...]
    categories: Mapping[str, str]
    window: int = _DEFAULT_WINDOW
    batch: int = 8
    threads: int = 1
    origins: frozenset[Origin] = frozenset(Origin)
    independent: bool = False
    pad: int = 0


def read(settings: Settings) -> Config:
    """The configuration. Raises `SettingsError`, with the line where it is known."""
    table = settings.plugins["onnx"]
    try:
        return _config(table, settings)
    except _Wrong as wrong:
        place = ("plugins", "onnx", wrong.setting) if wrong.setting in table else ("plugins", "onnx")
        name = f" {wrong.setting}" if wrong.setting else ""
        raise settings.error(f"[plugins.onnx]{name}: {wrong}", *place) from None


class _Wrong(Exception):
    """Told as a `SettingsError`, with the place of ``setting``."""

    def __init__(self, message: str, setting: str = "") -> None:
        super().__init__(message)
        self.setting = setting


def _config(table: Mapping[str, Any], settings: Settings) -> Config:
    for name in table:
        if name not in _KNOWN:
            guess = nearest(name, _KNOWN)
            raise _Wrong(f"there is no such setting. {f'Did you mean {guess}?' if guess else ''}".strip(), name)
    path = table.get("model")
    if not isinstance(path, str) or not path:
        raise _Wrong('write the directory of a model: model = "directory", with model.onnx and tokenizer.json in it.')
    # As for every path of a config file: a relative one starts from that file.
    directory = Path(settings.file or "").parent / Path(path).expanduser()
    own = _own(directory)
    labels = _labels(table, own)
    longest = own.get("max_position_embeddings")
    return Config(
        directory=directory,
        labels=labels,
        categories=_categories(table, labels),
        window=_number(table, "window", min(_DEFAULT_WINDOW, longest) if isinstance(longest, int) else 512, 16, 65_536),
        batch=_number(table, "batch", 8, 1, 256),
        threads=_number(table, "threads", 1, 1, 256),
        origins=_origins(table),
        independent=len(labels) == 1 or own.get("problem_type") == "multi_label_classification",
        pad=own["pad_token_id"] if isinstance(own.get("pad_token_id"), int) else 0,
    )


def _own(directory: Path) -> Mapping[str, Any]:
    """The model's ``config.json``; empty where there is none."""
    try:
        own = json.loads((directory / "config.json").read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise _Wrong(f"{directory / 'config.json'} can't be read: {problem.strerror}.", "model") from None
    except (ValueError, RecursionError) as problem:
        raise _Wrong(f"{directory / 'config.json'} is no JSON: {problem}.", "model") from None
    if not isinstance(own, dict):
        raise _Wrong(f"{directory / 'config.json'} is no JSON object.", "model")
    return own


def _labels(table: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[str, ...]:
    labels: Any = table.get("labels")
    if labels is None:
        by_number = own.get("id2label")
        if not isinstance(by_number, dict) or not by_number:
            raise _Wrong(
                "the model has no config.json with an id2label: name the outputs of the model in their order, such as "
                'labels = ["benign", "injection"].'
            )
        labels = [by_number.get(str(number)) for number in range(len(by_number))]
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) and label for label in labels):
        raise _Wrong('write the outputs of the model in their order, such as ["benign", "injection"].', "labels")
    if len(set(labels)) < len(labels):
        raise _Wrong("each output of the model needs a name of its own.", "labels")
    return tuple(labels)


def _categories(table: Mapping[str, Any], labels: Sequence[str]) -> Mapping[str, str]:
    given = table.get("categories", {})
    if not isinstance(given, dict) or not all(isinstance(category, str) and category for category in given.values()):
        raise _Wrong(f'write a table: categories = {{ "{labels[-1]}" = "prompt_injection" }}.', "categories")
    for label in given:
        if label not in labels:
            raise _Wrong(f"the model has no label {label!r}; it has {', '.join(labels)}.", "categories")
    found: dict[str, str] = {}
    for label in labels:
        category = given.get(label, _TELLING.get(label.lower(), ""))
        if category == "":
            raise _Wrong(
                f"nothing tells what the label {label!r} means: write "
                f'categories = {{ "{label}" = "prompt_injection" }}, or "{HARMLESS}".',
                "categories",
            )
        if category not in (None, HARMLESS):
            found[label] = category
    if not found:
        raise _Wrong("all labels of this model are harmless: it would never find anything.", "categories")
    return MappingProxyType(found)


def _number(table: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = table.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _Wrong(f"write a whole number from {low} to {high}.", name)
    return value


def _origins(table: Mapping[str, Any]) -> frozenset[Origin]:
    origins = table.get("origins", list(Origin))
    if not isinstance(origins, list) or not origins or not all(origin in list(Origin) for origin in origins):
        raise _Wrong(f"write a list of {', '.join(Origin)}.", "origins")
    return frozenset(map(Origin, origins))


def files(directory: Path) -> list[Path]:
    """The files that make the model: the graph, weights beside it, the tokenizer. Raises `SettingsError`."""
    for name in ("model.onnx", "tokenizer.json"):
        if not (directory / name).is_file():
            raise SettingsError(f"{directory / name} is not there. Nothing is downloaded: put the model's files there.")
    return [*sorted(directory.glob("model.onnx*")), directory / "tokenizer.json"]
