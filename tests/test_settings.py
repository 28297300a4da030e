"""The settings: what a file may say, and what is said of a file that may not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lockllm_twisted.errors import SettingsError
from lockllm_twisted.keys import make_key
from lockllm_twisted.settings import ProviderSettings, ProxySettings, ScannerSettings, Settings, nearest
from lockllm_twisted.settings.lines import key_lines
from lockllm_twisted.values import Action, Origin, Sensitivity

DOC = Path(__file__).parent.parent / "docs" / "settings.md"
CANARY = "sk-canary-7f3a9c-0123456789abcdefghijklmnop"

FULL = """
state = "var"
disabled_plugins = ["noisy"]

[proxy]
action = "flag"
sensitivity = "high"
threshold = 0.73
require_key = false
unreadable = "flag"
attachments = "block"
on_scanner_error = "allow"
max_body = 1_000
head_timeout = 1
body_timeout = 2.5
upstream_timeout = 3
idle_timeout = 4
drain_timeout = 5
observe = true
record = "text"
log_format = "json"
keep_events_days = 7

[proxy.actions]
system = "allow"
tool_result = "block"

[providers.openai]
base_url = "https://eu.api.openai.com/v1/"
api_key_env = "OPENAI_API_KEY"

[providers.my-vllm]
base_url = "http://10.0.0.5:8000"
insecure = true
dialect = "openai"
api_key_file = "keys/vllm"

[scanners.rules]
enabled = false
timeout = 0.5
on_error = "flag"

[plugins.acme]
anything = { goes = [1, "here"] }
"""


def read(tmp_path: Path, text: str | bytes) -> Settings:
    file = tmp_path / "lockllm.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return Settings.from_toml(file)


def refused(tmp_path: Path, text: str | bytes) -> tuple[str, int | None]:
    """The complaint, without the file's name."""
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text)
    name = str(tmp_path / "lockllm.toml")
    assert caught.value.message.startswith(name)
    assert caught.value.line is None or caught.value.message.startswith(f"{name}:{caught.value.line}: ")
    return caught.value.message.removeprefix(name), caught.value.line


