"""The Node SDKs: one process per script of ``node/``, started when it is first asked for.

Responsible for: installing what ``node/package.json`` pins, handing over jobs, telling what came back.
Must never: skip. Without Node.js 20, or without a package, the tests that need it fail and say so.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "node"
Lines = list[dict[str, Any]]


class Node:
    """One SDK's driver process."""

    def __init__(self, script: str, errors: Path) -> None:
        self._errors = errors
        with errors.open("w", encoding="utf-8") as stderr:
            self._process = subprocess.Popen(
                [_tool("node"), str(FOLDER / script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                encoding="utf-8",
            )

    def run(self, job: dict[str, Any], see: Callable[[dict[str, Any]], object] = lambda _line: None) -> Lines:
        """Hand over one job; show each line as it comes; return them all."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        lines: Lines = []
        for text in self._process.stdout:
            line = json.loads(text)
            lines.append(line)
            see(line)
            if line.keys() & {"result", "left", "ended", "error"}:
                return lines
        raise AssertionError(f"node ended: {self._errors.read_text(encoding='utf-8')}")

    def stop(self) -> None:
        self._process.communicate(timeout=30)


class Nodes:
    """The drivers by name; ``folder`` takes what they write to standard error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Node] = {}

    def __getitem__(self, name: str) -> Node:
        if not self._running:
            _install()
        if name not in self._running:
            self._running[name] = Node(f"{name}.mjs", self._folder / name)
        return self._running[name]

    def stop(self) -> None:
        for node in self._running.values():
            node.stop()


def _tool(name: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"{name} is missing: these tests drive the official Node SDKs and need Node.js 20 or newer"
    return path


def _install() -> None:
    version = subprocess.run([_tool("node"), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    assert int(version.removeprefix("v").split(".")[0]) >= 20, f"Node.js 20 or newer is needed; this is {version}"
    done = FOLDER / "node_modules" / ".package-lock.json"
    if not done.exists() or done.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        made = subprocess.run(
            [_tool("npm"), "ci", "--no-audit", "--no-fund"], cwd=FOLDER, capture_output=True, text=True, check=False
        )
        assert made.returncode == 0, made.stderr
