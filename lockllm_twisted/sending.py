"""Sending at once: a write that does not wait for the reactor's next round.

Responsible for: bytes to a transport, the cheapest way that keeps their order.
Must never: overtake what waits in the transport's own buffer.
"""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.interfaces import ITCPTransport, ITransport
from twisted.internet.tcp import Connection


def without_delay(transport: ITransport) -> None:
    """Let small pieces leave at once.

    With Nagle's algorithm (RFC 896) a stream's first chunk waits behind its head for the client's delayed acknowledgement,
    40 ms on Linux.
    """
    if ITCPTransport.providedBy(transport):
        with suppress(OSError):  # a UNIX socket, which has no such option and no such delay
            transport.setTcpNoDelay(True)


def send(transport: ITransport, data: bytes) -> None:
    """``transport.write(data)``, but a TCP or UNIX socket is tried first.

    Twisted's ``write`` queues, watches for writability, and sends in the next round: two system calls and one event more
    for every piece. A transport of another kind (TLS), or one whose buffer is in use, gets its ``write``.
    """
    if isinstance(transport, Connection) and _idle(transport):
        sent = transport.writeSomeData(data)
        if isinstance(sent, int):  # an error is left for the reactor to find, and to tell
            if sent == len(data):
                return
            data = data[sent:]
    transport.write(data)


def _idle(transport: Connection) -> bool:
    """Connected, and nothing waits. ``_tempDataLen`` is private to Twisted: where it is gone, nothing is tried."""
    return bool(transport.connected) and not transport.dataBuffer and not getattr(transport, "_tempDataLen", 1)
