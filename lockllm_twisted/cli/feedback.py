"""``lockllm feedback``: what was blocked and should not have been.

Responsible for: putting the texts of one exchange on the allow list, listing it, taking them back.
Must never: ask for a text, or show one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import attrs

from lockllm_twisted.cli.common import columns, json_option, moment, say, settings_of, store_of
from lockllm_twisted.errors import SettingsError
from lockllm_twisted.store import AllowedText


def options(parser: argparse.ArgumentParser) -> None:
    """``feedback``."""
    parser.add_argument(
        "exchange", nargs="?", metavar="ID", help="the exchange: request_id in the answer, or see: lockllm events"
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--benign", action="store_true", help="allow its texts, exactly as they were, from now on")
    what.add_argument("--remove", action="store_true", help="take back what was allowed because of it")
    what.add_argument("--list", action="store_true", help="list what is allowed")
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Allow, take back, or list."""
    if options.list == (options.exchange is not None):
        raise SettingsError(
            "--list takes no ID." if options.list else "name the exchange: lockllm feedback ID --benign"
        )
    store = store_of(options, settings_of(options))
    if options.list:
        entries = store.allowed_texts()
    elif options.benign:
        entries = store.allow(options.exchange)
    else:
        entries = store.disallow(options.exchange)
    if options.json:
        say(json.dumps([attrs.asdict(entry) for entry in entries]))
    elif options.list:
        _listed(entries)
    else:
        say(_told(options.exchange, entries, allowed=options.benign))
    return 0


def _told(exchange: str, entries: Sequence[AllowedText], *, allowed: bool) -> str:
    if not entries:
        return f"the texts of {exchange} are allowed already"
    texts = len({entry.digest for entry in entries})
    found = ", ".join(sorted({f"{entry.category} ({entry.scanner})" for entry in entries}))
    word = "no longer stopped" if allowed else "judged again"
    return f"{texts} {'text' if texts == 1 else 'texts'} of {exchange}: {word} for {found}"


def _listed(entries: Sequence[AllowedText]) -> None:
    columns(
        [
            ("ALLOWED", "ID", "ORIGIN", "CATEGORY", "SCANNER", "DIGEST"),
            *(
                (moment(one.created), one.exchange, one.origin, one.category, one.scanner, one.digest[:12])
                for one in entries
            ),
        ]
    )
