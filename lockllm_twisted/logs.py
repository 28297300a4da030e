"""The log: one logger, one line per exchange.

Responsible for: what of an exchange is told in the log, as text or as JSON.
Must never: see a prompt, a key or a query string. Only the fields of `Exchange` are ever handed over.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TextIO

import attrs
from twisted.logger import ILogObserver, LogEvent, eventAsText, formatEventAsClassicLogText, formatTime
from txaio import tx
from zope.interface import implementer

from lockllm_twisted.values import Exchange

log = tx.make_logger()

_UNTOLD = frozenset(("text", "findings"))


def log_exchange(exchange: Exchange) -> None:
    """One line for an exchange; the fields ride along for observers that want them.

    The line is the format itself: a format with a field in it takes an observer longer than making the line.
    """
    line = _line(exchange)
    log.info(line.replace("{", "{{").replace("}", "}}"), exchange=exchange, line=line)


def fields(exchange: Exchange) -> Mapping[str, Any]:
    """What a structured log, or an event row, holds of an exchange."""
    return attrs.asdict(exchange, filter=lambda field, _: field.name not in _UNTOLD)


def _line(exchange: Exchange) -> str:
    found = f" {exchange.category} {exchange.rule} {exchange.where}" if exchange.category else ""
    return (
        f"exchange {exchange.id} {exchange.ending} {exchange.status} {exchange.action} {exchange.provider} "
        f"{exchange.method} {_plain(exchange.path)} caller={_plain(exchange.caller)} model={_plain(exchange.model or '-')} "
        f"score={exchange.score:.2f}{_plain(found)} coverage={exchange.coverage} code={exchange.code or '-'} "
        f"in={exchange.request_bytes} out={exchange.response_bytes} "
        f"scan_ms={exchange.scan_seconds * 1000:.2f} ms={exchange.seconds * 1000:.1f}"
    )


def _plain(text: str) -> str:
    """A text from a request can't start a line or paint a terminal."""
    return text if text.isprintable() else "".join(char if char.isprintable() else "?" for char in text)


@implementer(ILogObserver)
class Lines:
    """Writes each event to a stream, with `write_text` or `write_json`."""

    def __init__(self, write: Callable[[LogEvent, TextIO], None], out: TextIO) -> None:
        self._write = write
        self._out = out

    def __call__(self, event: LogEvent) -> None:
        """Write."""
        self._write(event, self._out)


def text_observer() -> Lines:
    """Lines for people on standard output, as it is now: twistd will put another one in its place."""
    return Lines(write_text, sys.stdout)


def json_observer() -> Lines:
    """One JSON object per event there: ``twistd --logger lockllm_twisted.logs.json_observer …``."""
    return Lines(write_json, sys.stdout)


def write_text(event: LogEvent, out: TextIO) -> None:
    """Write an event as Twisted does. The line of an exchange is there already, and its time is told once a second."""
    if isinstance(event.get("exchange"), Exchange):
        second = _second(int(event["log_time"]))
        text: str | None = f"{second} [{event['log_namespace']}#{event['log_level'].name}] {event['line']}\n"
    else:
        text = formatEventAsClassicLogText(event)
    if text:
        out.write(text)
        out.flush()


_second = lru_cache(maxsize=1)(formatTime)


def write_json(event: LogEvent, out: TextIO) -> None:
    """Write the fields of an event that are ours, and nothing else of it: an event may hold any object."""
    exchange = event.get("exchange")
    told: dict[str, Any] = {
        "time": event.get("log_time"),
        "level": getattr(event.get("log_level"), "name", "info"),
        "namespace": event.get("log_namespace"),
    }
    if isinstance(exchange, Exchange):
        told["exchange"] = dict(fields(exchange))
    else:
        told["message"] = eventAsText(event, includeTimestamp=False, includeSystem=False)
    out.write(json.dumps(told, default=str) + "\n")
    out.flush()
