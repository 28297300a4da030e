"""``GET /health``: the process is up and everything is loaded.

Responsible for: one cheap answer for load balancers.
Must never: tell anything about traffic, callers or settings.
"""

from __future__ import annotations

import json
from importlib.metadata import version

from twisted.web.resource import Resource
from twisted.web.server import Request

from lockllm_twisted.answers import error_answer
from lockllm_twisted.api.missing import MissingResource
from lockllm_twisted.client import Client
from lockllm_twisted.core import Core
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.serving import Leaf, send
from lockllm_twisted.values import new_id

_HEADERS = ((b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store"))


class HealthResource(Leaf):
    """Answers 200 as long as the process serves. Nobody's exchange: no log line, no event."""

    isLeaf = False

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self._body = json.dumps({"status": "ok", "version": version("lockllm-twisted")}).encode()

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Nothing is below."""
        return MissingResource(self.core)

    def handle(self, client: Client) -> None:
        """The answer."""
        problem: LockLLMError | None = client.problem
        if problem is None and client.method not in (b"GET", b"HEAD"):
            problem = BadRequest("Use GET.", code="method_not_allowed", status=405)
        if problem is None:
            send(client, 200, _HEADERS, self._body)
        else:
            send(client, *error_answer(problem, new_id()))
