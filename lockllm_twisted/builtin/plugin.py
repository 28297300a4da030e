"""What ships with the core, through the same door as everybody else's.

Responsible for: handing over the built-in providers, scanners and policies.
Must never: know anything that a plugin could not know.
"""

from __future__ import annotations

from collections.abc import Iterable

from lockllm_twisted.builtin.echo import EchoProvider
from lockllm_twisted.builtin.policy import DefaultPolicy, thresholds
from lockllm_twisted.builtin.providers import from_settings
from lockllm_twisted.builtin.scanners import Detector
from lockllm_twisted.hooks import Policy, Provider, Scanner, hookimpl
from lockllm_twisted.settings import Settings


@hookimpl
def lockllm_providers(settings: Settings) -> Iterable[Provider]:
    """The table, the endpoints of the settings, and the echo."""
    echo = EchoProvider()
    if echo.slug in settings.providers and settings.providers[echo.slug].base_url is not None:
        raise settings.error("[providers.echo]: it answers by itself, so it takes no base_url.", "providers", echo.slug)
    for slug, section in settings.providers.items():
        for name in ("deployment", "api_version"):
            if getattr(section, name) is not None and (slug != "azure" or section.dialect is not None):
                message = f"[providers.{slug}] {name}: only [providers.azure] has one, and without a dialect."
                raise settings.error(message, "providers", slug, name)
    return [*from_settings(settings.providers), echo]


@hookimpl
def lockllm_scanners() -> Iterable[Scanner]:
    """The embedded detector."""
    return [Detector()]


@hookimpl
def lockllm_policies(settings: Settings) -> Iterable[Policy]:
    """Thresholds by sensitivity or by the operator, actions by origin."""
    return [DefaultPolicy(thresholds=thresholds(settings.proxy))]
