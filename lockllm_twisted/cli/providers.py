"""``lockllm providers``: where requests go, and with which keys.

Responsible for: listing providers, storing and forgetting their keys.
Must never: take a key as an argument: arguments stand in the shell's history and in every process list.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys

from lockllm_twisted.cli.common import columns, json_option, moment, say, settings_of, store_of
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import ProviderSettings, Settings, nearest

_INPUT = 20_000
"""More than any key has; reading stops there."""


def list_options(parser: argparse.ArgumentParser) -> None:
    """``providers list``."""
    json_option(parser)


def listing(options: argparse.Namespace) -> int:
    """List the providers."""
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    settings = settings_of(options)
    stored = {key.slug: key for key in store_of(options, settings).provider_keys()}
    found = []
    for slug, provider in sorted(load(settings).providers.items()):
        source = _source(settings.providers.get(slug, ProviderSettings()))
        if source is None and slug in stored:
            key = stored[slug]
            source = f"stored {moment(key.created)}" + (f", ends in {key.last4}" if key.last4 else "")
        found.append({"slug": slug, "origin": provider.origin, "key": source})
    if options.json:
        say(json.dumps(found))
    else:
        columns(
            [("PROVIDER", "ORIGIN", "KEY"), *((p["slug"] or "", p["origin"] or "-", p["key"] or "-") for p in found)]
        )
    return 0


def slug_option(parser: argparse.ArgumentParser) -> None:
    """``providers remove-key``."""
    parser.add_argument("slug", metavar="PROVIDER", help="such as openai; see: lockllm providers list")


def set_key_options(parser: argparse.ArgumentParser) -> None:
    """``providers set-key``."""
    slug_option(parser)
    parser.add_argument("--from-env", metavar="VAR", help="take the key from this environment variable")
    parser.add_argument("misplaced", nargs="?", help=argparse.SUPPRESS)
    parser.epilog = (
        "Without --from-env the key is asked for, hidden, or read from standard input if that is no terminal."
    )


def set_key(options: argparse.Namespace) -> int:
    """Store a key."""
    if options.misplaced is not None:
        raise SettingsError(
            "a key as an argument stands in the shell's history and in every process list: replace it, then pipe the "
            "new one in, or use --from-env."
        )
    settings = settings_of(options)
    _known(options.slug, settings)
    store = store_of(options, settings)
    store.set_provider_key(options.slug, _key(options))
    say(f"stored a key for {options.slug}")
    if source := _source(settings.providers.get(options.slug, ProviderSettings())):
        say(f"it is not used: the settings name another one, {source}, which goes first")
    return 0


def remove_key(options: argparse.Namespace) -> int:
    """Forget a key."""
    store_of(options, settings_of(options)).remove_provider_key(options.slug)
    say(f"removed the key of {options.slug}")
    return 0


def _key(options: argparse.Namespace) -> str:
    if options.from_env is not None:
        if not (key := os.environ.get(options.from_env)):
            raise SettingsError("the environment variable that --from-env names is not set.")
        return key.strip()
    if sys.stdin.isatty():
        return getpass.getpass(f"The key of {options.slug}: ").strip()
    return sys.stdin.buffer.read(_INPUT).decode("ascii", "replace").strip()


def _known(slug: str, settings: Settings) -> None:
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    providers = load(settings).providers
    if slug not in providers:
        guess = nearest(slug, providers)
        hint = f"Did you mean {guess}?" if guess else "See: lockllm providers list."
        where = "" if settings.file else " An endpoint of your own is known with --config FILE only."
        raise SettingsError(f"there is no provider {slug[:24]!r}. {hint}{where}")


def _source(provider: ProviderSettings) -> str | None:
    if provider.api_key is not None:
        return "in the settings"
    if provider.api_key_env is not None:
        return f"from the environment, {provider.api_key_env}"
    return None if provider.api_key_file is None else "from a file"
