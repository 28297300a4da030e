"""One provider as one row of data: where it is, what its paths become, where its key sits, who speaks in its bodies.

Responsible for: path rules on raw bytes, under the provider's own root or under an operator's.
Must never: decode or re-encode a byte of a target, or let a request choose its host.

The one rule that makes every SDK work (they disagree on whether the version belongs to the base URL): what follows the
slug may be the vendor's full path, a path with a bare ``/v1``, or one with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Self

import attrs

from lockllm_twisted.dialects import Family
from lockllm_twisted.hooks import BEARER, CredentialPlace, Dialect

END = rb"(?![^/])"
"""Behind a segment: a slash, or the path's end."""

V1 = rb"/v1" + END
REPEATED_V1 = rb"(?:/v1)+" + END
"""Anthropic's SDKs add ``/v1`` to whatever base URL they get: one with ``/v1`` in it is asked for ``/v1/v1/messages``."""

OPENAI_STYLE = rb"(?:/v1)?(?=/(?:audio|chat|completions|embeddings|images|moderations|responses|videos)" + END + rb")"
"""An OpenAI client's path, bare or with ``/v1``: matches what stands before the collection's name. ``/models``, ``/files``
and ``/batches`` are left out: other vendors have collections of these names."""

ANTHROPIC_STYLE = rb"(?:/v1)*(?=/messages" + END + rb")"
"""An Anthropic client's path, bare or with ``/v1``."""

_VERSION_AT_END = re.compile(rb"/v[0-9]+(?:alpha|beta)?\Z")

Moves = tuple[tuple[re.Pattern[bytes], bytes], ...]


def _compiled(moves: Iterable[tuple[bytes, bytes]]) -> Moves:
    return tuple((re.compile(pattern), head) for pattern, head in moves)


@attrs.frozen
class TableProvider:
    """One row; a `lockllm_twisted.hooks.Provider`.

    A path is mapped by the first that applies: what a pattern of ``moves`` matches at its start becomes that head; a path
    below a head of ``keep`` stays; any other one is put behind ``bare``. All behind the head stays as it came, byte for byte.
    ``moves_of_bearer`` go before all of these where the caller's key came as a Bearer token.

    ``families`` are asked in order for the dialect of a path. A stored key is put into ``key``, or below a path of
    ``keys_below`` elsewhere. ``probe`` is a tail that is answered to a GET without doing anything, ``probe_headers`` what
    it needs. ``root`` and ``suffix`` are the path of a base URL: see `below`.
    """

    slug: str
    origin: str
    families: tuple[Family, ...]
    bare: bytes = b"/v1"
    keep: tuple[bytes, ...] = ()
    moves: Moves = attrs.field(default=(), converter=_compiled)
    moves_of_bearer: Moves = attrs.field(default=(), converter=_compiled)
    key: CredentialPlace = BEARER
    keys_below: tuple[tuple[bytes, CredentialPlace], ...] = ()
    encoded_slash: bool = False
    probe: bytes = b"/models"
    probe_headers: tuple[tuple[bytes, bytes], ...] = ()
    root: bytes = b""
    suffix: bytes = b""

    def target(self, tail: bytes) -> bytes:
        """The path and query to ask the provider for."""
        path, mark, query = tail.partition(b"?")
        return self._mapped(path, self.moves) + mark + query

    def target_for(self, tail: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The same for who is asking."""
        if not self.moves_of_bearer or not any(name.lower() == b"authorization" for name, _ in headers):
            return self.target(tail)
        path, mark, query = tail.partition(b"?")
        return self._mapped(path, self.moves_of_bearer + self.moves) + mark + query

    def credential(self, path: bytes) -> CredentialPlace | None:
        """Where the key of a path sits."""
        inner = path.removeprefix(self.root)
        return next((place for below, place in self.keys_below if inner.startswith(below)), self.key)

    def dialect(self, path: bytes) -> Dialect | None:
        """The first dialect that a family has for this path, seen without the root."""
        inner = path.removeprefix(self.root)
        return next((dialect for family in self.families if (dialect := family(inner)) is not None), None)

    def below(self, slug: str, origin: str, prefix: bytes) -> Self:
        """The row at another address, with the path of a base URL.

        What that ends with, and the provider's own paths begin with, is not said twice: ``/gateway/v1`` is the root
        ``/gateway`` for a provider whose paths begin with ``/v1``.
        """
        known = [part for head in self._heads() for part in _leading(head) if prefix.endswith(part)]
        suffix = max(known, key=len, default=b"")
        return attrs.evolve(self, slug=slug, origin=origin, root=prefix.removesuffix(suffix), suffix=suffix)

    def _heads(self) -> Iterator[bytes]:
        yield self.bare
        yield from self.keep
        yield from (head for _, head in self.moves)

    def _mapped(self, path: bytes, moves: Moves) -> bytes:
        for pattern, head in moves:
            if (found := pattern.match(path)) is not None:
                return self.root + head + path[found.end() :]
        if _any_of(self.keep).match(path) is not None:
            return self.root + path
        return self.root + (self.bare or self.suffix) + path


def endpoint(row: TableProvider, slug: str, origin: str, prefix: bytes) -> TableProvider:
    """An operator's own endpoint that speaks a row's language: paths are put behind the base URL, whose version may be said again."""
    version = _VERSION_AT_END.search(prefix)
    head = version[0] if version else row.bare
    own = attrs.evolve(row, bare=head, keep=(head,) if head else ())
    return own.below(slug, origin, prefix)


@lru_cache(maxsize=256)
def _any_of(heads: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """A path below one of these heads."""
    return re.compile(rb"(?:%b)%b" % (b"|".join(map(re.escape, heads)), END) if heads else rb"(?!)")


def _leading(head: bytes) -> Iterator[bytes]:
    """``/a``, ``/a/b`` of ``/a/b``."""
    return (head[: match.end()] for match in re.finditer(rb"/[^/]+", head))
