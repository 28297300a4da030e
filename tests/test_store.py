"""The store: keys, provider keys and events in one file, and what a running service sees of another process's changes."""

from __future__ import annotations

import os
import queue
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from lockllm_twisted.errors import BadRequest, LockLLMError, NotFound, SettingsError
from lockllm_twisted.keys import digest, make_key
from lockllm_twisted.settings import ProviderSettings, Settings
from lockllm_twisted.store import Store, configured_keys, database, events, state_directory
from lockllm_twisted.values import Caller, Exchange

CANARY = "sk-canary-7f3a9c-0123456789abcdefghijklmnop"


@implementer(IReactorFromThreads)
class ThreadedClock(Clock):
    """A clock that stands still until it is told, and takes what threads hand to it when it is told."""

    def __init__(self) -> None:
        super().__init__()
        self._handed: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def callFromThread(self, callable: Callable[..., object], *args: object, **kwargs: object) -> None:  # noqa: A002
        self._handed.put(lambda: callable(*args, **kwargs))

    def until(self, done: Callable[[], bool]) -> None:
        while not done():
            self._handed.get(timeout=20)()

    def settle(self) -> None:
        """Wait for the turn that is under way: the next one is not planned before it ends."""
        self.until(lambda: bool(self.getDelayedCalls()))

    def turn(self) -> None:
        self.advance(0.3)
        self.settle()


@pytest.fixture
def clock() -> ThreadedClock:
    return ThreadedClock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "state")


@pytest.fixture
def running(tmp_path: Path, clock: ThreadedClock) -> Iterator[Store]:
    store = Store.open(tmp_path / "state")
    store.start(clock)
    yield store
    stop(store, clock)


def stop(store: Store, clock: ThreadedClock) -> None:
    done = store.stop()
    clock.until(lambda: bool(done.called))


def sql(directory: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(directory / database.FILE, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def exchange(**changes: Any) -> Exchange:
    plain = Exchange(
        id="x1",
        time=time.time(),
        caller="k1",
        provider="openai",
        method="POST",
        path="/v1/chat/completions",
        model="gpt",
        action="block",
        score=0.9,
        category="prompt_injection",
        rule="ignore_previous",
        where="/messages/0/content",
        coverage="scanned",
        status=400,
        code="prompt_injection_detected",
        request_bytes=100,
        response_bytes=200,
        scan_seconds=0.001,
        seconds=0.002,
        ending="blocked",
        findings=({"rule": "ignore_previous", "score": 0.9},),
    )
    return attrs.evolve(plain, **changes)


# Keys of callers.


def test_a_key_lets_its_caller_in_and_no_other_bytes_do(store: Store) -> None:
    record, key = store.create_key("web", locked=True)
    other = make_key()[1]
    assert store.caller(key.encode()) == Caller(record.id, "web", locked=True)
    for wrong in (
        b"",
        b"llk_",
        key[:-1].encode(),
        key.encode() + b"0",
        other.encode(),
        f"{key[:15]}{other[15:]}".encode(),
    ):
        assert store.caller(wrong) is None


def test_the_stored_digest_opens_nothing(store: Store, tmp_path: Path) -> None:
    record, key = store.create_key("web")
    ((stored,),) = sql(tmp_path / "state", "SELECT digest FROM keys")
    assert stored == digest(key.encode())
    for attempt in (
        stored,
        stored.hex().encode(),
        f"llk_{record.id}_".encode() + stored,
        stored.hex().upper().encode(),
    ):
        assert store.caller(attempt) is None


def test_a_revoked_key_is_no_key_but_stays_listed(store: Store) -> None:
    record, key = store.create_key("web")
    assert store.revoke_key("web").revoked is not None
    assert store.caller(key.encode()) is None
    listed = store.keys()
    assert [(known.id, known.revoked is None) for known in listed] == [(record.id, False)]
    with pytest.raises(NotFound, match="keys list"):
        store.revoke_key(record.id)


def test_a_key_is_revoked_by_its_id_or_by_itself(store: Store) -> None:
    by_id, _ = store.create_key("a")
    by_key, key = store.create_key("b")
    assert store.revoke_key(by_id.id).id == by_id.id
    assert store.revoke_key(key).id == by_key.id


def test_a_name_that_two_keys_share_revokes_neither(store: Store) -> None:
    first, key = store.create_key("web")
    second, _ = store.create_key("web")
    with pytest.raises(BadRequest, match=second.id):
        store.revoke_key("web")
    assert store.caller(key.encode()) == Caller(first.id, "web")


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m", "x" * 101, make_key()[1]])
def test_a_name_that_would_spoil_a_log_line_is_refused(store: Store, name: str) -> None:
    with pytest.raises(BadRequest):
        store.create_key(name)
    assert store.keys() == []


# What a running service sees.


def test_a_key_made_elsewhere_counts_within_a_second(running: Store, clock: ThreadedClock, tmp_path: Path) -> None:
    elsewhere = Store.open(tmp_path / "state")
    record, key = elsewhere.create_key("cli")
    assert running.caller(key.encode()) is None
    clock.turn()
    assert running.caller(key.encode()) == Caller(record.id, "cli")
    elsewhere.revoke_key(record.id)
    clock.turn()
    assert running.caller(key.encode()) is None
    assert clock.seconds() <= 1


def test_another_process_is_elsewhere_too(running: Store, clock: ThreadedClock, tmp_path: Path) -> None:
    script = "import sys; from lockllm_twisted.store import Store; print(Store.open(sys.argv[1]).create_key('cli')[1])"
    made = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "state"], check=True, capture_output=True, text=True
    )
    clock.turn()
    caller = running.caller(made.stdout.strip().encode())
    assert caller is not None
    assert caller.name == "cli"


