"""The log: one logger, one line per exchange.

Responsible for: what of an exchange is told in the log, as text or as JSON.
Must never: see a prompt, a key or a query string. Only the fields of `Exchange` are ever handed over.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import attrs
from twisted.logger import ILogObserver, LogEvent, eventAsText
from txaio import tx
from zope.interface import provider

from lockllm_twisted.values import Exchange

log = tx.make_logger()

_UNTOLD = frozenset(("text", "findings"))


def log_exchange(exchange: Exchange) -> None:
    """One line for an exchange; the fields ride along for observers that want them.

    The line is the format itself: a format with a field in it takes an observer longer than making the line.
    """
    log.info(_line(exchange).replace("{", "{{").replace("}", "}}"), exchange=exchange)


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


@provider(ILogObserver)
def json_observer(event: LogEvent) -> None:
    """One JSON object per event on standard output: ``twistd --logger lockllm_twisted.logs.json_observer …``."""
    write_json(event, sys.stdout)


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
