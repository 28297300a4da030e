from __future__ import annotations

import attrs
import pytest

from lockllm_twisted.door import enter, outgoing
from lockllm_twisted.errors import BadRequest, ConfigurationProblem, LockLLMError, Unauthorized
from lockllm_twisted.hooks import BEARER, CredentialPlace
from lockllm_twisted.keys import make_key
from lockllm_twisted.values import ANONYMOUS, Caller
from lockllm_twisted.wire import Fields

KEY = make_key()[1].encode()
OTHER = make_key()[1].encode()
CALLER = Caller("k1", "app")
TARGET = b"/v1/chat/completions"


def lookup(key: bytes) -> Caller | None:
    return CALLER if key == KEY else None


@attrs.frozen
class FakeProvider:
    slug: str = "acme"
    origin: str | None = "https://api.acme.test"
    key: CredentialPlace | None = BEARER
    encoded_slash: bool = False

    def target(self, tail: bytes) -> bytes:
        return tail

    def credential(self, path: bytes) -> CredentialPlace | None:
        return self.key

    def dialect(self, path: bytes) -> None:
        return None


PLACES = [
    ([(b"Authorization", b"Bearer " + KEY)], TARGET),
    ([(b"authorization", b"bearer  " + KEY)], TARGET),
    ([(b"X-Api-Key", KEY)], TARGET),
    ([(b"Api-Key", KEY)], TARGET),
    ([(b"x-goog-api-key", KEY)], TARGET),
    ([], TARGET + b"?key=" + KEY),
    ([], TARGET + b"?alt=sse&key=" + KEY + b"&x=1"),
]


@pytest.mark.parametrize(("headers", "target"), PLACES)
def test_a_key_in_the_provider_keys_place_is_replaced_by_the_stored_one(
    headers: list[tuple[bytes, bytes]], target: bytes
) -> None:
    entry = enter(Fields(headers).named, target, lookup, require_key=True)
    assert entry.caller is CALLER
    out, asked = outgoing(entry, FakeProvider(), [*headers, (b"A", b"b")], target, "sk-stored")
    assert out == [(b"A", b"b"), (b"authorization", b"Bearer sk-stored")]
    assert KEY not in asked
    assert asked.startswith(TARGET)


def test_what_surrounds_a_key_in_the_query_stays() -> None:
    headers, target = PLACES[-1]
    entry = enter(Fields(headers).named, target, lookup, require_key=True)
    provider = FakeProvider(key=CredentialPlace("query", b"key"))
    assert outgoing(entry, provider, [], target, "sk")[1] == TARGET + b"?alt=sse&x=1&key=sk"


def test_the_providers_own_key_travels_untouched_beside_ours() -> None:
    headers = [(b"X-LockLLM-Key", KEY), (b"Authorization", b"Bearer sk-mine"), (b"x-api-key", b"also")]
    entry = enter(Fields(headers).named, TARGET, lookup, require_key=True)
    assert outgoing(entry, FakeProvider(), headers[1:], TARGET, "sk-stored") == (headers[1:], TARGET)


def test_the_stored_key_is_used_where_the_client_sends_none() -> None:
    entry = enter(Fields([(b"X-LockLLM-Key", KEY)]).named, TARGET, lookup, require_key=True)
    assert outgoing(entry, FakeProvider(), [], TARGET, "sk")[0] == [(b"authorization", b"Bearer sk")]


def test_without_a_stored_key_the_message_says_how_to_store_one() -> None:
    headers = [(b"Authorization", b"Bearer " + KEY)]
    entry = enter(Fields(headers).named, TARGET, lookup, require_key=True)
    with pytest.raises(ConfigurationProblem, match="set-key acme") as caught:
        outgoing(entry, FakeProvider(), headers, TARGET, None)
    assert caught.value.code == "no_upstream_key"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"X-LockLLM-Key", b"")],
        [(b"X-LockLLM-Key", OTHER)],
        [(b"X-LockLLM-Key", KEY), (b"x-lockllm-key", KEY)],
        [(b"X-LockLLM-Key", OTHER), (b"Authorization", b"Bearer " + KEY)],
        [(b"Authorization", b"Bearer sk-provider")],
        [(b"Authorization", b"Basic " + KEY)],
    ],
)
def test_nobody_comes_in_without_exactly_one_valid_key(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(Unauthorized) as caught:
        enter(Fields(headers).named, TARGET, lookup, require_key=True)
    assert OTHER.decode() not in str(caught.value)


def test_without_required_keys_anybody_is_anonymous_but_a_wrong_key_is_still_wrong() -> None:
    assert enter(Fields([(b"Authorization", b"Bearer x")]).named, TARGET, lookup, require_key=False).caller is ANONYMOUS
    with pytest.raises(Unauthorized):
        enter(Fields([(b"X-LockLLM-Key", OTHER)]).named, TARGET, lookup, require_key=False)


@pytest.mark.parametrize(
    ("extra", "target"),
    [
        ((b"Cookie", b"k=" + KEY), TARGET),
        ((b"X-Other", OTHER), TARGET),
        ((b"A", b"b"), TARGET + b"?q=" + KEY),
        ((b"A", b"b"), b"/v1/" + KEY),
        ((b"Authorization", b"Basic " + OTHER), TARGET),
    ],
)
def test_no_lockllm_key_ever_leaves(extra: tuple[bytes, bytes], target: bytes) -> None:
    entry = enter(Fields([(b"X-LockLLM-Key", KEY)]).named, TARGET, lookup, require_key=True)
    with pytest.raises(LockLLMError) as caught:
        outgoing(entry, FakeProvider(), [(b"x-api-key", b"sk"), extra], target, None)
    assert isinstance(caught.value, BadRequest)
    assert KEY.decode() not in str(caught.value)


def test_a_revoked_key_in_the_providers_place_is_dropped_not_sent() -> None:
    headers = [(b"X-LockLLM-Key", KEY), (b"x-api-key", OTHER)]
    entry = enter(Fields(headers).named, TARGET, lookup, require_key=True)
    out, _ = outgoing(entry, FakeProvider(), headers[1:], TARGET, "sk")
    assert out == [(b"authorization", b"Bearer sk")]


def test_a_key_is_in_no_repr() -> None:
    assert KEY.decode() not in repr(enter(Fields([(b"X-LockLLM-Key", KEY)]).named, TARGET, lookup, require_key=True))
