"""The core of one service: what its resources share.

Responsible for: assembling registry, store, guard and upstream clients from the settings, and ending them again.
Must never: be a global. Two proxies in one process share nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.failure import Failure

from lockllm_twisted.door import Entry, enter
from lockllm_twisted.guard import Guard
from lockllm_twisted.logs import log_exchange
from lockllm_twisted.registry import Registry, load
from lockllm_twisted.scan import Scanners
from lockllm_twisted.settings import ScannerSettings, Settings
from lockllm_twisted.store import Store, configured_keys, state_directory
from lockllm_twisted.threads import DaemonThreadPool
from lockllm_twisted.upstream import OriginAgent, UpstreamClient, origin_agent
from lockllm_twisted.values import Exchange
from lockllm_twisted.wire import Named

_Result = TypeVar("_Result")

_THREADS = max(2, os.cpu_count() or 2)
"""Scanner threads. They share Python's lock, so more of them would only take turns."""


class Core:
    """Everything that lives as long as the service. ``stop`` ends it."""

    def __init__(self, settings: Settings, *, plugins: Sequence[object] = (), reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor  # noqa: PLC0415 # importing it installs it
        self.settings = settings
        self.clock = reactor
        self.registry: Registry = load(settings, plugins=plugins)
        self._configured = configured_keys(settings)
        self.store = Store.open(state_directory(settings.state))
        problems: list[Failure] = []
        self.store.start(reactor, keep_events_days=settings.proxy.keep_events_days).addErrback(problems.append)
        if problems:
            problems[0].raiseException()
        self._pool = DaemonThreadPool(0, _THREADS, name="lockllm-scan")
        self._pool.start()
        self._agents: dict[str, tuple[OriginAgent, UpstreamClient]] = {}
        self.guard = Guard(
            Scanners(
                [
                    (scanner, settings.scanners.get(scanner.name, ScannerSettings()))
                    for scanner in self.registry.scanners
                ],
                settings.proxy.on_scanner_error,
                reactor,
                self.in_thread,
            ),
            self.registry.policies,
            settings.proxy,
            self.store.allowed,
        )
        self._stopped: Deferred[None] | None = None
        reactor.addSystemEventTrigger("during", "shutdown", self.stop)

    def in_thread(self, function: Callable[[], _Result]) -> Deferred[_Result]:
        """Run CPU work in the project's own pool: Twisted's serves name lookups."""
        return deferToThreadPool(self.clock, self._pool, function)

    def admit(self, named: Named, target: bytes) -> Entry:
        """Let a caller in, or raise `Unauthorized`."""
        return enter(named, target, self.store.caller, require_key=self.settings.proxy.require_key)

    def provider_key(self, slug: str) -> str | None:
        """The key that is stored for a provider; the config goes before the store."""
        return self._configured.get(slug) or self.store.provider_key(slug)

    def client(self, origin: str) -> UpstreamClient:
        """The client of an origin; providers with one origin share its connections."""
        known = self._agents.get(origin)
        if known is None:
            agent, host = origin_agent(self.clock, origin)
            known = self._agents[origin] = (agent, UpstreamClient(agent, host))
        return known[1]

    def record(self, exchange: Exchange) -> None:
        """Tell the log and the store of an exchange that has ended."""
        log_exchange(exchange)
        self.store.record(exchange)

    def stop(self) -> Deferred[None]:
        """Close what is open and write the last events; asked twice, it is done once."""
        if self._stopped is None:
            for agent, _ in self._agents.values():
                agent.close()
            self._stopped = self.store.stop().addCallback(lambda _: self._pool.stop())
        return self._stopped
