"""docs/providers.md says what the table says, and its examples are code."""

from __future__ import annotations

import ast
import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from lockllm_twisted.builtin.providers import ELSEWHERE, OWN_ADDRESS, TABLE, from_settings
from lockllm_twisted.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "providers.md").read_text("utf-8")
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}
ABOUT = tomllib.loads((DOCS / "providers.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_providers", DOCS / "generate_providers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(generator: ModuleType) -> None:
    assert generator.page() == PAGE, "run: python docs/generate_providers.py"


def test_every_provider_has_a_section() -> None:
    assert set(ABOUT) == {row.slug for row in (*TABLE, *OWN_ADDRESS)} | set(ELSEWHERE)
    assert {slug: about["distribution"] for slug, about in ABOUT.items() if "distribution" in about} == ELSEWHERE
    assert list(SECTIONS) == [about["name"] for about in ABOUT.values()]


@pytest.mark.parametrize("slug", sorted(ABOUT))
def test_its_examples_are_code_that_names_the_slug(slug: str) -> None:
    section = SECTIONS[ABOUT[slug]["name"]]
    (python,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (js,) = re.findall(r"```js\n(.*?)```", section, re.DOTALL)
    ast.parse(python)
    for snippet in (python, js):
        assert f"/v1/proxy/{slug}" in snippet
        assert "{url}" not in snippet
        assert "{variable}" not in snippet
    for opening, closing in ("()", "{}", "[]"):
        assert js.count(opening) == js.count(closing)


@pytest.mark.parametrize("slug", [slug for slug, about in ABOUT.items() if "settings" in about])
def test_its_settings_load(slug: str, tmp_path: Path) -> None:
    file = tmp_path / "lockllm.toml"
    file.write_text(ABOUT[slug]["settings"], "utf-8")
    settings = Settings.from_toml(file)
    providers = {row.slug: row for row in from_settings(settings.providers)}
    assert providers[slug].origin == settings.providers[slug].base_url.removesuffix("/v1")  # type: ignore[union-attr]


def test_the_index_leads_to_the_page() -> None:
    assert "\nproviders\n" in (DOCS / "index.md").read_text("utf-8")
