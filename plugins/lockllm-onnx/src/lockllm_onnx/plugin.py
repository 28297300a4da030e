"""The entry point: ``[plugins.onnx] model = "directory"`` makes one scanner; without it there is none."""

from __future__ import annotations

from collections.abc import Iterable

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.hooks import Scanner, hookimpl
from lockllm_twisted.settings import Settings

from lockllm_onnx.config import read


@hookimpl
def lockllm_scanners(settings: Settings) -> Iterable[Scanner]:
    """The scanner ``onnx``, if the settings name a model."""
    if "onnx" not in settings.plugins:
        return []
    from lockllm_onnx.model import Classifier  # noqa: PLC0415 # ONNX Runtime, which only a model is worth
    from lockllm_onnx.scanner import OnnxScanner  # noqa: PLC0415 # as above

    config = read(settings)
    try:
        classifier = Classifier(config)
    except SettingsError as problem:
        raise settings.error(f"[plugins.onnx] model: {problem.message}", "plugins", "onnx", "model") from problem
    return [OnnxScanner(classifier, config)]