def test_an_empty_file_is_no_file_at_all(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Settings()


def test_every_setting_arrives(tmp_path: Path) -> None:
    settings = read(tmp_path, FULL)
    assert settings == Settings(
        state=tmp_path / "var",
        disabled_plugins=("noisy",),
        proxy=ProxySettings(
            action=Action.FLAG,
            sensitivity=Sensitivity.HIGH,
            threshold=0.73,
            actions={Origin.SYSTEM: Action.ALLOW, Origin.TOOL_RESULT: Action.BLOCK},
            require_key=False,
            unreadable=Action.FLAG,
            attachments=Action.BLOCK,
            on_scanner_error=Action.ALLOW,
            max_body=1000,
            head_timeout=1.0,
            body_timeout=2.5,
            upstream_timeout=3.0,
            idle_timeout=4.0,
            drain_timeout=5.0,
            observe=True,
            record="text",
            log_format="json",
            keep_events_days=7,
        ),
        providers={
            "openai": ProviderSettings(base_url="https://eu.api.openai.com/v1", api_key_env="OPENAI_API_KEY"),
            "my-vllm": ProviderSettings(
                base_url="http://10.0.0.5:8000",
                insecure=True,
                dialect="openai",
                api_key_file=str(tmp_path / "keys" / "vllm"),
            ),
        },
        scanners={"rules": ScannerSettings(enabled=False, timeout=0.5, on_error=Action.FLAG)},
        plugins={"acme": {"anything": {"goes": [1, "here"]}}},
    )
    untouched = attrs.asdict(ProxySettings())
    assert all(value != untouched[name] for name, value in attrs.asdict(settings.proxy).items())


def test_a_timeout_is_a_number_even_if_written_whole(tmp_path: Path) -> None:
    assert type(read(tmp_path, "[proxy]\nhead_timeout = 3").proxy.head_timeout) is float


def test_a_file_may_come_from_windows(tmp_path: Path) -> None:
    settings = read(tmp_path, b'\xef\xbb\xbf[proxy]\r\n\r\naction = "flag"\r\n')
    assert settings.proxy.action is Action.FLAG
    assert refused(tmp_path, b"\xef\xbb\xbf[proxy]\r\n\r\nactio = 1\r\n")[1] == 3


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[prox]", 1, "Did you mean proxy?"),
        ("\n\n[provider.openai]", 3, "Did you mean providers?"),
        ('[proxy]\n\nactoin = "x"', 3, "[proxy] actoin: there is no such name here. Did you mean action?"),
        ("[proxy]\nMAX_BODY = 1", 2, "Did you mean max_body?"),
        ("[proxy]\nzzzzzz = 1", 2, "Known here: action, sensitivity,"),
        (
            '[proxy]\naction = "blok"',
            2,
            '[proxy] action: write "allow" or "flag" or "block", not "blok". Did you mean "block"?',
        ),
        ('[proxy]\naction = "BLOCK"', 2, 'Did you mean "block"?'),
        ("[proxy]\naction = true", 2, "not true."),
        ('[proxy]\nsensitivity = "hihg"', 2, 'Did you mean "high"?'),
        ('[proxy]\nthreshold = "0.5"', 2, 'write a number, such as 0.5, not "0.5".'),
        ("[proxy]\nthreshold = 0", 2, "above 0 and at most 1"),
        ("[proxy]\nthreshold = 60", 2, "above 0 and at most 1"),
        ("[proxy]\nthreshold = nan", 2, "above 0 and at most 1"),
        ('[proxy]\nunreadable = "allow"', 2, '"block" or "flag"'),
        ('[proxy]\nrecord = "all"', 2, 'write "none" or "text"'),
        ('[proxy]\nrequire_key = "no"', 2, 'write true or false, not "no".'),
        ("[proxy]\nrequire_key = 0", 2, "write true or false, not 0."),
        ("[proxy]\nmax_body = true", 2, "whole number, such as 33554432, not true."),
        ("[proxy]\nmax_body = 1e6", 2, "whole number"),
        ('[proxy]\nmax_body = "32MB"', 2, 'not "32MB".'),
        ("[proxy]\nmax_body = 0", 2, "between 1 and"),
        (f"[proxy]\nmax_body = 0x{'f' * 5000}", 2, "between 1 and"),
        ("[proxy]\nhead_timeout = 0", 2, "between 0.001 and 86400 seconds"),
        ("[proxy]\nhead_timeout = -1", 2, "between"),
        ("[proxy]\nidle_timeout = nan", 2, "between"),
        ("[proxy]\nidle_timeout = inf", 2, "between"),
        (f"[proxy]\nidle_timeout = 0x{'f' * 5000}", 2, "between"),
        ('[proxy]\nbody_timeout = "30s"', 2, 'write a number, such as 120, not "30s".'),
        ("[proxy]\nbody_timeout = false", 2, "not false."),
        ("[proxy]\nkeep_events_days = 0", 2, "between 1 and 36500 days"),
        ('[proxy]\nactions = "flag"', 2, "write [proxy.actions]"),
        ('[proxy.actions]\n\nusr = "flag"', 3, "Did you mean user?"),
        ('[proxy]\nactions = { user = "x" }', 2, "[proxy.actions] user: write"),
        ("proxy = 1", 1, "write [proxy]"),
        ('action = "flag"', 1, "It belongs in [proxy]."),
        ("[proxy]\ntimeout = 3", 2, "It belongs in [scanners.<name>]."),
        ("[proxy]\n[scanners.x]\ndisabled_plugins = []", 3, "at the top of the file, before the first [table]"),
        ('[providers]\nbase_url = "https://x"', 2, "belongs in [providers.<name>]"),
        ("[providers]\nopenai = 1", 2, "in a table [providers.<name>]"),
        ("[providers.Open_AI]", 1, "a-z, 0-9"),
        ("[providers.'a/b']", 1, "a-z, 0-9"),
        ('[providers.a]\ndialect = "openia"', 2, 'Did you mean "openai"?'),
        ('[providers.a]\n\ndialect = "openai"', 3, "base_url"),
        ('[providers.a]\napi_key = "a"\napi_key_env = "B"', 3, "api_key_env: the key has a source already, api_key"),
        ('[providers.a]\napi_key = ""', 2, "write a text in quotes"),
        ('[providers.a]\napi_key = "a\\r\\nX-Evil: 1"', 2, "printable ASCII"),
        ('[providers.a]\napi_key_env = "gsk_abc"', 2, "not the key."),
        ("[providers.a]\napi_key_env = 5", 2, "write a text in quotes."),
        ("[providers.a]\nline = 5", 2, "no such name"),
        ("[scanners.a]\ntimeout = 0", 2, "between"),
        ('[scanners.a]\non_error = "x"', 2, "write"),
        ("disabled_plugins = 'x'", 1, "write an array of texts"),
        ("disabled_plugins = ['x', '']", 1, "write an array of texts"),
        ("state = 3", 1, "write a text in quotes, not 3."),
        ("a = 1\nb = ", 2, "this is not TOML"),
        ("a = 1\na = 2\n", 2, "this is not TOML"),
        ("[proxy]\naction = block\n", 2, "this is not TOML"),
        (b"a = 1\nb = '\xff'", 2, "UTF-8"),
        (f"a = {'9' * 5000}", None, "too long a number"),
        (f"a = {'[' * 100_000}", None, "too deeply nested"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_the_way_out(
    tmp_path: Path, text: str | bytes, line: int | None, words: str
) -> None:
    message, told = refused(tmp_path, text)
    assert told == line
    assert words in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["missing.toml", ".", "a\0b"])
def test_a_file_that_can_not_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        Settings.from_toml(tmp_path / name)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com",
        "https://api.example.com:8443/a/b%2Fc/",
        "https://internal_host/v1",
        "https://[2001:db8::1]:1/x",
        "https://10.1.2.3",
        "http://localhost:11434",
        "http://LOCALHOST",
        "http://127.0.0.1:8000/v1",
        "http://127.9.9.9",
        "http://[::1]:8000",
    ],
)
def test_a_base_url_that_stands(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'[providers.a]\nbase_url = "{url}"').providers["a"].base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "HTTPS://api.example.com",
        "//api.example.com",
        "https:///v1",
        "https://",
        "https://user@api.example.com",
        "https://user:pass@api.example.com",
        "https://api.example.com?key=1",
        "https://api.example.com/v1#x",
        "https://api.example.com#",
        "https://api.example.com:0",
        "https://api.example.com:65536",
        "https://api.example.com:",
        "https://api.example.com.",
        "https://api..example.com",
        "https://-api.example.com",
        "https://bücher.example",
        "https://api.example.com\\\\@evil.example",
        "https://api.example.com/a b",
        "https://api.example.com//v1",
        "https://api.example.com/../v1",
        "https://api.example.com/%2e%2E/v1",
        "https://api.example.com/./v1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0177.0.0.1",
        "https://127.1",
        "https://[127.0.0.1]",
        "https://[::1",
        "https://[fe80::1%25eth0]",
        "https://api.example.com\\r\\nX: y",
        "http://api.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://[::]",
        "http://localhost.example.com",
        "http://127.0.0.1.nip.io",
    ],
)
def test_a_base_url_that_does_not_stand(tmp_path: Path, url: str) -> None:
    message, line = refused(tmp_path, f'[providers.a]\nbase_url = "{url}"')
    assert "[providers.a] base_url: " in message
    assert line == 2


