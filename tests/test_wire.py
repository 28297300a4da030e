from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockllm_twisted.errors import BadRequest
from lockllm_twisted.wire import (
    MAX_TARGET,
    Fields,
    check_target,
    forwarded_request_headers,
    forwarded_response_headers,
    header_lines,
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


LINES = st.lists(
    st.sampled_from(
        [b"A: 1\r\n", b"a:2\r\n", b"X-Y:\t v w \t\r\n", b"E:\r\n", b"E: \r\n", b"B: \xff\r\n", b" fold\r\n", b"no colon\r\n", b"C : 1\r\n", b": 1\r\n",
         b"D: 1\n", b"D: 1\r", b"\r\n", b"F: \x00\r\n", b"F: a\tb\r\n", b"F: \x7f\r\n", b"G\xe9: 1\r\n", b"T:e:st: x:y\r\n"]
    )
    | st.binary(max_size=8),
    max_size=8,
).map(b"".join)  # fmt: skip


@given(LINES | st.binary(max_size=40))
@example(b"")
@example(b"Set-Cookie: a=1\r\nX: \r\nset-cookie: b=2 \r\n")
def test_header_lines_are_read_alike_whether_or_not_there_was_a_compiler(block: bytes) -> None:
    pairs, found = header_lines(block), Fields.parse(block)
    expected = None if pairs is None else Fields(pairs)
    assert _told(found) == _told(expected)


def test_a_name_of_one_letter_is_lowered_in_no_other_place() -> None:
    fields = Fields.parse(b"Z: Y\r\n")
    assert fields is not None
    (name, value), (lower,) = fields.pairs[0], fields.names
    assert (name.decode(), value.decode(), lower.decode()) == ("Z", "Y", "z")
    assert [b"YZz"[at : at + 1].decode() for at in range(3)] == ["Y", "Z", "z"]  # Python keeps one object for each byte


def _told(fields: Fields | None) -> object:
    return None if fields is None else (fields.pairs, fields.names, fields.named)
