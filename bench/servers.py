"""The proxies: how each is started on its core, and the rows of the table.

Responsible for: processes, their CPU time and their memory, and an end to all of them.
Must never: fake a peer: one that is not installed is told as that.
"""

from __future__ import annotations

import json
import os
import resource
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class NotInstalled(Exception):
    """This peer is not on this machine."""


@dataclass
class Running:
    """A proxy that accepts connections (``direct``: none). ``headers``: the lines with which it lets a caller in."""

    process: subprocess.Popen[bytes] | None
    port: int
    headers: bytes = b""

    def cpu(self) -> float:
        """Seconds of CPU, user and system, of the process and its children so far."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self._pids()) / _TICK

    def memory(self) -> int:
        """Bytes resident, of the process and its children."""
        return sum(int(_stat(pid)[21]) for pid in self._pids()) * _PAGE

    def _pids(self) -> list[int]:
        numbers = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
        parents = {pid: int(_stat(pid)[1]) for pid in numbers}
        found = [self.process.pid] if self.process is not None else []
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` from the third, ``state``, on: proc(5)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * 50


@dataclass(frozen=True)
class Row:
    """One line of the table. ``streams``: idle ones, for memory; ``files``: whether 1 GB can be asked for this way."""

    name: str
    server: str
    prefix: str
    repeat: bool = False
    streams: int = 1000
    files: bool = True


ROWS = (
    Row("direct", "direct", ""),
    Row("nginx", "nginx", ""),
    Row("aiohttp pass-through", "aiohttp", ""),
    Row("lockllm, not scanning", "lockllm-off", "/v1/proxy/openai"),
    Row("lockllm, scanning", "lockllm", "/v1/proxy/openai"),
    Row("lockllm, scanning, one text repeated", "lockllm", "/v1/proxy/openai", repeat=True),
    Row("LiteLLM, pass-through route", "litellm", "/pass", streams=400),  # more than 500 at once do not begin
    Row("LiteLLM, chat route", "litellm-chat", "", streams=400, files=False),
)


@dataclass
class Bench:
    """Where processes run: ``core`` for the proxy that is measured, ``other`` for provider and load."""

    folder: Path
    litellm: Path | None
    core: int
    other: int
    upstream: int = 0

    def start_upstream(self, stack: ExitStack) -> None:
        """The scripted provider, until the stack is left."""
        self.upstream = _free_port()
        command = [sys.executable, str(HERE / "upstream.py"), str(self.upstream)]
        stack.enter_context(_process(command, self.folder / "upstream.log", self.other, self.upstream, {}))

    @contextmanager
    def running(self, server: str) -> Iterator[Running]:
        """A fresh process of one server. Raises `NotInstalled`."""
        port = _free_port()
        folder = self.folder / f"{server}-{port}"
        folder.mkdir()
        command, headers, environment = _SERVERS[server](self, folder, port)
        with _process(command, folder / "output.log", self.core, port, environment) as process:
            yield Running(process, port, headers)


Command = tuple[list[str], bytes, dict[str, str]]
"""The program and its arguments, the header lines of a caller, further environment variables."""

_PROVIDER_KEY = b"Authorization: Bearer sk-bench\r\n"


def _nginx(bench: Bench, folder: Path, port: int) -> Command:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise NotInstalled("not installed")
    config = _filled("nginx.conf", folder, PORT=port, UPSTREAM=bench.upstream, DIR=folder)
    folder.chmod(0o755)
    return [program, "-e", str(folder / "error.log"), "-c", str(config)], _PROVIDER_KEY, {}


def _aiohttp(bench: Bench, _: Path, port: int) -> Command:
    program = str(HERE / "peers" / "aiohttp_proxy.py")
    return [sys.executable, program, str(port), f"http://127.0.0.1:{bench.upstream}"], _PROVIDER_KEY, {}


def _litellm(bench: Bench, folder: Path, port: int) -> Command:
    if bench.litellm is None:
        raise NotInstalled("not installed")
    config = _filled("litellm.yaml", folder, UPSTREAM=bench.upstream)
    command = [str(bench.litellm), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    key = f"sk-{secrets.token_hex(32)}"  # it does not start with a weak one
    environment = {
        "LITELLM_MASTER_KEY": key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it fetches its prices from the net when it starts
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
    }
    headers = f"Authorization: Bearer {key}\r\n".encode()
    return [*command, "--num_workers", "1", "--telemetry", "False"], headers, environment


def _lockllm(*, scanning: bool) -> Callable[[Bench, Path, int], Command]:
    def command(bench: Bench, folder: Path, port: int) -> Command:
        config, state = folder / "lockllm.toml", folder / "state"
        settings = f'[providers.openai]\nbase_url = "http://127.0.0.1:{bench.upstream}"\n'
        if not scanning:
            settings += "[scanners.detector]\nenabled = false\n"
        config.write_text(settings)
        made = subprocess.run(
            [str(BIN / "lockllm"), "--state", str(state), "keys", "create", "--name", "bench", "--json"],
            check=True,
            capture_output=True,
        )
        key = json.loads(made.stdout)["key"]
        headers = _PROVIDER_KEY + f"X-LockLLM-Key: {key}\r\n".encode()
        options = ["--config", str(config), "--state", str(state), "--listen", f"tcp:{port}:interface=127.0.0.1"]
        return [str(BIN / "twistd"), "-n", "--pidfile=", "lockllm", *options], headers, {}

    return command


_SERVERS: dict[str, Callable[[Bench, Path, int], Command]] = {
    "nginx": _nginx,
    "aiohttp": _aiohttp,
    "lockllm": _lockllm(scanning=True),
    "lockllm-off": _lockllm(scanning=False),
    "litellm": _litellm,
    "litellm-chat": _litellm,  # a process of its own: what one route has left behind would slow the other
}


def _filled(name: str, folder: Path, **values: object) -> Path:
    text = (HERE / "peers" / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = folder / name
    path.write_text(text)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(
    command: list[str], log: Path, core: int, port: int, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A child on one core that listens; it is gone afterwards."""

    def prepare() -> None:
        os.sched_setaffinity(0, {core})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            stdout=output,
            stderr=output,
            env={**os.environ, **environment},
            preexec_fn=prepare,  # noqa: PLW1509 # there are no threads here
        ) as process,
    ):
        try:
            _wait_for(port, process, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"it does not listen: {log.read_text(errors='replace')[-2000:]}")
