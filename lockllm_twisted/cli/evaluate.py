"""``lockllm evaluate``: what the scanners, or another server, are worth on labelled texts of one's own.

Responsible for: reading the file, having every record judged, and showing the figures.
Must never: show a text, propose a threshold without saying what it was chosen on, or let a record that could not be judged
go by in silence.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lockllm_twisted.cli import tables
from lockllm_twisted.cli.common import complain, json_option, say, settings_of, whole_number
from lockllm_twisted.cli.progress import progress, under_way
from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.evaluation.figures import Judgement, as_json, figures
from lockllm_twisted.evaluation.records import BENIGN, HARMFUL, Record, read
from lockllm_twisted.values import Sensitivity

KEY_VARIABLE = "LOCKLLM_API_KEY"


def options(parser: argparse.ArgumentParser) -> None:
    """``evaluate``."""
    parser.add_argument(
        "file",
        metavar="FILE",
        help='labelled records, one JSON object a line, also .gz; "-" reads them from standard input',
    )
    parser.add_argument(
        "--sensitivity",
        choices=[word.value for word in Sensitivity],
        help="how little evidence is enough [the settings', or the server's default]",
    )
    parser.add_argument("--endpoint", metavar="URL", help="measure a server that answers POST /v1/scan")
    parser.add_argument(
        "--key-env",
        metavar="VAR",
        help=f"the environment variable that holds the server's key [{KEY_VARIABLE}, if that is set]",
    )
    parser.add_argument(
        "--workers", type=whole_number(1, 64), default=4, metavar="N", help="requests to the server at a time [4]"
    )
    parser.add_argument(
        "--threshold-for-fpr",
        type=_rate,
        metavar="RATE",
        help="propose a threshold for this rate of false positives, such as 0.005",
    )
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Measure: 0 if every record was judged, 2 if some could not be."""
    if options.endpoint is not None and options.threshold_for_fpr is not None:
        raise SettingsError(
            "--threshold-for-fpr proposes a setting of this software: leave out --endpoint, and name your settings "
            "with --config."
        )
    records = _records(options.file)
    if not records:
        raise SettingsError(f"{options.file} holds no records.")
    with progress(len(records)) as bar:
        by, judgements = _judged(options, records, bar.tick)
    failures = Counter(judgement.failure for judgement in judgements if judgement.failure is not None)
    if failures.total() == len(records):
        raise LockLLMError(f"no record could be judged: {failures.most_common(1)[0][0]}.")
    with under_way("resampling for the intervals"):
        found = figures(records, judgements, options.threshold_for_fpr)
    if options.json:
        say(json.dumps({"file": options.file, **by, "failures": dict(failures), **as_json(found)}))
    else:
        for line in _about(options.file, by, records):
            say(line)
        tables.show(found)
        if found.wanted is not None:
            for line in tables.proposal(found, options.file):
                say(line)
    for failure, count in failures.items():
        complain(f"{count} of {len(records)} records could not be judged, and are not in the figures: {failure}")
    return 2 if failures else 0


def _rate(text: str) -> float:
    """``0.5%`` or ``0.005``."""
    try:
        rate = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        rate = -1.0
    if not 0 <= rate < 1:
        raise argparse.ArgumentTypeError("write a rate such as 0.5% or 0.005")
    return rate


def _records(name: str) -> list[Record]:
    """All of them. Raises `SettingsError` for a file that can't be read, and `BadRequest` for a line that is no record."""
    if name == "-":
        return list(read(sys.stdin.buffer, "standard input"))
    try:
        with gzip.open(name) if name.endswith(".gz") else Path(name).open("rb") as lines:
            return list(read(lines, name))
    except (OSError, EOFError) as problem:
        reason = (problem.strerror if isinstance(problem, OSError) else None) or "it is no whole gzip file"
        raise SettingsError(f"{name} can't be read: {reason}.") from None


def _judged(
    options: argparse.Namespace, records: Sequence[Record], tick: Any
) -> tuple[dict[str, Any], Sequence[Judgement]]:
    from lockllm_twisted.builtin.policy import thresholds  # noqa: PLC0415 # imports that no other command needs
    from lockllm_twisted.cli import endpoint, judges  # noqa: PLC0415 # as above
    from lockllm_twisted.registry import load  # noqa: PLC0415 # as above

    if options.endpoint is None:
        settings = settings_of(options)
        sensitivity = Sensitivity(options.sensitivity or settings.proxy.sensitivity)
        registry = load(settings)
        by = {
            "scanners": [f"{scanner.name} {scanner.version}" for scanner in registry.scanners],
            "sensitivity": sensitivity.value,
            "threshold": thresholds(settings.proxy)[sensitivity],
        }
        return by, judges.here(settings, registry, sensitivity, records, tick)
    where = endpoint.parse(options.endpoint, key=_key(options.key_env), sensitivity=options.sensitivity)
    if where.exposed:
        complain("texts" + (" and the key" if where.key else "") + " travel in the clear: https:// would hide them.")
    asked = {"endpoint": options.endpoint, "sensitivity": options.sensitivity}
    return asked, judges.there(where, options.workers, records, tick)


def _key(variable: str | None) -> str | None:
    key = os.environ.get(variable or KEY_VARIABLE)
    if key is None:
        if variable is not None:
            raise SettingsError("the environment variable that --key-env names is not set.")
        return None
    key = key.strip()
    if not key or not all("!" <= char <= "~" for char in key):
        raise SettingsError(f"{variable or KEY_VARIABLE} holds no key: a key is printable ASCII without spaces.")
    return key


def _about(name: str, by: dict[str, Any], records: Iterable[Record]) -> Iterator[str]:
    count = Counter("benign" if r.label == BENIGN else "harmful" if r.label == HARMFUL else "attacks" for r in records)
    yield f"{name}: {count['benign']:,} benign, {count['attacks']:,} attacks, {count['harmful']:,} harmful requests"
    if "endpoint" in by:
        yield f"judged by {by['endpoint']}, sensitivity {by['sensitivity'] or 'as the server has it'}"
    else:
        yield (
            f"judged by {', '.join(by['scanners']) or 'no scanner'}, sensitivity {by['sensitivity']}, "
            f"threshold {by['threshold']:g}"
        )
    yield "in brackets: 95 % intervals, by resampling clusters of records"
