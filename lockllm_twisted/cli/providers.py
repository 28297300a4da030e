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
from typing import Any

from lockllm_twisted.cli.common import columns, json_option, moment, say, settings_of, store_of
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.hooks import Provider
from lockllm_twisted.settings import ProviderSettings, Settings, nearest

_INPUT = 20_000
"""More than any key has; reading stops there."""


def list_options(parser: argparse.ArgumentParser) -> None:
    """``providers list``."""
    json_option(parser)


def listing(options: argparse.Namespace) -> int:
    """List the providers."""
    from lockllm_twisted.builtin.providers import ELSEWHERE, OWN_ADDRESS  # noqa: PLC0415 # as below
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    settings = settings_of(options)
    stored = {key.slug: key for key in store_of(options, settings).provider_keys()}
    found: list[dict[str, Any]] = []
    for slug, provider in sorted(load(settings).providers.items()):
        source = _source(settings.providers.get(slug, ProviderSettings()))
        if source is None and slug in stored:
            key = stored[slug]
            source = f"stored {moment(key.created)}" + (f", ends in {key.last4}" if key.last4 else "")
        families = [family.name for family in getattr(provider, "families", ())]
        found.append(
            {"slug": slug, "origin": provider.origin, "auth": _place(provider), "dialects": families, "key": source}
        )
    if options.json:
        say(json.dumps(found))
        return 0
    rows = [{**line, "dialects": ", ".join(line["dialects"])} for line in found]
    heading = {"slug": "PROVIDER", "origin": "ORIGIN", "auth": "KEY GOES INTO", "dialects": "READ AS", "key": "KEY"}
    columns([[row[name] or "-" for name in heading] for row in (heading, *rows)])
    for row in OWN_ADDRESS:
        if any(line["slug"] == row.slug and line["origin"] is None for line in found):
            say(f'{row.slug} has no address yet: [providers.{row.slug}] base_url = "{row.origin}"')
    for slug, distribution in ELSEWHERE.items():
        if all(line["slug"] != slug for line in found):
            say(f"{slug} is a plugin of its own, not installed: pip install {distribution}")
    return 0


def _place(provider: Provider) -> str | None:
    """Where the key of an ordinary path sits."""
    place = provider.credential(provider.target(b"/models").partition(b"?")[0])
    return None if place is None else f"{place.name.decode()} {place.prefix.decode()}".strip()


def slug_option(parser: argparse.ArgumentParser) -> None:
    """``providers remove-key`` and ``providers test``."""
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
    known(options.slug, settings)
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


def known(slug: str, settings: Settings) -> Provider:
    """The provider of a slug, or a `SettingsError` that tells the nearest one."""
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    providers = load(settings).providers
    if slug not in providers:
        guess = nearest(slug, providers)
        hint = f"Did you mean {guess}?" if guess else "See: lockllm providers list."
        where = "" if settings.file else " An endpoint of your own is known with --config FILE only."
        raise SettingsError(f"there is no provider {slug[:24]!r}. {hint}{where}")
    return providers[slug]


def _source(provider: ProviderSettings) -> str | None:
    if provider.api_key is not None:
        return "in the settings"
    if provider.api_key_env is not None:
        return f"from the environment, {provider.api_key_env}"
    return None if provider.api_key_file is None else "from a file"
