"""A thread pool that dies with the process.

Responsible for: one class, so that a service that nobody stopped does not keep its process alive.
Must never: be shared with name lookups; Twisted's own pool has ten threads, and a slow scanner would starve them.
"""

from __future__ import annotations

import threading
from typing import Any

from twisted.python.threadpool import ThreadPool


class _Daemon(threading.Thread):
    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw, daemon=True)


class DaemonThreadPool(ThreadPool):
    """Twisted's thread pool, of daemon threads."""

    threadFactory = _Daemon  # type: ignore[assignment] # Twisted declares the class, not a factory
