"""The entry point: ``[plugins.re2] rules = "path"`` makes one scanner; without it there is none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.hooks import Scanner, hookimpl
from lockllm_twisted.settings import Settings

from lockllm_re2.rules import read
from lockllm_re2.scanner import Re2Scanner


@hookimpl
def lockllm_scanners(settings: Settings) -> Iterable[Scanner]:
    """The scanner ``re2``, if the settings name a file of rules."""
    table = settings.plugins.get("re2")
    if table is None:
        return []
    path = table.get("rules")
    if not isinstance(path, str) or set(table) != {"rules"}:
        message = '[plugins.re2] takes exactly one setting: rules = "the path of a file of rules".'
        raise settings.error(message, "plugins", "re2")
    try:
        # As for every path of a config file: a relative one starts from that file.
        rules = read(Path(settings.file or "").parent / path)
    except SettingsError as problem:
        raise settings.error(f"[plugins.re2] rules: {problem.message}", "plugins", "re2", "rules") from problem
    return [Re2Scanner(rules)]
