"""The entry point: one provider, from ``[plugins.bedrock]`` and ``[providers.bedrock] base_url``.

The host calls the hook once, at start. What is wrong with the settings stops the start, here, with its line; nothing is
connected yet, and no credential is looked for before the first request that needs one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs
import botocore.session
from botocore.exceptions import BotoCoreError
from lockllm_twisted.hooks import Provider, hookimpl
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.settings import Settings

from lockllm_bedrock.credentials import Held, finder
from lockllm_bedrock.provider import bedrock
from lockllm_bedrock.regions import hosts
from lockllm_bedrock.settings import read


@hookimpl
def lockllm_providers(settings: Settings) -> Iterable[Provider]:
    """The provider ``bedrock``. Raises `SettingsError`."""
    own = read(settings)
    session = botocore.session.Session(profile=own.profile)
    try:
        region = own.region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
    except BotoCoreError as problem:  # no such profile, a config file that can't be read
        raise settings.error(f"[plugins.bedrock] {problem}.", "plugins", "bedrock", "profile") from None
    named = {region for limits in (own, *own.callers.values()) for region in limits.regions or ()}
    try:
        known = hosts({*named, *([region] if region else ())})
    except ValueError as problem:
        raise settings.error(f"[plugins.bedrock] {problem}", "plugins", "bedrock") from None
    provider = bedrock(attrs.evolve(own, region=region), known, Renewed(finder(session), Held.state))
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
