"""One way to drive a blocking client and an asyncio client, so that each test is written once and run with both.

Responsible for: calling, streaming and closing, where the SDK has something to close. ``do`` gets the client and makes the
call; in the asyncio client it returns an awaitable, an asynchronous context manager or iterator, in the blocking one the
thing itself.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
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
        with _held(client) as held:
            return do(held)

    def stream(self, client: Any, do: Do, *, opened: Callable[[], object], see: See) -> None:
        with _held(client) as held, _held(do(held)) as stream:
            opened()
            for event in stream:
                see(event)


class Async:
    """Clients on asyncio, each call in a loop of its own."""

    def call(self, client: Any, do: Do) -> Any:
        async def run() -> Any:
            async with _awaited(client) as held:
                return await do(held)

        return asyncio.run(run())

    def stream(self, client: Any, do: Do, *, opened: Callable[[], object], see: See) -> None:
        async def run() -> None:
            async with _awaited(client) as held:
                made = do(held)
                async with _awaited(await made if inspect.isawaitable(made) else made) as stream:
                    opened()
                    async for event in stream:
                        see(event)

        asyncio.run(run())


def _held(thing: Any) -> AbstractContextManager[Any]:
    return thing if hasattr(thing, "__enter__") else nullcontext(thing)


def _awaited(thing: Any) -> AbstractAsyncContextManager[Any]:
    return thing if hasattr(thing, "__aenter__") else nullcontext(thing)


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