def test_a_host_in_the_clear_must_be_asked_for(tmp_path: Path) -> None:
    with_leave = read(tmp_path, '[providers.a]\ninsecure = true\nbase_url = "http://10.0.0.1"')
    assert with_leave.providers["a"].base_url == "http://10.0.0.1"
    with pytest.raises(SettingsError, match="insecure"):
        ProviderSettings(base_url="http://10.0.0.1")


def test_values_made_in_code_have_the_same_limits() -> None:
    for wrong in ({"max_body": 0}, {"head_timeout": float("nan")}, {"unreadable": Action.ALLOW}, {"action": "block"}):
        with pytest.raises(SettingsError):
            ProxySettings(**wrong)
    with pytest.raises(SettingsError):
        Settings(providers={"Not A Slug": ProviderSettings()})


@pytest.mark.parametrize(
    "text",
    [
        f'[providers.a]\napi_key = "{CANARY}"\nx = 1',
        f'[providers.a]\napi_key = "{CANARY} "',
        f'[providers.a]\napi_key = ["{CANARY}"]',
        f'[providers.a]\napi_key_env = "{CANARY}"',
        f'[providers.a]\napi_key_file = ["{CANARY}"]',
        f'[providers.a]\nbase_url = "https://{CANARY}@host"',
        f'[providers.a]\nbase_url = "https://host?key={CANARY}"',
        f'[providers.a]\ndialect = "{CANARY}"',
        f"[providers.a]\n{CANARY} = 1",
        f'[proxy]\naction = "{CANARY}"',
        f'[proxy]\nmax_body = "{CANARY}"',
        f"[proxy.actions]\n{CANARY} = 1",
        f"{CANARY} = 1",
        f'[providers]\nopenai = "{CANARY}"',
        f'[providers.a]\napi_key = "{CANARY}',
        f"[providers.a]\napi_key = {CANARY}",
    ],
)
def test_no_complaint_repeats_a_key(tmp_path: Path, text: str) -> None:
    message, line = refused(tmp_path, text)
    assert "canary" not in message
    assert line is not None


