"""What this server says itself: error bodies, verdict headers, the words of a block as LockLLM's SDKs read them.

Responsible for: the exact shapes that LockLLM's and the vendors' SDKs read.
Must never: carry prompt text, a key, or a header over the size that Node's fetch survives.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from lockllm_twisted.errors import (
    BadRequest,
    Blocked,
    LockLLMError,
    PolicyViolation,
    ScannerFailed,
    Unauthorized,
    UpstreamError,
)
from lockllm_twisted.values import Action, Coverage, Hit, ScanMode, Sensitivity, Verdict

Pairs = list[tuple[bytes, bytes]]

MAX_FINDINGS = 10
"""Findings told in an answer. Node's fetch fails on 16 KiB of response headers (measured)."""

_MAX_DETAIL = 3000
"""Bytes of JSON in a detail header: 4 KiB after base64."""

_AWS_EXCEPTIONS = {
    400: b"ValidationException",
    401: b"AccessDeniedException",
    403: b"AccessDeniedException",
    404: b"ResourceNotFoundException",
    503: b"ServiceUnavailableException",
}
"""botocore takes an exception's class, and whether there is a message to show, from this header alone (bedrock-runtime's
service model); other SDKs don't read it."""

_LEVELS = {True: b"true", False: b"false"}


def error_answer(error: LockLLMError, request_id: str) -> tuple[int, Pairs, bytes]:
    """Status, headers and body for an error of ours.

    The body is LockLLM's nested envelope inside Anthropic's, with RFC 9457's ``detail``: the superset that every SDK reads
    (Replicate's shows ``detail`` alone).
    ``x-should-retry: false`` stops the vendors' SDKs from repeating what would fail again.
    """
    body = {
        "type": "error",
        "message": error.message,
        "detail": error.message,
        "request_id": request_id,
        "error": {
            "message": error.message,
            "type": error.type,
            "code": error.code,
            "request_id": request_id,
            **error.detail,
        },
    }
    rid = request_id.encode()
    headers: Pairs = [
        (b"Content-Type", b"application/json"),
        (b"Cache-Control", b"no-store"),
        (b"X-Request-Id", rid),
        (b"Request-Id", rid),
        (b"X-Amzn-RequestId", rid),
        (b"X-LockLLM-Request-ID", rid),
    ]
    if (exception := _AWS_EXCEPTIONS.get(error.http_status)) is not None:
        headers.append((b"X-Amzn-ErrorType", exception))
    if isinstance(error, (Blocked, PolicyViolation)):
        headers.append((b"X-LockLLM-Blocked", b"true"))
    if isinstance(error, Unauthorized):
        headers.append((b"WWW-Authenticate", b'Bearer realm="lockllm"'))
    if isinstance(error, ScannerFailed):
        headers.append((b"Retry-After", b"1"))
    elif not isinstance(error, UpstreamError):
        headers.append((b"x-should-retry", b"false"))
    return error.http_status, headers, json.dumps(body).encode()


def pass_headers(verdict: Verdict, *, provider: str, model: str | None) -> Pairs:
    """What is added to an answer after a verdict: the metadata headers of LockLLM's SDKs."""
    if verdict.safe and not verdict.coverage.reasons:
        return list(_safe_headers(verdict.mode, verdict.sensitivity, verdict.coverage, provider, model))
    return _metadata(verdict, provider, model) + _warnings(verdict)


@lru_cache(maxsize=256)
def _safe_headers(
    mode: ScanMode, sensitivity: Sensitivity, coverage: Coverage, provider: str, model: str | None
) -> tuple[tuple[bytes, bytes], ...]:
    """The same for every safe request to one model, which is nearly all of them."""
    safe = Verdict(Action.ALLOW, (), coverage, 0.0, sensitivity, "", mode)
    return tuple(_metadata(safe, provider, model))


