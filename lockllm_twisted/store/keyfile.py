"""Files that hold one secret each, beside the database: what the database alone must not give away.

Responsible for: making such a file once, and reading it only if nobody else may.
Must never: replace one, or show what is in it.
"""

from __future__ import annotations

import os
from pathlib import Path

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.store.database import locked


def make(path: Path, secret: bytes) -> None:
    """Make the file, of mode 0600, if there is none."""
    with locked(path.parent):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return
        with open(descriptor, "wb") as file:  # noqa: PTH123 # a descriptor
            file.write(secret + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read(path: Path) -> bytes:
    """The secret. Raises `SettingsError` where others may read it too, and `FileNotFoundError`."""
    with path.open("rb") as file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise SettingsError(f"{path} has mode {mode:o}: others could read it. Run: chmod 600 {path}")
        return file.read().strip()
