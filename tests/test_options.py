from __future__ import annotations

import pytest

from lockllm_twisted.errors import ConfigurationProblem
from lockllm_twisted.options import by_default, in_force
from lockllm_twisted.settings import ProxySettings
from lockllm_twisted.values import Action, Caller, Origin, ScanMode, Sensitivity

FREE, LOCKED = Caller("a", "free"), Caller("b", "locked", locked=True)
SETTINGS = by_default(ProxySettings(actions={Origin.TOOL_RESULT: Action.FLAG}))


def headers(**wishes: str) -> dict[bytes, list[bytes]]:
    return {b"x-lockllm-" + name.replace("_", "-").encode(): [value.encode()] for name, value in wishes.items()}


def test_without_wishes_the_settings_stand() -> None:
    options = in_force({b"accept": [b"*/*"], b"x-lockllm-key": [b"k"]}, SETTINGS, FREE)
    assert options.action is Action.BLOCK
    assert options.sensitivity is Sensitivity.MEDIUM
    assert options.mode is ScanMode.COMBINED
    assert options.origin_actions == {Origin.TOOL_RESULT: Action.FLAG}


def test_a_free_caller_may_loosen() -> None:
    options = in_force(
        headers(scan_action="allow_with_warning", sensitivity="low", scan_mode="policy_only"), SETTINGS, FREE
    )
    assert options.action is Action.FLAG
    assert options.sensitivity is Sensitivity.LOW
    assert options.mode is ScanMode.POLICY_ONLY


def test_a_locked_caller_may_only_tighten() -> None:
    options = in_force(
        headers(scan_action="allow", policy_action="flag", sensitivity="low", scan_mode="policy_only"), SETTINGS, LOCKED
    )
    assert options.action is options.policy_action is Action.BLOCK
    assert options.sensitivity is Sensitivity.MEDIUM
    assert options.mode is ScanMode.COMBINED
    tight = in_force(headers(scan_action="block", sensitivity="HIGH"), SETTINGS, LOCKED)
    assert tight.sensitivity is Sensitivity.HIGH
    assert tight.origin_actions == {Origin.TOOL_RESULT: Action.BLOCK}


@pytest.mark.parametrize(
    "wish",
    [
        {"scan_action": "maybe"},
        {"policy_action": ""},
        {"sensitivity": "extreme"},
        {"scan_mode": "none"},
        {"pii_action": "strip"},
        {"abuse_action": "block"},
    ],
)
def test_a_wish_that_cannot_be_honoured_is_refused(wish: dict[str, str]) -> None:
    with pytest.raises(ConfigurationProblem):
        in_force(headers(**wish), SETTINGS, FREE)


def test_the_hosted_products_other_wishes_are_no_error() -> None:
    in_force(headers(chunk="true", cache_response="false", cache_ttl="10", route_action="disabled"), SETTINGS, FREE)


def test_a_wish_said_twice_is_no_wish() -> None:
    twice = {b"x-lockllm-scan-action": [b"block", b"allow_with_warning"]}
    with pytest.raises(ConfigurationProblem):
        in_force(twice, SETTINGS, FREE)
