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
from lockllm_twisted.api.missing import MissingResource, no_provider
from lockllm_twisted.api.scan import ScanResource
from lockllm_twisted.core import Admission, Core
from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.proxy import ProxyResource
from lockllm_twisted.serving import Account, header_pairs
from lockllm_twisted.settings import Settings
from lockllm_twisted.wire import check_target


class LockLLMResource(Resource):
    """Everything that this software serves, as one resource: ``root.putChild(b"llm", LockLLMResource(settings))``.

    ``plugins`` are registered beside the installed ones. Making one loads every plugin and opens the store (raises
    `SettingsError`, `PluginError`); no connection is made. It ends with the reactor, or with `stop`.

    In a Site of your own, give it ``parsePOSTFormSubmission=False`` and limit bodies: twisted.web reads a whole body
    before a resource sees it. `lockllm_twisted.site.ProxySite` does both.
    """

    def __init__(
        self, settings: Settings | None = None, *, plugins: Sequence[object] = (), reactor: Any = None
    ) -> None:
        super().__init__()
        self.core = core = Core(settings or Settings(), plugins=plugins, reactor=reactor)
        self.max_body = core.settings.proxy.max_body
        proxies = _Branch(core)
        for slug, provider in core.registry.providers.items():
            proxies.putChild(slug.encode(), ProxyResource(core, provider))
        v1 = _Branch(core)
        v1.putChild(b"proxy", proxies)
        v1.putChild(b"scan", ScanResource(core))
        self.putChild(b"v1", v1)
        self.putChild(b"health", HealthResource(core))

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Nothing else is here."""
        return MissingResource(self.core)

    def stop(self) -> Deferred[None]:
        """Close connections and write what is queued."""
        return self.core.stop()

    # What `site.Gate` asks for, where this resource is the root of our own Site.

    def admit_early(self, request: Request) -> Admission | None:
        """Let a caller in by the head alone, or raise what the resource would say later."""
        path = request.uri.partition(b"?")[0]
        if path.startswith(b"/v1/proxy/"):
            slug = path.split(b"/")[3].decode("latin-1")
            provider = self.core.registry.providers.get(slug)
            if provider is None:
                raise no_provider(self.core, slug)
            check_target(request.uri, encoded_slash=provider.encoded_slash)
        elif path != b"/v1/scan":
            return None
        return self.core.admit(header_pairs(request), request.uri)

    def refused(self, request: Request, error: LockLLMError, request_id: str) -> None:
        """Account for a request that the site has answered."""
        path = request.uri.partition(b"?")[0].decode("latin-1")[:500]
        account = Account("-", request.method.decode("latin-1"), path, id=request_id)
        account.status, account.code = error.http_status, error.code
        self.core.record(account.close("refused"))


class _Branch(Resource):
    """A path that only leads on."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._core = core

    def getChild(self, path: bytes, request: Request) -> Resource:
        return MissingResource(self._core)
