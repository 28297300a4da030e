"""One request's way through the proxy: door, reading, guard, upstream, relay, top to bottom.

Responsible for: the order of these steps.
Must never: open a connection before the verdict, or finish an answer that the provider did not finish.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TypeVar, cast

import attrs
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.web.http import RESPONSES
from twisted.web.server import NOT_DONE_YET, Request
from txaio import tx

from lockllm_twisted.answers import pass_headers, refusal
from lockllm_twisted.client import Client
from lockllm_twisted.core import Core
from lockllm_twisted.door import Entry, outgoing, without_key
from lockllm_twisted.embedding import SiteClient
from lockllm_twisted.errors import NotFound, UpstreamError, UpstreamTimeout
from lockllm_twisted.hooks import (
    AuthorizingProvider,
    DiscerningProvider,
    LocalProvider,
    LocalRequest,
    Provider,
    UpstreamRequest,
)
from lockllm_twisted.local import LocalResponse
from lockllm_twisted.options import Options, by_default, in_force
from lockllm_twisted.reading import read
from lockllm_twisted.relay import Relay
from lockllm_twisted.serving import Account, ServedResource
from lockllm_twisted.upstream import NothingReceived, ProtocolError, UpstreamResponse
from lockllm_twisted.values import Action, Ending, Reading, Verdict
from lockllm_twisted.wire import (
    Fields,
    HeaderPairs,
    Named,
    check_target,
    forwarded_request_headers,
    forwarded_response_headers,
)

_Result = TypeVar("_Result")

READ_INLINE = 16_384
"""Bytes of body that are read in about a millisecond; more goes to the thread pool."""

_TELLING = (b"content-type", b"content-encoding")
"""The headers that tell how to read a body."""

AUTHORIZE_TIMEOUT = 30.0
"""Seconds for a provider to make a credential: a token's refresh is one request, and google-auth waits 120 s for it."""


def _has_body(named: Named) -> bool:
    """RFC 9112 §6.3: "The presence of a message body in a request is signaled by a Content-Length or Transfer-Encoding"."""
    return b"content-length" in named or b"transfer-encoding" in named


