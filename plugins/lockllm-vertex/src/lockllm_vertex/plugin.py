"""The entry point: one provider, from ``[plugins.vertex]`` and ``[providers.vertex-ai] base_url``.

The host calls the hook once, at start. What is wrong with the settings stops the start, here, with its line; nothing is
connected yet, and no token is asked for before the first request that needs one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import attrs
from lockllm_twisted.hooks import Provider, hookimpl
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.settings import Settings

from lockllm_vertex.credentials import Token, application_default, minter, of_service_account
from lockllm_vertex.provider import vertex
from lockllm_vertex.settings import read


@hookimpl
def lockllm_providers(settings: Settings) -> Iterable[Provider]:
    """The provider ``vertex-ai``. Raises `SettingsError`."""
    own = read(settings)
    find = application_default
    if own.credentials_file is not None:
        # As for every path of a config file: a relative one starts from that file.
        path = Path(settings.file or "").parent / own.credentials_file
        try:
            find = of_service_account(path)
        except (OSError, ValueError) as problem:
            message = (
                f"[plugins.vertex] credentials_file: {own.credentials_file!r} is no service account's key that can be "
                f"read ({type(problem).__name__}): write the path of its JSON file. Credentials of another kind are named "
                "by GOOGLE_APPLICATION_CREDENTIALS."
            )
            raise settings.error(message, "plugins", "vertex", "credentials_file") from None
    provider = vertex(own, Renewed(minter(find), Token.state))
    section = settings.providers.get(provider.slug)
    if section is None or section.base_url is None:
        return [provider]
    url = urlsplit(section.base_url)
    return [
        attrs.evolve(
            provider.below(provider.slug, f"{url.scheme}://{url.netloc}", url.path.encode()),
            pinned=True,
        )
    ]
