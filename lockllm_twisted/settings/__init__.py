"""The settings: one frozen value, from a TOML file or from defaults that need no file.

Responsible for: names, types, defaults and limits of every setting; messages that name the line and the nearest name.
Must never: read anything but the file it was given (keys in files and the environment are ``store``'s to read).
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import attrs

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.keys import check_provider_key
from lockllm_twisted.settings import toml
from lockllm_twisted.settings.toml import nearest
from lockllm_twisted.settings.url import keeps_secrets, url_problem
from lockllm_twisted.values import Action, Origin, Sensitivity

__all__ = ["ProviderSettings", "ProxySettings", "ScannerSettings", "Settings", "nearest"]

_Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]

_DAY = 86400


def _between(low: float, high: float, unit: str) -> _Validator:
    def check(_: object, field: attrs.Attribute[Any], value: float) -> None:
        if not low <= value <= high:  # false for NaN too
            raise SettingsError(f"{field.name}: it must be between {low} and {high} {unit}.")

    return check


def _one_of(*allowed: Action) -> _Validator:
    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        if value not in allowed or not isinstance(value, Action):
            words = " or ".join(f'"{action.word}"' for action in allowed)
            raise SettingsError(f"{field.name}: it must be {words}.")

    return check


_seconds = _between(0.001, _DAY, "seconds")
"""A day is longer than any answer takes, and short enough for every reactor's timer (epoll's end at 2**31 ms)."""
_any_action = _one_of(*Action)


def _threshold(_: object, field: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not 0 < value <= 1:  # at 0 every finding would count, whatever its score
        raise SettingsError(f"{field.name}: a score is above 0 and at most 1, such as 0.73.")


def _bare(url: str | None) -> str | None:
    return url and url.rstrip("/")


def _base_url(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and (wrong := url_problem(value)) is not None:
        raise SettingsError(f"{field.name}: {wrong}")


def _api_key(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None:
        try:
            check_provider_key(value)
        except SettingsError as problem:
            raise SettingsError(f"{field.name}: {problem.message}") from None


def _variable(_: object, field: attrs.Attribute[Any], value: str | None) -> None:
    """POSIX (XBD 8.1) names: upper case, digits, underscore. No provider's key looks like one, so it may be shown."""
    if value is not None and re.fullmatch("[A-Z_][A-Z0-9_]{0,99}", value) is None:
        raise SettingsError(
            f"{field.name}: write the name of an environment variable (A-Z, 0-9, _), such as OPENAI_API_KEY, not the key."
        )


@attrs.frozen
class ScannerSettings:
    """``[scanners.<name>]``: ``timeout`` in seconds; ``on_error`` overrides ``proxy.on_scanner_error``."""

    enabled: bool = True
    timeout: float = attrs.field(default=10.0, validator=_seconds)
    on_error: Action | None = None


@attrs.frozen
class ProviderSettings:
    """``[providers.<slug>]``. A slug that nobody registered, with ``base_url`` and ``dialect``, is a custom endpoint."""

    base_url: str | None = attrs.field(default=None, converter=_bare, validator=_base_url)
    insecure: bool = False
    dialect: Literal["openai", "anthropic", "gemini"] | None = None
    api_key: str | None = attrs.field(default=None, repr=False, validator=_api_key)
    api_key_env: str | None = attrs.field(default=None, repr=False, validator=_variable)
    api_key_file: str | None = attrs.field(default=None, repr=False)

    def __attrs_post_init__(self) -> None:
        sources = [name for name in ("api_key", "api_key_env", "api_key_file") if getattr(self, name) is not None]
        if len(sources) > 1:
            raise SettingsError(f"{sources[1]}: the key has a source already, {sources[0]}: keep one of them.")
        if self.dialect is not None and self.base_url is None:
            raise SettingsError('dialect: an endpoint of your own needs base_url too: base_url = "https://host/path".')
        if self.base_url is not None and not self.insecure and not keeps_secrets(self.base_url):
            raise SettingsError(
                "base_url: http:// would send prompts and keys in the clear: write https://, or add insecure = true."
            )