class ProxyResource(ServedResource):
    """``/v1/proxy/<slug>``: everything behind it goes to one provider."""

    def __init__(self, core: Core, provider: Provider) -> None:
        super().__init__(core, provider.slug)
        self._provider = provider
        self._dialect = lru_cache(maxsize=256)(provider.dialect)
        self._options = by_default(core.settings.proxy)
        self._local = provider if isinstance(provider, LocalProvider) else None
        self._authorizing = provider if isinstance(provider, AuthorizingProvider) else None
        self._discerning = provider if isinstance(provider, DiscerningProvider) else None

    def render(self, request: Request) -> int:
        """In a foreign Site, which decodes segments: a way here that is not written in its plain form leads nowhere."""
        client = SiteClient(request, self.core.clock, max_body=self.core.settings.proxy.max_body)
        if client.target.split(b"/")[: client.depth + 1][-3:] != [b"v1", b"proxy", self._provider.slug.encode()]:
            client.problem = NotFound("Write the path to the provider in its plain form: /v1/proxy/<provider>.")
        self.handle(client)
        return NOT_DONE_YET

    def enter(self, client: Client) -> Entry:
        """A path that can be forwarded, and a caller."""
        check_target(client.tail, encoded_slash=self._provider.encoded_slash)
        return self.core.admit(client.fields.named, client.target)

    async def serve(self, client: Client, entry: Entry, account: Account) -> Ending:
        """Door, reading, guard, upstream, relay."""
        core, provider = self.core, self._provider
        options = in_force(client.fields.named, self._options, entry.caller)
        headers, target = outgoing(
            entry,
            provider,
            forwarded_request_headers(client.fields),
            self._discerning.target_for(client.tail, client.fields.pairs)
            if self._discerning
            else provider.target(client.tail),
            core.provider_key(provider.slug),
        )

        started = time.perf_counter()
        verdict = await self._judge(client, account, target, options)
        account.verdict = verdict
        account.scan_seconds = time.perf_counter() - started
        if verdict.action is Action.BLOCK:
            raise refusal(verdict)

        if self._local is not None:
            answer = self._local.answer(LocalRequest(client.method, target, headers, client.body))
            response: LocalResponse | UpstreamResponse = LocalResponse(answer, core.clock)
            fields = Fields(answer.headers)
            self._begin(client, account, answer.status, RESPONSES.get(answer.status, b""), fields, None)
        else:
            response = await self._ask(
                client,
                UpstreamRequest(
                    cast(str, provider.origin),
                    client.method,
                    target,
                    headers,
                    client.body if _has_body(client.fields.named) else None,
                    account.caller,
                ),
            )
            head = response.head
            length = head.told_length if head.framing in ("length", "none") else None
            self._begin(client, account, head.status, head.phrase, head.fields, length)
            body = response.whole()
            if body is not None:  # nothing is left to wait for
                client.write(body)
                client.finish()
                account.response_bytes = len(body)
                return "gone" if client.gone else "done"
        return await self._relay(client, account, response)

    def told(self, account: Account) -> HeaderPairs:
        """The metadata headers of LockLLM's SDKs."""
        if account.verdict is None or account.reading is None:
            return ()
        return pass_headers(account.verdict, provider=self._provider.slug, model=account.reading.model)

    async def _judge(self, client: Client, account: Account, target: bytes, options: Options) -> Verdict:
        method, seen, body = client.method, without_key(target), client.body
        dialect = self._dialect(target.partition(b"?")[0])
        guess = not self.core.guard.refuses_unreadable
        named = client.fields.named
        telling = [(name, value) for name in _TELLING for value in named.get(name, ())]

        def reading() -> Reading:
            return read(method=method, target=seen, headers=telling, body=body, dialect=dialect, guess=guess)

        account.reading = reading() if len(body) <= READ_INLINE else await self.core.in_thread(reading)
        return await self.core.guard.judge(account.reading, options)

    async def _ask(self, client: Client, asking: UpstreamRequest) -> UpstreamResponse:
        """The provider's answer, once its head is there."""
        seconds, slug = self.core.settings.proxy.upstream_timeout, self._provider.slug
        if self._authorizing is not None:
            made = await _in_time(
                client,
                tx.as_future(self._authorizing.authorize, asking),
                AUTHORIZE_TIMEOUT,
                f"The credential for the provider {slug} could not be made within {AUTHORIZE_TIMEOUT:g} seconds.",
            )
            # A plugin may change origin and headers; the rest is the client's.
            asking = attrs.evolve(asking, origin=made.origin, headers=made.headers)
        asked = self.core.client(asking.origin).request(
            asking.method, asking.target, headers=asking.headers, data=asking.body
        )
        try:
            return await _in_time(
                client, asked, seconds, f"The provider {slug} did not begin to answer within {seconds:g} seconds."
            )
        except (ConnectError, DNSLookupError) as error:
            raise UpstreamError(f"The provider {slug} can't be reached ({type(error).__name__}).") from None
        except (NothingReceived, ProtocolError) as error:
            raise UpstreamError(f"The provider {slug} gave no valid answer: {error}.") from None

    def _begin(
        self,
        client: Client,
        account: Account,
        status: int,
        phrase: bytes,
        fields: Fields,
        length: int | None,
    ) -> None:
        account.status = status
        theirs = forwarded_response_headers(fields)
        if b"x-request-id" not in fields.named:
            theirs.append((b"X-Request-Id", account.id.encode()))
        theirs += [(b"X-LockLLM-Request-ID", account.id.encode()), *self.told(account)]
        client.begin(status, phrase, theirs, length)

    async def _relay(self, client: Client, account: Account, response: LocalResponse | UpstreamResponse) -> Ending:
        relay = Relay(client, self.core.settings.proxy.idle_timeout)
        response.deliverBody(relay)
        client.flush()  # a stream's client waits for the head
        end = await relay.done
        account.response_bytes = relay.sent
        if client.gone:
            return "gone"
        if end == "cut":
            client.cut()
        elif end == "done":
            client.finish()
        return end


async def _in_time(client: Client, waiting: Deferred[_Result], seconds: float, otherwise: str) -> _Result:
    """What comes of it. Raises `UpstreamTimeout` where it takes longer."""
    late = False

    def give_up() -> None:
        nonlocal late
        late = True
        waiting.cancel()

    client.deadline.set(seconds, give_up)
    try:
        return await waiting
    except (CancelledError, ConnectingCancelledError):  # the latter where it was still connecting
        if late:
            raise UpstreamTimeout(otherwise) from None
        raise CancelledError from None
    finally:
        client.deadline.clear()
