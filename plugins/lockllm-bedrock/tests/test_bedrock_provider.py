"""The provider without a network: paths, places, limits, and who is signed for."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError
from lockllm_twisted import registry, testing
from lockllm_twisted.dialects import BEDROCK
from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.hooks import AuthorizingProvider, UpstreamRequest
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.settings import ProviderSettings, Settings
from lockllm_twisted.values import ANONYMOUS, Caller
from twisted.internet.defer import Deferred, maybeDeferred

from lockllm_bedrock import BedrockProvider, BedrockSettings, plugin
from lockllm_bedrock.credentials import Held, finder

SOMEBODY = Caller("k1", "research")
ARN = b"arn%3Aaws%3Abedrock%3Aus-west-2%3A123456789012%3Ainference-profile%2Fus.anthropic.claude"
CONVERSE = b"/model/anthropic.claude-3%3A0/converse"
CHAT = b"/openai/v1/chat/completions"


def signed_by_client(region: str = "eu-west-1", service: str = "bedrock") -> tuple[bytes, bytes]:
    scope = f"AKIDCLIENT/20261125/{region}/{service}/aws4_request"
    return (
        b"Authorization",
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=00".encode(),
    )


BEARER = (b"Authorization", b"Bearer bedrock-api-key")


def made(table: dict[str, Any] | None = None, **providers: Any) -> BedrockProvider:
    """The provider as the host gets it, with credentials of its own and no thread."""
    settings = Settings(plugins={"bedrock": table or {}}, **providers)
    (provider,) = plugin.lockllm_providers(settings)
    assert isinstance(provider, BedrockProvider)
    source = Credentials("AKIDOPERATOR", "operator-secret", "operator-token")
    held = Held(source, source.get_frozen_credentials())
    return attrs.evolve(provider, credentials=Renewed(lambda: held, Held.state, in_thread=maybeDeferred))


@pytest.fixture(autouse=True)
def _no_aws_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def asking(
    target: bytes = CONVERSE,
    *headers: tuple[bytes, bytes],
    body: Any = None,
    caller: Caller = SOMEBODY,
    method: bytes = b"POST",
) -> UpstreamRequest:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return UpstreamRequest("https://nowhere.example", method, target, headers, raw, caller)


def authorized(provider: BedrockProvider, request: UpstreamRequest) -> UpstreamRequest:
    results: list[Any] = []
    Deferred.fromCoroutine(provider.authorize(request)).addBoth(results.append)
    assert results, "it waits for something"
    if not isinstance(results[0], UpstreamRequest):
        results[0].raiseException()
    return results[0]  # type: ignore[no-any-return]


def refused(provider: BedrockProvider, request: UpstreamRequest) -> tuple[int, str]:
    with pytest.raises(LockLLMError) as caught:
        authorized(provider, request)
    assert "operator-secret" not in str(caught.value)
    return caught.value.http_status, caught.value.code


def value(request: UpstreamRequest, name: bytes) -> bytes | None:
    values = [v for n, v in request.headers if n.lower() == name]
    assert len(values) <= 1
    return values[0] if values else None


def scope_in(request: UpstreamRequest) -> list[str]:
    """Key, date, region, service of the signature that leaves."""
    authorization = value(request, b"authorization")
    assert authorization is not None
    return authorization.decode().partition("Credential=")[2].partition(",")[0].split("/")[:4]


# What it is -----------------------------------------------------------------------------------------------------------


def test_it_keeps_the_protocol_and_is_found_through_its_entry_point() -> None:
    testing.check_provider(made())
    loaded = registry.load(Settings(plugins={"bedrock": {"region": "us-east-1"}}))
    assert isinstance(loaded.providers["bedrock"], AuthorizingProvider)
    info = next(info for info in loaded.plugins if info.name == "bedrock")
    assert (info.distribution, info.provides) == ("lockllm-bedrock", ("provider bedrock",))


def test_what_is_shown_of_it_holds_no_secret() -> None:
    provider = made({"region": "us-east-1"})
    authorized(provider, asking())
    assert "operator" not in repr(provider)


@pytest.mark.parametrize(
    ("tail", "target"),
    [
        (b"/model/a%2Fb%3A0/converse", b"/model/a%2Fb%3A0/converse"),
        (b"/model/anthropic.claude:0/invoke?x[]=1", b"/model/anthropic.claude:0/invoke?x[]=1"),
        (b"/guardrail/g/version/1/apply", b"/guardrail/g/version/1/apply"),
        (b"/guardrail-checks/invoke", b"/guardrail-checks/invoke"),
        (b"/async-invoke?maxResults=1", b"/async-invoke?maxResults=1"),
        (b"/openai/v1/responses", b"/openai/v1/responses"),
        (b"/v1/responses", b"/openai/v1/responses"),
        (b"/chat/completions?", b"/openai/v1/chat/completions?"),
        (b"/models", b"/openai/v1/models"),
        (b"/anthropic/v1/messages", b"/anthropic/v1/messages"),
        (b"/anthropic/v1/v1/messages?beta=true", b"/anthropic/v1/messages?beta=true"),
        (b"/v1/messages", b"/anthropic/v1/messages"),
        (b"/messages/count_tokens", b"/anthropic/v1/messages/count_tokens"),
    ],
)
def test_every_spelling_of_a_path(tail: bytes, target: bytes) -> None:
    assert made().target(tail) == target


# Where it goes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "headers", "origin"),
    [
        (CONVERSE, [signed_by_client("eu-west-1")], "https://bedrock-runtime.eu-west-1.amazonaws.com"),
        (CHAT, [signed_by_client("us-east-2")], "https://bedrock-runtime.us-east-2.amazonaws.com"),
        (CHAT, [signed_by_client("us-east-2", "bedrock-mantle")], "https://bedrock-mantle.us-east-2.api.aws"),
        (CONVERSE, [signed_by_client("cn-north-1")], "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"),
        (CONVERSE, [BEARER], "https://bedrock-runtime.eu-central-1.amazonaws.com"),
        (b"/model/" + ARN + b"/invoke", [BEARER], "https://bedrock-runtime.us-west-2.amazonaws.com"),
        (CHAT, [BEARER], "https://bedrock-mantle.eu-central-1.api.aws"),
        (b"/anthropic/v1/messages", [(b"x-api-key", b"k")], "https://bedrock-mantle.eu-central-1.api.aws"),
        (b"/something/of/tomorrow", [BEARER], "https://bedrock-runtime.eu-central-1.amazonaws.com"),
    ],
)
def test_region_and_service_make_the_host(target: bytes, headers: list[tuple[bytes, bytes]], origin: str) -> None:
    provider = made({"region": "eu-central-1"})
    assert authorized(provider, asking(target, *headers)).origin == origin


def test_the_operator_says_which_host_has_openais_paths() -> None:
    provider = made({"region": "eu-central-1", "openai_endpoint": "runtime"})
    assert authorized(provider, asking(CHAT, BEARER)).origin == "https://bedrock-runtime.eu-central-1.amazonaws.com"


def test_an_address_of_the_operators_own_with_a_path_is_signed_as_it_is() -> None:
    section = ProviderSettings(base_url="https://vpce-1.example/aws")
    provider = made({"region": "eu-central-1"}, providers={"bedrock": section})
    target = provider.target(CONVERSE)
    assert (provider.origin, target) == ("https://vpce-1.example", b"/aws" + CONVERSE)
    assert provider.dialect(target) is BEDROCK(CONVERSE) is not None
    sent = authorized(provider, asking(target))
    assert (sent.origin, scope_in(sent)[2:]) == ("https://vpce-1.example", ["eu-central-1", "bedrock"])
    nowhere = made(providers={"bedrock": section})
    assert authorized(nowhere, asking(target, BEARER)).origin == "https://vpce-1.example"
    assert refused(nowhere, asking(target)) == (400, "no_region")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([signed_by_client("evil-host-1")], "unknown_region"),
        ([signed_by_client("aws-global")], "unknown_region"),
        ([signed_by_client("us-east-1", "s3")], "unknown_service"),
        ([(b"Authorization", b"AWS4-HMAC-SHA256 Credential=A/20261125/us-east-1.evil.example/bedrock/aws4_request,")], "invalid_request"),
        ([(b"Authorization", b"AWS4-ECDSA-P256-SHA256 Credential=A/20261125/bedrock/aws4_request, x")], "invalid_request"),
        ([signed_by_client(), signed_by_client("us-east-1")], "invalid_request"),
    ],
)  # fmt: skip
def test_no_request_chooses_a_host_beyond_the_regions(headers: list[tuple[bytes, bytes]], code: str) -> None:
    assert refused(made({"region": "us-east-1"}), asking(CONVERSE, *headers)) == (400, code)


def test_a_region_that_botocore_does_not_know_yet_is_one_that_the_operator_may_name() -> None:
    provider = made({"regions": ["eu-north-77"]})
    sent = authorized(provider, asking(CONVERSE, signed_by_client("eu-north-77")))
    assert sent.origin == "https://bedrock-runtime.eu-north-77.amazonaws.com"


def test_without_a_region_it_says_what_to_set() -> None:
    with pytest.raises(LockLLMError, match=r'region = "us-east-1".*AWS_REGION'):
        authorized(made(), asking())
    assert refused(made(), asking(CONVERSE, BEARER)) == (400, "no_region")
    assert "REGION" in made().origin


# With which credential ------------------------------------------------------------------------------------------------


def test_a_bedrock_api_key_passes_unchanged() -> None:
    request = asking(CONVERSE, BEARER, (b"X-Amz-Odd", b"1"))
    assert authorized(made({"region": "us-east-1"}), request).headers == request.headers


@pytest.mark.parametrize("headers", [[signed_by_client("us-east-1")], [], [(b"Authorization", b"")]])
def test_any_other_request_is_signed_anew(headers: list[tuple[bytes, bytes]]) -> None:
    theirs = [
        *headers,
        (b"X-Amz-Date", b"20200101T000000Z"),
        (b"x-amz-security-token", b"clients-token"),
        (b"X-Amz-Content-SHA256", b"00"),
        (b"X-Amzn-Bedrock-Accept", b"application/json"),
        (b"User-Agent", b"Boto3/1"),
        (b"amz-sdk-invocation-id", b"1"),
    ]
    sent = authorized(made({"region": "us-east-1"}), asking(CONVERSE, *theirs, body={}))
    assert scope_in(sent)[::2] == ["AKIDOPERATOR", "us-east-1"]
    assert value(sent, b"x-amz-security-token") == b"operator-token"
    assert value(sent, b"x-amz-date") not in (b"20200101T000000Z", None)
    assert value(sent, b"x-amz-content-sha256") is None
    assert (value(sent, b"user-agent"), value(sent, b"amz-sdk-invocation-id")) == (b"Boto3/1", b"1")
    assert b"AKIDCLIENT" not in b"".join(v for _, v in sent.headers)


def test_a_large_body_is_hashed_in_a_thread_and_gets_the_same_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: dt.datetime(2026, 11, 25))  # noqa: DTZ001
    waiting: list[tuple[Callable[[], Any], Deferred[Any]]] = []

    def later(function: Callable[[], Any]) -> Deferred[Any]:
        waiting.append((function, Deferred()))
        return waiting[-1][1]

    provider = attrs.evolve(made({"region": "us-east-1"}), in_thread=later)
    results: list[Any] = []
    request = asking(body=b'"' + b"x" * 300_000 + b'"')
    Deferred.fromCoroutine(provider.authorize(request)).addBoth(results.append)
    assert results == []
    ((function, done),) = waiting
    done.callback(function())
    at_once = attrs.evolve(provider, in_thread=maybeDeferred)
    assert results == [authorized(at_once, request)]


def test_nobody_unknown_is_signed_for_unless_the_operator_says_so() -> None:
    request = asking(CONVERSE, signed_by_client("us-east-1"), caller=ANONYMOUS)
    assert refused(made(), request) == (401, "unauthorized")
    assert refused(made({"region": "us-east-1"}), asking(caller=ANONYMOUS)) == (401, "unauthorized")
    assert authorized(made({"region": "us-east-1"}), asking(CONVERSE, BEARER, caller=ANONYMOUS))
    assert scope_in(authorized(made({"anonymous_callers": True}), request))[0] == "AKIDOPERATOR"


@pytest.mark.parametrize(
    "path",
    [
        b"/model/a/unknown-operation",
        b"/model/a/conv%65rse",
        b"/model/a/b/converse",
        b"/openai/v2/responses",
        b"/openai/v1/",
        b"/guardrail/g/apply",
    ],
)
def test_only_known_operations_are_signed_for(path: bytes) -> None:
    assert refused(made({"region": "us-east-1"}), asking(path)) == (404, "not_found")


def test_the_bidirectional_stream_is_refused_whoever_asks() -> None:
    path = b"/model/amazon.nova-sonic/invoke-with-bidirectional-stream"
    for headers in ([], [BEARER]):
        assert refused(made({"region": "us-east-1"}), asking(path, *headers)) == (400, "not_supported")


# What a caller may use ------------------------------------------------------------------------------------------------

LIMITED = {
    "region": "eu-central-1",
    "regions": ["eu-central-1"],
    "models": ["anthropic.*"],
    "operations": ["converse", "openai", "async-invoke", "apply-guardrail"],
    "callers": {"research": {"models": ["*"]}, "k2": {"models": [], "regions": ["us-west-2"]}},
}
NOBODY_SPECIAL, K2 = Caller("k9", "app"), Caller("k2", "other")


@pytest.mark.parametrize("credential", [(), (BEARER,)], ids=["signed", "own key"])
@pytest.mark.parametrize(
    ("caller", "target", "body", "code"),
    [
        (NOBODY_SPECIAL, CONVERSE, {}, None),
        (NOBODY_SPECIAL, b"/model/meta.llama3/converse", {}, "model_not_allowed"),
        (NOBODY_SPECIAL, b"/model/%61nthropic.claude/converse", {}, None),
        (NOBODY_SPECIAL, b"/model/x%2Fanthropic.claude/converse", {}, "model_not_allowed"),
        (NOBODY_SPECIAL, b"/model/anthropic.claude/invoke", {}, "operation_not_allowed"),
        (NOBODY_SPECIAL, b"/model/" + ARN + b"/converse", {}, "region_not_allowed"),
        (NOBODY_SPECIAL, CHAT, {"model": "anthropic.claude"}, None),
        (NOBODY_SPECIAL, CHAT, {"model": "openai.gpt-oss-20b"}, "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, {}, "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, {"model": ["anthropic.claude"]}, "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, {"x": {"model": "anthropic.claude"}}, "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, [{"model": "anthropic.claude"}], "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, b'{"model":"openai.x","model":"anthropic.claude"}', "model_not_allowed"),
        (NOBODY_SPECIAL, CHAT, b"\x1f\x8b", "model_not_allowed"),
        (NOBODY_SPECIAL, b"/async-invoke", {"modelId": "amazon.nova-reel"}, "model_not_allowed"),
        (NOBODY_SPECIAL, b"/guardrail/g/version/1/apply", {}, None),
        (SOMEBODY, b"/model/meta.llama3/converse", {}, None),
        (SOMEBODY, b"/model/meta.llama3/invoke", {}, "operation_not_allowed"),
        (K2, CONVERSE, {}, "region_not_allowed"),
        (K2, b"/model/" + ARN + b"/converse", {}, "model_not_allowed"),
    ],
)
def test_limits_hold_for_every_credential(
    credential: tuple[tuple[bytes, bytes], ...], caller: Caller, target: bytes, body: Any, code: str | None
) -> None:
    provider, request = made(LIMITED), asking(target, *credential, body=body, caller=caller)
    if code is None:
        authorized(provider, request)
    else:
        assert refused(provider, request) == (403, code)


def test_the_path_of_no_known_operation_is_outside_of_every_limit() -> None:
    request = asking(b"/something/of/tomorrow", BEARER, caller=NOBODY_SPECIAL)
    assert refused(made({"region": "us-east-1", "models": ["*"]}), request) == (403, "model_not_allowed")
    assert refused(made({"region": "us-east-1", "operations": ["openai"]}), request) == (403, "operation_not_allowed")
    assert authorized(made({"region": "us-east-1"}), request)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('regoin = "eu-west-1"', r":2: \[plugins.bedrock\] regoin: there is no such name here. Did you mean region\?"),
        ('models = "anthropic.*"', r":2: \[plugins.bedrock\] models: write an array"),
        ('operations = ["convers"]', r":2: .*there is no operation 'convers'; there are converse"),
        ('openai_endpoint = "mantel"', r'Did you mean "mantle"\?'),
        ('region = "moon-base-x"', r"'moon-base-x' is no AWS region"),
        ('profile = "nobody"', r":2: .*profile \(nobody\) could not be found"),
        ('[plugins.bedrock.callers.app]\nmodel = ["x"]', r":3: .*callers.app\] model: .*Did you mean models\?"),
    ],
)
def test_a_setting_that_cannot_stand_stops_the_start_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "lockllm.toml").write_text(f"[plugins.bedrock]\n{text}\n")
    with pytest.raises(SettingsError, match=message):
        registry.load(Settings.from_toml(tmp_path / "lockllm.toml"))


ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/providers-bedrock.md").read_text()


@pytest.mark.parametrize(
    "page", [PAGE, (ROOT / "plugins/lockllm-bedrock/README.md").read_text()], ids=["docs", "README"]
)
def test_the_configs_of_the_docs_load(page: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile llm]\n")
    configs = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert configs
    for config in configs:
        (tmp_path / "lockllm.toml").write_text(config)
        registry.load(Settings.from_toml(tmp_path / "lockllm.toml"))


def test_every_setting_has_its_row() -> None:
    told = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    assert {*attrs.fields_dict(BedrockSettings)} - {"callers"} == told - {"callers"}
    assert "`callers.<name or id>`" in PAGE


# The operator's credentials -------------------------------------------------------------------------------------------


class Session:
    """As botocore's, with what the test wants found."""

    def __init__(self, found: Any) -> None:
        self.found = found

    def get_credentials(self) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


