"""The operator's AWS credentials, as botocore finds them: environment, profile, container, instance role.

Responsible for: finding and refreshing them in a thread (botocore blocks, on files and on the network), and clear words
where there are none.
Must never: show one in a ``repr`` or a message.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import botocore.session
from botocore.credentials import Credentials, ReadOnlyCredentials, RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError
from lockllm_twisted.errors import ConfigurationProblem, UpstreamError
from lockllm_twisted.renewal import State

LAST_MINUTE = 60
"""Seconds before the end of its life when a credential serves no longer: AWS allows clocks to differ by minutes."""


@attrs.frozen
class Held:
    """Credentials as they stood at one moment, and where they came from, which knows when they end."""

    source: Credentials = attrs.field(repr=False)
    frozen: ReadOnlyCredentials = attrs.field(repr=False)

    def state(self) -> State:
        """Their age. botocore wants new ones 15 minutes before the end."""
        if not isinstance(self.source, RefreshableCredentials):
            return "fresh"
        if self.source.refresh_needed(LAST_MINUTE):
            return "expired"
        return "stale" if self.source.refresh_needed() else "fresh"


def finder(session: botocore.session.Session) -> Callable[[], Held]:
    """A function that finds or refreshes the session's credentials. It blocks.

    It raises `ConfigurationProblem` where there are none, and `UpstreamError` where AWS did not hand them out.
    """

    def find() -> Held:
        try:
            source = session.get_credentials()
            frozen = source.get_frozen_credentials() if source is not None else None
        except (BotoCoreError, ClientError) as error:
            raise UpstreamError(
                f"The server's AWS credentials could not be fetched ({type(error).__name__}): check its profile, its "
                "role and the way to AWS."
            ) from None
        if source is None or frozen is None:
            raise ConfigurationProblem(
                "The server has no AWS credentials to sign with: give it an instance or task role, set "
                'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile = "…" in [plugins.bedrock], or store a '
                "Bedrock API key with 'lockllm providers set-key bedrock'. A client may also send a Bedrock API key "
                "of its own as the bearer, and the LockLLM key in X-LockLLM-Key."
            )
        return Held(source, frozen)

    return find
