"""404, with what there is.

Responsible for: every path that nothing else answers.
Must never: say more than which providers there are.
"""

from __future__ import annotations

from lockllm_twisted.client import Client
from lockllm_twisted.core import Core
from lockllm_twisted.errors import NotFound
from lockllm_twisted.serving import ServedResource


class MissingResource(ServedResource):
    """Nothing is here."""

    def __init__(self, core: Core) -> None:
        super().__init__(core, "-")

    def enter(self, client: Client) -> None:
        """Say so, before a body is read."""
        if b"/v1/proxy/" in client.target:
            raise no_provider(self.core)
        raise NotFound("Nothing is here. Use /v1/proxy/<provider>/…, /v1/scan or /health.")


def no_provider(core: Core) -> NotFound:
    """The error for a slug that nobody has registered."""
    known = ", ".join(sorted(core.registry.providers))
    return NotFound(f"No such provider. Use /v1/proxy/<provider>/… with one of: {known}.", code="unknown_provider")
