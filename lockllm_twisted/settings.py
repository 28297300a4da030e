"""The settings: one frozen value, from a TOML file or from defaults that need no file.

Responsible for: names, types, defaults and limits of every setting; messages that name the line and the nearest name.
Must never: read anything but the file it was given (keys in files and the environment are ``store``'s to read).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import attrs

from lockllm_twisted.values import Action, Origin, Sensitivity


@attrs.frozen
class ScannerSettings:
    """``[scanners.<name>]``: ``timeout`` in seconds; ``on_error`` overrides ``proxy.on_scanner_error``."""

    enabled: bool = True
    timeout: float = 10.0
    on_error: Action | None = None


@attrs.frozen
class ProviderSettings:
    """``[providers.<slug>]``. A slug that nobody registered, with ``base_url`` and ``dialect``, is a custom endpoint."""

    base_url: str | None = None
    insecure: bool = False
    dialect: str | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    api_key_env: str | None = None
    api_key_file: str | None = None


@attrs.frozen
class ProxySettings:
    """``[proxy]``. Sizes in bytes, times in seconds. The reasons for the defaults stand in docs/settings.md."""

    action: Action = Action.BLOCK
    sensitivity: Sensitivity = Sensitivity.MEDIUM
    actions: Mapping[Origin, Action] = MappingProxyType({})
    require_key: bool = True
    unreadable: Action = Action.BLOCK
    attachments: Action = Action.ALLOW
    on_scanner_error: Action = Action.BLOCK
    max_body: int = 32 * 1024 * 1024
    head_timeout: float = 30.0
    body_timeout: float = 120.0
    upstream_timeout: float = 600.0
    idle_timeout: float = 900.0
    drain_timeout: float = 30.0
    record: Literal["none", "text"] = "none"
    log_format: Literal["text", "json"] = "text"
    keep_events_days: int = 30


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

    @classmethod
    def from_toml(cls, path: str | Path) -> Settings:
        """Read a file. Raises `SettingsError` whose message names the line and, for an unknown name, the nearest one."""
        raise NotImplementedError
