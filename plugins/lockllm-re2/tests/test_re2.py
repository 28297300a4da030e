"""The distribution as an operator meets it: through its entry point, its settings and its file."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lockllm_twisted import registry, testing
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import Settings
from lockllm_twisted.values import Finding, Origin, Passage

from lockllm_re2 import Re2Scanner, Rule, RuleFile, read

RULES = r"""
[[rule]]
name = "project"
pattern = '(?i)\bproject\s+(nightingale|osprey)\b'

[[rule]]
name = "key"
pattern = '\bAKIA[0-9A-Z]{16}\b'
category = "secret"
score = 0.5
origins = ["tool_result"]
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    return path


def with_rules(path: Path) -> Settings:
    return Settings(plugins={"re2": {"rules": str(path)}})


def findings(settings: Settings, text: str, origin: Origin = Origin.USER) -> list[Finding]:
    return [found for found in testing.scan_text(settings, text, origin=origin) if found.scanner == "re2"]


def test_it_is_found_through_its_entry_point_and_its_rules_hit(rules: Path) -> None:
    loaded = registry.load(with_rules(rules))
    info = next(plugin for plugin in loaded.plugins if plugin.name == "re2")
    assert (info.distribution, info.hooks, info.provides) == ("lockllm-re2", ("lockllm_scanners",), ("scanner re2",))
    (found,) = findings(with_rules(rules), "tell me about Project  Osprey, now")
    assert found == Finding("re2", "custom_rule", 1.0, "project", 14, 29)


def test_without_its_table_there_is_no_scanner() -> None:
    loaded = registry.load(Settings())
    assert "re2" in [plugin.name for plugin in loaded.plugins]
    assert "re2" not in [scanner.name for scanner in loaded.scanners]


def test_a_rule_looks_only_at_its_origins(rules: Path) -> None:
    text = "AKIAABCDEFGHIJKLMNOP"
    assert findings(with_rules(rules), text) == []
    (found,) = findings(with_rules(rules), text, Origin.TOOL_RESULT)
    assert (found.category, found.score) == ("secret", 0.5)


def test_the_scanner_keeps_the_protocol(rules: Path) -> None:
    testing.check_scanner(Re2Scanner(read(rules)), texts=["project osprey", "AKIAABCDEFGHIJKLMNOP"])


def test_the_version_follows_the_file(rules: Path) -> None:
    before = Re2Scanner(read(rules)).version
    assert Re2Scanner(read(rules)).version == before
    rules.write_text(RULES.replace("osprey", "heron"))
    assert Re2Scanner(read(rules)).version != before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must hold [[rule]] tables"),
        ("rule = 3", "must hold [[rule]] tables"),
        ("[[rule]\n", "is no TOML"),
        ("[[rule]]\npattern = 'a'", "rule 1: it needs a name"),
        ("[[rule]]\nname = 'n'", "rule 1 ('n'): it needs a pattern"),
        ("[[rule]]\nname = 'n'\npattern = '(a'", "rule 1 ('n'): RE2 does not take the pattern: missing )"),
        ("[[rule]]\nname = 'n'\npattern = '(?=a)'", "RE2 does not take the pattern: invalid perl operator"),
        ("[[rule]]\nname = 'n'\npattern = 'a*'", "can match nothing at all"),
        ("[[rule]]\nname = 'n'\npattern = '\\b'", "can match nothing at all"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\nscroe = 1", "there is no 'scroe'"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\nscore = 2", "score must be a number from 0 to 1"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\nscore = true", "score must be a number from 0 to 1"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\ncategory = ''", "category must be a text"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\norigins = ['usr']", "origins must be a list of user, system"),
        ("[[rule]]\nname = 'n'\npattern = 'a'\n[[rule]]\nname = 'n'\npattern = 'b'", "two rules named 'n'"),
    ],
)
def test_a_bad_file_stops_the_start_and_says_which_rule(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        registry.load(with_rules(path))
    assert words in caught.value.message
    assert str(path) in caught.value.message


def test_a_missing_file_and_an_unknown_setting_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        registry.load(with_rules(tmp_path / "none.toml"))
    with pytest.raises(SettingsError, match="exactly one setting"):
        registry.load(Settings(plugins={"re2": {"rule": "x"}}))


def test_a_pattern_that_explodes_elsewhere_is_linear_here() -> None:
    # A backtracking matcher tries every way to share the letters between the two of them: 2 to the power of 100,000.
    scanner = Re2Scanner(RuleFile((Rule("evil", "(x+x+)+y"),), "v"))
    assert scanner.scan(Passage(Origin.USER, "", "y" + "x" * 100_000)) == []


def test_one_rule_tells_a_bounded_number_of_hits() -> None:
    scanner = Re2Scanner(RuleFile((Rule("o", "o"),), "v"))
    assert len(scanner.scan(Passage(Origin.USER, "", "o" * 100_000))) == 16


@given(st.text(st.characters(), max_size=40), st.sampled_from(["e", "é", "\N{GRINNING FACE}", "?"]))
def test_spans_are_characters_of_the_text_as_it_came(text: str, needle: str) -> None:
    scanner = Re2Scanner(RuleFile((Rule("n", "\\Q" + needle + "\\E"), Rule("byte", "\\C")), "v"))
    found = scanner.scan(Passage(Origin.USER, "", text))
    for hit in found:
        assert 0 <= hit.start <= hit.end <= len(text)
    spans = [text[hit.start : hit.end] for hit in found if hit.rule == "n"]
    whole = text.encode("utf-8", "replace").decode()
    assert len(spans) == min(16, whole.count(needle))
    if needle != "?":
        assert set(spans) <= {needle}


def test_the_readme_shows_rules_that_load(tmp_path: Path) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    blocks = [block.partition("```")[0] for block in readme.split("```toml\n")[1:]]
    assert "re2" in tomllib.loads(blocks[0])["plugins"]
    path = tmp_path / "rules.toml"
    path.write_text(blocks[1])
    assert [rule.name for rule in read(path).rules] == ["internal-project-names", "aws-access-key"]
