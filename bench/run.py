"""The bench: ``python bench/run.py [--rounds N] [--only cpu,latency,sse,rss] [--json FILE]``. See README.md.

Responsible for: rounds in which every row is measured in turn, ratios within a round, one table.
Must never: leave a process behind, or compare figures of different runs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import resource
import shutil
import signal
import statistics
import sys
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import measures
from measures import Figures
from servers import ROWS, Bench, NotInstalled, Row, Running
from table import Samples, table

_LONGEST = 180
"""Seconds that one measurement may take; LiteLLM needs half a minute for the slow reader."""

_IN_ROUNDS: dict[str, Callable[[Row, Running, float], Coroutine[None, None, Figures]]] = {
    "cpu": measures.cpu,
    "latency": measures.latency,
    "sse": measures.sse,
}


@dataclass
class Run:
    """Every figure of every row, round by round; and what could not be measured, with the reason."""

    rows: Sequence[Row]
    seconds: float
    samples: Samples = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.samples.update((row.name, {}) for row in self.rows)

    def in_rounds(self, bench: Bench, names: Sequence[str], rounds: int) -> None:
        """All proxies run, and take turns, so that what disturbs the machine disturbs them alike."""
        with ExitStack() as stack:
            turns = []
            up: dict[str, Running | None] = {"direct": Running(None, bench.upstream)}
            for row in self.rows:
                if row.server not in up:
                    up[row.server] = self._started(bench, row.server, stack)
                if (at := up[row.server]) is not None:
                    turns.append((row, at))
            for row, at in turns:
                self._take("warm", 0, row, measures.warm(row, at))
            for name, number in product(names, range(rounds)):
                for row, at in turns:
                    if at.process is not None or name != "cpu":
                        self._take(name, number, row, _IN_ROUNDS[name](row, at, self.seconds))

    def memory(self, bench: Bench) -> None:
        """Once, each in a fresh process: memory varies little, and what a load left behind would hide what grows."""
        for row in self.rows:
            if row.server != "direct" and not row.repeat:
                with ExitStack() as stack:
                    at = self._started(bench, row.server, stack)
                    if at is not None:
                        self._take("rss", 0, row, measures.memory(row, at, self.seconds))

    def _started(self, bench: Bench, server: str, stack: ExitStack) -> Running | None:
        try:
            return stack.enter_context(bench.running(server))
        except (NotInstalled, RuntimeError) as error:
            self.problems[server] = str(error)
            return None

    def _take(self, name: str, number: int, row: Row, doing: Coroutine[None, None, Figures]) -> None:
        print(f"{name}, round {number + 1}: {row.name}", file=sys.stderr)
        try:
            figures = asyncio.run(_bounded(doing))
        except (RuntimeError, TimeoutError, OSError, statistics.StatisticsError) as error:
            self.problems[f"{row.name}, {name}"] = f"{type(error).__name__}: {error}"[:500]
            return
        for figure, value in figures.items():
            self.samples[row.name].setdefault(figure, {})[number] = value


async def _bounded(doing: Coroutine[None, None, Figures]) -> Figures:
    return await asyncio.wait_for(doing, _LONGEST)


def main() -> None:
    """Measure, print, write."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process is left behind
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each row is measured [5]; memory once")
    parser.add_argument("--only", default="cpu,latency,sse,rss", help="which measures, by comma [all]")
    parser.add_argument("--rows", default="", help="only rows whose name holds one of these words, by comma [all]")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one measurement [2]")
    parser.add_argument("--json", type=Path, help="write all figures here")
    parser.add_argument("--litellm", help="the program litellm [bench/peers/.venv/bin/litellm]")
    chosen = parser.parse_args()
    only = chosen.only.split(",")
    if unknown := set(only) - {*_IN_ROUNDS, "rss"}:
        parser.error(f"no such measure: {', '.join(unknown)}")
    rows = [row for row in ROWS if row.name == "direct" or any(word in row.name for word in chosen.rows.split(","))]
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    litellm = shutil.which(chosen.litellm or str(Path(__file__).parent / "peers" / ".venv" / "bin" / "litellm"))
    run = Run(rows, chosen.seconds)
    with tempfile.TemporaryDirectory(prefix="lockllm-bench-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)  # nginx's worker may be another user
        bench = Bench(Path(folder), Path(litellm) if litellm else None, cores[0], cores[-1])
        bench.start_upstream(stack)
        names = [name for name in only if name in _IN_ROUNDS]
        if names:
            run.in_rounds(bench, names, chosen.rounds)
        if "rss" in only:
            run.memory(bench)
    if chosen.json:
        machine = {"cores": len(cores), "machine": platform.machine(), "python": platform.python_version()}
        report = {"machine": machine, "rounds": chosen.rounds, "figures": run.samples, "problems": run.problems}
        chosen.json.write_text(json.dumps(report, indent=1) + "\n")
    print(table(run.samples, run.problems))


if __name__ == "__main__":
    main()
