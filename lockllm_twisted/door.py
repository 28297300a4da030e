"""The door: who is calling, and which credential travels on to the provider.

Responsible for: both ways to authenticate, as pure rules over headers and target.
Must never: let a LockLLM key, ours or one that only looks like it, leave for a provider; put a key in an error message.

Style A: the provider's key in its own place, the LockLLM key in ``X-LockLLM-Key``. Style B: the LockLLM key in the
provider key's place, the provider's key stored here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import itemgetter

import attrs

from lockllm_twisted.errors import BadRequest, ConfigurationProblem, Unauthorized
from lockllm_twisted.hooks import BEARER, AuthorizingProvider, CredentialPlace, Provider
from lockllm_twisted.keys import holds_key, looks_like_key
from lockllm_twisted.values import ANONYMOUS, Caller
from lockllm_twisted.wire import HeaderPairs, Named

PLACES = (
    BEARER,
    CredentialPlace("header", b"x-api-key"),
    CredentialPlace("header", b"api-key"),
    CredentialPlace("header", b"x-goog-api-key"),
    CredentialPlace("query", b"key"),
)
"""Where SDKs put a provider's key, in the order in which a LockLLM key is looked for."""

_HEADERS = tuple(place for place in PLACES if place.kind == "header")
_HEADER_PLACES = frozenset(place.name for place in _HEADERS)
_QUERY_KEY = re.compile(rb"(?<=[?&])key=([^&]*)&?")

Lookup = Callable[[bytes], Caller | None]


@attrs.frozen
class Entry:
    """A caller who was let in. ``key`` is the LockLLM key as it came; ``in_place`` tells style B."""

    caller: Caller
    presented: tuple[bytes, ...] = attrs.field(repr=False)
    key: bytes | None = attrs.field(default=None, repr=False)
    in_place: bool = False


def enter(named: Named, target: bytes, lookup: Lookup, *, require_key: bool) -> Entry:
    """Let a caller in. Raises `Unauthorized`, always with the same words for a wrong key."""
    explicit, presented = _credentials(named, target)
    if len(explicit) > 1:
        raise Unauthorized("Send exactly one X-LockLLM-Key header.")
    if explicit:
        caller = lookup(explicit[0])
        if caller is None:
            raise Unauthorized("This LockLLM key is not valid. Send a valid one in the X-LockLLM-Key header.")
        return Entry(caller, presented, explicit[0])
    for candidate in presented:
        if (caller := lookup(candidate)) is not None:
            return Entry(caller, presented, candidate, in_place=True)
    if require_key:
        raise Unauthorized(
            "No valid LockLLM key. Send one in the X-LockLLM-Key header, or in the provider key's place."
        )
    return Entry(ANONYMOUS, presented)


def outgoing(
    entry: Entry, provider: Provider, headers: HeaderPairs, target: bytes, stored_key: str | None
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the target with the credential that the provider is to see.

    Raises `ConfigurationProblem` where the provider's key is needed and none is stored, and `BadRequest` where the
    LockLLM key stands anywhere else in the request.
    """
    ours = entry.in_place or any(_is_ours(entry, value) for value in entry.presented)
    if ours or (not entry.presented and stored_key is not None):
        headers = [pair for pair in headers if pair[0].lower() not in _HEADER_PLACES]
        target = without_key(target)
        place = provider.credential(target.partition(b"?")[0])
        if place is not None and stored_key is not None:
            headers, target = _with_key(place, stored_key.encode(), headers, target)
        elif place is not None and not place.optional and not isinstance(provider, AuthorizingProvider):
            raise ConfigurationProblem(
                f"No key is stored for the provider {provider.slug}. Store one with "
                f"'lockllm providers set-key {provider.slug}', or send the provider's key in its own place and the "
                "LockLLM key in X-LockLLM-Key.",
            )
    if _leaks(entry, b"\n".join(map(itemgetter(1), headers))):
        names = ", ".join(name.decode("latin-1") for name, value in headers if _leaks(entry, value))
        raise BadRequest(f"The header {names} holds a LockLLM key: send it in X-LockLLM-Key only.")
    if _leaks(entry, target):
        raise BadRequest("The URL holds a LockLLM key: send it in the X-LockLLM-Key header only.")
    return list(headers), target


def _credentials(named: Named, target: bytes) -> tuple[list[bytes], tuple[bytes, ...]]:
    """The values of ``X-LockLLM-Key``, and all that stands in a credential's place, in the order of `PLACES`."""
    explicit = [value.strip() for value in named.get(b"x-lockllm-key", ())]
    presented = [
        _without_prefix(place.prefix, value)
        for place in _HEADERS
        if place.name in named
        for value in named[place.name]
        if value
    ]
    if b"key=" in target:
        presented += _QUERY_KEY.findall(target)
    return explicit, tuple(presented)


def _without_prefix(prefix: bytes, value: bytes) -> bytes:
    scheme, _, rest = value.partition(b" ")
    return rest.strip() if prefix and scheme.lower() == prefix.strip().lower() else value.strip()


def _is_ours(entry: Entry, value: bytes) -> bool:
    return value == entry.key or looks_like_key(value)


def _leaks(entry: Entry, value: bytes) -> bool:
    return (entry.key is not None and entry.key in value) or holds_key(value)


def without_key(target: bytes) -> bytes:
    """The target without ``?key=``: what a scanner may see of it."""
    if b"key=" not in target:
        return target
    return _QUERY_KEY.sub(b"", target).rstrip(b"?&")


def _with_key(
    place: CredentialPlace, key: bytes, headers: HeaderPairs, target: bytes
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    if place.kind == "header":
        return [*headers, (place.name, place.prefix + key)], target
    return list(headers), target + (b"&" if b"?" in target else b"?") + place.name + b"=" + key
