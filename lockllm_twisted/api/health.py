"""``GET /health``: the process is up and everything is loaded.

Responsible for: one cheap answer for load balancers.
Must never: tell anything about traffic, callers or settings.
"""

from __future__ import annotations

import json
from importlib.metadata import version

from twisted.web.resource import Resource
from twisted.web.server import Request


class HealthResource(Resource):
    """Answers 200 as long as the process serves."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self._body = json.dumps({"status": "ok", "version": version("lockllm-twisted")}).encode()

    def render_GET(self, request: Request) -> bytes:
        """The answer; HEAD comes here as well."""
        request.setHeader(b"content-type", b"application/json")
        request.setHeader(b"cache-control", b"no-store")
        request.responseHeaders.removeHeader(b"server")
        return self._body
