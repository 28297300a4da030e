"""The listening side: the factory of connections, and how they end together.

Responsible for: the limits that all connections share, and draining them without losing a byte.
Must never: look into a request; that is `channel`, and what stands behind it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.web.resource import IResource
from twisted.web.server import Site

from lockllm_twisted.channel import Channel, Gate, ProxyRequest

KEEP_ALIVE = 75.0
"""Seconds that a connection may idle between requests: nginx's default, above every SDK's own."""


class ProxySite(Site):
    """The factory of channels. ``gate`` decides about callers; times in seconds."""

    noisy = False
    protocol = Channel  # type: ignore[assignment] # our channel in place of the one that would negotiate HTTP/2

    def __init__(
        self, resource: IResource, gate: Gate, *, head_timeout: float, body_timeout: float, reactor: Any = None
    ) -> None:
        # A multipart body is the provider's; twisted.web would answer a broken one before we see it.
        super().__init__(
            resource, requestFactory=ProxyRequest, timeout=KEEP_ALIVE, reactor=reactor, parsePOSTFormSubmission=False
        )
        self.gate = gate
        self.head_timeout = head_timeout
        self.body_timeout = body_timeout
        self.channels: set[Channel] = set()
        self._drained: Deferred[None] | None = None

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 only, whether or not the package ``h2`` happens to be installed."""
        return [b"http/1.1"]

    def log(self, request: object) -> None:
        """The exchange has a line of its own."""

    def startFactory(self) -> None:
        """twisted.web's access log and its clock are not used."""

    def stopFactory(self) -> None:
        """See `startFactory`."""

    def drain(self) -> Deferred[None]:
        """Fires when every connection has ended; idle ones are closed now, the others after their answer.

        Connections are counted, not requests: the last bytes of an answer leave after its end.
        """
        for channel in tuple(self.channels):
            if channel.busy:
                channel.persistent = 0
            else:
                channel.loseConnection()
        if not self.channels:
            return succeed(None)
        self._drained = Deferred()
        return self._drained

    def abort(self) -> None:
        """End every connection now."""
        for channel in tuple(self.channels):
            channel.forceAbortClient()

    def lost(self) -> None:
        """A connection has ended."""
        if self._drained is not None and not self.channels:
            drained, self._drained = self._drained, None
            drained.callback(None)
