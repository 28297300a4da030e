"""``lockllm keys``: who may call.

Responsible for: making, listing and revoking LockLLM keys.
Must never: show a key twice. Only `create` ever has it.
"""

from __future__ import annotations

import argparse
import json

import attrs

from lockllm_twisted.cli.common import columns, complain, json_option, moment, say, settings_of, store_of


def create_options(parser: argparse.ArgumentParser) -> None:
    """``keys create``."""
    parser.add_argument("--name", required=True, help="what the key is for; logs and events tell the key's id")
    parser.add_argument(
        "--locked", action="store_true", help="its callers may tighten the settings by header, never loosen"
    )
    json_option(parser)


def create(options: argparse.Namespace) -> int:
    """Make a key: alone on standard output, so that a script can take it."""
    record, key = store_of(options, settings_of(options)).create_key(options.name, locked=options.locked)
    if options.json:
        told = attrs.asdict(record)
        say(json.dumps({"id": told.pop("id"), "name": told.pop("name"), "key": key, **told}))
    else:
        complain(f"made key {record.id}. It is shown only now: keep it.")
        say(key)
    return 0


def list_options(parser: argparse.ArgumentParser) -> None:
    """``keys list``."""
    json_option(parser)


def listing(options: argparse.Namespace) -> int:
    """List the keys."""
    records = store_of(options, settings_of(options)).keys()
    if options.json:
        say(json.dumps([attrs.asdict(record) for record in records]))
        return 0
    columns(
        [
            ("ID", "NAME", "CREATED", "REVOKED", ""),
            *(
                (
                    record.id,
                    record.name,
                    moment(record.created),
                    moment(record.revoked),
                    "locked" if record.locked else "",
                )
                for record in records
            ),
        ]
    )
    return 0


def revoke_options(parser: argparse.ArgumentParser) -> None:
    """``keys revoke``."""
    parser.add_argument("key", metavar="ID_OR_NAME", help="the key's id, its name, or (a leaked one) the key itself")
    json_option(parser)


def revoke(options: argparse.Namespace) -> int:
    """End a key."""
    record = store_of(options, settings_of(options)).revoke_key(options.key)
    if options.json:
        say(json.dumps(attrs.asdict(record)))
    else:
        say(f"revoked key {record.id} ({record.name})")
    return 0
