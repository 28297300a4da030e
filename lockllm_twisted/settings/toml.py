"""TOML with a way back to the line: every complaint names the place, what is wrong, and what to write instead.

Responsible for: reading one file, where each key stands in it, and turning tables into attrs classes by their types.
Must never: know a setting by name (that is ``settings``), or show a value that may be a secret.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import typing
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Any, Literal, TypeVar

import attrs

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings.lines import Lines, key_lines

_T = TypeVar("_T", bound=attrs.AttrsInstance)

_SHOWN = 24
"""Longer texts are not repeated in a message: they may be a key in the wrong place, and keys are longer than this."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` was probably meant to be."""
    spelled = {known.lower(): known for known in names}
    found = difflib.get_close_matches(name.lower(), spelled, n=1)
    return spelled[found[0]] if found else None


@attrs.frozen
class Table:
    """One table of a file. ``homes`` tells, for a setting's name, where it belongs."""

    file: str
    path: tuple[str, ...]
    values: Mapping[str, Any] = attrs.field(repr=False)
    lines: Lines = attrs.field(repr=False)
    homes: Mapping[str, str] = attrs.field(repr=False)

    def error(self, message: str, key: str | None = None) -> SettingsError:
        """A complaint about this table, or about one key in it; ``message`` starts with the key's name."""
        line = self._line(self.path if key is None else (*self.path, key))
        place = self.file if line is None else f"{self.file}:{line}"
        table = f"[{'.'.join(map(_name, self.path))}] " if self.path else ""
        return SettingsError(f"{place}: {table}{message}", line=line)

    def only(self, known: Collection[str]) -> None:
        """Refuse every key that is not one of ``known``."""
        for key in self.values:
            if key not in known:
                home = self.homes.get(key)
                guess = nearest(key, known)
                hint = f"It belongs {home}." if home else f"Did you mean {guess}?" if guess else ""
                raise self.error(f"{_name(key)}: there is no such name here. {hint or _known(known)}", key)

    def table(self, key: str) -> Table:
        """The table at ``key``; an empty one where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.error(
                f"{_name(key)}: this must be a table: write [{'.'.join(map(_name, (*self.path, key)))}].", key
            )
        return attrs.evolve(self, path=(*self.path, key), values=value)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """The tables in this table, which may hold nothing else."""
        for key, value in self.values.items():
            if not isinstance(value, dict):
                name = ".".join(map(_name, self.path))
                home = self.homes.get(key, f"in a table [{name}.<name>]")
                raise self.error(f"{_name(key)}: it belongs {home}; [{name}] holds only tables.", key)
            yield key, self.table(key)

    def fill(self, cls: type[_T]) -> _T:
        """An instance of an attrs class, each of its fields taken by name and checked by its type and validator."""
        fields, kinds = attrs.fields_dict(cls), typing.get_type_hints(cls)
        self.only(fields)
        values = {name: self._field(fields[name], kinds[name]) for name in self.values}
        try:
            return cls(**values)
        except SettingsError as problem:
            raise self.error(problem.message, problem.message.partition(":")[0]) from None

    def read(self, key: str, kind: Any, example: object = None, *, secret: bool = False) -> Any:
        """The value at ``key`` as a ``kind``; ``example`` is shown to who wrote something else."""
        if typing.get_origin(kind) is Mapping:
            words, values = typing.get_args(kind)
            table = self.table(key)
            table.only(_words(words))
            return MappingProxyType({_words(words)[name]: table.read(name, values) for name in table.values})
        try:
            return _converted(kind, self.values[key], example, secret=secret)
        except ValueError as problem:
            raise self.error(f"{_name(key)}: {problem}", key) from None

    def _field(self, field: attrs.Attribute[Any], kind: Any) -> Any:
        value = self.read(field.name, kind, field.default, secret=not field.repr)
        if field.validator is not None:
            try:
                field.validator(None, field, value)
            except SettingsError as problem:
                raise self.error(problem.message, field.name) from None
        return value

    def _line(self, path: tuple[str, ...]) -> int | None:
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def load(path: str | Path, homes: Mapping[str, str]) -> Table:
    """The root table of a file. Raises `SettingsError` for a file that can't be read or is no TOML."""
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "not a file name"
        raise SettingsError(f"{path}: this file can't be read: {reason}.") from None
    try:
        text = raw.decode("utf-8-sig")
        values = tomllib.loads(text)
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        raise SettingsError(f"{path}:{line}: this is not UTF-8: save the file as UTF-8.", line=line) from None
    except (ValueError, RecursionError) as problem:
        raise _no_toml(path, text, problem) from None
    return Table(str(path), (), values, key_lines(text), homes)


def _no_toml(path: str | Path, text: str, problem: ValueError | RecursionError) -> SettingsError:
    """Python 3.14 has attributes for the place; before, it stands only in the message."""
    if not isinstance(problem, tomllib.TOMLDecodeError):  # a number of 5,000 digits, a thousand nested arrays
        return SettingsError(f"{path}: this is not TOML that can be read: too long a number, or too deeply nested.")
    message = str(problem)
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if place is None:
        return SettingsError(f"{path}: this is not TOML: {message}.")
    line = int(place[1]) if place[1] else text.count("\n") + 1
    column = f", at column {place[2]}" if place[2] else ", at the end of the file"
    return SettingsError(f"{path}:{line}: this is not TOML: {message[: place.start()]}{column}.", line=line)


def _converted(kind: Any, value: Any, example: object, *, secret: bool) -> Any:
    """``value`` as a ``kind``, or a `ValueError` that says what to write instead."""
    instead = "" if secret else f", not {_shown(value)}"
    kind = next((part for part in typing.get_args(kind) if part is not NoneType), kind) if _optional(kind) else kind
    if words := _words(kind):
        if isinstance(value, str) and value in words:
            return words[value]
        guess = nearest(value, words) if isinstance(value, str) else None
        hint = f' Did you mean "{guess}"?' if guess else ""
        raise ValueError(f"write {' or '.join(map(_shown, words))}{instead}.{hint}")
    if typing.get_origin(kind) is tuple:
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        raise ValueError(f'write an array of texts, such as ["name"]{instead}.')
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"write true or false{instead}.")
    if kind is int and (isinstance(value, bool) or not isinstance(value, int)):
        raise ValueError(f"write a whole number, such as {example}{instead}.")
    if kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"write a number, such as {0.5 if example is None else example:g}{instead}.")
        return float(min(value, 2**53))
    if kind is str and (not isinstance(value, str) or not value):
        raise ValueError(f"write a text in quotes{instead}.")
    return value


def _known(names: Iterable[str]) -> str:
    return f"Known here: {', '.join(names)}."


def _optional(kind: Any) -> bool:
    return NoneType in typing.get_args(kind)


def _words(kind: Any) -> dict[str, Any]:
    """The words of an enumeration or of a ``Literal``, and what they stand for."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {member.name.lower() if issubclass(kind, IntEnum) else member.value: member for member in kind}
    return {word: word for word in typing.get_args(kind)} if typing.get_origin(kind) is Literal else {}


def _name(key: str) -> str:
    return key if re.fullmatch(f"[A-Za-z0-9_-]{{1,{_SHOWN}}}", key) else _shown(key)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "an array"
    if isinstance(value, int) and abs(value) > 10**_SHOWN:
        return "so large a number"
    text = str(value)
    if len(text) > _SHOWN or not text.isprintable():
        return f"something of {len(text)} characters"
    return f'"{text}"' if isinstance(value, str) else text
