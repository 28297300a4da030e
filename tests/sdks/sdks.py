"""How any SDK is made to ask: a Python class or a Node script, one question, and everything that the SDK showed.

Responsible for: making the client at a `Place`, calling it, collecting its answer, events or exception as something that
can be compared.
Must never: know a provider's answers, or judge an outcome.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import attrs

from .clients import KINDS
from .lab import Place
from .nodejs import Nodes


@attrs.frozen
class Failure:
    """What an SDK raised: the name of its class, the HTTP status that it tells, and all that can be read of it."""

    kind: str
    status: object
    message: str


@attrs.frozen
class Outcome:
    """All that an SDK showed: one event for a whole answer."""

    events: list[Any] = attrs.field(factory=list)
    failure: Failure | None = None


@attrs.frozen
class Call:
    """One method of a client with its arguments for a prompt; a stream's events are shown as they come.

    ``ahead`` is how many pieces the SDK takes before it shows the first event, ``mute`` are the ways in which it loses the
    words of every error, the provider's too.
    """

    method: str
    arguments: Callable[[str], dict[str, Any]]
    stream: bool = False
    ahead: int = 1
    mute: tuple[str, ...] = ()


def stainless(place: Place) -> dict[str, Any]:
    """How clients that Stainless generates are pointed; they insist on a key."""
    return {"api_key": place.key or "unused", "base_url": place.url, "default_headers": dict(place.headers)}


@attrs.frozen
class Python:
    """A Python SDK, its blocking and its asyncio client named as ``module:Class``.

    ``options`` make it at a place; ``each`` is what every call takes along where the client itself takes no headers.
    ``held`` and ``half`` make of it what the blocking and the asyncio way call and close, ``awaited`` is the asyncio name of a
    method. ``says`` and ``status`` are the attributes of an error that have its message (if its text is not it) and its HTTP
    status, ``retries`` how often a 502 makes it repeat a request if nobody says otherwise. ``made_anew``: headers that it
    makes up for each request.
    """

    blocking: str
    asynchronous: str
    bad_request: str = "BadRequestError"
    options: Callable[[Place], dict[str, Any]] = stainless
    each: Callable[[Mapping[str, str]], dict[str, Any]] = lambda _headers: {}
    half: Callable[[Any], Any] = lambda client: client
    held: Callable[[Any], Any] = lambda client: client
    made_anew: frozenset[str] = frozenset()
    awaited: Callable[[str], str] = lambda method: method
    says: str = ""
    status: str = "status_code"
    retries: int = 0
    extra: str = "sdks-more"
    ways: tuple[str, ...] = ("sync", "async")

    @property
    def name(self) -> str:
        return self.blocking.replace(":", ".")

    @property
    def marks(self) -> tuple[str, ...]:
        return ("sdks_openai",) if self.blocking.startswith("openai:") else (self.extra.replace("-", "_"),)

    def ask(self, way: str, nodes: Nodes, place: Place, call: Call, prompt: str, see: Callable[[], object]) -> Outcome:
        """Make the call; ``see`` is called ``call.ahead`` times before the first event, and once after each one."""
        events: list[Any] = []
        kind = KINDS[way]
        client = self._client(way, place)
        method = call.method if way == "sync" else self.awaited(call.method)
        arguments = {**call.arguments(prompt), **self.each(place.headers)}

        def do(client: Any) -> Any:
            return attrgetter(method)(client)(**arguments)

        def show(event: Any) -> None:
            events.append(_plain(event))
            see()

        try:
            for _ in range(call.ahead):
                see()
            if call.stream:
                kind.stream(client, do, opened=lambda: None, see=show)
            else:
                events.append(_plain(kind.call(client, do)))
        except Exception as error:  # noqa: BLE001 - which one is the SDK's affair: it is what is looked at
            return Outcome(events, self._failure(error, place))
        return Outcome(events)

    def _client(self, way: str, place: Place) -> Any:
        module, _, name = (self.blocking if way == "sync" else self.asynchronous).partition(":")
        try:
            made = getattr(importlib.import_module(module), name)(**self.options(place))
        except ModuleNotFoundError as missing:
            raise AssertionError(f"{missing}: pip install -e '.[{self.extra}]'") from missing
        return self.held(made) if way == "sync" else self.half(made)

    def _failure(self, error: Exception, place: Place) -> Failure:
        try:
            status = attrgetter(self.status)(error)
        except AttributeError:  # no HTTP answer was the cause
            status = None
        return Failure(type(error).__name__, status, str(getattr(error, self.says, error)).replace(place.url, "…"))


@attrs.frozen
class Node:
    """A Node SDK, by its script in ``node/``."""

    script: str
    bad_request: str = "BadRequestError"
    retries: int = 0
    ways: tuple[str, ...] = ("node",)
    marks: tuple[str, ...] = ("sdks_node",)
    made_anew: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return f"{self.script}.mjs"

    def ask(self, way: str, nodes: Nodes, place: Place, call: Call, prompt: str, see: Callable[[], object]) -> Outcome:
        """The same as `Python.ask`."""
        job = {
            "call": call.method,
            "args": [call.arguments(prompt)],
            "stream": call.stream,
            "url": place.url,
            "key": place.key,
            "headers": dict(place.headers),
        }
        for _ in range(call.ahead):
            see()
        *events, last = nodes[self.script].run(job, lambda line: see() if "event" in line else None)
        events = [_plain(line["event"]) for line in events if "event" in line]
        if "error" in last:
            error = last["error"]
            return Outcome(
                events, Failure(error["name"], error["status"], str(error["message"]).replace(place.url, "…"))
            )
        return Outcome(events if call.stream else [_plain(last["result"])])


Client = Python | Node
"""One SDK. ``ways`` are the halves that it has, ``bad_request`` is the name of its error for a 400."""


def _plain(value: Any) -> Any:
    """As something that can be compared. Google's SDKs show the headers as well: they are compared on the wire."""
    if hasattr(value, "model_dump"):
        value = value.model_dump()
    if isinstance(value, dict):
        return {name: field for name, field in value.items() if name not in {"sdk_http_response", "sdkHttpResponse"}}
    return value
