"""Signatures: the same as boto3 going straight to AWS, and right by AWS's own description, for any raw path."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from aws_side import OPERATOR, REGION, signature_is_right
from botocore.config import Config
from hypothesis import given
from hypothesis import strategies as st
from lockllm_twisted.errors import BadRequest
from lockllm_twisted.settings import Settings
from lockllm_twisted.wire import check_target

from lockllm_bedrock.plugin import lockllm_providers
from lockllm_bedrock.signing import sign

NOW = dt.datetime(2026, 11, 25, 20, 30, 1)  # noqa: DTZ001 - botocore's own clock is naive
PROFILE = "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "What is the capital of France?"}]}]


class Captured(Exception):
    """The request that boto3 was about to send."""


def sent_by(credentials: tuple[str, str, str | None], endpoint: str | None, call: Callable[[Any], Any]) -> Any:
    client = boto3.client(
        "bedrock-runtime",
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=credentials[0],
        aws_secret_access_key=credentials[1],
        aws_session_token=credentials[2],
        config=Config(retries={"total_max_attempts": 1}),
    )

    def capture(request: Any, **_: Any) -> None:
        raise Captured(request)

    client.meta.events.register("before-send.bedrock-runtime.*", capture)
    with pytest.raises(Captured) as caught:
        call(client)
    return caught.value.args[0]


CALLS: dict[str, Callable[[Any], Any]] = {
    "Converse": lambda c: c.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=MESSAGES),
    "ConverseStream": lambda c: c.converse_stream(modelId=PROFILE, messages=MESSAGES),
    "InvokeModel": lambda c: c.invoke_model(modelId=PROFILE, body=b'{"prompt":"\\u00e9"}'),
    "InvokeModel with all headers": lambda c: c.invoke_model(
        modelId="amazon.titan-text-lite-v1",
        body=b"{}",
        accept="application/json",
        contentType="application/json",
        trace="ENABLED",
        guardrailIdentifier="gr-1",
        guardrailVersion="1",
        performanceConfigLatency="optimized",
    ),
    "InvokeModelWithResponseStream": lambda c: c.invoke_model_with_response_stream(
        modelId="a.b", body=b"{}", accept="application/json"
    ),
    "CountTokens": lambda c: c.count_tokens(modelId="a.b:0", input={"converse": {"messages": MESSAGES}}),
    "ApplyGuardrail": lambda c: c.apply_guardrail(
        guardrailIdentifier="arn:aws:bedrock:eu-central-1:123456789012:guardrail/g1",
        guardrailVersion="DRAFT",
        source="INPUT",
        content=[{"text": {"text": "x"}}],
    ),
    "StartAsyncInvoke": lambda c: c.start_async_invoke(
        modelId="amazon.nova-reel-v1:0",
        modelInput={"prompt": "a street"},
        outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://bucket"}},
        clientRequestToken="12345678",
    ),
    "GetAsyncInvoke": lambda c: c.get_async_invoke(
        invocationArn="arn:aws:bedrock:eu-central-1:123456789012:async-invoke/abcdefghijkl"
    ),
    "ListAsyncInvokes": lambda c: c.list_async_invokes(
        submitTimeAfter=dt.datetime(2026, 11, 25, tzinfo=dt.UTC), maxResults=3, nextToken="a+/= b"
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=list(CALLS))
def test_it_is_the_signature_of_boto3_going_straight_to_aws(
    call: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK", raising=False)
    direct = sent_by(tuple(OPERATOR[:3]), None, call)
    prefix = "/v1/proxy/bedrock"
    proxied = sent_by(("AKIDCLIENT", "clients-secret", "clients-token"), f"http://127.0.0.1:8080{prefix}", call)

    tail = proxied.url.partition(prefix)[2].encode()
    check_target(tail, encoded_slash=True)
    (provider,) = lockllm_providers(Settings())
    origin = f"https://{urlsplit(direct.url).netloc}"
    assert origin + provider.target(tail).decode() == direct.url
    pairs = [(name.encode(), _bytes(value)) for name, value in proxied.headers.items()]
    made = sign(
        method=proxied.method.encode(),
        url=direct.url,
        headers=pairs,
        body=_bytes(proxied.body),
        credentials=OPERATOR,
        region=REGION,
        service="bedrock",
    )
    assert _bytes(proxied.body) == _bytes(direct.body)
    assert _by_name(made) == _by_name([(name.encode(), _bytes(value)) for name, value in direct.headers.items()])


def _by_name(pairs: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    # A random number for each call, and a name that tells of an endpoint that is set. Neither is signed.
    differ = {b"amz-sdk-invocation-id", b"user-agent"}
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return {name.lower(): value for name, value in pairs if name.lower() not in differ}


def _bytes(value: Any) -> bytes:
    if isinstance(value, io.IOBase):
        value.seek(0)
        return bytes(value.read())
    return value.encode() if isinstance(value, str) else bytes(value or b"")


SEGMENT = st.lists(
    st.sampled_from([*"abcXYZ019-._~:!$&'()*+,;=@|^`{}[]<>", "%3A", "%2F", "%2f", "%20", "%C3%A9", "%7e"]),
    min_size=1,
    max_size=12,
).map("".join)
QUERY = st.just("") | st.builds("?maxResults={0}&nextToken={1}&a={1}".format, st.integers(0, 9), st.sampled_from(["a%2B%2F%3D", "", "x"]))  # fmt: skip


@given(
    segments=st.lists(SEGMENT, min_size=1, max_size=3),
    query=QUERY,
    body=st.binary(max_size=50),
    value=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    method=st.sampled_from([b"POST", b"GET"]),
)
def test_any_path_that_is_let_through_is_signed_as_it_is_sent(
    segments: list[str], query: str, body: bytes, value: str, method: bytes
) -> None:
    target = ("/model/" + "/".join(segments) + query).encode()
    try:
        check_target(target, encoded_slash=True)
    except BadRequest:
        return  # refused before it comes here
    headers = [
        (b"Content-Type", b"application/json"),
        (b"X-Amzn-Bedrock-Trace", value.strip().encode()),
        (b"X-Other", b"unsigned"),
        (b"X-AMZ-Date", b"20200101T000000Z"),
        (b"AUTHORIZATION", b"AWS4-HMAC-SHA256 Credential=c"),
    ]
    url = "https://bedrock-runtime.eu-central-1.amazonaws.com" + target.decode()
    made = sign(
        method=method, url=url, headers=headers, body=body, credentials=OPERATOR, region=REGION, service="bedrock"
    )
    assert (b"X-Other", b"unsigned") in made
    host = (b"Host", b"bedrock-runtime.eu-central-1.amazonaws.com")
    assert signature_is_right(method, target, [host, *made], body)
    assert not signature_is_right(method, target + b"x", [host, *made], body)
    assert not signature_is_right(method, target, [host, *made], body + b"x")
    assert not signature_is_right(method, target, [(b"Host", b"elsewhere.example"), *made], body)
