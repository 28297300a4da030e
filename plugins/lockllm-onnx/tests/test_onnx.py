"""The distribution as an operator meets it: through its entry point, its settings and a model on the disk."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_model as tiny
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from lockllm_twisted import registry, testing
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.settings import Settings
from lockllm_twisted.values import Finding, Origin, Passage
from onnx import TensorProto

from lockllm_onnx.config import read
from lockllm_onnx.model import Classifier
from lockllm_onnx.scanner import MAX_FINDINGS, OnnxScanner


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tiny.model(tmp_path / "model")


def table(path: Path, **more: Any) -> Settings:
    return Settings(plugins={"onnx": {"model": str(path), **more}})


def scanner(path: Path, **more: Any) -> OnnxScanner:
    config = read(table(path, **more))
    return OnnxScanner(Classifier(config), config)


def likely(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.score >= 0.5]


def user(text: str) -> Passage:
    return Passage(Origin.USER, "", text)


# What it finds.


def test_it_is_found_through_its_entry_point_and_finds(model: Path) -> None:
    loaded = registry.load(table(model))
    info = next(plugin for plugin in loaded.plugins if plugin.name == "onnx")
    assert (info.distribution, info.hooks, info.provides) == ("lockllm-onnx", ("lockllm_scanners",), ("scanner onnx",))
    found = [one for one in testing.scan_text(table(model), "a word, evil, a word") if one.scanner == "onnx"]
    assert [(one.category, one.rule, one.start, one.end) for one in found] == [
        ("prompt_injection", "INJECTION", 0, 20),
        ("unsafe_instructions", "UNSAFE", 0, 20),
    ]
    assert found[0].score > 0.99
    assert found[1].score < 0.01


def test_without_its_table_there_is_no_scanner() -> None:
    loaded = registry.load(Settings())
    assert "onnx" in [plugin.name for plugin in loaded.plugins]
    assert "onnx" not in [scanner.name for scanner in loaded.scanners]


def test_the_scanner_keeps_the_protocol(model: Path) -> None:
    made = scanner(model)
    assert (made.inline_chars, made.kind) == (0, "core")
    testing.check_scanner(made, texts=["word evil word", "bomb " * 1_000])


def test_nothing_is_cut_off_a_long_text(model: Path) -> None:
    made = scanner(model)
    text = "word " * 20_000
    assert likely(made.scan(user(text))) == []
    for place in (0, 5, 300, 16_380, 16_385, 50_000, len(text)):
        (found,) = likely(made.scan(user(f"{text[:place]} evil {text[place:]}")))[:1]
        assert found.start <= place + 1
        assert place + 5 <= found.end
        assert found.end - found.start < 64 * 5 + 6


@trying(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["word", "evil", "ärger", "\ud83d", "😀"]), max_size=300), st.integers(16, 64))
def test_every_token_is_in_a_window(model: Path, words: list[str], window: int) -> None:
    text = " ".join(words)
    windows = Classifier(read(table(model, window=window))).windows(text)
    for one in windows:
        assert 0 <= one.start <= one.end <= len(text)
        assert (one.probabilities[1] > 0.5) is ("evil" in text[one.start : one.end].split())
    at = 0
    for word in words:
        assert any(one.start <= at and at + len(word) <= one.end for one in windows)
        at += len(word) + 1


def test_a_text_of_many_hits_tells_some(model: Path) -> None:
    found = likely(scanner(model).scan(user("evil " * 5_000)))
    assert len(found) == MAX_FINDINGS


@pytest.mark.parametrize(
    "how",
    [
        {"inputs": ("input_ids", "attention_mask")},
        {"inputs": ("input_ids",)},
        {"shape": (1, 16)},
        {"shape": (4, "length")},
        {"shape": ("batch", 16)},
        {"kind": TensorProto.INT32},
    ],
)
def test_networks_of_other_shapes_say_the_same(tmp_path: Path, how: dict[str, Any]) -> None:
    plain = scanner(tiny.model(tmp_path / "plain"), window=16)
    other = scanner(tiny.model(tmp_path / "other", **how), window=16)
    text = "word " * 100 + "evil " + "word " * 100 + "bomb"
    assert other.scan(user(text)) == plain.scan(user(text))


def test_a_batch_changes_nothing(model: Path) -> None:
    text = "word evil " * 200 + "bomb word " * 50
    assert scanner(model, batch=1).scan(user(text)) == scanner(model, batch=32).scan(user(text))


def test_one_output_is_a_probability_of_its_own(tmp_path: Path) -> None:
    path = tiny.model(tmp_path / "model", labels=1)
    tiny.config(path, "injection")
    made = scanner(path)
    assert likely(made.scan(user("word"))) == []
    assert made.scan(user("evil"))[0].score > 0.99


def test_origins_that_are_left_out_are_not_judged(model: Path) -> None:
    made = scanner(model, origins=["tool_result"])
    assert made.scan(user("evil")) == []
    assert made.scan(Passage(Origin.TOOL_RESULT, "", "evil"))


def test_a_model_that_gives_no_number_has_failed(tmp_path: Path) -> None:
    made = scanner(tiny.model(tmp_path / "model", evil=float("inf")))
    assert made.scan(user("word"))
    with pytest.raises(ValueError, match="no number"):
        made.scan(user("evil"))


def test_nothing_is_asked_of_the_network(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert likely(scanner(model).scan(user("evil")))


# The version.


def test_the_version_follows_the_files_and_what_decides(model: Path) -> None:
    before = scanner(model).version
    assert scanner(model).version == before
    assert scanner(model, threads=2).version == before
    versions = {before, scanner(model, window=32).version, scanner(model, categories={"UNSAFE": "harmless"}).version}
    (model / "model.onnx_data").write_bytes(b"weights beside the graph")
    versions.add(scanner(model).version)
    tiny.network(model, evil=13.0)
    versions.add(scanner(model).version)
    assert len(versions) == 5


# What is wrong.


def refused(path: Path, **more: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        registry.load(table(path, **more))
    return caught.value.message


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: (path / "model.onnx").unlink(), "model.onnx is not there. Nothing is downloaded"),
        (lambda path: (path / "tokenizer.json").unlink(), "tokenizer.json is not there. Nothing is downloaded"),
        (lambda path: (path / "model.onnx").write_bytes(b"x"), "model.onnx is no ONNX model that can be run here"),
        (lambda path: (path / "tokenizer.json").write_text("{}"), "tokenizer.json is no tokenizer"),
        (lambda path: (path / "config.json").write_text("{"), "config.json is no JSON"),
        (lambda path: (path / "config.json").write_text("[]"), "config.json is no JSON object"),
        (lambda path: (path / "config.json").write_text("{}"), "no config.json with an id2label"),
        (lambda path: (path / "config.json").unlink(), "no config.json with an id2label"),
        (lambda path: tiny.config(path, "LABEL_0", "LABEL_1", "x"), "nothing tells what the label 'LABEL_0' means"),
        (lambda path: tiny.config(path, "SAFE", "BENIGN", "LEGIT"), "all labels of this model are harmless"),
        (lambda path: tiny.config(path, "SAFE", "SAFE", "UNSAFE"), "a name of its own"),
        (lambda path: tiny.config(path, "SAFE", "INJECTION"), "of shape [1, 3], but a text classifier with 2 labels"),
        (lambda path: tiny.network(path, pooled=False), "of shape [1, 3, 3], but"),
        (lambda path: tiny.network(path, inputs=("input_ids", "pixels")), "wants an input pixels of tensor(int64)"),
        (lambda path: tiny.network(path, kind=TensorProto.UINT8), "wants an input input_ids of tensor(uint8)"),
        (lambda path: tiny.network(path, shape=("batch", 2)), "a window of 2 tokens has no room"),
    ],
)
def test_files_that_are_none_stop_the_start_and_say_which(
    model: Path, spoil: Callable[[Path], object], words: str
) -> None:
    spoil(model)
    message = refused(model)
    assert message.startswith("[plugins.onnx]")
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"modle": "x"}, "modle: there is no such setting. Did you mean model?"),
        ({"labels": []}, "labels: write the outputs"),
        ({"labels": "SAFE"}, "labels: write the outputs"),
        ({"categories": {"NO": "jailbreak"}}, "the model has no label 'NO'"),
        ({"categories": "jailbreak"}, "categories: write a table"),
        ({"window": 4}, "window: write a whole number from 16"),
        ({"batch": True}, "batch: write a whole number"),
        ({"threads": 0}, "threads: write a whole number"),
        ({"origins": ["usr"]}, "origins: write a list of user, system"),
    ],
)
def test_settings_that_can_not_stand_are_told(model: Path, more: dict[str, Any], words: str) -> None:
    assert words in refused(model, **more)


def test_a_mistake_in_a_file_is_told_with_its_line_and_paths_start_there(model: Path) -> None:
    file = model.parent / "lockllm.toml"
    file.write_text('[plugins.onnx]\nmodel = "model"\nwindow = 20\n')
    assert "onnx" in [one.name for one in registry.load(Settings.from_toml(file)).scanners]
    file.write_text('[plugins.onnx]\nmodel = "elsewhere"\nlabels = ["safe", "injection"]\n')
    with pytest.raises(SettingsError, match=r"lockllm.toml:2: \[plugins.onnx\] model: .*is not there"):
        registry.load(Settings.from_toml(file))
    file.write_text('[plugins.onnx]\nmodel = "model"\n\nwindow = 1\n')
    with pytest.raises(SettingsError, match=r"lockllm.toml:4: \[plugins.onnx\] window"):
        registry.load(Settings.from_toml(file))


def test_the_readme_shows_settings_that_load(model: Path) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text()
    shown = tomllib.loads(readme.split("```toml\n")[1].partition("```")[0])
    tiny.network(model, labels=2)
    tiny.config(model, "LABEL_0", "LABEL_1")
    shown["plugins"]["onnx"]["model"] = str(model)
    config = read(Settings(plugins=shown["plugins"]))
    assert config.categories == {"LABEL_1": "jailbreak"}
    assert OnnxScanner(Classifier(config), config).scan(user("evil"))[0].category == "jailbreak"
