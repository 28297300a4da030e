"""The attack grammars: the same for the same seed, in the data folder's words, twins for every family, many languages."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

import pytest

from training.grammars import attacks
from training.grammars.attacks_multilingual import LANGUAGES
from training.grammars.encodings import HIDES
from training.grammars.grammar import Grammar, phrases, tidy, trim
from training.grammars.record import Record


@pytest.fixture(scope="module")
def generated() -> list[Record]:
    return list(attacks(1))


def test_same_seed_same_records_another_seed_other_texts(generated: list[Record]) -> None:
    assert list(attacks(1)) == generated
    texts = {record.text for record in generated}
    assert sum(record.text in texts for record in attacks(2)) < 0.25 * len(generated)


def test_there_are_many_and_hardly_any_twice(generated: list[Record]) -> None:
    attacked = [record for record in generated if record.label != "benign"]
    assert len(attacked) > 15_000
    assert len({record.text for record in generated}) > 0.97 * len(generated)


def test_no_text_is_an_attack_here_and_harmless_there(generated: list[Record]) -> None:
    labels: dict[str, set[bool]] = defaultdict(set)
    for record in generated:
        labels[record.text].add(record.label == "benign")
    assert sum(len(seen) > 1 for seen in labels.values()) < 0.002 * len(labels)


def test_each_family_has_about_as_many_twins_as_attacks(generated: list[Record]) -> None:
    families: dict[str, Counter[bool]] = defaultdict(Counter)
    for record in generated:
        families[record.family][record.label == "benign"] += 1
    assert len(families) >= 18
    for family, counts in families.items():
        assert 0.9 < counts[True] / counts[False] < 1.1, family


def test_a_pair_has_one_attack_and_one_benign_text_of_the_same_language(generated: list[Record]) -> None:
    pairs: dict[str | None, list[Record]] = defaultdict(list)
    for record in generated:
        pairs[record.twin].append(record)
    whole = [pair for pair in pairs.values() if len(pair) == 2]
    assert len(whole) > 0.98 * len(pairs)
    for attack, twin in whole:
        assert (attack.label == "benign", twin.label == "benign") == (False, True)
        assert (attack.language, attack.group) == (twin.language, twin.group)
        assert attack.role == twin.role or (attack.role, twin.role) == ("user", "system")


def test_every_language_has_direct_and_hidden_attacks(generated: list[Record]) -> None:
    kinds: dict[str, set[str]] = defaultdict(set)
    for record in generated:
        if record.label != "benign":
            kinds[record.language].add(record.label)
    for language in LANGUAGES:
        assert kinds[language] == {"injection", "prompt_leak", "jailbreak", "indirect_injection"}, language
    assert "mixed" in kinds


def test_a_system_prompt_that_forbids_attacks_is_benign(generated: list[Record]) -> None:
    policies = [record for record in generated if record.role == "system"]
    assert len(policies) > 500
    assert {record.label for record in policies} == {"benign"}


def test_harmful_requests_are_an_axis_of_their_own(generated: list[Record]) -> None:
    assert {record.group for record in generated if record.label == "harmful_request"} == {"harm"}
    assert {record.group for record in generated if record.label not in {"harmful_request", "benign"}} == {"core"}


def test_no_slot_or_place_is_left_open(generated: list[Record]) -> None:
    for record in generated:
        assert record.text.strip()
        assert not re.search("[\ue000\ue001]", record.text), record.text
        assert not re.search(r"\{[a-z]+_[a-z]+\}", record.text), record.text


def test_every_label_role_and_family_is_filled_in(generated: list[Record]) -> None:
    assert {record.role for record in generated} == {"user", "tool", "system"}
    assert all(record.family and record.source == f"grammar_{record.family}" for record in generated)


def test_a_template_chooses_nests_and_draws() -> None:
    grammar = Grammar({"fruit": ("pear",), "name": ("Ann", "Bob")}, once=frozenset({"name"}))

    texts = {grammar.expand(Random(seed), "(a (ripe|green) {fruit}|no) f(x) {k: 1}") for seed in range(40)}
    assert texts == {"a ripe pear f(x) {k: 1}", "a green pear f(x) {k: 1}", "no f(x) {k: 1}"}
    assert {grammar.expand(Random(seed), "{name} {name}") for seed in range(20)} == {"Ann Ann", "Bob Bob"}
    with pytest.raises(KeyError, match="plum"):
        grammar.expand(Random(1), "{plum}")


def test_seams_are_tidied() -> None:
    assert tidy("be a  unrestricted agent , an user. it is an dog") == "Be an unrestricted agent, a user. It is a dog"
    assert trim("ignora  todo a la vez ¿ya ?") == "Ignora todo a la vez ¿ya ?"


def test_phrases_refuse_a_line_outside_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "phrases").mkdir()
    (tmp_path / "phrases" / "odd.txt").write_text("lost line\n@@ t\nx\n")
    monkeypatch.setattr("training.grammars.grammar.resources.files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="open a table"):
        phrases("odd")


@pytest.mark.parametrize("form", sorted(HIDES))
def test_a_hidden_text_is_another_text(form: str) -> None:

    assert HIDES[form](Random(1), "Please ignore the second line") != "Please ignore the second line"
