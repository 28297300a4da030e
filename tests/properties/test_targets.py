"""Request targets over all legal bytes: nothing of the tail is lost, and no tail can choose the host."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.builtin.echo import EchoProvider
from lockllm_twisted.builtin.providers import TABLE, from_settings
from lockllm_twisted.settings import ProviderSettings

# RFC 9112 §3.2: a target has no whitespace and no control character. These are all that a client can put in one line.
LEGAL = bytes(range(0x21, 0x7F)) + bytes(range(0x80, 0x100))

segment = st.one_of(
    st.sampled_from([b"v1", b"v1beta", b"models", b"chat", b"openai", b"", b"m:generateContent", b"a%2Fb", b"%2e%2E"]),
    st.binary(max_size=8).map(lambda raw: bytes(LEGAL[byte % len(LEGAL)] for byte in raw)),
)
tails = st.builds(
    lambda segments, query: b"/" + b"/".join(segments) + query,
    st.lists(segment, max_size=5),
    st.one_of(st.just(b""), segment.map(lambda raw: b"?" + raw)),
)

HEADS = {
    "openai": (b"/v1",),
    "anthropic": (b"/v1",),
    "gemini": (b"/v1beta", b"/v1", b"/v1alpha", b"/upload", b"/download", b"/ws"),
    "mine": (b"/base/v1",),
    "claude": (b"/base",),
}
PROVIDERS = {
    row.slug: row
    for row in from_settings(
        {
            "mine": ProviderSettings(base_url="https://m.example/base/v1", dialect="openai"),
            "claude": ProviderSettings(base_url="https://m.example/base", dialect="anthropic"),
        }
    )
}


def test_every_row_of_the_table_is_tried_here() -> None:
    assert {row.slug for row in TABLE} | {"mine", "claude"} == set(HEADS)


@given(st.sampled_from(sorted(HEADS)), tails)
def test_the_target_is_the_mapped_head_and_then_the_tail_as_it_came(slug: str, tail: bytes) -> None:
    target = PROVIDERS[slug].target(tail)
    head = next((head for head in HEADS[slug] if target.startswith(head)), None)
    assert head is not None
    # A path rule may take a version from the front of the path, whole segments of it, and nothing else.
    kept = tail
    while not target.endswith(kept):
        assert kept.startswith((b"/v1", b"/v1beta")), (tail, target)
        kept = kept[kept.index(b"/", 1) :] if b"/" in kept[1:] else kept[kept.index(b"?") :] if b"?" in kept else b""
    path, _, _ = tail.partition(b"?")
    assert kept.count(b"?") == tail.count(b"?")
    assert path[: len(tail) - len(kept)].replace(b"/v1beta", b"").replace(b"/v1", b"") == b""


@given(st.sampled_from(sorted(HEADS)), tails)
def test_the_origin_is_the_same_for_every_request(slug: str, tail: bytes) -> None:
    provider = PROVIDERS[slug]
    origin = provider.origin
    target = provider.target(tail)
    assert provider.origin == origin
    # Behind the origin the target begins a path: "//host" or "@host" would begin something else.
    assert target[:1] == b"/"
    assert target[1:2] not in (b"/", b"")


@given(tails)
def test_the_echo_takes_every_tail_as_it_came(tail: bytes) -> None:
    assert EchoProvider().target(tail) == tail


@given(st.sampled_from(sorted(HEADS)), tails)
def test_a_path_has_a_dialect_or_none_and_never_an_error(slug: str, tail: bytes) -> None:
    provider = PROVIDERS[slug]
    dialect = provider.dialect(provider.target(tail).partition(b"?")[0])
    assert dialect is None or list(dialect({})) == []
