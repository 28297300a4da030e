"""The door for plugins: who comes in, and what the one who may not is told."""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lockllm_twisted import hooks, registry, testing
from lockllm_twisted.builtin.providers import TABLE
from lockllm_twisted.errors import PluginError, SettingsError
from lockllm_twisted.hooks import hookimpl
from lockllm_twisted.settings import ProviderSettings, ScannerSettings, Settings
from lockllm_twisted.values import Finding, Passage, Verdict


class Shout:
    name = "shout"
    version = "1"
    kind = "policy"
    inline_chars = 1000

    def scan(self, passage: Passage) -> list[Finding]:
        return [Finding(self.name, "shouting", 1.0, "upper")] if passage.text.isupper() else []


class LocalToy:
    slug = "toy"
    origin = None
    encoded_slash = False

    def target(self, tail: bytes) -> bytes:
        return tail

    def credential(self, path: bytes) -> None:
        return None

    def dialect(self, path: bytes) -> None:
        return None

    def answer(self, request: hooks.LocalRequest) -> hooks.LocalAnswer:
        return hooks.LocalAnswer(200, (), (request.body,))


class Lenient:
    name = "lenient"

    def decide(self, question: hooks.Question) -> Verdict | None:
        return None


def like(base: type, **attributes: object) -> Any:
    """An instance of a class that differs from another in these attributes."""
    return type(base.__name__, (base,), attributes)()


def bringing(hook: str, *things: object, name: str = "inline_plugin", **attributes: object) -> types.ModuleType:
    """A plugin module whose one hook hands over these things."""

    def implementation() -> Iterable[object]:
        return things

    module = types.ModuleType(name)
    setattr(module, hook, hookimpl(implementation))
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def load_with(*plugins: object) -> registry.Registry:
    return registry.load(Settings(), plugins=plugins)


def refusal(*plugins: object) -> str:
    with pytest.raises(PluginError) as caught:
        load_with(*plugins)
    return caught.value.message


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Installs a distribution with one entry point, as pip leaves it behind."""

    def make(distribution: str, entry_point: str, source: str) -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source)
        info = tmp_path / f"{module}-2.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n")
        (info / "entry_points.txt").write_text(f"[lockllm_twisted]\n{entry_point} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)

    monkeypatch.syspath_prepend(str(tmp_path))
    return make


PLUGIN = """
from lockllm_twisted.hooks import hookimpl

class Rules:
    name, version, kind, inline_chars = "acme-rules", "1", "core", 0

    def scan(self, passage):
        return []

@hookimpl
def lockllm_scanners(settings):
    rules = Rules()
    rules.version = settings.plugins.get("acme", {}).get("version", "1")
    return [rules]