@pytest.mark.usefixtures("running")
def test_no_thread_begins_before_the_reactor_turns(clock: ThreadedClock) -> None:
    """twistd loads the service, then forks: a thread that began before that would be gone."""
    assert "lockllm-store" not in threads()
    clock.turn()
    assert "lockllm-store" in threads()


def threads() -> str:
    return " ".join(thread.name for thread in threading.enumerate())


def test_a_provider_key_set_elsewhere_is_used_and_a_removed_one_is_not(
    running: Store, clock: ThreadedClock, tmp_path: Path
) -> None:
    elsewhere = Store.open(tmp_path / "state")
    elsewhere.set_provider_key("openai", CANARY)
    clock.turn()
    assert running.provider_key("openai") == CANARY
    elsewhere.remove_provider_key("openai")
    clock.turn()
    assert running.provider_key("openai") is None


def test_a_service_that_is_full_of_events_still_sees_keys(running: Store, clock: ThreadedClock, tmp_path: Path) -> None:
    for _ in range(events.QUEUED + 5):
        running.record(exchange())
    assert running.lost_events == 5
    elsewhere = Store.open(tmp_path / "state")
    _, key = elsewhere.create_key("cli")
    clock.turn()
    assert running.caller(key.encode()) is not None
    assert len(elsewhere.events(limit=events.QUEUED + 5)) == events.QUEUED


# Events.


def test_an_event_comes_back_as_it_went_in(running: Store, clock: ThreadedClock) -> None:
    running.record(exchange(id="old", time=time.time() - 5))
    running.record(exchange(id="new"))
    clock.turn()
    newest, older = running.events()
    assert (newest["id"], older["id"]) == ("new", "old")
    assert set(newest) == {field.name for field in attrs.fields(Exchange)}
    assert {**newest, "findings": tuple(newest["findings"])} == attrs.asdict(exchange(id="new", time=newest["time"]))
    assert [event["id"] for event in running.events(limit=1)] == ["new"]


