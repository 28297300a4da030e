"""``[plugins.bedrock]``: what an operator may set, and what a caller may use.

Responsible for: names, types and defaults; messages that name the line and what to write instead.
Must never: hold a credential. Those are botocore's to find.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, Literal

import attrs
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import Settings
from lockllm_twisted.settings.toml import Table
from lockllm_twisted.values import Caller

from lockllm_bedrock.operations import OPERATIONS


def _known_operations(_: object, field: attrs.Attribute[Any], value: tuple[str, ...] | None) -> None:
    for name in value or ():
        if name not in OPERATIONS:
            raise SettingsError(
                f"{field.name}: there is no operation {name[:24]!r}; there are {', '.join(OPERATIONS)}."
            )


@attrs.frozen
class Limits:
    """What may be used; ``None``: all. ``models`` are patterns (``anthropic.*``) over ids as the AWS console shows them."""

    regions: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    operations: tuple[str, ...] | None = attrs.field(default=None, validator=_known_operations)

    def within(self, general: Limits) -> Limits:
        """These limits, and the general ones for what these don't mention."""
        return Limits(
            *(
                own if own is not None else theirs
                for own, theirs in (
                    (self.regions, general.regions),
                    (self.models, general.models),
                    (self.operations, general.operations),
                )
            )
        )

    def allows_model(self, model: str) -> bool:
        """Whether one of the patterns matches the whole id, letter by letter."""
        return self.models is None or any(fnmatchcase(model, pattern) for pattern in self.models)


@attrs.frozen
class BedrockSettings(Limits):
    """The whole table; its own limits hold for every caller that has none.

    ``region`` is where a request goes that names none. ``openai_endpoint`` is the host of OpenAI-style paths whose
    request does not tell (a signature does). ``anonymous_callers`` lets the operator's credentials serve callers without a
    LockLLM key, where the proxy lets these in. A caller is named by the name or the id of its LockLLM key.
    """

    region: str | None = None
    profile: str | None = None
    openai_endpoint: Literal["mantle", "runtime"] = "mantle"
    anonymous_callers: bool = False
    callers: Mapping[str, Limits] = MappingProxyType({})

    def limits(self, caller: Caller) -> Limits:
        """What this caller may use."""
        own = self.callers.get(caller.id) or self.callers.get(caller.name)
        return own.within(self) if own is not None else self


def read(settings: Settings) -> BedrockSettings:
    """The table of the settings, or the defaults. Raises `SettingsError`."""
    values = dict(settings.plugins.get("bedrock", {}))
    callers = {"callers": values.pop("callers")} if "callers" in values else {}
    whole = Table(settings.file or "the settings", ("plugins", "bedrock"), callers, settings.lines, {})
    own = {name: table.fill(Limits) for name, table in whole.table("callers").tables()}
    return attrs.evolve(attrs.evolve(whole, values=values).fill(BedrockSettings), callers=MappingProxyType(own))
