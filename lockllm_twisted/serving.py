"""Serving one request with a coroutine: the one cancellation path, and the one place where errors become answers.

Responsible for: starting, cancelling when the client leaves, accounting, and what is said when something goes wrong.
Must never: let a traceback, or the words of an unexpected error, reach a client.
"""

from __future__ import annotations

import re
import time
from typing import cast

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from lockllm_twisted.answers import error_answer
from lockllm_twisted.core import Admission, Core
from lockllm_twisted.errors import BadRequest, LockLLMError
from lockllm_twisted.keys import holds_key
from lockllm_twisted.logs import log
from lockllm_twisted.relay import cut
from lockllm_twisted.values import Action, Caller, Ending, Exchange, Reading, Verdict, new_id
from lockllm_twisted.wire import HeaderPairs

_NOBODY = Caller(id="-", name="-")


@attrs.define
class Account:
    """What is known of an exchange while it goes on; `close` makes the `Exchange` of it."""

    provider: str
    method: str
    path: str
    id: str = attrs.field(factory=new_id)
    started: float = attrs.field(factory=time.perf_counter)
    time: float = attrs.field(factory=time.time)
    caller: Caller = _NOBODY
    reading: Reading | None = None
    verdict: Verdict | None = None
    status: int = 0
    code: str | None = None
    request_bytes: int = 0
    response_bytes: int = 0
    scan_seconds: float = 0.0

    def close(self, ending: Ending, *, keep_text: bool = False) -> Exchange:
        """The exchange, now that it has ended."""
        verdict, reading = self.verdict, self.reading
        worst = verdict.hits[0] if verdict is not None and verdict.hits else None
        return Exchange(
            id=self.id,
            time=self.time,
            caller=self.caller.id,
            provider=self.provider,
            method=self.method,
            path=_told(self.path),
            model=_told(reading.model[:200]) if reading is not None and reading.model else None,
            action=(verdict.action if verdict is not None else Action.ALLOW).word,
            score=verdict.score if verdict is not None else 0.0,
            category=worst.finding.category if worst else None,
            rule=worst.finding.rule if worst else None,
            where=_told(worst.where) if worst else None,
            coverage=verdict.coverage.state if verdict is not None else "not_scanned",
            status=self.status,
            code=self.code,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            scan_seconds=self.scan_seconds,
            seconds=time.perf_counter() - self.started,
            ending=ending,
            findings=tuple(
                {**attrs.asdict(hit.finding), "where": _told(hit.where), "origin": hit.origin.value}
                for hit in (verdict.hits if verdict is not None else ())
            ),
            text="\n".join(passage.text for passage in reading.passages if passage.until is None)
            if keep_text and reading is not None
            else None,
        )


_PLAIN_PLACE = re.compile(r"(?:/[\w.:@#~-]{0,64})*+\Z", re.ASCII)
_PLAIN_SEGMENT = re.compile(r"[\w.:@#~-]{0,64}\Z", re.ASCII)


def _told(place: str) -> str:
    """A path or a pointer for the log and the store: a segment that may be somebody's words, or a key, is not told."""
    if _PLAIN_PLACE.match(place) and not holds_key(place.encode()):
        return place
    segments = place.split("/")
    return "/".join(
        segment if _PLAIN_SEGMENT.match(segment) and not holds_key(segment.encode()) else "*" for segment in segments
    )


class ServedResource(Resource):
    """A leaf whose `serve` is a coroutine."""

    isLeaf = True

    def __init__(self, core: Core, provider: str) -> None:
        super().__init__()
        self.core = core
        self._name = provider

    def render(self, request: Request) -> int:
        """Start serving; every end is accounted for."""
        request.defaultContentType = None  # a provider's answer without a type has none
        account = Account(
            self._name, request.method.decode("latin-1"), request.uri.partition(b"?")[0].decode("latin-1")[:500]
        )
        serving = Deferred.fromCoroutine(self._guarded(request, account))
        request.notifyFinish().addErrback(lambda _: serving.cancel())
        return NOT_DONE_YET

    async def serve(self, request: Request, account: Account) -> Ending:
        """Answer the request. Raises `LockLLMError` for an answer of ours, as long as nothing was written."""
        raise NotImplementedError

    def told(self, account: Account) -> HeaderPairs:
        """Headers that tell of the verdict, on every answer that comes after one."""
        return ()

    async def _guarded(self, request: Request, account: Account) -> None:
        ending: Ending
        try:
            ending = await self.serve(request, account)
        except LockLLMError as error:
            ending = self._say(request, account, error)
        except CancelledError:
            ending = "gone"
        except Exception:  # noqa: BLE001 # whatever went wrong, nothing may slip by, and nobody may wait for ever
            log.failure("an exchange broke: {id}", failure=Failure(), id=account.id)
            ending = self._say(request, account, LockLLMError("Internal error; nothing further was sent."))
        self.core.record(account.close(ending, keep_text=self.core.settings.proxy.record == "text"))

    def _say(self, request: Request, account: Account, error: LockLLMError) -> Ending:
        account.status, account.code = error.http_status, error.code
        if request.channel is None:
            return "gone"
        if request.startedWriting:
            cut(request, self.core.clock)
            return "cut"
        status, headers, body = error_answer(error, account.id)
        send(request, status, [*headers, *self.told(account)], body)
        account.response_bytes = len(body)
        if account.verdict is not None and account.verdict.action is Action.BLOCK:
            return "blocked"
        return "failed" if status in (502, 504) else "refused"


def add_headers(request: Request, pairs: HeaderPairs) -> None:
    """Headers of the answer. Our own site writes them as they stand; twisted.web's groups and re-capitalises names."""
    verbatim: list[tuple[bytes, bytes]] | None = getattr(request, "answer_pairs", None)
    if verbatim is not None:
        verbatim += pairs
        return
    for name, value in pairs:
        request.responseHeaders.addRawHeader(name, value)


def send(request: Request, status: int, headers: HeaderPairs, body: bytes) -> None:
    """Write a whole answer of ours."""
    request.setResponseCode(status)
    request.responseHeaders.removeHeader(b"server")
    add_headers(request, headers)
    request.responseHeaders.setRawHeaders(b"content-length", [b"%d" % len(body)])
    request.write(b"" if request.method == b"HEAD" else body)
    request.finish()


def admission_of(request: Request, core: Core) -> Admission:
    """The caller: let in by the site before the body came, or (in somebody else's Site) now."""
    early = getattr(request, "admission", None)
    if isinstance(early, Admission):
        return early
    return core.admit(header_pairs(request), request.uri)


def header_pairs(request: Request) -> HeaderPairs:
    """The request's headers as pairs in order; our own site keeps them as they came."""
    early = getattr(request, "pairs", None)
    if early is not None:
        return cast(HeaderPairs, early)
    return [(name, value) for name, values in request.requestHeaders.getAllRawHeaders() for value in values]


def body_of(request: Request, core: Core) -> bytes:
    """The request's body. In somebody else's Site its size is first known here."""
    content = request.content
    assert content is not None  # twisted.web sets it before it renders
    body: bytes = content.read()
    if len(body) > core.settings.proxy.max_body:
        limit = core.settings.proxy.max_body
        raise BadRequest(
            f"The body is larger than this server's limit of {limit} bytes.", code="body_too_large", status=413
        )
    return body
