"""The resource tree: ``/v1/proxy/<slug>``, ``/v1/scan``, ``/health``.

Responsible for: what stands where, in our own Site or under any path of somebody else's.
Must never: hold logic of a request; each leaf has its own module.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.web.resource import Resource
from twisted.web.server import Request

from lockllm_twisted.api.health import HealthResource
from lockllm_twisted.api.missing import MissingResource
from lockllm_twisted.api.scan import ScanResource
from lockllm_twisted.core import Core
from lockllm_twisted.proxy import ProxyResource
from lockllm_twisted.serving import Leaf
from lockllm_twisted.settings import Settings


class LockLLMResource(Resource):
    """Everything that this software serves, as one resource: ``root.putChild(b"llm", LockLLMResource(settings))``.

    ``plugins`` are registered beside the installed ones. Making one loads every plugin and opens the store (raises
    `SettingsError`, `PluginError`); no connection is made. It ends with the reactor, or with `stop`.

    In a Site of your own, give it ``parsePOSTFormSubmission=False`` and limit bodies: twisted.web reads a whole body
    before a resource sees it. On a port of its own, `lockllm_twisted.site.ProxySite` needs neither.
    """

    def __init__(
        self, settings: Settings | None = None, *, plugins: Sequence[object] = (), reactor: Any = None
    ) -> None:
        super().__init__()
        self.core = core = Core(settings or Settings(), plugins=plugins, reactor=reactor)
        self._missing = MissingResource(core)
        proxies = _Branch(self._missing)
        for slug, provider in core.registry.providers.items():
            proxies.putChild(slug.encode(), ProxyResource(core, provider))
        v1 = _Branch(self._missing)
        v1.putChild(b"proxy", proxies)
        v1.putChild(b"scan", ScanResource(core))
        self.putChild(b"v1", v1)
        self.putChild(b"health", HealthResource(core))

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Nothing else is here."""
        return self._missing

    def find(self, target: bytes) -> tuple[Leaf, int]:
        """The leaf that answers a target where this resource is the root of our own Site, and how many segments lead there.

        As twisted.web goes down the tree, but no segment is decoded: an address of ours is written in its plain form.
        """
        place: Resource = self
        depth = 0
        for segment in target.partition(b"?")[0].split(b"/")[1:]:
            child = place.children.get(segment)
            if child is None:
                return self._missing, depth
            place, depth = child, depth + 1
            if place.isLeaf:
                break
        return (place if isinstance(place, Leaf) else self._missing), depth

    def stop(self) -> Deferred[None]:
        """Close connections and write what is queued."""
        return self.core.stop()


class _Branch(Resource):
    """A path that only leads on."""

    def __init__(self, missing: MissingResource) -> None:
        super().__init__()
        self._missing = missing

    def getChild(self, path: bytes, request: Request) -> Resource:
        return self._missing
