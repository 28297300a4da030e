"""``twistd lockllm``: options into a service.

Responsible for: the command line of the service; a bad option or setting ends with one line, not a traceback.
Must never: do anything that `service` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
from twisted.logger import ILogObserver
from twisted.python import usage

from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.logs import json_observer, text_observer
from lockllm_twisted.service import LockLLMService, leave
from lockllm_twisted.settings import Settings


class Options(usage.Options):
    """The options of ``twistd lockllm``."""

    synopsis = "[options]"
    longdesc = "A transparent proxy for LLM APIs that scans every prompt. Works without a config file."

    optFlags = [
        [
            "observe",
            None,
            "Turn every block into a flag: requests pass, and answers, log and events tell what was found.",
        ]
    ]
    optParameters = [
        ["config", "c", None, "The settings, a TOML file (check it with 'lockllm check FILE')."],
        ["state", "s", None, "The directory for keys and events [default: $LOCKLLM_STATE or ~/.local/state/lockllm]."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, description: str) -> None:
        """Where to listen; may be given more than once [default: tcp:8080:interface=127.0.0.1]."""
        self["listen"].append(description)

    opt_l = opt_listen

    def opt_version(self) -> None:
        """Print the version and exit."""
        from importlib.metadata import version  # noqa: PLC0415

        print(f"lockllm-twisted {version('lockllm-twisted')}")  # noqa: T201
        raise SystemExit(0)


def makeService(options: Options) -> LockLLMService:
    """The service for these options; what can't stand ends the process with one line."""
    try:
        settings = Settings.from_toml(options["config"]) if options["config"] else Settings()
        if options["state"]:
            settings = attrs.evolve(settings, state=Path(options["state"]))
        if options["observe"]:
            settings = attrs.evolve(settings, proxy=attrs.evolve(settings.proxy, observe=True))
        return LockLLMService(settings, options["listen"], observer=_observer(options.parent or {}, settings))
    except LockLLMError as error:
        leave(str(error))


def _observer(twistd: Mapping[str, object], settings: Settings) -> ILogObserver | None:
    """Ours for standard output; a log file, which twistd turns over, and syslog are twistd's."""
    if not twistd.get("nodaemon") or twistd.get("syslog") or twistd.get("logfile") not in (None, "-"):
        return None
    return json_observer() if settings.proxy.log_format == "json" else text_observer()
