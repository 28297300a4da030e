"""LockLLM keys: form, checksum, digest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.keys import digest, holds_key, key_id, looks_like_key, make_key


def test_a_key_carries_its_id_and_is_never_made_twice() -> None:
    made = [make_key() for _ in range(200)]
    assert len({key for _, key in made}) == 200
    for public, key in made:
        assert looks_like_key(key.encode())
        assert key.startswith(f"llk_{public}_")
        assert key_id(key.encode()) == public


def test_the_secret_is_256_bits_wide() -> None:
    secrets = {make_key()[1][15:58] for _ in range(50)}
    assert {len(secret) for secret in secrets} == {43}
    assert 62**43 > 2**256


@given(st.integers(0, 63), st.integers(0, 255))
def test_one_changed_byte_is_no_key(place: int, byte: int) -> None:
    key = make_key()[1].encode()
    changed = key[:place] + bytes([byte]) + key[place + 1 :]
    assert looks_like_key(changed) == (changed == key)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_key(data: bytes) -> None:
    assert not looks_like_key(data)
    assert not holds_key(data)
    assert key_id(data) is None


@pytest.mark.parametrize("around", [b"", b"llk_", b"0", b"llk_0123456789_", b"Bearer ", b"\xff\n"])
def test_a_key_is_found_wherever_it_stands(around: bytes) -> None:
    key = make_key()[1].encode()
    assert holds_key(around + key + around)
    assert holds_key(b"https://host/?a=b&key=" + key + b"&c")


def test_a_cut_key_is_not_found() -> None:
    key = make_key()[1].encode()
    assert not holds_key(key[:-1])
    assert not holds_key(key[1:])


def test_a_digest_is_no_key() -> None:
    key = make_key()[1].encode()
    assert not looks_like_key(digest(key))
    assert not looks_like_key(digest(key).hex().encode())
    assert digest(key) != digest(make_key()[1].encode())
