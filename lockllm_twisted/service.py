"""The service: resource, site and endpoints, started in that order and drained in the other.

Responsible for: listening only when everything is loaded, and ending without losing a byte of what is being answered.
Must never: listen beyond loopback without keys.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, NoReturn

from twisted.application.service import IServiceCollection, Service
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IAddress, IListeningPort, IStreamServerEndpoint
from twisted.logger import ILogObserver
from twisted.python.components import Componentized
from twisted.python.failure import Failure

from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.logs import log
from lockllm_twisted.resource import LockLLMResource
from lockllm_twisted.settings import Settings
from lockllm_twisted.site import ProxySite

DEFAULT_LISTEN = "tcp:8080:interface=127.0.0.1"


class LockLLMService(Service):
    """Serves ``settings`` on endpoint descriptions such as ``tcp:8080:interface=127.0.0.1``.

    ``first_key``: make a LockLLM key, and print it, where there is none. ``observer``: what becomes of the log, where twistd
    has no other wish.
    """

    name = "lockllm"

    def __init__(
        self,
        settings: Settings,
        listen: Sequence[str] = (),
        *,
        first_key: bool = True,
        observer: ILogObserver | None = None,
        reactor: Any = None,
    ) -> None:
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415 # importing it installs it
        self._reactor = reactor
        self._listen = tuple(listen) or (DEFAULT_LISTEN,)
        self._endpoints = [_endpoint(reactor, description) for description in self._listen]
        self._settings = settings
        self._wants_first_key = first_key
        self._observer = observer
        self.ports: list[IListeningPort] = []

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Join an application, whose log goes to our observer."""
        super().setServiceParent(parent)
        if self._observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self._observer)

    def privilegedStartService(self) -> None:
        """Load everything, then bind: twistd has forked by now, and still has its privileges.

        What can't be loaded, or a port that can't be had, ends the process with one line.
        """
        try:
            self.resource = LockLLMResource(self._settings, reactor=self._reactor)
        except LockLLMError as error:
            leave(str(error))
        self.site = ProxySite(self.resource, self._settings.proxy, self._reactor)
        for description, endpoint in zip(self._listen, self._endpoints, strict=True):
            bound: list[IListeningPort | Failure] = []
            endpoint.listen(self.site).addBoth(bound.append)  # at once, for every server endpoint of Twisted's
            self._take(description, bound)

    def startService(self) -> None:
        """Make a first key where there is none, and say, on one line, that we are listening."""
        super().startService()
        # What is loaded by now stays for ever, and requests leave no cycles behind: looking for some every 700 objects
        # takes a twelfth of the time of a request.
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)
        if self._wants_first_key:
            self._first_key()
        log.info(
            "lockllm is listening on {addresses}", addresses=", ".join(_told(port.getHost()) for port in self.ports)
        )

    def _take(self, description: str, bound: list[IListeningPort | Failure]) -> None:
        port = bound[0] if bound else Failure(SettingsError("this endpoint does not listen at once"))
        if isinstance(port, Failure):
            leave(f"can't listen on {description}: {port.getErrorMessage()}")
        self.ports.append(port)
        if not self._settings.proxy.require_key and not _is_local(port.getHost()):
            # Nothing can have come in: the reactor has not turned since the socket was bound.
            leave(f"require_key = false is for loopback and unix sockets only, not {_told(port.getHost())}")

    def _first_key(self) -> None:
        core = self.resource.core
        if core.settings.proxy.require_key and not core.store.keys():
            _, key = core.store.create_key("first")
            # Not through the log, which may be kept: this is the one time that the key can be seen.
            print(
                f"No LockLLM key existed. This is the first one, shown only now: {key}", file=sys.__stderr__, flush=True
            )

    async def _stop(self) -> None:
        await gatherResults([Deferred.fromCoroutine(_stopped(port)) for port in self.ports])
        drained = self.site.drain()
        drained.addTimeout(self._settings.proxy.drain_timeout, self._reactor)
        try:
            await drained
        except DeferredTimeout:
            self.site.abort()
        await self.resource.stop()

    def stopService(self) -> Deferred[None]:
        """Refuse new connections, let what is being answered end, then close."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())


def _endpoint(reactor: Any, description: str) -> IStreamServerEndpoint:
    endpoint: IStreamServerEndpoint
    try:
        endpoint = serverFromString(reactor, description)
    except Exception as error:  # noqa: BLE001  descriptions are read by plugins of Twisted's, and certificates by OpenSSL
        example = "tcp:8080:interface=127.0.0.1, unix:/run/lockllm.sock or ssl:8443:certKey=cert.pem:privateKey=key.pem"
        if description.startswith("ssl:"):
            example = (
                "ssl:8443:certKey=cert.pem:privateKey=key.pem, all of them PEM files that fit together, with "
                "extraCertChain=chain.pem for the certificates between yours and a root"
            )
        raise SettingsError(
            f"--listen {description!r} is not an endpoint that can be used ({error}): write for example {example}."
        ) from None
    return endpoint


async def _stopped(port: IListeningPort) -> None:
    await maybeDeferred(port.stopListening)


def _is_local(address: IAddress) -> bool:
    if isinstance(address, UNIXAddress):
        return True
    return isinstance(address, (IPv4Address, IPv6Address)) and ip_address(address.host).is_loopback


def _told(address: IAddress) -> str:
    if isinstance(address, (IPv4Address, IPv6Address)):
        return f"{address.host}:{address.port}"
    return str(getattr(address, "name", address))


def leave(message: str) -> NoReturn:
    """End the process with one line: twistd would show a traceback, or, for a bad option, exit with 0."""
    print(f"lockllm: {message}", file=sys.__stderr__, flush=True)
    raise SystemExit(1)
