"""``lockllm``: the operator's command line.

Responsible for: the table of commands, their options, and one clear line for what goes wrong. Exit codes: 0 it is done;
1 the answer is no (the prompt would be blocked, the settings can't stand, there is no such key); 2 it could not be asked.
Must never: show a traceback, take a provider's key as an argument, or import for one command what another one needs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

from lockllm_twisted.cli import check, evaluate, feedback, keys, listings, providers, scan
from lockllm_twisted.cli.common import Command, complain, settings_of, whole_number
from lockllm_twisted.errors import LockLLMError, NotFound


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=whole_number(0, 65535), default=8080, help="the port on 127.0.0.1; 0: any free one [8080]"
    )


def _demo(options: argparse.Namespace) -> int:
    from lockllm_twisted.demo import run  # noqa: PLC0415 # it imports the reactor

    run(options.port, settings_of(options))
    return 0


GROUPS = {
    "keys": "the LockLLM keys that open this server",
    "providers": "the providers, and the keys that are stored for them",
}

COMMANDS = (
    Command("keys create", "make a key; it is shown once", keys.create, keys.create_options),
    Command("keys list", "list the keys, revoked ones too", keys.listing, keys.list_options),
    Command("keys revoke", "end a key; a running service refuses it within a second", keys.revoke, keys.revoke_options),
    Command(
        "providers list", "list the providers and where their keys come from", providers.listing, providers.list_options
    ),
    Command("providers set-key", "store a provider's key, encrypted", providers.set_key, providers.set_key_options),
    Command("providers remove-key", "forget a provider's key", providers.remove_key, providers.slug_option),
    Command("check", "check a settings file, and all that it names", check.run, check.options),
    Command("scan", "judge a text, and tell why", scan.run, scan.options),
    Command("evaluate", "measure the scanners, or another server, on labelled texts", evaluate.run, evaluate.options),
    Command("plugins", "list the plugins and what they bring", listings.plugins, listings.plugin_options),
    Command("events", "list the last requests", listings.events, listings.event_options),
    Command("feedback", "allow what was blocked and should not have been", feedback.run, feedback.options),
    Command("demo", "serve on this machine, with two requests to copy", _demo, _demo_options),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        code = command.run(options)
        sys.stdout.flush()
    except NotFound as problem:
        complain(problem.message)
        return 1
    except LockLLMError as problem:
        complain(problem.message)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # lockllm events | head; Python's documentation of SIGPIPE tells why the descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS, allow_abbrev=False)
    common.add_argument(
        "--state", metavar="DIR", help="where keys and events are [$LOCKLLM_STATE or ~/.local/state/lockllm]"
    )
    common.add_argument("--config", metavar="FILE", help="the settings, a TOML file")
    root = argparse.ArgumentParser(prog="lockllm", description=_about(), parents=[common], allow_abbrev=False)
    root.add_argument("--version", action="version", version=f"lockllm-twisted {version('lockllm-twisted')}")
    branches = {"": root.add_subparsers(title="commands", metavar="COMMAND", required=True)}
    for command in COMMANDS:
        *group, name = command.name.split()
        branch = "".join(group)
        if branch not in branches:
            parser = branches[""].add_parser(
                branch, help=GROUPS[branch], description=GROUPS[branch], allow_abbrev=False
            )
            branches[branch] = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        leaf = branches[branch].add_parser(
            name, help=command.help, description=command.help, parents=[common], allow_abbrev=False
        )
        command.options(leaf)
        leaf.set_defaults(command=command)
    return root


def _about() -> str:
    return "The operator's side of a LockLLM server. The server itself: twistd -n lockllm"
