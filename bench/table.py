"""The figures as a table.

Responsible for: medians and extremes over the rounds, ratios within a round, what a proxy adds to the direct way.
Must never: measure.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

Samples = dict[str, dict[str, dict[int, float]]]
"""By row, by figure, by round: a round in which something went wrong has no value."""

BASE = "aiohttp pass-through"
_NONE = "-"

_TITLES = (
    "row",
    "CPU µs / request",
    "of aiohttp",
    "added ms p50 / p99",
    "first chunk: added ms p50",
    "CPU µs / chunk",
    "of aiohttp",
    "chunk: added ms p50 / p99",
    "idle MiB",
    "KiB / open stream",
    "slow reader: MiB more",
)


def table(samples: Samples, problems: Mapping[str, str]) -> str:
    """Markdown. CPU: median (least-most); wall clock: the least of the rounds, less that of ``direct``."""
    lines = [_line(_TITLES), "|---" * len(_TITLES) + "|"]
    for name, figures in samples.items():
        if name != "direct":
            lines.append(
                _line(
                    (
                        name,
                        _spread(figures.get("cpu_us_per_request"), "{:.0f}"),
                        _spread(_ratios(samples, name, "cpu_us_per_request"), "{:.2f}"),
                        _added(samples, name, "answer_us_p50", "answer_us_p99"),
                        _added(samples, name, "first_chunk_us_p50"),
                        _spread(figures.get("cpu_us_per_chunk"), "{:.0f}"),
                        _spread(_ratios(samples, name, "cpu_us_per_chunk"), "{:.2f}"),
                        _added(samples, name, "chunk_us_p50", "chunk_us_p99"),
                        _spread(figures.get("idle_mib"), "{:.0f}"),
                        _spread(figures.get("kib_per_stream"), "{:.0f}"),
                        _spread(figures.get("slow_reader_mib"), "{:.0f}"),
                    )
                )
            )
    return "\n".join([*lines, "", *(f"{what}: {why}" for what, why in problems.items())])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(rounds: Mapping[int, float] | None, form: str) -> str:
    if not rounds:
        return _NONE
    values = rounds.values()
    middle = form.format(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({form.format(min(values))}-{form.format(max(values))})"


def _ratios(samples: Samples, name: str, figure: str) -> dict[int, float]:
    mine, base = samples[name].get(figure, {}), samples.get(BASE, {}).get(figure, {})
    return {number: mine[number] / base[number] for number in mine.keys() & base.keys()}


def _added(samples: Samples, name: str, *figures: str) -> str:
    mine, base = samples[name], samples["direct"]
    if not all(figure in mine and figure in base for figure in figures):
        return _NONE
    return " / ".join(f"{(min(mine[figure].values()) - min(base[figure].values())) / 1000:.2f}" for figure in figures)
