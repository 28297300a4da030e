"""Running the scanners: isolated from each other, in time, off the reactor where it takes long, and never twice.

Responsible for: passages -> hits and failures. A scanner's exception, junk or time-out is told as a failure with the
action that its setting asks for; it never becomes "nothing found".
Must never: decide what a finding means (that is ``policy``), or let a text out in a log line.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any, TypeVar, cast

import attrs
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from txaio import tx

from lockllm_twisted.hooks import QuickScanner, Scanner
from lockllm_twisted.logs import log
from lockllm_twisted.settings import ScannerSettings
from lockllm_twisted.values import Action, Finding, Hit, Origin, Passage, ScanMode

CACHED_TEXTS = 50_000
"""Texts remembered per scanner, in two generations; about 10 MB when full."""

_SHORT = 64
"""Up to here a text is its own cache key; longer ones are kept as a digest, so that no prompt stays in memory."""

_CONCURRENT = 16
"""Passages that an asynchronous scanner judges at the same time for one request."""

_Result = TypeVar("_Result")
InThread = Callable[[Callable[[], _Result]], "Deferred[_Result]"]


@attrs.frozen
class ScanResult:
    """What all scanners said. ``failed`` pairs each scanner that could not judge with the action that is set for it."""

    hits: tuple[Hit, ...]
    failed: tuple[tuple[str, Action], ...]


NOTHING = ScanResult((), ())

_Key = tuple[Origin, str | bytes]
_Findings = tuple[Finding, ...]


class _Judged:
    """What one scanner has found before; the two generations together are a cheap, bounded "least recently used"."""

    def __init__(self) -> None:
        self._young: dict[_Key, _Findings] = {}
        self._old: dict[_Key, _Findings] = {}

    def recall(self, keys: Sequence[_Key]) -> list[_Findings | None]:
        """What was found under each key; ``None`` where it was never judged, or long ago."""
        found = [*map(self._young.get, keys)]
        if self._old and None in found:
            for index, (key, one) in enumerate(zip(keys, found, strict=True)):
                if one is None and (old := self._old.get(key)) is not None:
                    found[index] = old
                    self.put(key, old)
        return found

    def put(self, key: _Key, findings: _Findings) -> None:
        """Remember."""
        if len(self._young) >= CACHED_TEXTS // 2:
            self._old, self._young = self._young, {}
        self._young[key] = findings


@attrs.frozen
class _Post:
    """A scanner at work here: its settings and its memory."""

    scanner: Scanner
    settings: ScannerSettings
    on_error: Action
    judged: _Judged = attrs.field(factory=_Judged)
    quickly: Callable[[Passage], Sequence[Finding] | None] | None = attrs.field(init=False)

    @quickly.default
    def _scan_quickly(self) -> Callable[[Passage], Sequence[Finding] | None] | None:
        return self.scanner.scan_quickly if isinstance(self.scanner, QuickScanner) else None

    @property
    def on_reactor(self) -> bool:
        return self.scanner.inline_chars is None or inspect.iscoroutinefunction(self.scanner.scan)


class _Wanted:
    """Ends a scan in a thread, between two passages, once nobody waits for it: a thread can't be cancelled."""

    def __init__(self) -> None:
        self._wanted = True

    def of(self, passages: Sequence[Passage]) -> Iterator[Passage]:
        """The passages, as long as they are wanted."""
        for passage in passages:
            if not self._wanted:
                return
            yield passage

    def no_more(self, failure: Failure) -> Failure:
        """The request timed out, or its client left."""
        self._wanted = False
        return failure


