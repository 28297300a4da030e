"""``POST /v1/scan``: a verdict without a provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .client import Answer
from .service import ATTACK, BENIGN, PROVIDER_KEY, Service
from .upstream import Upstream

pytestmark = pytest.mark.sockets


def scan(service: Service, body: Any, *headers: bytes) -> Answer:
    """As the SDKs ask: the key as a bearer, no other."""
    raw = service.post(b"/v1/scan", json.dumps(body).encode(), b"Authorization: Bearer " + service.key, *headers)
    return service.ask(raw.replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b"", 1))


@pytest.mark.parametrize("name", ["input", "inputs", "text"])
@pytest.mark.parametrize("text", [BENIGN, ATTACK])
def test_a_verdict_is_no_error(service: Service, upstream: Upstream, text: str, name: str) -> None:
    got = scan(service, {name: text})
    assert got.status == 200
    verdict = got.json
    assert verdict["safe"] is (text == BENIGN)
    assert verdict["label"] == int(text == ATTACK)
    assert verdict["sensitivity"] == "medium"
    assert 0 <= verdict["injection"] <= 100
    assert 0 <= verdict["confidence"] <= 100
    assert (verdict["injection"] > 50) is (text == ATTACK)
    assert verdict["usage"]["input_chars"] == len(text)
    assert isinstance(verdict["usage"]["requests"], int)
    assert verdict["request_id"] == (got.head.one(b"x-request-id") or b"").decode()
    assert ("scan_warning" in verdict) is (text == ATTACK)
    assert upstream.heard_nothing()


def test_a_block_is_an_error_where_it_is_asked_for(service: Service) -> None:
    got = scan(service, {"input": ATTACK}, b"X-LockLLM-Scan-Action: block")
    assert got.status == 400
    assert got.error["code"] == "prompt_injection_detected"
    assert set(got.error["scan_result"]) == {"safe", "label", "confidence", "injection", "sensitivity"}
    assert scan(service, {"input": BENIGN}, b"X-LockLLM-Scan-Action: block").status == 200


@pytest.mark.parametrize("role", ["user", "system", "developer", "assistant", "tool"])
def test_a_role_is_taken(service: Service, role: str) -> None:
    assert scan(service, {"input": BENIGN, "role": role}).json["safe"] is True
    assert scan(service, {"input": ATTACK, "role": role}).json["safe"] is False


@pytest.mark.parametrize("word", ["low", "medium", "high"])
def test_a_header_is_stronger_than_the_body(service: Service, word: str) -> None:
    assert scan(service, {"input": BENIGN, "sensitivity": word}).json["sensitivity"] == word
    asked = scan(service, {"input": BENIGN, "sensitivity": "medium"}, b"X-LockLLM-Sensitivity: " + word.encode())
    assert asked.json["sensitivity"] == word


@pytest.mark.parametrize(
    "body",
    [{}, {"input": 1}, {"input": None}, {"input": ["a"]}, {"input": BENIGN, "role": "oracle"}, [], "text", None,
     {"input": BENIGN, "sensitivity": "extreme"}],
)  # fmt: skip
def test_what_is_no_question_is_told(service: Service, body: Any) -> None:
    got = scan(service, body)
    assert got.status == 400
    assert got.error["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b'{"input":"a","input":"b"}', b"\xff\xfe{\x00}\x00", b"[" * 100_000])
def test_what_is_no_json_is_told(service: Service, raw: bytes) -> None:
    got = service.ask(service.post(b"/v1/scan", raw))
    assert got.status in {400, 415}
    assert got.error["message"]


def test_it_is_asked_with_post(service: Service) -> None:
    for method in (b"GET", b"PUT", b"DELETE"):
        got = service.ask(service.head(method, b"/v1/scan"), method)
        assert got.status in {404, 405}
    assert service.ask(service.post(b"/v1/scan/more", b"{}")).status == 404


def test_a_provider_key_does_not_open_it(service: Service) -> None:
    raw = service.post(b"/v1/scan", b'{"input":"a"}', b"Authorization: Bearer " + PROVIDER_KEY)
    assert service.ask(raw.replace(b"X-LockLLM-Key: " + service.key + b"\r\n", b"", 1)).status == 401


def test_an_answer_repeats_no_text(service: Service) -> None:
    canary = "canary-scan-4471"
    got = scan(service, {"input": f"{canary} {ATTACK} {canary}"})
    assert canary.encode() not in got.body + got.head.raw
