"""The store: who may call, the providers' keys, the last exchanges and the allow list, in one SQLite file.

Responsible for: all that outlives the process, in one directory of mode 0700 with files of mode 0600.
Must never: hold a LockLLM key (only its digest) or a provider's key in the clear, or make a request wait.
"""

from __future__ import annotations

from lockllm_twisted.store.allowed import AllowedText
from lockllm_twisted.store.callers import KeyRecord
from lockllm_twisted.store.credentials import StoredProviderKey, configured_keys
from lockllm_twisted.store.database import state_directory
from lockllm_twisted.store.store import Store

__all__ = ["AllowedText", "KeyRecord", "Store", "StoredProviderKey", "configured_keys", "state_directory"]
