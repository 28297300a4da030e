"""The listening side: the factory of connections, and how they end together.

Responsible for: the limits that all connections share, and draining them without losing a byte.
Must never: look into a request; that is `channel`, and what stands behind it.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IProtocolNegotiationFactory, IReactorTime
from twisted.internet.protocol import ServerFactory
from zope.interface import implementer

from lockllm_twisted.channel import Channel, Leaf
from lockllm_twisted.settings import ProxySettings


class Tree(Protocol):
    """A resource tree of ours."""

    def find(self, target: bytes) -> tuple[Leaf, int]:
        """What answers a target, and how many segments of its path lead there."""


@implementer(IProtocolNegotiationFactory)
class ProxySite(ServerFactory):
    """The factory of channels, for a `LockLLMResource` as the root; limits and times are the settings'."""

    noisy = False

    def __init__(self, resource: Tree, settings: ProxySettings, clock: IReactorTime) -> None:
        self.resource = resource
        self.clock = clock
        self.max_body = settings.max_body
        self.head_timeout = settings.head_timeout
        self.body_timeout = settings.body_timeout
        self.channels: set[Channel] = set()
        self._drained: Deferred[None] | None = None

    def buildProtocol(self, addr: IAddress | None) -> Channel:
        """A connection."""
        return Channel(self)

    def acceptableProtocols(self) -> list[bytes]:
        """HTTP/1.1 only, for clients that ask over TLS (RFC 7301)."""
        return [b"http/1.1"]

    def drain(self) -> Deferred[None]:
        """Fires when every connection has ended; idle ones are closed now, the others after their answer.

        Connections are counted, not requests: the last bytes of an answer leave after its end.
        """
        for channel in tuple(self.channels):
            channel.leave()
        if not self.channels:
            return succeed(None)
        self._drained = Deferred()
        return self._drained

    def abort(self) -> None:
        """End every connection now."""
        for channel in tuple(self.channels):
            channel.abort()

    def lost(self, channel: Channel) -> None:
        """A connection has ended."""
        self.channels.discard(channel)
        if self._drained is not None and not self.channels:
            drained, self._drained = self._drained, None
            drained.callback(None)
