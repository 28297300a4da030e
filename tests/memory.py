"""The whole proxy in memory: client bytes in, provider bytes out, and back; no port, no sleep, any segmentation.

A `Stage` has one `LockLLMResource` behind a real `ProxySite`. `Stage.connect` opens a client's connection; connections
to providers appear in ``stage.upstreams``, for a test to answer as it likes. What a thread would scan is scanned at once.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
import h11
from twisted.internet.defer import maybeDeferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReactorFromThreads, ITCPTransport
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from lockllm_twisted import LockLLMResource, Settings
from lockllm_twisted.core import Core
from lockllm_twisted.site import ProxySite


@implementer(IReactorFromThreads)
class Reactor(MemoryReactorClock):
    """Time and connections in memory; what threads say waits for `turn`."""

    def __init__(self) -> None:
        super().__init__()
        self._from_threads: list[tuple[Any, ...]] = []

    def callFromThread(self, function: Any, *args: Any, **kw: Any) -> None:  # type: ignore[override] # names
        self._from_threads.append((function, args, kw))

    def turn(self) -> None:
        calls, self._from_threads = self._from_threads, []
        for function, args, kw in calls:
            function(*args, **kw)


@implementer(ITCPTransport)
class Wire(StringTransport):
    """One end of a connection: what was written is in ``written``; it ends when either side says so."""

    def __init__(self, protocol: Any) -> None:
        super().__init__()
        self.protocol = protocol
        self.closed: str | None = None
        self.no_delay = False
        self._pulling = False

    @property
    def written(self) -> bytes:
        return bytes(self.value())

    @property
    def source(self) -> Any:
        """What writes here, to be paused and resumed as a full socket would."""
        assert self.producer is not None
        return self.producer

    @property
    def reading(self) -> bool:
        return self.producerState == "producing"

    def getTcpNoDelay(self) -> bool:
        return self.no_delay

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def getTcpKeepAlive(self) -> bool:
        return False

    def setTcpKeepAlive(self, enabled: bool) -> None:
        raise NotImplementedError

    def loseWriteConnection(self) -> None:
        raise NotImplementedError

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        super().registerProducer(producer, streaming)
        if not streaming:
            while self.producer is not None:
                self.source.resumeProducing()

    def feed(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        """The other side sends, in as many segments as there are cuts."""
        edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
        for start, end in itertools.pairwise(edges):
            if self.closed is None and start < end:
                self.protocol.dataReceived(data[start:end])

    def loseConnection(self) -> None:
        self._end("closed", ConnectionDone())

    def abortConnection(self) -> None:
        self._end("aborted", ConnectionAborted())

    def leave(self, reason: Exception | None = None) -> None:
        """The other side is gone."""
        self._end("left", reason or ConnectionLost())

    def _end(self, how: str, reason: Exception) -> None:
        if self.closed is None:
            self.closed = how
            self.disconnecting = True
            self.protocol.connectionLost(Failure(reason))


class Stage:
    """A proxy, its clients and its providers."""

    def __init__(self, settings: Settings, plugins: Sequence[object] = ()) -> None:
        self.reactor = Reactor()
        with patch.object(Core, "in_thread", lambda _, function: maybeDeferred(function)):
            self.resource = LockLLMResource(settings, plugins=plugins, reactor=self.reactor)
        self.site = ProxySite(self.resource, settings.proxy, self.reactor)
        self.upstreams: list[Wire] = []

    def connect(self) -> Wire:
        """A client's connection."""
        channel: Any = self.site.buildProtocol(None)
        wire = Wire(channel)
        channel.makeConnection(wire)
        return wire

    def accept(self) -> Wire:
        """The next connection that the proxy opens to a provider."""
        factory: Any
        (*_, factory, _timeout, _bind) = self.reactor.tcpClients[len(self.upstreams)]
        protocol = factory.buildProtocol(None)
        wire = Wire(protocol)
        self.upstreams.append(wire)
        protocol.makeConnection(wire)
        return wire

    @property
    def opened(self) -> int:
        """How many connections were opened to providers, accepted or not."""
        return len(self.reactor.tcpClients)

    def close(self) -> None:
        """End it, its threads included."""
        self.clear()
        ended: list[object] = []
        self.resource.stop().addBoth(ended.append)
        while not ended:
            self.reactor.turn()

    def clear(self) -> None:
        """Forget all connections, so that the next example starts afresh."""
        for channel in tuple(self.site.channels):
            channel.abort()
        for agent, _ in self.resource.core._agents.values():
            agent.close()
        self.upstreams.clear()
        self.reactor.tcpClients.clear()


def settings(state: Path, text: str = "") -> Settings:
    """Settings with openai, anthropic and gemini at addresses where nobody is."""
    path = state / "lockllm.toml"
    path.write_text(
        "[proxy]\nrequire_key = false\n"
        + text
        + "".join(
            f'\n[providers.{slug}]\nbase_url = "http://127.0.0.{host}:9"\n'
            for host, slug in enumerate(("openai", "anthropic", "gemini"), 2)
        )
    )
    return attrs.evolve(Settings.from_toml(path), state=state)


def request(
    method: bytes = b"POST",
    target: bytes = b"/v1/proxy/openai/v1/chat/completions",
    headers: Sequence[tuple[bytes, bytes]] = (),
    body: bytes | None = None,
) -> bytes:
    """The bytes of a request."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: proxy.test"]
    lines += [name + b": " + value for name, value in headers]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body or b""])


def chat(text: str) -> bytes:
    """A chat completion's body."""
    return json.dumps({"model": "gpt-x", "messages": [{"role": "user", "content": text}]}).encode()


def heard(wire: Wire, method: bytes = b"POST") -> tuple[h11.Response, bytes, bool]:
    """What h11 makes of what a client got: the answer, its body, and whether it was complete."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(wire.written)
    if wire.closed is not None:
        connection.receive_data(b"")
    response, body = None, b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            assert response is not None
            return response, body, False
        if isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            assert response is not None
            return response, body, True
        elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            assert response is not None
            return response, body, False


def asked(wire: Wire) -> tuple[h11.Request, bytes]:
    """What h11 makes of what a provider got."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(wire.written)
    event = connection.next_event()
    assert isinstance(event, h11.Request)
    body = b""
    while True:
        part = connection.next_event()
        if isinstance(part, h11.EndOfMessage):
            return event, body
        assert isinstance(part, h11.Data)
        body += bytes(part.data)
