"""What an object must be to pass as a Provider, a Scanner or a Policy: the protocols of `hooks`, checked at start.

Responsible for: one list of faults per object, in words that tell its author what to change.
Must never: call the object's methods; what they do is `testing`'s to try.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from typing import Any

_SLUG = re.compile(r"[a-z0-9-]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_ORIGIN = re.compile(r"https?://[^/?#@\s]+")

_Demand = tuple[str, Callable[[Any], bool], str]


def _is_slug(value: Any) -> bool:
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def _is_origin(value: Any) -> bool:
    return value is None or (isinstance(value, str) and _ORIGIN.fullmatch(value) is not None)


def _takes_one(value: Any) -> bool:
    try:
        inspect.signature(value).bind(object())
    except (TypeError, ValueError):  # not callable, or other arguments
        return False
    return True


_METHOD = "a method that takes one argument"
_A_NAME = "a str such as 'my-rules' (a-z, 0-9, - and _)"

_PROVIDER: Sequence[_Demand] = (
    ("slug", _is_slug, "a str such as 'my-llm' (a-z, 0-9 and -)"),
    ("origin", _is_origin, "'https://host[:port]' without a path, or None"),
    ("encoded_slash", lambda value: isinstance(value, bool), "a bool"),
    ("target", _takes_one, _METHOD),
    ("credential", _takes_one, _METHOD),
    ("dialect", _takes_one, _METHOD),
)
_LOCAL_PROVIDER: Sequence[_Demand] = (("answer", _takes_one, f"{_METHOD}: its origin is None"),)
_SCANNER: Sequence[_Demand] = (
    ("name", _is_name, _A_NAME),
    ("version", lambda value: isinstance(value, str) and value != "", "a str that is not empty"),
    ("kind", lambda value: value in ("core", "policy"), "'core' or 'policy'"),
    ("inline_chars", lambda value: value is None or (type(value) is int and value >= 0), "an int from 0, or None"),
    ("scan", _takes_one, _METHOD),
)
_QUICK_SCANNER: Sequence[_Demand] = (("scan_quickly", _takes_one, _METHOD),)
_POLICY: Sequence[_Demand] = (("name", _is_name, _A_NAME), ("decide", _takes_one, _METHOD))


def provider_faults(thing: object) -> list[str]:
    """Why this is no `Provider` (or, without an origin, no `LocalProvider`); empty if it is one."""
    faults = _faults(thing, _PROVIDER)
    if faults:
        return faults
    if getattr(thing, "origin", None) is None:
        return _faults(thing, _LOCAL_PROVIDER)
    return ["it has an origin and answers by itself: leave one of the two out"] if hasattr(thing, "answer") else []


def scanner_faults(thing: object) -> list[str]:
    """Why this is no `Scanner`, or, with a ``scan_quickly``, no `QuickScanner`; empty if it is one."""
    return _faults(thing, _SCANNER if not hasattr(thing, "scan_quickly") else (*_SCANNER, *_QUICK_SCANNER))


def policy_faults(thing: object) -> list[str]:
    """Why this is no `Policy`; empty if it is one."""
    return _faults(thing, _POLICY)


def _faults(thing: object, demands: Sequence[_Demand]) -> list[str]:
    if isinstance(thing, type):
        return ["it is a class: hand over an instance"]
    faults = []
    for name, met, wanted in demands:
        try:
            value = getattr(thing, name)
        except Exception as exc:  # noqa: BLE001  a plugin's property may raise anything: the plugin boundary
            faults.append(f"it has no {name} ({type(exc).__name__})")
            continue
        if not met(value):
            faults.append(f"its {name} is {value!r}, not {wanted}")
    return faults
