"""The file of rules: TOML, read once at start.

Responsible for: what a rule is, and errors that name the rule and what is wrong with it.
Must never: let a rule through that RE2 can't match in linear time, or that every text matches.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import re2  # type: ignore[import-untyped]  # it has none
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.values import Origin

CATEGORY = "custom_rule"
"""The category of a rule that names none."""

_FIELDS = {"name", "pattern", "category", "score", "origins"}


@attrs.frozen
class Rule:
    """One ``[[rule]]``. ``origins`` are those whose texts it looks at: all, unless it names some."""

    name: str
    pattern: str
    category: str = CATEGORY
    score: float = 1.0
    origins: frozenset[Origin] = frozenset(Origin)


@attrs.frozen
class RuleFile:
    """The rules of one file, and the hash of its bytes."""

    rules: tuple[Rule, ...]
    digest: str


def read(path: str | Path) -> RuleFile:
    """Read and check a file. Raises `SettingsError`."""
    try:
        content = Path(path).read_bytes()
        document = tomllib.loads(content.decode())
    except OSError as exc:
        raise SettingsError(f"{path} can't be read: {exc.strerror}.") from exc
    except ValueError as exc:  # TOML's and UTF-8's errors are both ValueErrors
        raise SettingsError(f"{path} is no TOML: {exc}.") from exc
    tables = document.pop("rule", [])
    if document or not isinstance(tables, list) or not tables:
        raise SettingsError(f"{path} must hold [[rule]] tables, at least one, and nothing else.")
    rules = tuple(_rule(table, f"{path}, rule {number}") for number, table in enumerate(tables, 1))
    names = [rule.name for rule in rules]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"{path} has two rules named {twice[0]!r}.")
    return RuleFile(rules, hashlib.sha256(content).hexdigest()[:16])


def _rule(table: Mapping[str, Any], place: str) -> Rule:
    name, pattern = table.get("name"), table.get("pattern")
    if not isinstance(name, str) or not name:
        raise SettingsError(f"{place}: it needs a name.")
    place = f"{place} ({name!r})"
    if unknown := sorted(set(table) - _FIELDS):
        raise SettingsError(f"{place}: there is no {unknown[0]!r}; a rule has {', '.join(sorted(_FIELDS))}.")
    if not isinstance(pattern, str):
        raise SettingsError(f"{place}: it needs a pattern.")
    _check_pattern(pattern, place)
    category, score = table.get("category", CATEGORY), table.get("score", 1.0)
    if not isinstance(category, str) or not category:
        raise SettingsError(f"{place}: category must be a text.")
    if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
        raise SettingsError(f"{place}: score must be a number from 0 to 1.")
    origins = table.get("origins", list(Origin))
    if not isinstance(origins, list) or not origins or not all(origin in list(Origin) for origin in origins):
        raise SettingsError(f"{place}: origins must be a list of {', '.join(Origin)}.")
    return Rule(name, pattern, category, float(score), frozenset(map(Origin, origins)))


def _check_pattern(pattern: str, place: str) -> None:
    try:
        compiled = compile_pattern(pattern)
    except re2.error as exc:
        reason = exc.args[0].decode() if exc.args and isinstance(exc.args[0], bytes) else str(exc)
        raise SettingsError(f"{place}: RE2 does not take the pattern: {reason}.") from exc
    if any(match.start() == match.end() for probe in _PROBES for match in compiled.finditer(probe)):
        raise SettingsError(f"{place}: the pattern can match nothing at all, so it would hit every text.")


_PROBES = ("", "a 1\n.")
"""Where ``x*``, ``^`` and ``\\b`` all match between characters."""


def compile_pattern(pattern: str) -> Any:
    """A compiled pattern. RE2 is told not to write its complaints to stderr: they come as an exception."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(pattern, options)
