"""The registry: every plugin comes in here, built-in, installed or handed over, through the same pluggy door.

Responsible for: loading plugins, checking what they hand over, and naming the distribution of the one that is wrong.
Must never: keep a global (two proxies in one process share nothing), or go on without a plugin that did not load: a
guard that is missing is worse than a proxy that is down.

Hooks are called one plugin at a time, not through ``manager.hook``: pluggy calls last-registered first and an exception
does not tell whose it was. Here the order of registration stands, and a failure has a name.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from types import MappingProxyType
from typing import Any

import attrs
import pluggy

from lockllm_twisted.builtin import plugin as builtin_plugin
from lockllm_twisted.builtin.providers import ELSEWHERE
from lockllm_twisted.conformance import policy_faults, provider_faults, scanner_faults
from lockllm_twisted.errors import PluginError, SettingsError
from lockllm_twisted.hooks import GROUP, Hookspecs, Policy, Provider, Scanner
from lockllm_twisted.settings import Settings, nearest

BUILTIN = "builtin"
"""The name of the plugin that ships with the core."""


@attrs.frozen
class PluginInfo:
    """One loaded plugin, as ``lockllm plugins`` lists it. ``provides``: ``provider openai``, ``scanner detector``."""

    name: str
    version: str
    distribution: str
    hooks: tuple[str, ...]
    provides: tuple[str, ...]


@attrs.frozen
class Registry:
    """All that the plugins brought, in the order in which they were registered."""

    providers: Mapping[str, Provider]
    scanners: tuple[Scanner, ...]
    policies: tuple[Policy, ...]
    plugins: tuple[PluginInfo, ...]


@attrs.frozen
class _Source:
    """A plugin and where it came from."""

    name: str
    distribution: str
    version: str
    plugin: object

    def __str__(self) -> str:
        return f"plugin {self.name!r} of {self.distribution} {self.version}".rstrip()


@attrs.frozen
class _Kind:
    """What one hook brings: a word for messages, the attribute that must be unique, and the check."""

    hook: str
    word: str
    key: str
    faults: Any


_KINDS = (
    _Kind("lockllm_providers", "provider", "slug", provider_faults),
    _Kind("lockllm_scanners", "scanner", "name", scanner_faults),
    _Kind("lockllm_policies", "policy", "name", policy_faults),
)
_HOOKS = [kind.hook for kind in _KINDS]


def load(settings: Settings, *, plugins: Sequence[object] = ()) -> Registry:
    """Load the built-ins, then the installed distributions, then ``plugins`` (modules or objects with hooks).

    One of ``plugins`` that is installed too is loaded once.

    Raises `PluginError` for a plugin that does not load or hands over something that breaks its protocol, and
    `SettingsError` for a setting about a plugin, provider or scanner that is not there.
    """
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(Hookspecs)
    sources = [*_built_in(), *_installed(settings)]
    sources += _inline(plugin for plugin in plugins if all(plugin is not source.plugin for source in sources))
    named: dict[str, _Source] = {}
    for source in sources:
        if (twin := named.setdefault(source.name, source)) is not source:
            raise PluginError(f"Two plugins have one name: the {twin}, and the {source}.")
        _register(manager, source)
    found: dict[str, dict[str, Any]] = {}
    provides: dict[str, list[str]] = {source.name: [] for source in sources}
    for kind in _KINDS:
        owners: dict[str, _Source] = {}
        found[kind.word] = {}
        for source, thing in _handed_over(manager, sources, kind, settings):
            key = getattr(thing, kind.key)
            if key in owners:
                raise PluginError(
                    f"The {kind.word} {key!r} is registered twice: by the {owners[key]}, and by the {source}."
                )
            owners[key] = source
            found[kind.word][key] = thing
            provides[source.name].append(f"{kind.word} {key}")
    _check_settings(settings, found, [source.name for source in sources])
    return Registry(
        providers=MappingProxyType(found["provider"]),
        scanners=tuple(
            scanner
            for name, scanner in found["scanner"].items()
            if name not in settings.scanners or settings.scanners[name].enabled
        ),
        policies=tuple(found["policy"].values()),
        plugins=tuple(
            PluginInfo(
                source.name,
                source.version,
                source.distribution,
                tuple(caller.name for caller in manager.get_hookcallers(source.plugin) or ()),
                tuple(provides[source.name]),
            )
            for source in sources
        ),
    )


def _built_in() -> Iterator[_Source]:
    yield _Source(BUILTIN, "lockllm-twisted", _version("lockllm-twisted"), builtin_plugin)


def _installed(settings: Settings) -> Iterator[_Source]:
    """The entry points of every distribution, by name. One that is disabled is not even imported."""
    entries = sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name)
    names = [entry.name for entry in entries]
    for name in settings.disabled_plugins:
        if name == BUILTIN:
            raise settings.error(
                "disabled_plugins: the built-in plugin can't be left out, it holds the default policy. "
                "A built-in scanner is switched off with [scanners.<name>] enabled = false.",
                "disabled_plugins",
            )
        if name not in names:
            raise settings.error(
                f"disabled_plugins: no plugin {name!r} is installed.{_meant(name, names)}", "disabled_plugins"
            )
    for entry in entries:
        if entry.name in settings.disabled_plugins:
            continue
        distribution = entry.dist.name if entry.dist is not None else "an unknown distribution"
        version = entry.dist.version if entry.dist is not None else "?"
        source = _Source(entry.name, distribution, version, None)
        try:
            plugin = entry.load()
        except Exception as exc:
            raise PluginError(f"The {source} ({entry.value}) did not load: {_told(exc)}") from exc
        yield attrs.evolve(source, plugin=plugin)


def _inline(plugins: Iterable[object]) -> Iterator[_Source]:
    for plugin in plugins:
        name = getattr(plugin, "__name__", None) or type(plugin).__name__
        yield _Source(str(name), "this process", str(getattr(plugin, "__version__", "")), plugin)


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:  # run from a source tree that nobody installed
        return "?"


def _register(manager: pluggy.PluginManager, source: _Source) -> None:
    """Let one plugin in, once its hooks are known to be ours: a guard with a typo in its name would never be called."""
    plugin = source.plugin
    if plugin is None or isinstance(plugin, type):
        raise PluginError(f"The {source} is {plugin!r}: its entry point must be a module or an instance with hooks.")
    try:
        manager.register(plugin, source.name)
    except Exception as exc:
        raise PluginError(f"The {source} can't be registered: {exc}") from exc
    callers = {caller.name: caller for caller in manager.get_hookcallers(plugin) or ()}
    for name, caller in callers.items():
        # optionalhook: the plugin also serves versions that have a hook of this name.
        mine = [impl for impl in caller.get_hookimpls() if impl.plugin is plugin and not impl.optionalhook]
        if mine and not caller.has_spec():
            raise PluginError(f"The {source} implements {name!r}, which is no hook.{_meant(name, _HOOKS)}")
    for name in dir(plugin):
        if name.startswith("lockllm_") and name not in callers and inspect.isroutine(getattr(plugin, name)):
            raise PluginError(f"The {source} has a function {name!r} without @hookimpl: it would never be called.")
    if not callers:
        raise PluginError(f"The {source} implements no hook: {', '.join(_HOOKS)}.")


def _handed_over(
    manager: pluggy.PluginManager, sources: Sequence[_Source], kind: _Kind, settings: Settings
) -> Iterator[tuple[_Source, Any]]:
    """What each plugin's hook of one kind returns, checked against its protocol."""
    implementations: list[pluggy.HookImpl] = getattr(manager.hook, kind.hook).get_hookimpls()
    for source, impl in ((s, i) for s in sources for i in implementations if i.plugin_name == s.name):
        if impl.wrapper or impl.hookwrapper:
            raise PluginError(f"The {source} wraps {kind.hook}: a plugin may add, not change what others add.")
        try:
            things: tuple[Any, ...] = tuple(impl.function(*(settings for _ in impl.argnames)) or ())  # type: ignore[arg-type]
        except SettingsError:
            raise
        except Exception as exc:
            raise PluginError(f"{kind.hook} of the {source} failed: {_told(exc)}") from exc
        for thing in things:
            if faults := kind.faults(thing):
                raise PluginError(
                    f"The {source} brings a {kind.word} that is none ({type(thing).__name__}): {'; '.join(faults)}."
                )
            yield source, thing


def _check_settings(settings: Settings, found: Mapping[str, Mapping[str, Any]], plugins: Sequence[str]) -> None:
    known = [*(name for name in plugins if name != BUILTIN), *settings.disabled_plugins]
    for name in settings.plugins:
        if name not in known:
            message = f"[plugins.{name}]: no plugin {name!r} is installed.{_meant(name, known)}"
            raise settings.error(message, "plugins", name)
    for name in settings.scanners:
        if name not in found["scanner"]:
            message = f"[scanners.{name}]: there is no such scanner.{_meant(name, found['scanner'])}"
            raise settings.error(message, "scanners", name)
    for slug in settings.providers:
        if slug not in found["provider"]:
            message = f"[providers.{slug}]: there is no such provider.{_meant(slug, found['provider'])}"
            message += " An endpoint of your own needs base_url and dialect."
            if slug in ELSEWHERE:
                message = f"[providers.{slug}]: its plugin is not installed: pip install {ELSEWHERE[slug]}."
            raise settings.error(message, "providers", slug)


def _meant(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def _told(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
