"""The operator's tokens: from a service account's key, or from Application Default Credentials.

Responsible for: getting one in a thread (google-auth blocks, on files and on the network), and clear words where there is
none.
Must never: show a token or a key in a ``repr`` or a message.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import google.auth
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from lockllm_twisted.errors import ConfigurationProblem, UpstreamError
from lockllm_twisted.renewal import State

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

STALE = dt.timedelta(minutes=3, seconds=45)
"""Before its end, a token is replaced so early. Google's metadata server hands out the old one until four minutes before
(google-auth, ``REFRESH_THRESHOLD``)."""

LAST_MINUTE = dt.timedelta(minutes=1)
"""So shortly before its end a token serves no longer: clocks differ."""


@attrs.frozen
class Token:
    """A token and its end, in UTC without a zone as google-auth has it; ``None``: it has none."""

    value: bytes = attrs.field(repr=False)
    expiry: dt.datetime | None
    quota_project: str | None = None

    def state(self) -> State:
        """Its age."""
        if self.expiry is None:
            return "fresh"
        left = self.expiry - dt.datetime.now(dt.UTC).replace(tzinfo=None)
        return "expired" if left < LAST_MINUTE else "stale" if left < STALE else "fresh"


def of_service_account(path: Path) -> Callable[[], Any]:
    """A function that returns the credentials of a key file, which is read now. Raises `OSError` or `ValueError`."""
    credentials = service_account.Credentials.from_service_account_file(str(path), scopes=[SCOPE])
    return lambda: credentials


def application_default() -> Any:
    """What google-auth finds: GOOGLE_APPLICATION_CREDENTIALS, gcloud's, or the machine's own. It blocks."""
    return google.auth.default(scopes=[SCOPE])[0]


def minter(find: Callable[[], Any]) -> Callable[[], Token]:
    """A function that gets a new token. It blocks.

    It raises `ConfigurationProblem` where there are no credentials, and `UpstreamError` where Google gave no token.
    """
    known: list[Any] = []

    def mint() -> Token:
        try:
            if not known:
                known.append(find())
            (credentials,) = known
            credentials.refresh(Request())
        except DefaultCredentialsError:
            raise ConfigurationProblem(
                'The server has no Google credentials: set credentials_file = "key.json" in [plugins.vertex], or '
                "GOOGLE_APPLICATION_CREDENTIALS, or run it where a service account is attached. A client may also send a "
                "token of its own as the bearer, and the LockLLM key in X-LockLLM-Key."
            ) from None
        except GoogleAuthError as error:
            raise UpstreamError(
                f"Google gave the server no token ({type(error).__name__}): check its service account, its clock and the "
                "way to Google."
            ) from None
        return Token(credentials.token.encode(), credentials.expiry, getattr(credentials, "quota_project_id", None))

    return mint
