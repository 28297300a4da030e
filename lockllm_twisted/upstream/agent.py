"""The way to one provider: a fixed origin, a pool of connections, the one safe retry, and treq's client over them.

Responsible for: connecting (TLS verified, names checked), reusing, retrying once where nothing can have happened.
Must never: connect to anything but its origin; keep a cookie, follow a redirect, or add a header.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

from treq.client import HTTPClient
from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    IStreamClientEndpoint,
)
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.upstream.connection import Connection, NothingReceived, UpstreamResponse

CONNECT_TIMEOUT = 15.0
"""Seconds for one attempt to connect. A SYN is sent again after 1, 3 and 7 s (RFC 6298)."""

IDLE_SECONDS = 20.0
"""How long an unused connection is kept: less than the servers' own limits (nginx 75 s, AWS load balancers 60 s)."""

MAX_IDLE = 256
"""Unused connections kept per origin. Twisted's 2 means a new connection for nearly every concurrent request."""

STALE_SECONDS = 2.0
"""A kept connection that the server had closed says so within a round trip. One that dies later may have carried the
request to a model: repeating it could do its work, and bill it, twice."""


@implementer(IAgent)
class OriginAgent:
    """An `IAgent` of one origin. The ``uri`` that it is asked for is a raw target; it can't name a host."""

    def __init__(self, clock: IReactorTime, endpoint: IStreamClientEndpoint) -> None:
        self._clock = clock
        self._endpoint = endpoint
        self._idle: dict[Connection, None] = {}
        self._open: set[Connection] = set()

    def request(
        self, method: bytes, uri: bytes, headers: Headers | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """`ask` in treq's words, which have no way to hand over a body that is all there."""
        if bodyProducer is not None:
            raise NotImplementedError
        pairs = [] if headers is None else headers.getAllRawHeaders()
        asked = self.ask(method, uri, [(name, value) for name, values in pairs for value in values], None)
        return cast("Deferred[IResponse]", asked)

    def ask(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes | None
    ) -> Deferred[UpstreamResponse]:
        """Ask the origin, as `Connection.send` does. Fails with what connecting failed with as well."""
        if not self._idle:
            return Deferred.fromCoroutine(self._afresh(method, target, headers, body))
        connection, _ = self._idle.popitem()  # the one used last is the one least likely to be stale
        connection.deadline.clear()
        sent = self._clock.seconds()

        def retry(failure: Failure) -> Deferred[UpstreamResponse]:
            dead = failure.value
            if not isinstance(dead, NothingReceived) or not dead.reused or self._clock.seconds() - sent > STALE_SECONDS:
                failure.raiseException()
            return Deferred.fromCoroutine(self._afresh(method, target, headers, body))

        return connection.send(method, target, headers, body).addErrback(retry)

    async def _afresh(
        self, method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes | None
    ) -> UpstreamResponse:
        connection = Connection(self._clock, self._keep, self._drop)
        await connectProtocol(self._endpoint, connection)
        self._open.add(connection)
        return await connection.send(method, target, headers, body)

    def close(self) -> None:
        """Abort every connection."""
        self._idle.clear()
        for connection in tuple(self._open):
            connection.abort()

    def _keep(self, connection: Connection) -> None:
        if len(self._idle) >= MAX_IDLE:
            connection.abort()
            return
        self._idle[connection] = None
        connection.deadline.set(IDLE_SECONDS, connection.abort)

    def _drop(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._idle.pop(connection, None)


class UpstreamClient(HTTPClient):
    """treq's client, byte-preserving: `request` hands method, raw target, headers and body straight to its agent.

    Stock treq upper-cases the method, rewrites the URL, adds ``Accept-Encoding``, decodes gzip, keeps cookies and
    follows redirects; none of it can be switched off. What stays is treq's surface, so that its
    helpers for bodies (`treq.content`, `treq.collect`) work on the result.
    """

    def __init__(self, agent: OriginAgent, host: bytes) -> None:
        super().__init__(agent)
        self._origin = agent
        self._host = host

    def request(  # type: ignore[override] # a raw target instead of a URL is the point
        self,
        method: bytes,
        url: bytes,
        *,
        headers: Sequence[tuple[bytes, bytes]] = (),
        data: bytes | None = None,
    ) -> Deferred[UpstreamResponse]:
        """Ask for a raw target. ``headers`` without Host and framing; ``data`` None: no body and no Content-Length."""
        return self._origin.ask(method, url, [(b"Host", self._host), *headers], data)


def origin_agent(reactor: Any, origin: str) -> tuple[OriginAgent, bytes]:
    """The agent of ``scheme://host[:port]``, and the Host header that goes with it.

    One TLS connection creator is kept per origin: making one reads the CA bundle, 18 ms of blocked reactor. A path in the origin is the provider's own business
    (`Provider.target`). Nothing is connected or resolved here.
    """
    parts = urlsplit(origin)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(f"{origin!r} is not an origin: write https://host or https://host:port.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    endpoint: IStreamClientEndpoint
    if isIPAddress(host):
        endpoint = TCP4ClientEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
    else:
        endpoint = HostnameEndpoint(reactor, host, port, timeout=CONNECT_TIMEOUT)
    if parts.scheme == "https":
        endpoint = _LazyTLS(host, endpoint)
    return OriginAgent(reactor, endpoint), parts.netloc.encode("idna" if not host.isascii() else "ascii")


@implementer(IStreamClientEndpoint)
class _LazyTLS:
    """TLS over an endpoint; the CA bundle is read with the first connection, so that a boot stays quick."""

    def __init__(self, host: str, endpoint: IStreamClientEndpoint) -> None:
        self._host = host
        self._endpoint = endpoint
        self._wrapped: IStreamClientEndpoint | None = None

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        if self._wrapped is None:
            self._wrapped = wrapClientTLS(optionsForClientTLS(self._host), self._endpoint)
        return self._wrapped.connect(protocolFactory)
