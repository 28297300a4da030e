"""``lockllm scan``: the verdict on one text, as the service would come to it, with the reason.

Responsible for: showing what was found, by which rule, and where in the text.
Must never: send anything anywhere, or print a text in a way that paints the terminal.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from lockllm_twisted.cli.common import json_option, say, settings_of, visible
from lockllm_twisted.settings import ScannerSettings, Settings
from lockllm_twisted.values import ROLES, Action, Hit, Passage, Reading, Sensitivity, Verdict

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

_AROUND = 40
"""Characters shown before and after a span."""
_SPAN = 200
_HITS = 10


def options(parser: argparse.ArgumentParser) -> None:
    """``scan``."""
    parser.add_argument("text", metavar="TEXT", help='the text; "-" reads it from standard input')
    parser.add_argument("--role", choices=ROLES, default="user", help="who the text speaks for [user]")
    parser.add_argument(
        "--sensitivity",
        choices=[word.value for word in Sensitivity],
        help="how little evidence is enough [the settings']",
    )
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Judge a text: 1 if a request with it would be blocked."""
    settings = settings_of(options)
    raw = sys.stdin.buffer.read() if options.text == "-" else options.text.encode("utf-8", "surrogateescape")
    text = raw.decode("utf-8", "replace")
    sensitivity = Sensitivity(options.sensitivity or settings.proxy.sensitivity)
    verdict = _judged(settings, Passage(ROLES[options.role], "/input", text), sensitivity)
    if options.json:
        say(json.dumps(_as_json(verdict)))
    else:
        for line in _told(verdict, text):
            say(line)
    return int(verdict.action is Action.BLOCK)


def _judged(settings: Settings, passage: Passage, sensitivity: Sensitivity) -> Verdict:
    from twisted.internet import reactor  # noqa: PLC0415 # half a second of imports that no other command needs
    from twisted.internet.defer import Deferred, maybeDeferred  # noqa: PLC0415 # as above

    from lockllm_twisted.guard import Guard  # noqa: PLC0415 # as above
    from lockllm_twisted.options import by_default  # noqa: PLC0415 # as above
    from lockllm_twisted.registry import load  # noqa: PLC0415 # as above
    from lockllm_twisted.scan import Scanners  # noqa: PLC0415 # as above

    registry, proxy = load(settings), settings.proxy
    posts = [(scanner, settings.scanners.get(scanner.name, ScannerSettings())) for scanner in registry.scanners]
    guard = Guard(Scanners(posts, proxy.on_scanner_error, reactor, maybeDeferred), registry.policies, proxy)
    wishes = attrs.evolve(by_default(proxy), sensitivity=sensitivity)
    return _awaited(Deferred.fromCoroutine(guard.judge(Reading([passage]), wishes)), reactor)


def _awaited(verdict: Deferred[Verdict], reactor: Any) -> Verdict:
    """The result: at once where every scanner is a plain one, else when the reactor has brought it."""
    found: list[Verdict] = []
    verdict.addCallback(found.append)
    if not found:
        verdict.addBoth(lambda _: reactor.stop())
        reactor.run()
    return found[0]


def _as_json(verdict: Verdict) -> dict[str, Any]:
    from lockllm_twisted.answers import details  # noqa: PLC0415 # with the rest of the service

    return {
        "action": verdict.action.word,
        "safe": verdict.safe,
        "sensitivity": verdict.sensitivity.value,
        **details(verdict),
        "score": round(verdict.score * 100),
        "failed_scanners": list(verdict.failed_scanners),
    }


def _told(verdict: Verdict, text: str) -> Iterator[str]:
    yield f"{verdict.action.word}: score {verdict.score * 100:.0f} of 100, sensitivity {verdict.sensitivity.value}"
    if verdict.failed_scanners:
        yield f"failed scanners: {', '.join(verdict.failed_scanners)}"
    for hit in verdict.hits[:_HITS]:
        finding = hit.finding
        via = f", hidden as {' in '.join(finding.via)}" if finding.via else ""
        yield ""
        yield f"{finding.category}, score {finding.score * 100:.0f}, rule {finding.rule} of scanner {finding.scanner}{via}"
        yield f"  {_in_context(hit, text)}"
        if finding.because:
            yield f"  because of: {', '.join(finding.because)}"
    if len(verdict.hits) > _HITS:
        yield f"and {len(verdict.hits) - _HITS} more findings"


def _in_context(hit: Hit, text: str) -> str:
    """The span between marks, in the text around it."""
    start, end = hit.finding.start, hit.finding.end
    before, span, after = text[max(0, start - _AROUND) : start], text[start:end], text[end : end + _AROUND]
    if len(span) > _SPAN:
        span = f"{span[: _SPAN // 2]}…{span[-_SPAN // 2 :]}"
    left, right = "…" * (start > _AROUND), "…" * (len(text) > end + _AROUND)
    return f"{left}{visible(before)}⟦{visible(span)}⟧{visible(after)}{right}"