def test_events_that_wait_are_written_at_the_end(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.start(clock)
    store.record(exchange())
    stop(store, clock)
    again = Store.open(tmp_path)
    assert [event["id"] for event in again.events()] == ["x1"]


def test_a_lone_surrogate_costs_no_event(running: Store, clock: ThreadedClock) -> None:
    running.record(exchange(id="a"))
    running.record(exchange(id="b", model="gpt-\ud800"))
    clock.turn()
    assert [(event["id"], event["model"]) for event in running.events()] == [("b", "gpt-?"), ("a", "gpt")]


def test_recorded_text_is_bounded_in_memory(store: Store) -> None:
    half = "x" * (events.QUEUED_TEXT // 2)
    for _ in range(3):
        store.record(exchange(text=half))
    assert store.lost_events == 1


def test_old_events_go_at_the_start_and_every_day(tmp_path: Path, clock: ThreadedClock) -> None:
    long_ago = time.time() - 31 * events.DAY
    store = Store.open(tmp_path)
    store.start(clock, keep_events_days=30)
    clock.turn()
    store.record(exchange(id="old", time=long_ago))
    store.record(exchange(id="young"))
    clock.turn()
    assert len(store.events()) == 2
    clock.advance(events.DAY)
    clock.settle()
    assert [event["id"] for event in store.events()] == ["young"]
    stop(store, clock)


def test_a_big_clean_up_takes_many_small_steps(tmp_path: Path, clock: ThreadedClock) -> None:
    before = Store.open(tmp_path)
    before.start(clock)
    for _ in range(4500):
        before.record(exchange(time=time.time() - 31 * events.DAY))
    stop(before, clock)
    store, left = Store.open(tmp_path), []
    store.start(clock)
    for _ in range(3):
        clock.turn()
        left.append(len(store.events(limit=5000)))
    stop(store, clock)
    assert left == [2500, 500, 0]


def test_a_broken_table_costs_events_and_is_told_once(
    running: Store, clock: ThreadedClock, tmp_path: Path, logged: list[dict[str, Any]]
) -> None:
    sql(tmp_path / "state", "ALTER TABLE events RENAME TO gone")
    for _ in range(3):
        running.record(exchange())
        clock.turn()
    assert running.lost_events == 3
    assert sum("store" in str(event) for event in logged) == 1
    sql(tmp_path / "state", "ALTER TABLE gone RENAME TO events")
    running.record(exchange(id="after"))
    clock.turn()
    assert [event["id"] for event in running.events()] == ["after"]


# Provider keys and their file.


def test_a_provider_key_is_told_by_its_end_only(store: Store) -> None:
    store.set_provider_key("openai", "sk-1234567890abcdWXYZ")
    store.set_provider_key("mine", "short")
    assert [(key.slug, key.last4) for key in store.provider_keys()] == [("mine", ""), ("openai", "WXYZ")]
    store.set_provider_key("openai", "sk-1234567890abcdLATE")
    assert store.provider_key("openai") == "sk-1234567890abcdLATE"
    with pytest.raises(NotFound, match="providers list"):
        store.remove_provider_key("groq")


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "a\r\nX-Evil: 1", "é", "\ud800", "x" * 10_000, make_key()[1]])
def test_what_can_not_be_a_provider_key_is_refused_and_not_repeated(store: Store, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        store.set_provider_key("openai", key)
    assert store.provider_keys() == []
    assert not key or key not in caught.value.message


def test_a_readable_key_file_stops_the_start(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.set_provider_key("openai", CANARY)
    (tmp_path / "secret.key").chmod(0o640)
    assert f"chmod 600 {tmp_path / 'secret.key'}" in refusal(tmp_path, clock)


def test_a_lost_key_file_stops_the_start(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.set_provider_key("openai", CANARY)
    (tmp_path / "secret.key").unlink()
    assert "is gone" in refusal(tmp_path, clock)


def test_a_damaged_key_file_stops_the_start(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.set_provider_key("openai", CANARY)
    (tmp_path / "secret.key").write_bytes(b"junk")
    assert "is damaged" in refusal(tmp_path, clock)


def test_another_key_file_names_the_keys_to_set_anew(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.set_provider_key("openai", CANARY)
    (tmp_path / "secret.key").unlink()
    store = Store.open(tmp_path)
    store.set_provider_key("groq", CANARY)
    assert store.provider_key("groq") == CANARY
    message = refusal(tmp_path, clock)
    assert "openai" in message
    assert "groq" not in message


def refusal(directory: Path, clock: ThreadedClock) -> str:
    """What the start says; every command must still work, or nobody could repair it."""
    store = Store.open(directory)
    _, key = store.create_key("still")
    assert store.caller(key.encode()) is not None
    assert store.provider_key("openai") is None
    problems: list[Failure] = []
    store.start(clock).addErrback(problems.append)
    (problem,) = problems
    assert isinstance(problem.value, SettingsError)
    assert CANARY not in str(problem)
    return problem.value.message


def test_a_row_moved_to_another_provider_opens_nothing(tmp_path: Path, clock: ThreadedClock) -> None:
    store = Store.open(tmp_path)
    store.set_provider_key("openai", CANARY)
    sql(tmp_path, "UPDATE provider_keys SET slug = 'evil'")
    store = Store.open(tmp_path)
    assert store.provider_key("evil") is None
    assert "evil" in refusal(tmp_path, clock)


# Keys that the settings name.


def test_a_key_comes_from_where_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text("from-file\n")
    monkeypatch.setenv("SOME_KEY", "from-env")
    settings = Settings(
        providers={
            "openai": ProviderSettings(api_key="from-config"),
            "groq": ProviderSettings(api_key_env="SOME_KEY"),
            "mistral": ProviderSettings(api_key_file=str(tmp_path / "key")),
            "cohere": ProviderSettings(base_url="https://example.com"),
        }
    )
    assert configured_keys(settings) == {"openai": "from-config", "groq": "from-env", "mistral": "from-file"}


@pytest.mark.parametrize(
    ("source", "value", "words"),
    [
        ("api_key_env", None, "SOME_KEY is not set"),
        ("api_key_env", "", "SOME_KEY is not set"),
        ("api_key_env", "a b", "without spaces"),
        ("api_key_env", make_key()[1], "LockLLM key"),
        ("api_key_file", None, "No such file"),
        ("api_key_file", "", "empty"),
        ("api_key_file", "\xe9", "ASCII"),
        ("api_key_file", "two\nlines", "without spaces"),
    ],
)
def test_a_source_that_gives_no_key_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, value: str | None, words: str
) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    if value is not None and source == "api_key_env":
        monkeypatch.setenv("SOME_KEY", value)
    if value is not None and source == "api_key_file":
        (tmp_path / "SOME_KEY").write_text(value)
    config = tmp_path / "lockllm.toml"
    config.write_text(f'[providers.openai]\n{source} = "SOME_KEY"\n')
    with pytest.raises(SettingsError) as caught:
        configured_keys(Settings.from_toml(config))
    assert caught.value.message.startswith(f"{config}:2: [providers.openai] {source}: ")
    assert words in caught.value.message
    assert not value or value not in caught.value.message


# The directory and the file.


def test_nobody_else_may_read_anything(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "state"
    before = os.umask(0)
    try:
        store = Store.open(directory)
        store.create_key("web")
        store.set_provider_key("openai", CANARY)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    finally:
        os.umask(before)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(modes, 0o600)
    assert {"secret.key", database.FILE} <= set(modes)


def test_the_directory_is_where_it_was_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.delenv("LOCKLLM_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_directory() == Path("/home/me/.local/state/lockllm")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert state_directory() == Path("/home/me/.local/state/lockllm")
    monkeypatch.setenv("XDG_STATE_HOME", "/xdg")
    assert state_directory() == Path("/xdg/lockllm")
    monkeypatch.setenv("LOCKLLM_STATE", "/var/lib/lockllm")
    assert state_directory() == Path("/var/lib/lockllm")
    assert state_directory(Path("here")) == Path("here")


def test_a_place_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="--state"):
        Store.open(tmp_path / "file")
    with pytest.raises(SettingsError, match="--state"):
        Store.open(tmp_path / "file" / "below")


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / database.FILE).write_bytes(b"not a database, but long enough to be asked for its header" * 20)
    with pytest.raises(SettingsError, match=r"not a database.*move it away"):
        Store.open(tmp_path)


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Store.open(tmp_path)
    sql(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(SettingsError, match="newer version"):
        Store.open(tmp_path)


def test_many_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    def first_key(number: int) -> str:
        store = Store.open(tmp_path / "state")
        store.set_provider_key(f"p{number}", CANARY)
        return store.create_key(str(number))[1]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(first_key, range(16)))
    store = Store.open(tmp_path / "state")
    assert all(store.caller(key.encode()) for key in made)
    assert {store.provider_key(f"p{number}") for number in range(16)} == {CANARY}


# Secrets.


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    seen: list[dict[str, Any]] = []
    observer = cast("ILogObserver", seen.append)
    globalLogPublisher.addObserver(observer)
    yield seen
    globalLogPublisher.removeObserver(observer)


def test_no_secret_is_in_a_file_a_log_or_a_repr(
    tmp_path: Path, clock: ThreadedClock, logged: list[dict[str, Any]]
) -> None:
    store = Store.open(tmp_path)
    record, key = store.create_key("web")
    store.set_provider_key("openai", CANARY)
    store.start(clock)
    assert store.caller(key.encode()) is not None
    store.record(exchange(caller=record.id))
    clock.turn()
    shown = [repr(thing) for thing in (store, record, store.keys(), store.provider_keys(), vars(store), store.events())]
    with pytest.raises(LockLLMError) as caught:
        store.revoke_key(make_key()[1])
    shown += [str(caught.value), repr(caught.value), repr(logged)]
    during = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    stop(store, clock)
    after = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (key, key[15:58], CANARY, CANARY[:12]):
        assert secret not in "".join(shown)
        assert secret.encode() not in during + after
