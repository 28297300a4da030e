"""One way to drive a blocking client and an asyncio client, so that each test is written once and run with both.

Responsible for: calling, streaming and closing. ``do`` gets the client and makes the call; in the asyncio client it
returns an awaitable or an asynchronous context manager, in the blocking one the thing itself.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, Protocol

Do = Callable[[Any], Any]
See = Callable[[Any], object]


class Kind(Protocol):
    """The blocking or the asyncio half of an SDK."""

    def call(self, client: Any, do: Do) -> Any:
        """Make one call and close the client."""

    def stream(self, client: Any, do: Do, *, opened: Callable[[], object], see: See) -> None:
        """Open a stream, tell when its head is there, show each event; an exception of ``see`` leaves the stream."""


class Sync:
    """Blocking clients."""

    def call(self, client: Any, do: Do) -> Any:
        with client:
            return do(client)

    def stream(self, client: Any, do: Do, *, opened: Callable[[], object], see: See) -> None:
        with client, do(client) as stream:
            opened()
            for event in stream:
                see(event)


class Async:
    """Clients on asyncio, each call in a loop of its own."""

    def call(self, client: Any, do: Do) -> Any:
        async def run() -> Any:
            async with client:
                return await do(client)

        return asyncio.run(run())

    def stream(self, client: Any, do: Do, *, opened: Callable[[], object], see: See) -> None:
        async def run() -> None:
            async with client:
                made = do(client)
                async with await made if inspect.isawaitable(made) else made as stream:
                    opened()
                    async for event in stream:
                        see(event)

        asyncio.run(run())


KINDS: dict[str, Kind] = {"sync": Sync(), "async": Async()}


def plain(result: Any) -> Any:
    """What an SDK returned, as something that can be compared."""
    if hasattr(result, "model_dump"):
        return result.model_dump(), getattr(result, "_request_id", None)
    return result.content if hasattr(result, "content") else result


def told(error: Any) -> tuple[object, ...]:
    """What an SDK raised, as something that can be compared."""
    return (
        type(error),
        str(error),
        getattr(error, "status_code", None),
        getattr(error, "body", None),
        getattr(error, "request_id", None),
        getattr(error, "code", None),
        getattr(error, "type", None),
    )
