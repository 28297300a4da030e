"""``lockllm check``: whether the service would start with these settings, and what is unwise about them.

Responsible for: loading all that a start loads, short of the store and the sockets.
Must never: change anything.
"""

from __future__ import annotations

import argparse
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from lockllm_twisted.cli.common import say
from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.settings import Settings
from lockllm_twisted.values import Action

_COMPILED = "compiled"
_NOT_COMPILED = (
    "not compiled: a text that is read again takes seconds. Install a C compiler and Python's headers, then this package"
    " again, or give [scanners.detector] timeout a minute"
)


def options(parser: argparse.ArgumentParser) -> None:
    """``check``."""
    parser.add_argument("file", nargs="?", metavar="CONFIG", help="the settings, a TOML file")


def run(options: argparse.Namespace) -> int:
    """Check a file: 0 if the service would start with it, 1 if not."""
    file = options.file or getattr(options, "config", None)
    if file is None:
        raise SettingsError("name the file to check: lockllm check CONFIG")
    from lockllm_twisted.detection import compiled  # noqa: PLC0415 # with its rules
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    try:
        settings = Settings.from_toml(file)
        registry = load(settings)
    except LockLLMError as problem:
        message = problem.message
        sys.stderr.write(f"{message if message.startswith(file) else f'{file}: {message}'}\n")
        return 1
    say(f"{file}: fine")
    proxy = settings.proxy
    own = "" if proxy.threshold is None else f", threshold {proxy.threshold:g}"
    say(f"  unsafe prompts: {proxy.action.word}, sensitivity {proxy.sensitivity.value}{own}")
    say(f"  scanners: {', '.join(scanner.name for scanner in registry.scanners) or 'none'}")
    if any(scanner.name == "detector" for scanner in registry.scanners):
        say(f"  detector: {_COMPILED if compiled() else _NOT_COMPILED}")
    say(f"  plugins: {', '.join(f'{plugin.name} {plugin.version}' for plugin in registry.plugins)}")
    say(f"  providers: {', '.join(registry.providers)}")
    if not registry.scanners:
        say(f"warning: {settings.error('no scanner is enabled: every prompt passes.', 'scanners').message}")
    for warning in (*_proxy_warnings(settings), *_provider_warnings(settings)):
        say(f"warning: {warning.message}")
    return 0


def _proxy_warnings(settings: Settings) -> Iterator[SettingsError]:
    proxy = settings.proxy
    unwise = {
        "action": (proxy.action is not Action.BLOCK, "unsafe prompts reach the provider"),
        "on_scanner_error": (proxy.on_scanner_error is not Action.BLOCK, "what a scanner could not judge passes"),
        "unreadable": (proxy.unreadable is not Action.BLOCK, "what could not be read with certainty passes"),
        "observe": (proxy.observe, "nothing is blocked"),
        "require_key": (
            not proxy.require_key,
            "whoever reaches this server may use it; it will listen on loopback only",
        ),
        "record": (proxy.record == "text", "prompts are kept on this machine"),
    }
    for name, (applies, result) in unwise.items():
        if applies:
            yield settings.error(f"[proxy] {name}: {result}.", "proxy", name)


def _provider_warnings(settings: Settings) -> Iterator[SettingsError]:
    from lockllm_twisted.store.credentials import configured_key  # noqa: PLC0415 # with the rest of the store

    for slug, provider in settings.providers.items():
        table = ("providers", slug)
        if provider.insecure:
            message = f"[providers.{slug}] insecure: prompts and keys may travel in the clear."
            yield settings.error(message, *table, "insecure")
        if provider.api_key is not None and _others_may_read(settings.file):
            message = f"[providers.{slug}] api_key: others on this machine can read it. Run: chmod 600 {settings.file}"
            yield settings.error(message, *table, "api_key")
        try:
            configured_key(settings, slug, provider)
        except SettingsError as problem:
            yield problem


def _others_may_read(file: str | None) -> bool:
    return file is not None and bool(stat.S_IMODE(Path(file).stat().st_mode) & 0o077)