def _metadata(verdict: Verdict, provider: str, model: str | None) -> Pairs:
    headers: Pairs = [
        (b"X-LockLLM-Scanned", _LEVELS[verdict.coverage.state != "not_scanned" and not verdict.failed_scanners]),
        (b"X-LockLLM-Safe", _LEVELS[verdict.safe]),
        (b"X-LockLLM-Label", b"0" if verdict.safe else b"1"),
        (b"X-Scan-Mode", verdict.mode.encode()),
        (b"X-LockLLM-Sensitivity", verdict.sensitivity.encode()),
        (b"X-LockLLM-Provider", provider.encode()),
        (b"X-LockLLM-Credits-Mode", b"byok"),
        (b"X-LockLLM-Coverage", _coverage_value(verdict.coverage)),
    ]
    if model is not None and (value := _header_text(model)):
        headers.append((b"X-LockLLM-Model", value))
    if verdict.failed_scanners:
        headers.append((b"X-LockLLM-Failed-Scanners", ",".join(verdict.failed_scanners).encode("latin-1", "replace")))
    return headers


def _warnings(verdict: Verdict) -> Pairs:
    headers: Pairs = []
    core, policy = _by_kind(verdict)
    if core or (not verdict.safe and not policy):
        headers += [
            (b"X-LockLLM-Scan-Warning", b"true"),
            (b"X-LockLLM-Injection-Score", b"%d" % _percent(verdict.score)),
            (b"X-LockLLM-Confidence", b"%d" % confidence(verdict)),
            (b"X-LockLLM-Scan-Detail", _detail({"message": summary(verdict), "label": 1, **details(verdict)})),
        ]
    if policy:
        headers += [
            (b"X-LockLLM-Policy-Warnings", b"true"),
            (b"X-LockLLM-Warning-Count", b"%d" % len(policy)),
            (b"X-LockLLM-Policy-Confidence", b"%d" % _percent(policy[0].finding.score)),
            (b"X-LockLLM-Warning-Detail", _detail(violations(policy))),
        ]
    return headers


def refusal(verdict: Verdict) -> LockLLMError:
    """The error for a verdict whose action is block."""
    if verdict.cause == "unreadable" and verdict.unreadable is not None:
        bad = verdict.unreadable
        return BadRequest(bad.message, code=bad.code, status=bad.status, lockllm=details(verdict))
    if verdict.cause == "scanner_error":
        names = ", ".join(verdict.failed_scanners)
        return ScannerFailed(f"The prompt could not be scanned ({names}); nothing was sent. Try again.")
    if verdict.cause == "attachments":
        return Blocked(
            f"This server refuses content that it can't scan: {', '.join(verdict.coverage.reasons)}.",
            code="unscanned_content",
            scan_result=scan_result(verdict),
            lockllm=details(verdict),
        )
    core, policy = _by_kind(verdict)
    if policy and not core:
        return PolicyViolation(summary(verdict), violated_policies=violations(policy), lockllm=details(verdict))
    return Blocked(summary(verdict), scan_result=scan_result(verdict), lockllm=details(verdict))


def scan_result(verdict: Verdict) -> dict[str, Any]:
    """Exactly the five keys that LockLLM's oldest SDK takes; scores run from 0 to 100."""
    return {
        "safe": verdict.safe,
        "label": 0 if verdict.safe else 1,
        "confidence": confidence(verdict),
        "injection": _percent(verdict.score),
        "sensitivity": verdict.sensitivity.value,
    }


def confidence(verdict: Verdict) -> int:
    """How sure the verdict is, 0 to 100: 98 next to an injection score of 2."""
    return 100 - _percent(verdict.score) if verdict.safe else _percent(verdict.score)


def summary(verdict: Verdict) -> str:
    """One sentence that says what was found, by which rule, and where."""
    if not verdict.hits:
        if verdict.unreadable is not None:
            return f"The request could not be read in exactly one way: {verdict.unreadable.message}"
        return f"Not everything was scanned: {', '.join(verdict.failed_scanners or verdict.coverage.reasons)}"
    hit = verdict.hits[0]
    finding = hit.finding
    via = f", hidden as {' in '.join(finding.via)}" if finding.via else ""
    return (
        f"Unsafe prompt: {finding.category} (rule {finding.rule}, score {_percent(finding.score)} of 100) "
        f"in the {hit.origin.value} text at {hit.where}, characters {finding.start} to {finding.end}{via}."
    )


