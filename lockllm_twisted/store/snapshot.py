"""What requests ask the store for, held in memory.

Responsible for: the valid keys, the providers' keys and the allow list at one moment.
Must never: show a key in a ``repr``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import attrs

from lockllm_twisted.allowlist import AllowList
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.store import allowed, callers, credentials


@attrs.frozen
class Snapshot:
    """``problem``: why stored provider keys are missing from ``provider_keys``."""

    callers: callers.Callers = attrs.field(repr=False)
    provider_keys: Mapping[str, str] = attrs.field(repr=False)
    allowed: AllowList
    problem: SettingsError | None = None


def load(connection: sqlite3.Connection, directory: Path) -> Snapshot:
    """Read all of it. A provider's key that can't be opened is a problem, and not there."""
    keys, problem = credentials.unsealed(connection, directory)
    return Snapshot(callers.valid(connection), keys, allowed.in_force(connection, directory), problem)