@pytest.mark.parametrize(
    ("found", "status", "words"),
    [
        (None, 400, r"instance or task role.*AWS_ACCESS_KEY_ID.*set-key bedrock"),
        (CredentialRetrievalError(provider="sso", error_msg="operator-secret"), 502, r"CredentialRetrievalError"),
    ],
)
def test_without_credentials_it_says_what_to_do(found: Any, status: int, words: str) -> None:
    renewed = Renewed(finder(Session(found)), Held.state, in_thread=maybeDeferred)
    provider = attrs.evolve(made({"region": "us-east-1"}), credentials=renewed)
    with pytest.raises(LockLLMError, match=words) as caught:
        authorized(provider, asking())
    assert caught.value.http_status == status
    assert "operator-secret" not in str(caught.value)
    authorized(provider, asking(CONVERSE, BEARER))


def test_session_credentials_are_kept_until_shortly_before_their_end() -> None:
    now = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    made_at: list[dt.datetime] = []

    def fetch() -> dict[str, str]:
        made_at.append(now)
        until = (now + dt.timedelta(hours=1)).isoformat()
        number = len(made_at)
        return {"access_key": f"AKID{number}", "secret_key": "s", "token": f"t{number}", "expiry_time": until}

    source = RefreshableCredentials.create_from_metadata(fetch(), fetch, "test")
    source._time_fetcher = lambda: now
    renewed = Renewed(finder(Session(source)), Held.state, in_thread=maybeDeferred)
    provider = attrs.evolve(made({"region": "us-east-1"}), credentials=renewed)

    def token() -> bytes | None:
        return value(authorized(provider, asking()), b"x-amz-security-token")

    assert [token(), token()] == [b"t1", b"t1"]
    now += dt.timedelta(minutes=50)  # botocore's advisory limit is 15 minutes
    assert [token(), token()] == [b"t2", b"t2"]
    now += dt.timedelta(minutes=59, seconds=30)
    assert token() == b"t3"