@attrs.frozen
class ProxySettings:
    """``[proxy]``. Sizes in bytes, times in seconds. The reasons for the defaults stand in docs/settings.md."""

    action: Action = attrs.field(default=Action.BLOCK, validator=_any_action)
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    threshold: float | None = attrs.field(default=None, validator=_threshold)
    actions: Mapping[Origin, Action] = MappingProxyType({})
    require_key: bool = True
    unreadable: Action = attrs.field(default=Action.BLOCK, validator=_one_of(Action.BLOCK, Action.FLAG))
    attachments: Action = attrs.field(default=Action.ALLOW, validator=_any_action)
    on_scanner_error: Action = attrs.field(default=Action.BLOCK, validator=_any_action)
    max_body: int = attrs.field(default=32 * 1024 * 1024, validator=_between(1, 2**40, "bytes"))
    head_timeout: float = attrs.field(default=30.0, validator=_seconds)
    body_timeout: float = attrs.field(default=120.0, validator=_seconds)
    upstream_timeout: float = attrs.field(default=600.0, validator=_seconds)
    idle_timeout: float = attrs.field(default=900.0, validator=_seconds)
    drain_timeout: float = attrs.field(default=30.0, validator=_seconds)
    observe: bool = False
    record: Literal["none", "text"] = "none"
    log_format: Literal["text", "json"] = "text"
    keep_events_days: int = attrs.field(default=30, validator=_between(1, 36500, "days"))


@attrs.frozen
class Settings:
    """Everything that can be set. ``Settings()`` is the service without a config file."""

    proxy: ProxySettings = attrs.field(factory=ProxySettings)
    providers: Mapping[str, ProviderSettings] = MappingProxyType({})
    scanners: Mapping[str, ScannerSettings] = MappingProxyType({})
    plugins: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    disabled_plugins: tuple[str, ...] = ()
    state: Path | None = None
    """The directory of the SQLite file and the key files; ``None``: ``$XDG_STATE_HOME/lockllm``."""
    file: str | None = attrs.field(default=None, eq=False)
    """The file that these settings came from, as it was named; for messages."""
    lines: Mapping[tuple[str, ...], int] = attrs.field(default=MappingProxyType({}), eq=False, repr=False)
    """The line of each table and key in that file: ``lines["providers", "openai"]``."""

    def __attrs_post_init__(self) -> None:
        for slug in self.providers:
            if re.fullmatch("[a-z0-9-]+", slug) is None:
                raise self.error(
                    f'[providers]: a slug is made of a-z, 0-9 and "-"; {slug[:24]!r} is not.', "providers", slug
                )

    def error(self, message: str, *path: str) -> SettingsError:
        """A complaint about the table or key at ``path``, with the file and the line where these are known."""
        line = self.lines.get(path)
        place = [str(part) for part in (self.file, line) if part is not None]
        return SettingsError(": ".join((":".join(place), message)) if place else message, line=line)

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """Read a file. Raises `SettingsError` whose message names the line and, for an unknown name, the nearest one."""
        root = toml.load(path, _HOMES)
        root.only(("state", "disabled_plugins", "proxy", "providers", "scanners", "plugins"))
        directory = Path(path).parent
        return cls(
            proxy=root.table("proxy").fill(ProxySettings),
            providers=MappingProxyType(
                {slug: _provider(table, directory) for slug, table in root.table("providers").tables()}
            ),
            scanners=MappingProxyType(
                {name: table.fill(ScannerSettings) for name, table in root.table("scanners").tables()}
            ),
            plugins=MappingProxyType(
                {name: MappingProxyType(dict(table.values)) for name, table in root.table("plugins").tables()}
            ),
            disabled_plugins=root.read("disabled_plugins", tuple[str, ...])
            if "disabled_plugins" in root.values
            else (),
            state=_beside(directory, root.read("state", str)) if "state" in root.values else None,
            file=str(path),
            lines=root.lines,
        )


def _provider(table: toml.Table, directory: Path) -> ProviderSettings:
    provider = table.fill(ProviderSettings)
    if provider.api_key_file is None:
        return provider
    return attrs.evolve(provider, api_key_file=str(_beside(directory, provider.api_key_file)))


def _beside(directory: Path, name: str) -> Path:
    """A relative path in a file is relative to that file: a service's working directory is nobody's choice."""
    return directory / os.path.expanduser(name)  # noqa: PTH111 (Path.expanduser raises for an unknown user)


_TOP = "at the top of the file, before the first [table]"
_HOMES = {
    **dict.fromkeys(attrs.fields_dict(ScannerSettings), "in [scanners.<name>]"),
    **dict.fromkeys(attrs.fields_dict(ProviderSettings), "in [providers.<name>]"),
    **dict.fromkeys(attrs.fields_dict(ProxySettings), "in [proxy]"),
    "state": _TOP,
    "disabled_plugins": _TOP,
}
