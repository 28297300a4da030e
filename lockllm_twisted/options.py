"""The caller's wishes: ``X-LockLLM-*`` request headers over the operator's settings.

Responsible for: what is in force for one request. A caller may always tighten, and loosen unless its key is locked.
Must never: take an unknown value for a known one; a wish that can't be honoured is refused, not dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import attrs

from lockllm_twisted.errors import ConfigurationProblem
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import Action, Caller, Origin, ScanMode, Sensitivity
from lockllm_twisted.wire import Named

_STRICTNESS = {Sensitivity.LOW: 0, Sensitivity.MEDIUM: 1, Sensitivity.HIGH: 2}
_ACTIONS = {"block": Action.BLOCK, "allow_with_warning": Action.FLAG, "flag": Action.FLAG, "allow": Action.ALLOW}
_UNAVAILABLE = (b"x-lockllm-pii-action", b"x-lockllm-abuse-action")
"""Protections of the hosted product that this server does not have: who asks for one must learn that it is not there."""

_WISHES = frozenset(
    (
        b"x-lockllm-scan-action",
        b"x-lockllm-policy-action",
        b"x-lockllm-scan-mode",
        b"x-lockllm-sensitivity",
        *_UNAVAILABLE,
    )
)
_Word = TypeVar("_Word", bound=StrEnum)


@attrs.frozen
class Options:
    """What is in force for one request."""

    action: Action
    policy_action: Action
    sensitivity: Sensitivity
    mode: ScanMode
    origin_actions: Mapping[Origin, Action]


def by_default(settings: ProxySettings) -> Options:
    """What is in force for who wishes nothing."""
    return Options(settings.action, settings.action, settings.sensitivity, ScanMode.COMBINED, settings.actions)


def in_force(named: Named, default: Options, caller: Caller) -> Options:
    """The default and headers together.

    Raises `ConfigurationProblem` for a value that the header doesn't know, and for a protection that isn't there.
    """
    if _WISHES.isdisjoint(named):
        return default
    wished = _WISHES.intersection(named)
    for name in wished:
        if len(named[name]) > 1:
            raise ConfigurationProblem(f"{name.decode()}: send it once.", code="invalid_header")
    given = {name: named[name][0].decode("latin-1").strip().lower() for name in wished}
    for name in _UNAVAILABLE:
        if name in given:
            word = name.decode()
            raise ConfigurationProblem(
                f"{word}: this server has no such scanner; remove the header.", code="feature_not_available"
            )
    wish = _action(given, b"x-lockllm-scan-action")
    policy_wish = _action(given, b"x-lockllm-policy-action")
    return Options(
        action=default.action if wish is None else _limit(wish, default.action, caller),
        policy_action=default.policy_action
        if policy_wish is None
        else _limit(policy_wish, default.policy_action, caller),
        sensitivity=_sensitivity(given, default.sensitivity, caller),
        mode=_mode(given, caller),
        origin_actions=default.origin_actions
        if wish is None
        else {origin: _limit(wish, own, caller) for origin, own in default.origin_actions.items()},
    )


def _limit(wish: Action, default: Action, caller: Caller) -> Action:
    return max(wish, default) if caller.locked else wish


def _action(given: Mapping[bytes, str], name: bytes) -> Action | None:
    value = given.get(name)
    if value is None:
        return None
    if value not in _ACTIONS:
        raise _unknown(name, value, _ACTIONS)
    return _ACTIONS[value]


def _sensitivity(given: Mapping[bytes, str], default: Sensitivity, caller: Caller) -> Sensitivity:
    wish = _word(given, b"x-lockllm-sensitivity", Sensitivity)
    if wish is None or (caller.locked and _STRICTNESS[wish] < _STRICTNESS[default]):
        return default
    return wish


def _mode(given: Mapping[bytes, str], caller: Caller) -> ScanMode:
    wish = _word(given, b"x-lockllm-scan-mode", ScanMode)
    return ScanMode.COMBINED if wish is None or caller.locked else wish


def _word(given: Mapping[bytes, str], name: bytes, words: type[_Word]) -> _Word | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        return words(value)
    except ValueError:
        raise _unknown(name, value, [word.value for word in words]) from None


def _unknown(name: bytes, value: str, words: Mapping[str, Action] | list[str]) -> ConfigurationProblem:
    return ConfigurationProblem(
        f"{name.decode()}: {value[:40]!r} is not one of {', '.join(words)}.", code="invalid_header"
    )
