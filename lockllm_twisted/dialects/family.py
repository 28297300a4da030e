"""Which path has which body: paths by their tail, because SDKs disagree on the prefix.

Responsible for: `Family`, and the tables that families are made of.
Must never: look at a query, or fail on a path that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from lockllm_twisted.hooks import Dialect

Lookup = Callable[[bytes], Dialect | None]


@attrs.frozen
class Family:
    """The dialects of one vendor's API. Called with a raw path without its query; ``None``: the family does not know it."""

    name: str
    lookup: Lookup = attrs.field(repr=False)

    def __call__(self, path: bytes) -> Dialect | None:
        """The dialect of a path."""
        return self.lookup(path)


def by_tail(tails: Mapping[str, Dialect]) -> Lookup:
    """The two last segments, the last one, or the last but one before any id (``assistants/*``): the first that is there."""
    table = {tail.encode(): dialect for tail, dialect in tails.items()}

    def dialect_for(path: bytes) -> Dialect | None:
        head, _, last = path.rstrip(b"/").rpartition(b"/")
        before = head.rpartition(b"/")[2]
        return table.get(before + b"/" + last) or table.get(last) or table.get(before + b"/*")

    return dialect_for
