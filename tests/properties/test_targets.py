"""Request targets over all legal bytes: nothing of the tail is lost, and no tail can choose the host or leave the prefix."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.builtin.echo import EchoProvider
from lockllm_twisted.builtin.providers import OWN_ADDRESS, TABLE, from_settings
from lockllm_twisted.errors import BadRequest
from lockllm_twisted.settings import ProviderSettings
from lockllm_twisted.table import TableProvider
from lockllm_twisted.wire import check_target

# RFC 9112 §3.2: a target has no whitespace and no control character. These are all that a client can put in one line.
LEGAL = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))

WORDS = (
    b"v1 v1beta v2 v10 models chat completions chat%2Fcompletions openai anthropic messages api inference studio beta accounts "
    b"deployments compatibility embeddings responses async m:generateContent a%2Fb a%3Ab %2e%2E .. . upload tokenize".split()
)
segment = st.one_of(
    st.sampled_from([*WORDS, b""]),
    st.binary(max_size=8).map(lambda raw: bytes(LEGAL[byte % len(LEGAL)] for byte in raw)),
)
tails = st.builds(
    lambda segments, query: b"/" + b"/".join(segments) + query,
    st.lists(segment, max_size=5),
    st.one_of(st.just(b""), segment.map(lambda raw: b"?" + raw)),
)

OWN = {
    "mine": ProviderSettings(base_url="https://m.example/base/v1", dialect="openai"),
    "claude": ProviderSettings(base_url="https://m.example/base", dialect="anthropic"),
    "azure": ProviderSettings(base_url="https://m.example/base"),
    "vllm": ProviderSettings(base_url="https://m.example/base/v1"),
    "deepseek": ProviderSettings(base_url="https://m.example/base/v1"),
}
PROVIDERS = [row for row in from_settings(OWN) if isinstance(row, TableProvider)]
ROWS = st.sampled_from([*PROVIDERS, *TABLE])

REPLACEABLE = re.compile(rb"(?:/(?:v1|api|anthropic|deployments|studio))*")
"""All that a path rule may take from the front of a path, whole segments of it."""


def legal(provider: TableProvider, tail: bytes) -> bool:
    try:
        check_target(tail, encoded_slash=provider.encoded_slash)
    except BadRequest:
        return False
    return True


def test_every_row_of_the_table_is_tried_here() -> None:
    assert {row.slug for row in PROVIDERS} == {row.slug for row in (*TABLE, *OWN_ADDRESS)} | {"mine", "claude"}


@given(ROWS, tails, st.booleans())
def test_a_rule_changes_the_head_and_nothing_behind_it(provider: TableProvider, tail: bytes, bearer: bool) -> None:
    headers = [(b"Authorization", b"Bearer x")] if bearer else []
    target = provider.target_for(tail, headers)
    path, mark, query = tail.partition(b"?")
    mapped, mapped_mark, mapped_query = target.partition(b"?")
    assert (mapped_mark, mapped_query) == (mark, query)
    assert mapped.startswith(provider.root + b"/")
    # What was left out stands at the front, in whole segments, and is one of a few words.
    left_out = next(at for at in range(len(path) + 1) if mapped.endswith(path[at:]))
    assert path[left_out : left_out + 1] in (b"", b"/")
    assert REPLACEABLE.fullmatch(path[:left_out]), (tail, target)


@given(ROWS, tails)
def test_no_tail_leaves_the_providers_prefix_or_host(provider: TableProvider, tail: bytes) -> None:
    if not legal(provider, tail):
        return
    origin = provider.origin
    target = provider.target(tail)
    assert provider.origin == origin
    # Behind the origin the target begins a path: "//host" or "@host" would begin something else.
    assert target.startswith(provider.root + b"/")
    assert target[:2] != b"//"
    assert legal(provider, target)


@given(ROWS, tails)
def test_what_was_mapped_stays_as_it_is(provider: TableProvider, tail: bytes) -> None:
    """A client that sends the vendor's full path is not sent elsewhere: `target` is idempotent below the root."""
    if not legal(provider, tail):
        return
    inner = provider.target(tail).removeprefix(provider.root)
    assert provider.target(inner) == provider.root + inner


@given(tails)
def test_the_echo_takes_every_tail_as_it_came(tail: bytes) -> None:
    assert EchoProvider().target(tail) == tail


@given(ROWS, tails)
def test_a_path_has_a_dialect_or_none_and_never_an_error(provider: TableProvider, tail: bytes) -> None:
    dialect = provider.dialect(provider.target(tail).partition(b"?")[0])
    assert dialect is None or all(path == () for path, _ in dialect({}))