def details(verdict: Verdict) -> dict[str, Any]:
    """Our own detail, under ``error.lockllm``: the gravest finding spelled out, then the others."""
    found = [_told(hit) for hit in verdict.hits[:MAX_FINDINGS]]
    return {
        **(found[0] if found else {}),
        "policy": verdict.policy,
        "coverage": {"state": verdict.coverage.state, "reasons": list(verdict.coverage.reasons)},
        "findings": found,
        **({"allowed": [_told(hit) for hit in verdict.allowed[:MAX_FINDINGS]]} if verdict.allowed else {}),
    }


def violations(hits: list[Hit]) -> list[dict[str, Any]]:
    """The violation objects of LockLLM's SDKs, one for each of the operator's rules."""
    return [
        {
            "policy_name": hit.finding.rule,
            "violated_categories": [{"name": hit.finding.category}],
            "violation_details": f"{hit.where}, characters {hit.finding.start} to {hit.finding.end}",
        }
        for hit in hits[:MAX_FINDINGS]
    ]


def scan_answer(verdict: Verdict, *, request_id: str, chars: int, passages: int, seconds: float) -> dict[str, Any]:
    """The 200 body of ``POST /v1/scan``."""
    core, policy = _by_kind(verdict)
    answer: dict[str, Any] = {
        "safe": verdict.safe,
        "label": 0 if verdict.safe else 1,
        "sensitivity": verdict.sensitivity.value,
        "request_id": request_id,
        "usage": {"requests": passages, "input_chars": chars},
        "debug": {
            "duration_ms": round(seconds * 1000, 3),
            "inference_ms": round(seconds * 1000, 3),
            "mode": "single" if passages == 1 else "chunked",
        },
        "lockllm": details(verdict),
    }
    if verdict.mode is not ScanMode.POLICY_ONLY:
        answer |= {"confidence": confidence(verdict), "injection": _percent(verdict.score)}
    if verdict.mode is not ScanMode.NORMAL:
        answer["policy_confidence"] = _percent(policy[0].finding.score) if policy else 100
    if core:
        answer["scan_warning"] = {
            "message": summary(verdict),
            "injection_score": _percent(verdict.score),
            "confidence": confidence(verdict),
            "label": 1,
        }
    if policy:
        answer["policy_warnings"] = violations(policy)
    return answer


def _by_kind(verdict: Verdict) -> tuple[list[Hit], list[Hit]]:
    return (
        [hit for hit in verdict.hits if hit.kind == "core"],
        [hit for hit in verdict.hits if hit.kind == "policy"],
    )


def _told(hit: Hit) -> dict[str, Any]:
    finding = hit.finding
    told: dict[str, Any] = {
        "category": finding.category,
        "rule": finding.rule,
        "scanner": finding.scanner,
        "score": _percent(finding.score),
        "origin": hit.origin.value,
        "where": hit.where,
        "span": [finding.start, finding.end],
        "via": list(finding.via),
    }
    if finding.because:
        told["because"] = list(finding.because)
    if hit.until is not None:
        told["until"] = hit.until
    return told


def _percent(score: float) -> int:
    return round(score * 100)


def _coverage_value(coverage: Coverage) -> bytes:
    value = "; ".join((coverage.state, *coverage.reasons))
    return _header_text(value) or coverage.state.encode()


def _header_text(text: str, limit: int = 500) -> bytes:
    """Visible ASCII of a text from the request: a header must not carry its control bytes."""
    return "".join(char if " " <= char <= "~" else "?" for char in text[:limit]).strip().encode()


def _detail(value: Mapping[str, Any] | list[dict[str, Any]]) -> bytes:
    """Base64 of ASCII-escaped JSON, standard alphabet with padding: what both SDKs decode (measured)."""
    text = json.dumps(value)
    if len(text) > _MAX_DETAIL:
        if isinstance(value, list):
            text = json.dumps(value[:1])
        else:
            text = json.dumps({"message": str(value["message"])[:500], "label": value["label"]})
    return base64.b64encode(text.encode())
