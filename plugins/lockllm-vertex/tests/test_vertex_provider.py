"""The provider without a network: paths, places, limits, tokens, and whom they serve."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from hypothesis import given
from hypothesis import strategies as st
from lockllm_twisted import registry, testing
from lockllm_twisted.dialects import VERTEX
from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.hooks import AuthorizingProvider, UpstreamRequest
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.settings import ProviderSettings, Settings
from lockllm_twisted.values import ANONYMOUS, Caller
from twisted.internet.defer import Deferred, maybeDeferred
from vertex_lab import key_file

from lockllm_vertex import VertexProvider, VertexSettings, places, plugin
from lockllm_vertex.credentials import Token, minter

SOMEBODY = Caller("k1", "research")
IN = b"/v1/projects/my-project/locations/"
GENERATE = (
    b"/v1beta1/projects/my-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent"
)
OWN = (b"Authorization", b"Bearer ya29.clients")
SECRET = b"ya29.operators"


def made(table: dict[str, Any] | None = None, **settings: Any) -> VertexProvider:
    """The provider as the host gets it, with a token of its own and no thread."""
    (provider,) = plugin.lockllm_providers(Settings(plugins={"vertex": table or {}}, **settings))
    assert isinstance(provider, VertexProvider)
    return attrs.evolve(provider, tokens=Renewed(lambda: Token(SECRET, None), Token.state, in_thread=maybeDeferred))


def asking(
    target: bytes = GENERATE, *headers: tuple[bytes, bytes], caller: Caller = SOMEBODY, method: bytes = b"POST"
) -> UpstreamRequest:
    return UpstreamRequest("https://nowhere.example", method, target, headers, b"{}", caller)


def authorized(provider: VertexProvider, request: UpstreamRequest) -> UpstreamRequest:
    results: list[Any] = []
    Deferred.fromCoroutine(provider.authorize(request)).addBoth(results.append)
    assert results, "it waits for something"
    if not isinstance(results[0], UpstreamRequest):
        results[0].raiseException()
    return results[0]  # type: ignore[no-any-return]


def refused(provider: VertexProvider, request: UpstreamRequest) -> tuple[int, str]:
    with pytest.raises(LockLLMError) as caught:
        authorized(provider, request)
    return caught.value.http_status, caught.value.code


def values(request: UpstreamRequest, name: bytes) -> list[bytes]:
    return [value for key, value in request.headers if key.lower() == name]


# What it is -----------------------------------------------------------------------------------------------------------


def test_it_keeps_the_protocol_and_is_found_through_its_entry_point() -> None:
    testing.check_provider(made())
    testing.check_provider(made({"project": "p", "location": "us"}))
    loaded = registry.load(Settings())
    assert isinstance(loaded.providers["vertex-ai"], AuthorizingProvider)
    info = next(info for info in loaded.plugins if info.name == "vertex")
    assert (info.distribution, info.provides) == ("lockllm-vertex", ("provider vertex-ai",))


def test_what_is_shown_of_it_holds_no_secret() -> None:
    provider = made()
    sent = authorized(provider, asking())
    assert "ya29" not in repr(provider) + repr(sent) + repr(Token(SECRET, None))


OPENAPI = b"/v1/projects/p/locations/us-central1/endpoints/openapi"


@pytest.mark.parametrize(
    ("tail", "target"),
    [
        (GENERATE + b"?alt=sse", GENERATE + b"?alt=sse"),
        (IN + b"global/publishers/anthropic/models/c@1:rawPredict", IN + b"global/publishers/anthropic/models/c@1:rawPredict"),
        (b"/projects/p/locations/us/endpoints/1:predict", b"/v1/projects/p/locations/us/endpoints/1:predict"),
        (b"/publishers/google/models/g:countTokens", b"/v1/publishers/google/models/g:countTokens"),
        (b"/v1/chat/completions", OPENAPI + b"/chat/completions"),
        (b"/chat/completions?x[]=", OPENAPI + b"/chat/completions?x[]="),
        (b"/embeddings", OPENAPI + b"/embeddings"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_path(tail: bytes, target: bytes) -> None:
    assert made({"project": "p", "location": "us-central1"}).target(tail) == target


# Where it goes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "origin"),
    [
        (b"europe-west12", "https://europe-west12-aiplatform.googleapis.com"),
        (b"global", "https://aiplatform.googleapis.com"),
        (b"us", "https://aiplatform.us.rep.googleapis.com"),
        (b"eu", "https://aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_the_location_makes_the_host(location: bytes, origin: str) -> None:
    assert authorized(made(), asking(IN + location + b"/endpoints/1:predict", OWN)).origin == origin


def test_a_path_without_a_place_goes_to_the_global_host() -> None:
    key = (b"x-goog-api-key", b"AQ.express")
    sent = authorized(made(), asking(b"/v1beta1/publishers/google/models/g:generateContent", key))
    assert (sent.origin, sent.headers) == ("https://aiplatform.googleapis.com", (key,))


@pytest.mark.parametrize(
    "place",
    [
        b"p/locations/evil.example",
        b"p/locations/evil",
        b"p/locations/us-central99",
        b"p/locations/US-central1",
        b"p/locations/us-central1-aiplatform.googleapis.com.evil.example%23",
        b"p/locations/us%2Dcentral1",
        b"p/locations/-",
        b"P_/locations/us",
        b"a%3Ab/locations/us",
    ],
)
def test_no_request_chooses_a_host_beyond_the_locations(place: bytes) -> None:
    request = asking(b"/v1/projects/" + place + b"/publishers/google/models/g:generateContent", OWN)
    assert refused(made(), request) == (400, "unknown_location")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)
    | st.from_regex(places.LOCATION, fullmatch=True)
)
def test_every_host_is_googles(location: str) -> None:
    host = places.host(location)
    if host is not None:
        assert location.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
        assert host.endswith(("aiplatform.googleapis.com", ".rep.googleapis.com"))


def test_an_address_of_the_operators_own_with_a_path() -> None:
    section = ProviderSettings(base_url="https://psc.example/google")
    provider = made(providers={"vertex-ai": section})
    target = provider.target(GENERATE)
    assert target == b"/google" + GENERATE
    assert provider.dialect(target) is VERTEX(GENERATE) is not None
    sent = authorized(provider, asking(target))
    assert (sent.origin, values(sent, b"authorization")) == ("https://psc.example", [b"Bearer " + SECRET])


def test_openai_style_paths_without_a_project_say_what_to_set() -> None:
    provider = made({"project": "p"})
    with pytest.raises(LockLLMError, match=r"project and location in \[plugins.vertex\]"):
        authorized(provider, asking(provider.target(b"/chat/completions"), OWN))


# With which token -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [OWN, (b"X-Goog-Api-Key", b"AQ.express")])
def test_a_token_or_a_key_of_the_clients_passes_unchanged(own: tuple[bytes, bytes]) -> None:
    request = asking(GENERATE, own, (b"x-goog-user-project", b"theirs"))
    assert authorized(made(), request).headers == request.headers


def test_a_key_in_the_query_is_one_of_the_clients() -> None:
    assert values(authorized(made(), asking(GENERATE + b"?alt=sse&key=AQ.express")), b"authorization") == []


@pytest.mark.parametrize("empty", [(), ((b"Authorization", b""), (b"x-goog-api-key", b""))])
def test_any_other_request_gets_the_operators(empty: tuple[tuple[bytes, bytes], ...]) -> None:
    sent = authorized(made(), asking(GENERATE, *empty, (b"x-goog-user-project", b"theirs"), (b"X-A", b"1")))
    assert values(sent, b"authorization") == [b"Bearer " + SECRET]
    assert (values(sent, b"x-goog-user-project"), values(sent, b"x-a")) == ([b"theirs"], [b"1"])
    assert values(sent, b"x-goog-api-key") == []


def test_nobody_unknown_gets_it_unless_the_operator_says_so() -> None:
    request = asking(caller=ANONYMOUS)
    assert refused(made(), request) == (401, "unauthorized")
    assert authorized(made(), asking(GENERATE, OWN, caller=ANONYMOUS))
    assert values(authorized(made({"anonymous_callers": True}), request), b"authorization") == [b"Bearer " + SECRET]


@pytest.mark.parametrize(
    ("method", "path", "served"),
    [
        (b"POST", GENERATE, True),
        (b"POST", IN + b"us/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict", True),
        (b"POST", IN + b"us/endpoints/123:predict", True),
        (b"POST", IN + b"us/endpoints/openapi/chat/completions", True),
        (b"POST", IN + b"us/publishers/google/models/veo-3:fetchPredictOperation", True),
        (b"GET", b"/v1beta1/publishers/google/models", True),
        (b"POST", IN + b"us/endpoints", False),
        (b"DELETE", IN + b"us/endpoints/123", False),
        (b"POST", IN + b"us/endpoints/123:undeployModel", False),
        (b"GET", IN + b"us/cachedContents", False),
        (b"POST", IN + b"us/publishers/google/models/x:generateContent/y", False),
        (b"POST", IN + b"us/publishers/google/models/x%3AgenerateContent", False),
    ],
)
def test_the_operators_token_calls_models_and_does_nothing_else(method: bytes, path: bytes, served: bool) -> None:
    if served:
        authorized(made(), asking(path, method=method))
    else:
        assert refused(made(), asking(path, method=method)) == (404, "not_found")
    assert authorized(made(), asking(path, OWN, method=method))


# What a caller may use ------------------------------------------------------------------------------------------------

LIMITED = {
    "projects": ["my-project"],
    "locations": ["europe-west4"],
    "callers": {"research": {"projects": ["my-project", "lab"]}, "k2": {"locations": []}},
}
APP, K2 = Caller("k9", "app"), Caller("k2", "other")


@pytest.mark.parametrize("credential", [(), (OWN,)], ids=["operator's", "own"])
@pytest.mark.parametrize(
    ("caller", "target", "headers", "code"),
    [
        (APP, GENERATE, (), None),
        (APP, GENERATE.replace(b"my-project", b"lab"), (), "project_not_allowed"),
        (APP, GENERATE, ((b"X-Goog-User-Project", b"lab"),), "project_not_allowed"),
        (APP, GENERATE.replace(b"europe-west4", b"us"), (), "location_not_allowed"),
        (APP, b"/v1beta1/publishers/google/models/g:generateContent", (), "project_not_allowed"),
        (SOMEBODY, GENERATE.replace(b"my-project", b"lab"), ((b"x-goog-user-project", b"lab"),), None),
        (SOMEBODY, GENERATE.replace(b"europe-west4", b"global"), (), "location_not_allowed"),
        (K2, GENERATE, (), "location_not_allowed"),
    ],
)
def test_limits_hold_for_every_credential(
    credential: tuple[tuple[bytes, bytes], ...],
    caller: Caller,
    target: bytes,
    headers: tuple[tuple[bytes, bytes], ...],
    code: str | None,
) -> None:
    request = asking(target, *credential, *headers, caller=caller)
    if code is None:
        authorized(made(LIMITED), request)
    else:
        assert refused(made(LIMITED), request) == (403, code)


def test_the_catalogue_of_models_is_in_no_project_and_everybodys() -> None:
    path = b"/v1beta1/publishers/google/models"
    assert authorized(made(LIMITED), asking(path, method=b"GET", caller=APP))
    charged = asking(path, (b"x-goog-user-project", b"lab"), method=b"GET", caller=APP)
    assert refused(made(LIMITED), charged) == (403, "project_not_allowed")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('projekt = "p"', r":2: \[plugins.vertex\] projekt: there is no such name here. Did you mean project\?"),
        ('location = "moon"', r":2: \[plugins.vertex\] location: 'moon' is no location of Vertex AI"),
        ('projects = ["../x"]', r"projects: '../x' is no Google Cloud project"),
        (
            'credentials_file = "nobody.json"',
            r":2: .*'nobody.json' .*FileNotFoundError.*GOOGLE_APPLICATION_CREDENTIALS",
        ),
        ('credentials_file = "lockllm.toml"', r"can be read \((?:JSONDecodeError|ValueError)\)"),
        ('credentials_file = "other.json"', r"MalformedError|ValueError"),
        ('[plugins.vertex.callers.app]\nproject = "x"', r":3: .*callers.app\] project: .*Did you mean projects\?"),
    ],
)
def test_a_setting_that_cannot_stand_stops_the_start_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "lockllm.toml").write_text(f"[plugins.vertex]\n{text}\n")
    (tmp_path / "other.json").write_text(json.dumps({"type": "authorized_user", "refresh_token": "secret-token"}))
    with pytest.raises(SettingsError, match=message) as caught:
        registry.load(Settings.from_toml(tmp_path / "lockllm.toml"))
    assert "secret-token" not in str(caught.value)


ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/providers-vertex.md").read_text()


@pytest.mark.parametrize(
    "page", [PAGE, (ROOT / "plugins/lockllm-vertex/README.md").read_text()], ids=["docs", "README"]
)
def test_the_configs_of_the_docs_load(page: str, tmp_path: Path) -> None:
    key_file(tmp_path, "https://oauth2.googleapis.com/token").rename(tmp_path / "vertex-key.json")
    configs = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert configs
    for config in configs:
        (tmp_path / "lockllm.toml").write_text(config)
        registry.load(Settings.from_toml(tmp_path / "lockllm.toml"))


def test_every_setting_has_its_row() -> None:
    told = set(re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))))
    assert {*attrs.fields_dict(VertexSettings)} - {"callers"} == told
    assert "`callers.<name or id>`" in PAGE


# The operator's token -------------------------------------------------------------------------------------------------


def test_a_key_file_is_read_at_start_relative_to_the_config(tmp_path: Path) -> None:
    key_file(tmp_path, "https://oauth2.googleapis.com/token")
    (tmp_path / "lockllm.toml").write_text('[plugins.vertex]\ncredentials_file = "key.json"\n')
    loaded = registry.load(Settings.from_toml(tmp_path / "lockllm.toml"))
    assert "PRIVATE KEY" not in repr(loaded.providers["vertex-ai"])


class Credentials:
    """As google-auth's: a token that lasts an hour, or a failure."""

    def __init__(self, *results: Exception | str) -> None:
        self._results = list(results)
        self.token: str | None = None
        self.expiry: dt.datetime | None = None
        self.quota_project_id = "charged"

    def refresh(self, _request: object) -> None:
        result = self._results.pop(0)
        if isinstance(result, Exception):
            raise result
        self.token, self.expiry = result, dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=1)