def test_a_lockllm_key_is_no_provider_key(tmp_path: Path) -> None:
    key = make_key()[1]
    message, _ = refused(tmp_path, f'[providers.openai]\napi_key = "{key}"')
    assert "LockLLM key" in message
    assert key[4:] not in message


def test_no_repr_shows_a_key(tmp_path: Path) -> None:
    settings = read(tmp_path, f'[providers.openai]\napi_key = "{CANARY}"')
    assert settings.providers["openai"].api_key == CANARY
    assert "canary" not in repr(settings)


def test_later_complaints_find_their_line_too(tmp_path: Path) -> None:
    settings = read(tmp_path, FULL)
    problem = settings.error("there is no such provider.", "providers", "my-vllm")
    assert problem.line == FULL.split("\n").index("[providers.my-vllm]") + 1
    assert problem.message == f"{tmp_path / 'lockllm.toml'}:{problem.line}: there is no such provider."
    assert Settings().error("no.", "providers", "x").message == "no."


def test_the_nearest_name() -> None:
    assert nearest("opnai", ["anthropic", "OpenAI"]) == "OpenAI"
    assert nearest("something else", ["anthropic", "openai"]) is None


@given(st.text() | st.lists(st.sampled_from("[]{}=\"'\\\n\r\t #.,-01aé"), max_size=60).map("".join))
@example("[[a]]\n[a.b]")
@example('a = """\\\n"""""')
def test_any_text_gives_settings_or_a_complaint(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(text.encode(errors="surrogatepass"))
    try:
        Settings.from_toml(file)
    except SettingsError as problem:
        assert str(file) in problem.message  # noqa: PT017 # both outcomes are right


NAMES = st.sampled_from(["a", "b-1", '"q \\" # ]"', "'l = ]'", "2", "c"])
VALUES = st.sampled_from(
    [
        "1",
        '"x # y"',
        "'[z]'",
        '"""\n[no]\nk = 1 # "\n\\""""',
        "'''\n'a' = 2\n\n'''''",
        "[\n 1, # ]\n [2],\n]",
        "{ k = 1 }",
        "2026-01-01",
    ]
)
FILLERS = st.sampled_from(["", "# [c]\n", "\n\n", "  \n"])


@given(st.lists(st.tuples(FILLERS, st.lists(NAMES, min_size=1, max_size=2), VALUES, st.booleans()), max_size=8))
def test_each_key_is_found_on_its_line(parts: list[tuple[str, list[str], str, bool]]) -> None:
    text, expected = "", {}
    for number, (filler, names, value, commented) in enumerate(parts):
        text += f"{filler} [ t{number} ]\n"
        text += filler
        expected[(f"t{number}", *map(plain, names))] = text.count("\n") + 1
        text += f"{' . '.join(names)} = {value}{' # [d]' if commented else ''}\n"
    lines = key_lines(text)
    assert {path: lines[path] for path in expected} == expected
    assert {path[0] for path in lines} == {f"t{number}" for number in range(len(parts))}


def plain(name: str) -> str:
    return name.strip("'") if name[0] == "'" else name.strip('"').replace('\\"', '"')


# The page that explains them.


def rows(heading: str) -> dict[str, str]:
    """The settings that a section of the page documents, and their defaults."""
    section = DOC.read_text("utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))


def written(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Action):
        return f'`"{value.word}"`'
    return f'`"{value}"`' if isinstance(value, str) else f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


@pytest.mark.parametrize(
    ("heading", "cls"),
    [
        ("`[proxy]`", ProxySettings),
        ("`[providers.<slug>]`", ProviderSettings),
        ("`[scanners.<name>]`", ScannerSettings),
    ],
)
def test_every_setting_is_documented_with_its_default(heading: str, cls: Any) -> None:
    documented = rows(heading)
    assert set(documented) == set(attrs.fields_dict(cls))
    for name, default in ((field.name, field.default) for field in attrs.fields(cls)):
        if default is not None and name != "actions":
            assert documented[name] == written(default)


def test_the_top_of_the_file_is_documented(tmp_path: Path) -> None:
    message, _ = refused(tmp_path, "zzzzzz = 1")
    (known,) = re.findall(r"Known here: (.*)\.", message)
    tables = re.findall(r"^## `\[(\w+)", DOC.read_text("utf-8"), re.MULTILINE)
    assert set(known.split(", ")) == {*rows("At the top of the file"), *tables}


def test_the_example_of_the_page_stands(tmp_path: Path) -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)
    assert read(tmp_path, text).providers["my-vllm"].dialect == "openai"
