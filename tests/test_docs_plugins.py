"""docs/plugins.md: its code runs, its distributions load, and no hook or attribute is missing from it."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from lockllm_twisted import hooks, registry, testing
from lockllm_twisted.settings import Settings

PAGE = (Path(__file__).parent.parent / "docs" / "plugins.md").read_text()
BLOCK = re.compile(r"^```\{code-block\} (\w+)\n:caption: (\S+)\n\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILES = [(path, text) for _, path, text in BLOCK.findall(PAGE)]
CONFIGS = [text for path, text in FILES if path == "lockllm.toml"]
MODULES = sorted(re.sub(r"(/__init__)?\.py$", "", path.partition("/src/")[2]) for path, _ in FILES if "/src/" in path)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The files of the page; those with a pyproject are installed, as ``pip install -e`` leaves them behind."""
    for name, text in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if path.name == "pyproject.toml":
            project = tomllib.loads(text)["project"]
            info = path.parent / "src" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
            info.mkdir(parents=True)
            entries = "".join(f"{k} = {v}\n" for k, v in project["entry-points"][hooks.GROUP].items())
            (info / "entry_points.txt").write_text(f"[{hooks.GROUP}]\n{entries}")
            metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
            (info / "METADATA").write_text(metadata)
    for source in sorted(tmp_path.glob("*/src")):
        monkeypatch.syspath_prepend(str(source))
    yield tmp_path
    for module in MODULES:
        sys.modules.pop(module, None)


def test_the_page_has_what_these_tests_rely_on() -> None:
    assert MODULES == ["lockllm_acme", "lockllm_careful", "lockllm_judge", "lockllm_parrot", "lockllm_shout"]
    assert len(CONFIGS) == 3
    # Every block of Python on the page is one of the files, so none is left out here.
    assert len(re.findall(r"```(?:\{code-block\} )?python", PAGE)) == sum(path.endswith(".py") for path, _ in FILES)


@pytest.mark.usefixtures("shop")
def test_the_distributions_load_through_their_entry_points() -> None:
    found = {info.name: info for info in registry.load(Settings()).plugins}
    assert (found["shout"].distribution, found["shout"].version) == ("lockllm-shout", "1.0.0")
    assert found["shout"].provides == ("scanner shout",)
    assert found["acme"].provides == ("provider acme",)


@pytest.mark.parametrize("config", CONFIGS)
def test_the_configs_load_with_the_distributions_installed(shop: Path, config: str) -> None:
    path = shop / "lockllm.toml"
    path.write_text(config)
    loaded = registry.load(Settings.from_toml(path))
    assert ("shout" in [scanner.name for scanner in loaded.scanners]) == ("disabled_plugins" not in config)
    assert ("vllm" in loaded.providers) == ("vllm" in config)


def test_a_wrong_setting_of_the_example_is_told_with_its_line(shop: Path) -> None:
    path = shop / "lockllm.toml"
    path.write_text("# first\n[plugins.shout]\nwords = 0\n")
    with pytest.raises(Exception, match=r"lockllm.toml:3: \[plugins.shout\] words: it must be a whole number"):
        registry.load(Settings.from_toml(path))


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_brings_keeps_its_protocol(name: str) -> None:
    off = Settings(disabled_plugins=("acme", "shout"))
    before = registry.load(off)
    loaded = registry.load(off, plugins=[importlib.import_module(name)])
    for slug in set(loaded.providers) - set(before.providers):
        testing.check_provider(loaded.providers[slug])
    for scanner in loaded.scanners[len(before.scanners) :]:
        testing.check_scanner(scanner)
    for policy in loaded.policies[len(before.policies) :]:
        testing.check_policy(policy)
    if name != "lockllm_judge":  # it asks for a setting first
        assert loaded.plugins[-1].provides


TESTS = [path for path, _ in FILES if "/tests/" in path]


@pytest.mark.parametrize("path", TESTS)
def test_the_tests_of_the_page_pass(shop: Path, path: str) -> None:
    module = ModuleType(Path(path).stem)
    exec(compile((shop / path).read_text(), path, "exec"), module.__dict__)
    tests = [test for name, test in vars(module).items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_an_installation_of_acme_with_a_path_is_asked_behind_it(shop: Path) -> None:
    path = shop / "lockllm.toml"
    path.write_text('[providers.acme]\nbase_url = "https://acme.intern.example:8443/api"\n')
    acme = registry.load(Settings.from_toml(path)).providers["acme"]
    assert acme.origin == "https://acme.intern.example:8443"
    assert acme.target(b"/dialogue?") == b"/api/v2/dialogue?"


def documented() -> Iterator[str]:
    yield from (f"`{name}(settings)`" for name in vars(hooks.Hookspecs) if name.startswith("lockllm_"))
    for protocol in (hooks.Provider, hooks.Scanner, hooks.Policy, hooks.LocalProvider, hooks.AuthorizingProvider):
        for name, member in vars(protocol).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                parameters = list(inspect.signature(member).parameters)[1:]
                yield f"`{protocol.__name__}.{name}({', '.join(parameters)})`"
            elif isinstance(member, property):
                yield f"`{protocol.__name__}.{name}`"
    values: tuple[type[Any], ...] = (
        hooks.CredentialPlace,
        hooks.UpstreamRequest,
        hooks.LocalRequest,
        hooks.LocalAnswer,
        hooks.Question,
    )
    for value in values:
        yield from (f"`{value.__name__}.{field.name}`" for field in attrs.fields(value))
    for name, function in vars(testing).items():
        if inspect.isfunction(function) and function.__module__ == testing.__name__ and not name.startswith("_"):
            yield f"| `{name}("


def test_every_hook_attribute_and_check_is_documented() -> None:
    names = list(documented())
    assert "`lockllm_scanners(settings)`" in names
    assert "`LocalProvider.answer(request)`" in names
    assert "| `check_policy(" in names
    assert [name for name in names if name not in PAGE] == []


def test_the_page_documents_nothing_that_is_not_there() -> None:
    told = set(
        re.findall(
            r"`((?:Scanner|Provider|LocalProvider|AuthorizingProvider|UpstreamRequest|Policy|Question|CredentialPlace)\.\w+)",
            PAGE,
        )
    )
    assert told <= {name.strip("`").partition("(")[0] for name in documented()}
    assert set(re.findall(r"`(lockllm_\w+)\(settings\)`", PAGE)) == {
        name for name in vars(hooks.Hookspecs) if name.startswith("lockllm_")
    }
