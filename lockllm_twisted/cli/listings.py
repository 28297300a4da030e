"""``lockllm plugins`` and ``lockllm events``: what is installed, and what happened.

Responsible for: two tables.
Must never: show more of an exchange than the store keeps.
"""

from __future__ import annotations

import argparse
import json

import attrs

from lockllm_twisted.cli.common import columns, json_option, moment, say, settings_of, store_of, whole_number


def plugin_options(parser: argparse.ArgumentParser) -> None:
    """``plugins``."""
    json_option(parser)


def plugins(options: argparse.Namespace) -> int:
    """List the plugins."""
    from lockllm_twisted.registry import load  # noqa: PLC0415 # all plugins

    loaded = load(settings_of(options)).plugins
    if options.json:
        say(json.dumps([attrs.asdict(plugin) for plugin in loaded]))
        return 0
    for plugin in loaded:
        say(f"{plugin.name}  {plugin.distribution} {plugin.version}")
        say(f"  hooks: {', '.join(plugin.hooks)}")
        say(f"  brings: {', '.join(plugin.provides) or 'nothing'}")
    return 0


def event_options(parser: argparse.ArgumentParser) -> None:
    """``events``."""
    parser.add_argument(
        "--limit", type=whole_number(1, 1_000_000), default=20, metavar="N", help="how many of the last requests [20]"
    )
    json_option(parser)


def events(options: argparse.Namespace) -> int:
    """List the last requests, the newest first."""
    found = store_of(options, settings_of(options)).events(limit=options.limit)
    if options.json:
        say(json.dumps(found))
        return 0
    columns(
        [
            ("TIME", "ID", "CALLER", "PROVIDER", "ACTION", "SCORE", "FOUND", "STATUS", "ENDING", "MS"),
            *(
                (
                    moment(event["time"]),
                    event["id"],
                    event["caller"],
                    event["provider"],
                    event["action"],
                    f"{event['score']:.2f}",
                    event["rule"] or "-",
                    str(event["status"]),
                    event["ending"],
                    f"{event['seconds'] * 1000:.1f}",
                )
                for event in found
            ),
        ]
    )
    return 0
