"""``[plugins.vertex]``: what an operator may set, and what a caller may use.

Responsible for: names, types and defaults; messages that name the line and what to write instead.
Must never: read the file of a service account (that is ``credentials``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import Settings
from lockllm_twisted.settings.toml import Table
from lockllm_twisted.values import Caller

from lockllm_vertex.places import LOCATION

PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{0,99}")
"""A project's id or number, or one of a domain (``example.com:project``)."""


def _each(pattern: re.Pattern[str], what: str) -> Any:
    def check(_: object, field: attrs.Attribute[Any], value: tuple[str, ...] | str | None) -> None:
        for one in (value,) if isinstance(value, str) else value or ():
            if pattern.fullmatch(one) is None:
                raise SettingsError(f"{field.name}: {one[:24]!r} is no {what}.")

    return check


_project = _each(PROJECT, "Google Cloud project's id or number")
_location = _each(LOCATION, "location of Vertex AI; write one such as europe-west4, global, us or eu")


@attrs.frozen
class Limits:
    """What may be used; ``None``: all."""

    projects: tuple[str, ...] | None = attrs.field(default=None, validator=_project)
    locations: tuple[str, ...] | None = attrs.field(default=None, validator=_location)

    def within(self, general: Limits) -> Limits:
        """These limits, and the general ones for what these don't mention."""
        return Limits(
            general.projects if self.projects is None else self.projects,
            general.locations if self.locations is None else self.locations,
        )


@attrs.frozen
class VertexSettings(Limits):
    """The whole table; its own limits hold for every caller that has none.

    ``project`` and ``location`` are those of OpenAI-style paths, which name none. ``credentials_file`` is a service
    account's key; without it, Application Default Credentials are looked for. ``anonymous_callers`` lets the operator's
    credentials serve callers without a LockLLM key, where the proxy lets these in. A caller is named by the name or the id
    of its LockLLM key.
    """

    project: str | None = attrs.field(default=None, validator=_project)
    location: str | None = attrs.field(default=None, validator=_location)
    credentials_file: str | None = attrs.field(default=None, repr=False)
    anonymous_callers: bool = False
    callers: Mapping[str, Limits] = MappingProxyType({})

    def limits(self, caller: Caller) -> Limits:
        """What this caller may use."""
        own = self.callers.get(caller.id) or self.callers.get(caller.name)
        return own.within(self) if own is not None else self


def read(settings: Settings) -> VertexSettings:
    """The table of the settings, or the defaults. Raises `SettingsError`."""
    values = dict(settings.plugins.get("vertex", {}))
    callers = {"callers": values.pop("callers")} if "callers" in values else {}
    whole = Table(settings.file or "the settings", ("plugins", "vertex"), callers, settings.lines, {})
    own = {name: table.fill(Limits) for name, table in whole.table("callers").tables()}
    return attrs.evolve(attrs.evolve(whole, values=values).fill(VertexSettings), callers=MappingProxyType(own))
