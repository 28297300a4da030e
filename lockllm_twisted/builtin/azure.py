"""Azure OpenAI: a resource, its deployments and their API version.

Responsible for: what a client leaves out that knows nothing of Azure, as the settings say.
Must never: change what a client says itself.

The dated API has the deployment in the path and wants ``?api-version=YYYY-MM-DD`` on every request; the newer ``/openai/v1`` has
neither, or ``?api-version=preview``.
"""

from __future__ import annotations

import re
from typing import Self

import attrs

from lockllm_twisted.table import END, V1, TableProvider

_DEPLOYED = rb"(?:/v1)?(?=/(?:chat/completions|completions|embeddings|audio/[a-z]+|images/[a-z]+)" + END + rb")"
_NAMED = re.compile(rb"(?:^|&)api-version=")


@attrs.frozen
class AzureProvider(TableProvider):
    """The row, with the API version that is added where a client names none."""

    api_version: bytes = b""

    def served_as(self, deployment: str | None, api_version: str | None) -> Self:
        """The row for a resource where OpenAI's paths mean this deployment, in this version of the API."""
        version = (api_version or "").encode()
        if deployment is None:
            return attrs.evolve(self, api_version=version)
        moves = (
            (_DEPLOYED, b"/openai/deployments/" + deployment.encode()),
            *((pattern.pattern, b"/openai" if pattern.pattern == V1 else head) for pattern, head in self.moves),
        )
        return attrs.evolve(self, moves=moves, bare=b"/openai", api_version=version)

    def target(self, tail: bytes) -> bytes:
        """The path and query to ask the resource for."""
        target = super().target(tail)
        path, _, query = target.partition(b"?")
        inner = path.removeprefix(self.root)
        of_v1 = re.match(rb"/openai/v1" + END, inner) is not None
        dated = self.api_version[:1].isdigit()
        if not self.api_version or not inner.startswith(b"/openai/") or dated == of_v1 or _NAMED.search(query):
            return target
        return target + (b"&" if query else b"" if target.endswith(b"?") else b"?") + b"api-version=" + self.api_version