class Scanners:
    """All scanners of one service. ``in_thread`` runs a function in the project's own thread pool."""

    def __init__(
        self,
        scanners: Sequence[tuple[Scanner, ScannerSettings]],
        on_error: Action,
        clock: IReactorTime,
        in_thread: InThread[Any],
    ) -> None:
        posts = [
            _Post(scanner, settings, on_error if settings.on_error is None else settings.on_error)
            for scanner, settings in scanners
        ]
        self._posts = {mode: [post for post in posts if _runs(post.scanner, mode)] for mode in ScanMode}
        self._clock = clock
        self._in_thread = in_thread

    async def scan(self, passages: Sequence[Passage], mode: ScanMode) -> ScanResult:
        """Judge all passages with all scanners of the mode. Never fails."""
        posts = self._posts[mode]
        if not posts:
            return NOTHING
        keys: list[_Key] = [
            (passage.origin, passage.text) if len(passage.text) <= _SHORT else _digested(passage)
            for passage in passages
        ]
        hits: list[Hit] = []
        failed: list[tuple[str, Action]] = []
        for post in posts:
            found = post.judged.recall(keys)
            if None in found:
                missing = [index for index, one in enumerate(found) if one is None]
                todo = {keys[index]: passages[index] for index in missing}
                try:
                    fresh = dict(zip(todo, await self._judge(post, list(todo.values())), strict=True))
                except Exception as error:  # noqa: BLE001 # the plugin boundary
                    log.error("scanner {scanner} failed: {error}", scanner=post.scanner.name, error=_told(error))
                    failed.append((post.scanner.name, post.on_error))
                    continue
                for key, findings in fresh.items():
                    post.judged.put(key, findings)
                for index in missing:
                    found[index] = fresh[keys[index]]
            if any(found):
                hits += [
                    Hit(finding, passage.origin, passage.where, passage.until, post.scanner.kind, passage)
                    for passage, findings in zip(passages, found, strict=True)
                    for finding in findings or ()
                ]
        return ScanResult(tuple(hits), tuple(failed))

    async def _judge(self, post: _Post, passages: list[Passage]) -> list[tuple[Finding, ...]]:
        if post.on_reactor:
            turn = DeferredSemaphore(_CONCURRENT)
            each = [turn.run(_as_deferred, post.scanner, passage) for passage in passages]
            told: Deferred[list[Any]] = gatherResults(each, consumeErrors=True)
            return [_checked(findings) for findings in await told.addTimeout(post.settings.timeout, self._clock)]
        if sum(len(passage.text) for passage in passages) > (post.scanner.inline_chars or 0):
            return await self._judge_in_thread(post, passages)
        if post.quickly is None:
            return [_checked(post.scanner.scan(passage)) for passage in passages]
        quick = [*map(post.quickly, passages)]
        slow = [passage for passage, findings in zip(passages, quick, strict=True) if findings is None]
        rest = iter(await self._judge_in_thread(post, slow) if slow else ())
        return [next(rest) if findings is None else _checked(findings) for findings in quick]

    def _judge_in_thread(self, post: _Post, passages: list[Passage]) -> Deferred[list[tuple[Finding, ...]]]:
        wanted = _Wanted()
        told = self._in_thread(lambda: [_checked(post.scanner.scan(passage)) for passage in wanted.of(passages)])
        return told.addErrback(wanted.no_more).addTimeout(post.settings.timeout, self._clock)


def _as_deferred(scanner: Scanner, passage: Passage) -> Deferred[Sequence[Finding]]:
    future = tx.as_future(scanner.scan, passage)
    return cast("Deferred[Sequence[Finding]]", future)


def _runs(scanner: Scanner, mode: ScanMode) -> bool:
    return mode is ScanMode.COMBINED or (mode is ScanMode.POLICY_ONLY) == (scanner.kind == "policy")


def _digested(passage: Passage) -> _Key:
    text = passage.text.encode("utf-8", "surrogatepass")
    return passage.origin, blake2b(text, digest_size=16).digest()


def _checked(findings: object) -> tuple[Finding, ...]:
    if not findings and isinstance(findings, (tuple, list)):
        return ()
    if isinstance(findings, Awaitable) or not isinstance(findings, Sequence):
        raise TypeError(f"scan returned {type(findings).__name__}, not a sequence of findings")
    for finding in findings:
        if not isinstance(finding, Finding):
            raise TypeError(f"scan returned a {type(finding).__name__} among its findings")
    return tuple(findings)


def _told(error: Exception) -> str:
    """What failed and where, without the message: it may quote the text."""
    frames = Failure(error).frames
    place = f" in {frames[-1][0]} ({frames[-1][1].rsplit('/', 1)[-1]}:{frames[-1][2]})" if frames else ""
    return type(error).__name__ + place
