"""``GET /health``: the process is up and everything is loaded.

Responsible for: one cheap answer for load balancers.
Must never: tell anything about traffic, callers or settings.
"""

from __future__ import annotations

import json
from importlib.metadata import version

from twisted.web.resource import Resource
from twisted.web.server import Request

from lockllm_twisted.api.missing import MissingResource
from lockllm_twisted.core import Core


class HealthResource(Resource):
    """Answers 200 as long as the process serves."""

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._core = core
        self._body = json.dumps({"status": "ok", "version": version("lockllm-twisted")}).encode()

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Nothing is below."""
        return MissingResource(self._core)

    def render_GET(self, request: Request) -> bytes:
        """The answer; HEAD comes here as well."""
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        request.responseHeaders.removeHeader(b"server")
        return self._body