"""


def test_the_core_alone_has_its_providers_a_scanner_and_a_policy() -> None:
    loaded = registry.load(Settings(disabled_plugins=()))
    assert set(loaded.providers) >= {row.slug for row in TABLE} | {"echo"}
    assert "default" in [policy.name for policy in loaded.policies]
    info = loaded.plugins[0]
    assert (info.name, info.distribution) == ("builtin", "lockllm-twisted")
    assert info.hooks == ("lockllm_policies", "lockllm_providers", "lockllm_scanners")
    assert {"provider openai", "policy default"} <= set(info.provides)
    assert len(loaded.scanners) == len([what for what in info.provides if what.startswith("scanner ")]) > 0


def test_what_ships_with_the_core_keeps_the_protocols_it_asks_of_others() -> None:
    settings = Settings(providers={"mine": ProviderSettings(base_url="https://m.example/v1", dialect="openai")})
    loaded = registry.load(settings)
    for provider in loaded.providers.values():
        testing.check_provider(provider)
    for scanner in loaded.scanners:
        testing.check_scanner(scanner)
    for policy in loaded.policies:
        testing.check_policy(policy)


def test_a_plugin_handed_over_comes_behind_the_built_in() -> None:
    loaded = load_with(
        bringing("lockllm_scanners", Shout(), name="a", __version__="7"),
        bringing("lockllm_providers", LocalToy(), name="b"),
        bringing("lockllm_policies", Lenient(), name="c"),
        bringing("lockllm_scanners", like(Shout, name="last"), name="d"),
    )
    assert [scanner.name for scanner in loaded.scanners][-2:] == ["shout", "last"]
    assert list(loaded.providers)[-1] == "toy"
    assert loaded.policies[-1].name == "lenient"
    assert loaded.plugins[-4] == registry.PluginInfo(
        "a", "7", "this process", ("lockllm_scanners",), ("scanner shout",)
    )


def test_an_installed_distribution_is_found_with_its_name_version_and_settings(install: Any) -> None:
    install("acme-guard", "acme", PLUGIN)
    loaded = registry.load(Settings(plugins={"acme": {"version": "of the settings"}}))
    info = next(plugin for plugin in loaded.plugins if plugin.name == "acme")
    assert info == registry.PluginInfo("acme", "2.5", "acme-guard", ("lockllm_scanners",), ("scanner acme-rules",))
    (scanner,) = [scanner for scanner in loaded.scanners if scanner.name == "acme-rules"]
    assert scanner.version == "of the settings"


def test_a_plugin_that_is_installed_and_handed_over_is_loaded_once(install: Any) -> None:
    install("acme-guard", "acme", PLUGIN)
    loaded = load_with(importlib.import_module("acme_guard"))
    assert [scanner.name for scanner in loaded.scanners].count("acme-rules") == 1
    assert loaded.plugins[-1].name != "acme_guard"


def test_a_disabled_plugin_is_not_even_imported(install: Any) -> None:
    install("acme-guard", "acme", "raise SystemError('imported')")
    settings = Settings(disabled_plugins=("acme",), plugins={"acme": {"x": 1}})
    assert "acme" not in [plugin.name for plugin in registry.load(settings).plugins]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import no_such_module_at_all", "did not load: ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise RuntimeError", "did not load: RuntimeError"),
        ("x =", "did not load: SyntaxError"),
        ("", "implements no hook: lockllm_providers, lockllm_scanners, lockllm_policies"),
        (
            PLUGIN.replace("_scanners", "_scaners"),
            "'lockllm_scaners', which is no hook. Did you mean 'lockllm_scanners'?",
        ),
        (PLUGIN.replace("@hookimpl", ""), "function 'lockllm_scanners' without @hookimpl"),
        (PLUGIN.replace("(settings)", "(config)"), "can't be registered"),
        (PLUGIN.replace("return [rules]", "1 / 0"), "of acme-guard 2.5 failed: ZeroDivisionError"),
        (PLUGIN.replace("[rules]", "rules"), "failed: TypeError: 'Rules' object is not iterable"),
        (
            PLUGIN.replace("@hookimpl", "@hookimpl(wrapper=True)").replace("return [", "yield ["),
            "wraps lockllm_scanners",
        ),
    ],
)
def test_a_plugin_that_does_not_load_stops_the_start_and_names_its_distribution(
    install: Any, source: str, words: str
) -> None:
    install("acme-guard", "acme", source)
    with pytest.raises(PluginError) as caught:
        registry.load(Settings())
    assert "plugin 'acme' of acme-guard 2.5" in caught.value.message
    assert words in caught.value.message


def test_the_cause_of_a_failure_is_kept() -> None:
    def implementation() -> Iterable[object]:
        raise ZeroDivisionError("by nought")

    module = types.ModuleType("broken")
    module.lockllm_scanners = hookimpl(implementation)  # type: ignore[attr-defined]
    with pytest.raises(PluginError, match="ZeroDivisionError: by nought") as caught:
        load_with(module)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_plugins_complaint_about_its_settings_stays_one() -> None:
    def implementation(settings: Settings) -> Iterable[object]:
        raise settings.error("[plugins.x] y: no", "plugins", "x")

    module = types.ModuleType("picky")
    module.lockllm_scanners = hookimpl(implementation)  # type: ignore[attr-defined]
    with pytest.raises(SettingsError, match=r"\[plugins.x\] y: no"):
        load_with(module)


def test_a_name_can_be_taken_only_once(install: Any) -> None:
    install("acme-guard", "acme", PLUGIN)
    twin = bringing("lockllm_scanners", like(Shout, name="acme-rules"), name="twin")
    message = refusal(twin)
    assert "scanner 'acme-rules' is registered twice" in message
    assert "plugin 'acme' of acme-guard 2.5" in message
    assert "plugin 'twin' of this process" in message
    install("other-guard", "acme", PLUGIN.replace("acme-rules", "other"))
    assert "Two plugins have one name" in refusal()
    assert "acme-guard 2.5" in refusal()
    assert "other-guard 2.5" in refusal()


def test_a_slug_of_the_table_and_a_declared_endpoint_can_not_be_taken() -> None:
    assert "provider 'echo' is registered twice" in refusal(bringing("lockllm_providers", like(LocalToy, slug="echo")))
    settings = Settings(providers={"toy": ProviderSettings(base_url="https://t.example", dialect="openai")})
    with pytest.raises(PluginError, match="provider 'toy' is registered twice"):
        registry.load(settings, plugins=[bringing("lockllm_providers", LocalToy())])


@pytest.mark.parametrize(
    ("hook", "thing", "words"),
    [
        ("lockllm_scanners", Shout, "it is a class: hand over an instance"),
        ("lockllm_scanners", object(), "it has no name (AttributeError); it has no version"),
        ("lockllm_scanners", like(Shout, name="No Spaces"), "its name is 'No Spaces', not a str such as 'my-rules'"),
        ("lockllm_scanners", like(Shout, version=""), "its version is ''"),
        ("lockllm_scanners", like(Shout, kind="evil"), "its kind is 'evil', not 'core' or 'policy'"),
        ("lockllm_scanners", like(Shout, inline_chars=True), "its inline_chars is True"),
        ("lockllm_scanners", like(Shout, inline_chars=-1), "its inline_chars is -1"),
        ("lockllm_scanners", like(Shout, scan=lambda _: []), "not a method that takes one argument"),
        ("lockllm_scanners", like(Shout, scan=None), "its scan is None"),
        ("lockllm_scanners", like(Shout, version=property(lambda _: 1 / 0)), "no version (ZeroDivisionError)"),
        ("lockllm_policies", like(Lenient, name=3), "its name is 3"),
        ("lockllm_policies", like(Lenient, decide=3), "its decide is 3"),
        ("lockllm_providers", like(LocalToy, slug="Up"), "its slug is 'Up'"),
        ("lockllm_providers", like(LocalToy, origin="https://a.example/v1"), "without a path"),
        ("lockllm_providers", like(LocalToy, origin="ftp://a.example"), "its origin is 'ftp://a.example'"),
        ("lockllm_providers", like(LocalToy, credential=b"x-key"), "not a method that takes one argument"),
        ("lockllm_providers", like(LocalToy, encoded_slash=None), "its encoded_slash is None, not a bool"),
        ("lockllm_providers", like(LocalToy, answer=None), "its answer is None"),
        ("lockllm_providers", like(LocalToy, origin="https://a.example:1"), "leave one of the two out"),
    ],
)
def test_what_breaks_its_protocol_is_told_attribute_by_attribute(hook: str, thing: object, words: str) -> None:
    message = refusal(bringing(hook, thing))
    assert "plugin 'inline_plugin' of this process" in message
    assert words in message


def test_a_hook_may_bring_nothing_and_may_be_an_object_with_methods() -> None:
    class Plugin:
        @hookimpl
        def lockllm_scanners(self, settings: Settings) -> Iterable[object]:
            yield like(Shout, version=str(settings.proxy.max_body))

        @hookimpl
        def lockllm_policies(self) -> Iterable[object]:
            return ()

        @hookimpl
        def lockllm_providers(self) -> None:
            return None

    loaded = load_with(Plugin())
    assert loaded.scanners[-1].version == str(Settings().proxy.max_body)
    assert loaded.plugins[-1].name == "Plugin"
    assert loaded.plugins[-1].provides == ("scanner shout",)


def test_a_hook_of_a_newer_version_may_be_optional() -> None:
    def future() -> Iterable[object]:
        raise AssertionError("nobody calls it")

    plugin = bringing("lockllm_scanners", Shout(), lockllm_future=hookimpl(optionalhook=True)(future))
    assert load_with(plugin).scanners[-1].name == "shout"


def test_a_class_is_no_plugin() -> None:
    class Plugin:
        @hookimpl
        def lockllm_scanners(self) -> Iterable[object]:
            return ()

    assert "must be a module or an instance" in refusal(Plugin)


def test_two_registries_share_nothing() -> None:
    with_shout = load_with(bringing("lockllm_scanners", Shout()))
    without = load_with()
    assert "shout" in [scanner.name for scanner in with_shout.scanners]
    assert "shout" not in [scanner.name for scanner in without.scanners]


def test_a_scanner_that_is_switched_off_does_not_run_but_is_known() -> None:
    settings = Settings(scanners={"shout": ScannerSettings(enabled=False)})
    loaded = registry.load(settings, plugins=[bringing("lockllm_scanners", Shout())])
    assert "shout" not in [scanner.name for scanner in loaded.scanners]
    assert loaded.plugins[-1].provides == ("scanner shout",)


@pytest.mark.parametrize(
    ("toml", "line", "words"),
    [
        ("[proxy]\n[scanners.shuot]\n", 2, "[scanners.shuot]: there is no such scanner. Did you mean 'shout'?"),
        ("[providers.opnai]\n", 1, "[providers.opnai]: there is no such provider. Did you mean 'openai'?"),
        ('[providers.echo]\nbase_url = "https://e.example"\n', 1, "[providers.echo]: it answers by itself"),
        ("\n\n[providers.zzz]\n", 3, "An endpoint of your own needs base_url and dialect."),
        ("[plugins.acmee]\nx = 1\n", 1, "[plugins.acmee]: no plugin 'acmee' is installed. Did you mean 'acme'?"),
        ('disabled_plugins = ["acmee"]\n', 1, "disabled_plugins: no plugin 'acmee' is installed. Did you mean 'acme'?"),
        ('disabled_plugins = ["builtin"]\n', 1, "disabled_plugins: the built-in plugin can't be left out"),
        ("[plugins.builtin]\n", 1, "[plugins.builtin]: no plugin 'builtin' is installed."),
    ],
)
def test_settings_about_something_that_is_not_there(
    tmp_path: Path, install: Any, toml: str, line: int, words: str
) -> None:
    install("acme-guard", "acme", PLUGIN)
    path = tmp_path / "lockllm.toml"
    path.write_text(toml)
    with pytest.raises(SettingsError) as caught:
        registry.load(Settings.from_toml(path), plugins=[bringing("lockllm_scanners", Shout())])
    assert words in caught.value.message
    assert caught.value.line == line
