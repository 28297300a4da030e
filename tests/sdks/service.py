"""The service under test: a real ``twistd -n lockllm`` process, driven only through its documented words.

Responsible for: starting it with a config of its own, making keys with the command line, reading its log, ending it.
Must never: import ``lockllm_twisted``.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

PATIENCE = 30.0
"""Seconds for the service to start, and to end: the documented drain takes at most that long."""

SLUGS = (
    *("openai", "anthropic", "gemini", "mistral", "deepseek", "xai", "cohere", "openrouter", "perplexity", "groq"),
    *("together", "fireworks", "anyscale", "huggingface", "azure", "cerebras", "nvidia", "sambanova", "moonshot"),
    *("replicate", "ai21", "ollama", "vllm"),
)
"""The providers whose address a config may change: all of them answer from one scripted upstream."""

OWN_KEYS = {slug: f"sk-own-{slug}" for slug in SLUGS}
"""What a caller brings along, with its LockLLM key in ``X-LockLLM-Key``."""

STORED_KEYS = {slug: f"sk-stored-{slug}" for slug in (*SLUGS, "house") if slug != "ollama"}
"""What the operator stored, for callers who send their LockLLM key in its place. Ollama asks for none."""

_ENDPOINTS = """
[providers.house]
dialect = "openai"
base_url = "http://127.0.0.1:{upstream}/gateway/v1"
api_key = "{house}"

[providers.keyless]
dialect = "openai"
base_url = "http://127.0.0.1:{upstream}"

[providers.nobody]
dialect = "openai"
base_url = "http://127.0.0.1:{nobody}"
api_key = "sk-nobody"

[providers.nobody-anthropic]
dialect = "anthropic"
base_url = "http://127.0.0.1:{nobody}"
api_key = "sk-nobody"
"""


def _config(upstream: int, nobody: int) -> str:
    """Every provider of the table at the scripted upstream, and a few endpoints of the operator's own."""
    moved = "".join(
        f'[providers.{slug}]\nbase_url = "http://127.0.0.1:{upstream}"\n'
        + (f'api_key = "{STORED_KEYS[slug]}"\n' if slug in STORED_KEYS else "")
        for slug in SLUGS
    )
    return moved + _ENDPOINTS.format(upstream=upstream, nobody=nobody, house=STORED_KEYS["house"])


class Service:
    """One running service. ``key`` is a LockLLM key that it accepts."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self._folder = folder
        self._nobody = socket.socket()
        # Bound and never listening: a connection to it is refused, and nobody else gets the port.
        self._nobody.bind(("127.0.0.1", 0))
        self._config = folder / "lockllm.toml"
        self._config.write_text(_config(upstream, self._nobody.getsockname()[1]), encoding="utf-8")
        self._log: list[str] = []
        self._ready = threading.Event()
        self.port = _free_port()
        try:
            self.key = self.make_key("sdks")
            self._process = self._start()
        except BaseException:
            self._nobody.close()
            raise

    @property
    def log(self) -> str:
        return "".join(self._log)

    def make_key(self, name: str) -> str:
        made = subprocess.run(
            [_beside_python("lockllm"), "--state", str(self._state), "keys", "create", "--name", name, "--json"],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert made.returncode == 0, made.stderr
        key: str = json.loads(made.stdout)["key"]
        return key

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            self._reader.join(PATIENCE)
            self._nobody.close()

    @property
    def _state(self) -> Path:
        return self._folder / "state"

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [
                _beside_python("twistd"),
                "-n",
                "lockllm",
                "--config",
                str(self._config),
                "--state",
                str(self._state),
                "--listen",
                f"tcp:{self.port}:interface=127.0.0.1",
            ],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="backslashreplace",
        )
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()
        self._ready.wait(PATIENCE)
        if "listening" not in self.log:
            process.kill()
            process.wait()
            raise AssertionError(f"the service did not start:\n{self.log}")
        return process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self._log.append(line)
                if "listening" in line:
                    self._ready.set()
        self._ready.set()


def _beside_python(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    assert path.exists(), f"{path} is missing: install the project into the environment that runs these tests"
    return str(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
