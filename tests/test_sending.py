"""Promise: what is sent arrives whole and in order, whether the socket took it at once or the transport had to wait."""

from __future__ import annotations

from typing import Any

import pytest_twisted
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport

from lockllm_twisted.sending import send, without_delay

reactor: Any = installed_reactor


class Sink(Protocol):
    """Reads nothing until told to, then everything to the end."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.ended: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.got.append(data)

    def connectionLost(self, reason: Any = None) -> None:
        self.ended.callback(b"".join(self.got))


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator] # it ships no types
async def test_pieces_arrive_in_order_though_the_socket_fills_up_between_them() -> None:
    sink = Sink()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(lambda: sink))
    sender = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port), Protocol())
    without_delay(sender.transport)
    pieces = [bytes([number]) * size for number, size in enumerate((1, 10, 5_000_000, 3, 200_000, 1, 7_000_000, 2))]
    for piece in pieces:
        send(sender.transport, piece)
    assert (
        sender.transport.dataBuffer or sender.transport._tempDataLen
    )  # else nothing had to wait, and nothing is shown
    sender.transport.loseConnection()
    sink.transport.resumeProducing()  # type: ignore[union-attr]
    assert await sink.ended == b"".join(pieces)
    await port.stopListening()


def test_a_transport_that_is_no_socket_gets_a_plain_write() -> None:
    transport = StringTransport()
    without_delay(transport)
    send(transport, b"a")
    send(transport, b"b")
    assert transport.value() == b"ab"