@pytest.mark.parametrize(("left", "state"), [(3600, "fresh"), (120, "stale"), (30, "expired"), (-30, "expired")])
def test_a_token_serves_until_shortly_before_its_end(left: int, state: str) -> None:
    end = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(seconds=left)
    assert Token(b"t", end).state() == state


def test_credentials_are_found_once_and_their_quota_project_is_told() -> None:
    found: list[Credentials] = []

    def find() -> Credentials:
        found.append(Credentials("first"))
        return found[-1]

    provider = attrs.evolve(made(), tokens=Renewed(minter(find), Token.state, in_thread=maybeDeferred))
    for _ in range(2):
        sent = authorized(provider, asking())
        assert values(sent, b"authorization") == [b"Bearer first"]
        assert values(sent, b"x-goog-user-project") == [b"charged"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        (DefaultCredentialsError("none, secret"), 400, r"credentials_file.*GOOGLE_APPLICATION_CREDENTIALS"),
        (RefreshError("invalid_grant: secret"), 502, r"no token \(RefreshError\): check its service account"),
    ],
)
def test_without_a_token_it_says_what_to_do_and_the_next_request_tries_again(
    failure: Exception, status: int, words: str
) -> None:
    credentials = Credentials(failure, "second")
    tokens = Renewed(minter(lambda: credentials), Token.state, in_thread=maybeDeferred)
    provider = attrs.evolve(made(), tokens=tokens)
    with pytest.raises(LockLLMError, match=words) as caught:
        authorized(provider, asking())
    assert caught.value.http_status == status
    assert "secret" not in str(caught.value)
    assert values(authorized(provider, asking()), b"authorization") == [b"Bearer second"]
