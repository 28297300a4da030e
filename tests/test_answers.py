from __future__ import annotations

import base64
import json

from lockllm_twisted.answers import error_answer, pass_headers, refusal, scan_answer
from lockllm_twisted.errors import ScannerFailed, Unauthorized, UpstreamError
from lockllm_twisted.values import (
    Action,
    Coverage,
    Finding,
    Hit,
    Origin,
    ScanMode,
    Sensitivity,
    Unreadable,
    Verdict,
)

HIT = Hit(Finding("detector", "jailbreak", 0.97, "persona.dan", 3, 9, ("base64",)), Origin.USER, "/messages/0/content")
RULE = Hit(Finding("re2", "project-x", 0.9, "no-project-x", 0, 4), Origin.SYSTEM, "/system", kind="policy")


def verdict(*hits: Hit, action: Action = Action.BLOCK, coverage: Coverage = Coverage()) -> Verdict:
    return Verdict(
        action, hits, coverage, max((hit.finding.score for hit in hits), default=0.02), Sensitivity.MEDIUM, "default"
    )


def body_of(error_verdict: Verdict) -> tuple[int, dict[bytes, bytes], dict[str, object]]:
    status, headers, body = error_answer(refusal(error_verdict), "req_1")
    return status, dict(headers), json.loads(body)


def test_a_block_says_what_which_and_where() -> None:
    status, headers, body = body_of(verdict(HIT))
    assert status == 400
    assert body["type"] == "error"
    error = body["error"]
    assert isinstance(error, dict)
    assert body["message"] == body["detail"] == error["message"]  # Replicate's SDK shows RFC 9457's member alone
    assert (error["type"], error["code"]) == ("lockllm_security_error", "prompt_injection_detected")
    assert error["scan_result"] == {
        "safe": False,
        "label": 1,
        "confidence": 97,
        "injection": 97,
        "sensitivity": "medium",
    }
    ours = error["lockllm"]
    assert (ours["category"], ours["rule"], ours["where"]) == ("jailbreak", "persona.dan", "/messages/0/content")
    assert (ours["span"], ours["via"], ours["coverage"]["state"]) == ([3, 9], ["base64"], "scanned")
    for word in ("jailbreak", "persona.dan", "/messages/0/content"):
        assert word in error["message"]
    assert headers[b"X-Request-Id"] == headers[b"Request-Id"] == b"req_1" == headers[b"X-Amzn-RequestId"]
    assert headers[b"x-should-retry"] == b"false"
    assert headers[b"X-Amzn-ErrorType"] == b"ValidationException"  # all that boto3 reads
    assert "details" not in error  # anthropic-py reads an unrelated class into it


def test_an_operators_rule_answers_403() -> None:
    status, _, body = body_of(verdict(RULE))
    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["type"], error["code"]) == (403, "lockllm_policy_error", "policy_violation")
    assert error["violated_policies"][0]["policy_name"] == "no-project-x"
    assert error["violated_policies"][0]["violated_categories"] == [{"name": "project-x"}]


def test_a_detection_goes_before_an_operators_rule() -> None:
    assert body_of(verdict(HIT, RULE))[0] == 400


def test_what_cannot_be_read_names_the_reason() -> None:
    bad = Verdict(
        Action.BLOCK, (), Coverage("partial", ("unreadable:duplicate_key",)), 0.0, Sensitivity.LOW, "default",
        cause="unreadable", unreadable=Unreadable("duplicate_key", "The key model stands twice."),
    )  # fmt: skip
    status, _, body = body_of(bad)
    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["code"]) == (400, "duplicate_key")
    assert "twice" in error["message"]


def test_retrying_is_invited_only_where_it_can_help() -> None:
    assert b"x-should-retry" not in dict(error_answer(UpstreamError("x"), "r")[1])
    assert b"x-should-retry" not in dict(error_answer(ScannerFailed("x"), "r")[1])
    assert dict(error_answer(Unauthorized("x"), "r")[1])[b"x-should-retry"] == b"false"


def test_a_passed_request_carries_the_contracts_headers() -> None:
    headers = dict(pass_headers(verdict(action=Action.ALLOW), provider="openai", model="m\r\nX: 1"))
    assert headers[b"X-LockLLM-Safe"] == b"true"
    assert headers[b"X-LockLLM-Label"] == b"0"
    assert headers[b"X-LockLLM-Model"] == b"m??X: 1"
    assert b"X-LockLLM-Scan-Warning" not in headers


def test_a_flagged_request_carries_a_warning_that_both_sdks_can_decode() -> None:
    hit = Hit(HIT.finding, Origin.USER, "/clé/" + "x" * 5000)
    headers = dict(pass_headers(verdict(hit, RULE, action=Action.FLAG), provider="x", model=None))
    assert headers[b"X-LockLLM-Safe"] == b"false"
    assert headers[b"X-LockLLM-Injection-Score"] == b"97"
    detail = base64.b64decode(headers[b"X-LockLLM-Scan-Detail"], validate=True)
    assert detail.isascii()
    assert json.loads(detail)["label"] == 1
    assert json.loads(base64.b64decode(headers[b"X-LockLLM-Warning-Detail"]))[0]["policy_name"] == "no-project-x"
    assert sum(len(name) + len(value) for name, value in headers.items()) < 12 * 1024


def test_the_scan_answer_has_every_field_that_the_oldest_sdk_demands() -> None:
    answer = scan_answer(verdict(action=Action.ALLOW), request_id="r", chars=5, passages=1, seconds=0.001)
    assert {"safe", "label", "confidence", "injection", "sensitivity", "request_id", "usage"} <= set(answer)
    assert answer["confidence"] == 98
    assert "scan_warning" not in answer
    warned = scan_answer(verdict(HIT, action=Action.FLAG), request_id="r", chars=5, passages=1, seconds=0.001)
    assert warned["scan_warning"]["injection_score"] == 97
    only = Verdict(Action.ALLOW, (), Coverage(), 0.0, Sensitivity.LOW, "default", mode=ScanMode.POLICY_ONLY)
    assert "injection" not in scan_answer(only, request_id="r", chars=5, passages=1, seconds=0.001)
