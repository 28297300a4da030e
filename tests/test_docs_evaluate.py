"""docs/evaluate.md and the section on false positives of docs/operations.md: what they show is what happens."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lockllm_twisted import cli
from lockllm_twisted.evaluation.records import read
from lockllm_twisted.settings import Settings

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "evaluate.md").read_text()
COMMANDS = re.findall(r"^\$ (.*)$", PAGE, re.MULTILINE)
RECORDS = PAGE.partition(":caption: records.jsonl\n\n")[2].partition("```")[0]
FEEDBACK = (DOCS / "operations.md").read_text().partition("## False positives")[2].partition("\n## ")[0]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the file of the page."""
    (tmp_path / "records.jsonl").write_text(RECORDS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKLLM_STATE", str(tmp_path / "state"))
    return tmp_path


def test_the_page_has_what_these_tests_rely_on() -> None:
    assert len(COMMANDS) == 5
    assert len(list(read(RECORDS.encode().splitlines(), "page"))) == 9


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("command", [command for command in COMMANDS if "--endpoint" not in command])
def test_the_commands_measure(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    name, *arguments = shlex.split(command)
    assert name == "lockllm"
    assert cli.main(arguments) == 0
    told = capfd.readouterr().out
    if "--json" in arguments:
        assert json.loads(told)["attacks"]["recall_pooled"]["records"] == 4
    else:
        assert "4 benign, 4 attacks, 1 harmful requests" in told
        assert "mean over sources" in told


@pytest.mark.parametrize("command", [command for command in COMMANDS if "--endpoint" in command])
def test_the_commands_for_a_server_are_understood(command: str) -> None:
    arguments = shlex.split(command)
    options = cli._parser().parse_args(arguments[arguments.index("lockllm") + 1 :])
    assert options.endpoint.startswith("http")
    assert options.workers in (4, 8)


def test_the_proposal_is_written_as_the_page_shows_it(capfd: pytest.CaptureFixture[str], desk: Path) -> None:
    benign = '{"text": "What is the capital of France?", "label": "benign"}\n'
    (desk / "records.jsonl").write_text(RECORDS + benign * 200)
    shown = tomllib.loads(PAGE.partition("```toml\n")[2].partition("```")[0])
    assert list(shown["proxy"]) == ["threshold"]
    cli.main(["evaluate", "records.jsonl", "--threshold-for-fpr", "0.5%"])
    proposed = capfd.readouterr().out.partition("\n# for 0.5 %")[2].partition("\n\n")[0]
    (desk / "lockllm.toml").write_text(f"# {proposed}\n")
    assert Settings.from_toml(desk / "lockllm.toml").proxy.threshold is not None


def test_the_feedback_commands_are_understood() -> None:
    commands = re.findall(r"^lockllm (feedback .*)$", FEEDBACK, re.MULTILINE)
    wishes: list[Any] = [cli._parser().parse_args(shlex.split(command)) for command in commands]
    assert [(wish.benign, wish.list, wish.remove) for wish in wishes] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
