"""LockLLM keys: how one is made, recognised and remembered.

Responsible for: the form ``llk_<id>_<secret><crc>``, its checksum, its digest; what may not stand in a provider key's place.
Must never: do I/O, keep a key, or know which keys are valid (that is ``store``).

The id is public: logs name a caller by it. The secret is 256 bits, so one SHA-256 is enough to store (a slow hash would
add a cost to every request, and nothing to 256 random bits). The checksum lets us and secret scanners tell a key from
text that only looks like one, as GitHub's tokens do (github.blog, "Behind GitHub's new authentication token formats").
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib

from lockllm_twisted.errors import SettingsError

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID = 10
_SECRET = 43
"""62**43 is just above 2**256."""
_CRC = 6
"""62**6 is just above 2**32."""

_PROVIDER_KEY = 8192
"""An OAuth token of Google or Azure has 1 to 4 KB, and servers end a header line at 8 KB or 16 KB."""

_LENGTH = len("llk_") + _ID + len("_") + _SECRET + _CRC
ID_PLACE = slice(len("llk_"), len("llk_") + _ID)
"""Where the public id stands in a key."""
_FORM = re.compile(rb"llk_[0-9A-Za-z]{%d}_[0-9A-Za-z]{%d}" % (_ID, _SECRET + _CRC))
_ANYWHERE = re.compile(b"(?=(%b))" % _FORM.pattern)


def make_key() -> tuple[str, str]:
    """A new key: its id, and the key itself, which is to be shown once and then forgotten."""
    key_id = "".join(secrets.choice(_DIGITS) for _ in range(_ID))
    body = f"llk_{key_id}_{_base62(secrets.randbits(256), _SECRET)}"
    return key_id, body + _checksum(body.encode())


def key_id(key: bytes) -> str | None:
    """The id in a key that is well formed. Says nothing of whether the key is valid."""
    return key[ID_PLACE].decode() if looks_like_key(key) else None


def looks_like_key(data: bytes) -> bool:
    """Whether this is, from its first to its last byte, a LockLLM key: valid, revoked, or another server's."""
    return len(data) == _LENGTH and _FORM.fullmatch(data) is not None and _sums_up(data)


def holds_key(data: bytes) -> bool:
    """Whether a LockLLM key stands anywhere in this, whatever surrounds it."""
    return b"llk_" in data and any(_sums_up(found) for found in _ANYWHERE.findall(data))


def digest(key: bytes) -> bytes:
    """What is stored in a key's place."""
    return hashlib.sha256(key).digest()


def check_provider_key(key: str) -> None:
    """Refuse what can't be a provider's key, or must not be sent to one. The message does not tell the key."""
    if not key:
        raise SettingsError("the key is empty.")
    if not all("!" <= char <= "~" for char in key):
        raise SettingsError("a key is printable ASCII without spaces (RFC 9110, 5.5); this one holds something else.")
    if len(key) > _PROVIDER_KEY:
        raise SettingsError(f"a key has at most {_PROVIDER_KEY} characters; this one has {len(key)}.")
    if holds_key(key.encode()):
        raise SettingsError("this is a LockLLM key: it opens this server, and no provider must ever see it.")


def _sums_up(key: bytes) -> bool:
    return key[-_CRC:] == _checksum(key[:-_CRC]).encode()


def _checksum(body: bytes) -> str:
    return _base62(zlib.crc32(body), _CRC)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
