"""A provider that the settings have not told the address of.

Responsible for: saying which line is missing.
Must never: guess an address, or open a connection.
"""

from __future__ import annotations

import attrs

from lockllm_twisted.errors import ConfigurationProblem
from lockllm_twisted.hooks import CredentialPlace, Dialect, LocalAnswer, LocalRequest


@attrs.frozen
class UnsetProvider:
    """A slug whose ``base_url`` is the customer's own; ``example`` shows how one looks."""

    slug: str
    example: str
    origin: str | None = None
    encoded_slash: bool = True

    def target(self, tail: bytes) -> bytes:
        """As it came."""
        return tail

    def credential(self, path: bytes) -> CredentialPlace | None:
        """Nobody would get it."""
        return None

    def dialect(self, path: bytes) -> Dialect | None:
        """Nobody would read it."""
        return None

    def answer(self, request: LocalRequest) -> LocalAnswer:
        """Always `ConfigurationProblem`."""
        raise ConfigurationProblem(
            f"The provider {self.slug} has no address yet: it is your own one. Write into the settings file: "
            f'[providers.{self.slug}] base_url = "{self.example}"',
            code="no_base_url",
        )
