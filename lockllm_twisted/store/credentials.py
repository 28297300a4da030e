"""The providers' keys: sealed in the store, or named by the settings.

Responsible for: sealing with Fernet under ``secret.key``; reading keys from the environment and from files.
Must never: write a key in the clear, show more of it than its last four characters, or name it in a message.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lockllm_twisted.errors import NotFound, SettingsError
from lockllm_twisted.keys import check_provider_key
from lockllm_twisted.settings import ProviderSettings, Settings
from lockllm_twisted.store import keyfile
from lockllm_twisted.store.database import transaction

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

SECRET_FILE = "secret.key"  # noqa: S105 # a file's name

_TELLING = 16
"""Of a shorter key four characters would tell too much."""


class StoredProviderKey(NamedTuple):
    """What may be told of a stored key."""

    slug: str
    last4: str
    created: float


def configured_keys(settings: Settings) -> dict[str, str]:
    """The keys that the settings hold or point to, by slug; they go before stored ones.

    Raises `SettingsError` for a variable that is not set and a file that can't be read.
    """
    found = {slug: configured_key(settings, slug, provider) for slug, provider in settings.providers.items()}
    return {slug: key for slug, key in found.items() if key is not None}


def configured_key(settings: Settings, slug: str, provider: ProviderSettings) -> str | None:
    """The key of one provider, from the one source that its settings name."""
    if provider.api_key_env is not None:
        source, key = "api_key_env", os.environ.get(provider.api_key_env, "")
        if not key:
            problem = f"the environment variable {provider.api_key_env} is not set"
            raise settings.error(f"[providers.{slug}] {source}: {problem}.", "providers", slug, source)
    elif provider.api_key_file is not None:
        source = "api_key_file"
        try:
            key = Path(provider.api_key_file).read_text("ascii").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not ASCII text"
            problem = f"the file can't be read: {reason}"
            raise settings.error(f"[providers.{slug}] {source}: {problem}.", "providers", slug, source) from None
    else:
        return provider.api_key
    try:
        check_provider_key(key)
    except SettingsError as error:
        raise settings.error(f"[providers.{slug}] {source}: {error.message}", "providers", slug, source) from None
    return key


def put(connection: sqlite3.Connection, directory: Path, slug: str, key: str) -> None:
    """Seal and keep a key; an older one of the same provider is replaced."""
    check_provider_key(key)
    # The slug is sealed in: rows that somebody swaps don't send one provider's key to another.
    sealed = _fernet(directory, make=True).encrypt(f"{slug}\n{key}".encode())
    last4 = key[-4:] if len(key) >= _TELLING else ""
    with transaction(connection):
        connection.execute(
            "INSERT OR REPLACE INTO provider_keys (slug, sealed, last4, created) VALUES (?, ?, ?, ?)",
            (slug, sealed, last4, time.time()),
        )


def remove(connection: sqlite3.Connection, slug: str) -> None:
    """Forget a key."""
    with transaction(connection):
        if not connection.execute("DELETE FROM provider_keys WHERE slug = ?", (slug,)).rowcount:
            raise NotFound(f"No key is stored for {slug!r}. See: lockllm providers list")


def told(connection: sqlite3.Connection) -> list[StoredProviderKey]:
    """Which keys there are."""
    rows = connection.execute("SELECT slug, last4, created FROM provider_keys ORDER BY slug")
    return [StoredProviderKey(*row) for row in rows]


def unsealed(connection: sqlite3.Connection, directory: Path) -> tuple[Mapping[str, str], SettingsError | None]:
    """All stored keys in the clear, for memory only, and what is wrong with those that can't be had."""
    rows = connection.execute("SELECT slug, sealed FROM provider_keys ORDER BY slug").fetchall()
    if not rows:
        return {}, None
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 # 50 ms that only a stored key is worth

    keys: dict[str, str] = {}
    lost: list[str] = []
    try:
        fernet = _fernet(directory, make=False)
    except SettingsError as problem:
        return {}, problem
    for row in rows:
        try:
            slug, _, key = fernet.decrypt(row["sealed"]).decode().partition("\n")
        except InvalidToken:
            slug, key = "", ""
        if slug == row["slug"]:
            keys[slug] = key
        else:
            lost.append(row["slug"])
    return keys, _lost(directory, lost) if lost else None


def _lost(directory: Path, slugs: list[str]) -> SettingsError:
    return SettingsError(
        f"{directory / SECRET_FILE} does not open the stored keys of {', '.join(slugs)}: it is not the file that they "
        f"were sealed with. Restore it, or store them anew: lockllm providers set-key {slugs[0]}"
    )


def _fernet(directory: Path, *, make: bool) -> Fernet:
    from cryptography.fernet import Fernet  # noqa: PLC0415 # as above

    path = directory / SECRET_FILE
    if make:
        keyfile.make(path, Fernet.generate_key())
    try:
        return Fernet(keyfile.read(path))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is gone, and the stored keys of all providers were sealed with it. Restore it, or set each of them "
            "anew: lockllm providers list"
        ) from None
    except ValueError:
        raise SettingsError(f"{path} is damaged. Restore it: the stored keys of all providers hang on it.") from None
