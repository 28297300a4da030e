from __future__ import annotations

import pytest

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.wire import (
    MAX_TARGET,
    Fields,
    check_target,
    forwarded_request_headers,
    forwarded_response_headers,
    raw_tail,
)


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"x",
        b"*",
        b"http://evil.test/v1",
        b"/a b",
        b"/a\x00",
        b"/a\xe9",
        b"/a#b",
        b"//evil.test/v1",
        b"/v1//chat",
        b"/v1/../admin",
        b"/v1/..",
        b"/v1/.",
        b"/./v1",
        b"/v1/%2e%2e/admin",
        b"/v1/%2E./admin",
        b"/v1/..;/admin",
        b"/v1/..%3b/admin",
        b"/v1/..;x=1/admin",
        b"/v1\\admin",
        b"/v1%5cadmin",
        b"/v1/%00",
        b"/v1/%2500",
        b"/v1/a%2fb",
        b"/v1/a%2Fb",
        b"/v1/%252e%252e/admin",
        b"/v1/%252fadmin",
        b"/" + b"a" * MAX_TARGET,
    ],
)
def test_a_target_that_two_servers_could_read_in_two_ways_is_refused(target: bytes) -> None:
    with pytest.raises(BadRequest):
        check_target(target)


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/v1/chat/completions",
        b"/v1/models/gemini:generateContent?alt=sse",
        b"/a?",
        b"/a?b=../c//d&e=%2F%00",
        b"/v1/x?include[]=y",
        b"/v1/...",
        b"/v1/.well-known/x",
        b"/v1/a%3Ab",
        b"/v1/a%20b%25",
    ],
)
def test_a_plain_target_passes(target: bytes) -> None:
    check_target(target)


def test_an_encoded_slash_passes_where_the_provider_knows_it() -> None:
    check_target(b"/model/arn%3Aaws%2Fx/converse", encoded_slash=True)


@pytest.mark.parametrize("target", [b"/v1/..%2fadmin", b"/v1/x%2F..%2fadmin", b"/v1/x%2f%2e%2e", b"/v1%2f./x"])
def test_dots_do_not_climb_over_an_encoded_slash(target: bytes) -> None:
    with pytest.raises(BadRequest):
        check_target(target, encoded_slash=True)


@pytest.mark.parametrize(
    ("uri", "segments", "tail"),
    [
        (b"/v1/proxy/openai/v1/x?y", 3, b"/v1/x?y"),
        (b"/v1/proxy/openai", 3, b"/"),
        (b"/v1/proxy/openai?a", 3, b"/?a"),
        (b"/v1/proxy/openai/", 3, b"/"),
        (b"/v1/proxy/openai/a%2Fb//c?", 3, b"/a%2Fb//c?"),
        (b"/deep/mount%20point/v1/proxy/x/a", 5, b"/a"),
    ],
)
def test_the_tail_keeps_its_bytes(uri: bytes, segments: int, tail: bytes) -> None:
    assert raw_tail(uri, segments) == tail


def test_a_client_cannot_have_its_credential_stripped_by_nomination() -> None:
    headers = [
        (b"Connection", b"authorization, content-type, x-api-key, X-Mine"),
        (b"Authorization", b"Bearer k"),
        (b"Content-Type", b"application/json"),
        (b"X-Api-Key", b"k"),
        (b"X-Mine", b"1"),
    ]
    assert [name for name, _ in forwarded_request_headers(Fields(headers))] == [
        b"Authorization",
        b"Content-Type",
        b"X-Api-Key",
    ]


def test_end_to_end_headers_keep_order_duplicates_and_bytes() -> None:
    headers = [(b"Set-Cookie", b"a=\xff"), (b"X-A", b"1"), (b"Set-Cookie", b"b"), (b"x-a", b"")]
    assert forwarded_response_headers(Fields(headers)) == headers
    assert forwarded_request_headers(Fields(headers)) == headers
