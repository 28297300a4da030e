"""Serving one request with a coroutine: the one cancellation path, and the one place where errors become answers.

Responsible for: starting, cancelling when the client leaves, accounting, and what is said when something goes wrong.
Must never: let a traceback, or the words of an unexpected error, reach a client.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from lockllm_twisted.answers import error_answer
from lockllm_twisted.client import Client
from lockllm_twisted.core import Core
from lockllm_twisted.door import Entry
from lockllm_twisted.embedding import SiteClient
from lockllm_twisted.errors import LockLLMError
from lockllm_twisted.keys import holds_key
from lockllm_twisted.logs import log
from lockllm_twisted.values import Action, Caller, Ending, Exchange, Hit, Passage, Reading, Verdict, new_id
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

    def close(self, ending: Ending, *, digest: Callable[[Passage], str], keep_text: bool = False) -> Exchange:
        """The exchange, now that it has ended. ``digest`` is what is kept of a text in which something was found."""
        verdict, reading = self.verdict, self.reading
        hits, allowed = (verdict.hits, verdict.allowed) if verdict is not None else ((), ())
        worst = hits[0] if hits else allowed[0] if allowed else None
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
            rule=f"{'' if hits else 'allowed:'}{worst.finding.rule}" if worst else None,
            where=_told(worst.where) if worst else None,
            coverage=verdict.coverage.state if verdict is not None else "not_scanned",
            status=self.status,
            code=self.code,
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            scan_seconds=self.scan_seconds,
            seconds=time.perf_counter() - self.started,
            ending=ending,
            findings=(*_findings(hits, digest), *({**one, "allowed": True} for one in _findings(allowed, digest)))
            if worst is not None
            else (),
            text="\n".join(passage.text for passage in reading.passages if passage.until is None)
            if keep_text and reading is not None
            else None,
        )


def _findings(hits: Sequence[Hit], digest: Callable[[Passage], str]) -> Iterator[dict[str, object]]:
    digests: dict[int, str] = {}
    for hit in hits:
        if hit.passage is not None and id(hit.passage) not in digests:
            digests[id(hit.passage)] = digest(hit.passage)
        yield {
            **attrs.asdict(hit.finding),
            "where": _told(hit.where),
            "origin": hit.origin.value,
            "digest": digests.get(id(hit.passage)),
        }


_PLAIN_PLACE = re.compile(r"(?:/[\w.:@#~-]{0,64})*+\Z", re.ASCII)
_PLAIN_SEGMENT = re.compile(r"[\w.:@#~-]{0,64}\Z", re.ASCII)


@lru_cache(maxsize=256)
def _told(place: str) -> str:
    """A path or a pointer for the log and the store: a segment that may be somebody's words, or a key, is not told."""
    if _PLAIN_PLACE.match(place) and "llk_" not in place:
        return place
    segments = place.split("/")
    return "/".join(
        segment if _PLAIN_SEGMENT.match(segment) and not holds_key(segment.encode()) else "*" for segment in segments
    )


class Leaf(Resource):
    """What answers requests: in our own Site by `handle`, in somebody else's by twisted.web's `render`."""

    isLeaf = True

    def __init__(self, core: Core) -> None:
        super().__init__()
        self.core = core

    def enter(self, client: Client) -> Entry | None:
        """Let the caller in by the head alone, or raise `LockLLMError`; ``None``: everybody may ask."""
        return None

    def handle(self, client: Client) -> None:
        """Answer."""
        raise NotImplementedError

    def render(self, request: Request) -> int:
        """The way in for a foreign Site."""
        self.handle(SiteClient(request, self.core.clock, max_body=self.core.settings.proxy.max_body))
        return NOT_DONE_YET


class ServedResource(Leaf):
    """A leaf whose `serve` is a coroutine, and whose requests are accounted for."""

    def __init__(self, core: Core, provider: str) -> None:
        super().__init__(core)
        self._name = provider

    def handle(self, client: Client) -> None:
        """Start serving; every end is accounted for."""
        path = client.target.partition(b"?")[0].decode("latin-1")[:500]
        account = Account(self._name, client.method.decode("latin-1"), path)
        serving = Deferred.fromCoroutine(self._guarded(client, account))
        client.on_gone = serving.cancel

    async def serve(self, client: Client, entry: Entry, account: Account) -> Ending:
        """Answer the request of a caller who was let in. Raises `LockLLMError` as long as nothing was written."""
        raise NotImplementedError

    def told(self, account: Account) -> HeaderPairs:
        """Headers that tell of the verdict, on every answer that comes after one."""
        return ()

    async def _guarded(self, client: Client, account: Account) -> None:
        ending: Ending
        try:
            entry = self._entered(client)
            account.caller = entry.caller
            account.request_bytes = len(client.body)
            ending = await self.serve(client, entry, account)
        except LockLLMError as error:
            ending = self._say(client, account, error)
        except CancelledError:
            ending = "gone"
        except Exception:  # noqa: BLE001 # whatever went wrong, nothing may slip by, and nobody may wait for ever
            log.failure("an exchange broke: {id}", failure=Failure(), id=account.id)
            ending = self._say(client, account, LockLLMError("Internal error; nothing further was sent."))
        keep_text = self.core.settings.proxy.record == "text"
        self.core.record(account.close(ending, digest=self.core.store.digest, keep_text=keep_text))

    def _entered(self, client: Client) -> Entry:
        """The caller: let in by the head alone, before the body came, or (in a foreign Site) now."""
        if client.problem is not None:
            raise client.problem
        entry = client.entry or self.enter(client)
        assert entry is not None
        return entry

    def _say(self, client: Client, account: Account, error: LockLLMError) -> Ending:
        account.status, account.code = error.http_status, error.code
        if client.gone:
            return "gone"
        if client.begun:
            client.cut()
            return "cut"
        status, headers, body = error_answer(error, account.id)
        send(client, status, [*headers, *self.told(account)], body)
        account.response_bytes = len(body)
        if account.verdict is not None and account.verdict.action is Action.BLOCK:
            return "blocked"
        return "failed" if status in (502, 504) else "refused"


def send(client: Client, status: int, headers: HeaderPairs, body: bytes) -> None:
    """Write a whole answer of ours."""
    client.begin(status, RESPONSES.get(status, b""), headers, len(body))
    client.write(body)
    client.finish()
