"""One request's way through the proxy: door, reading, guard, upstream, relay, top to bottom.

Responsible for: the order of these steps.
Must never: open a connection before the verdict, or finish an answer that the provider did not finish.
"""

from __future__ import annotations

import time
from typing import cast

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.web.http import RESPONSES
from twisted.web.server import Request
from txaio import tx

from lockllm_twisted.answers import pass_headers, refusal
from lockllm_twisted.core import Core
from lockllm_twisted.door import outgoing, without_key
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
from lockllm_twisted.options import Options, in_force
from lockllm_twisted.reading import read
from lockllm_twisted.relay import Relay, cut
from lockllm_twisted.serving import Account, ServedResource, add_headers, admission_of, body_of
from lockllm_twisted.upstream import NothingReceived, ProtocolError, UpstreamResponse
from lockllm_twisted.values import Action, Ending, Reading, Verdict
from lockllm_twisted.wire import (
    HeaderPairs,
    check_target,
    forwarded_request_headers,
    forwarded_response_headers,
    header_values,
    raw_tail,
)

READ_INLINE = 16_384
"""Bytes of body that are read in about a millisecond; more goes to the thread pool."""

AUTHORIZE_TIMEOUT = 30.0
"""Seconds for a provider to make a credential: a token's refresh is one request, and google-auth waits 120 s for it."""


def _has_body(pairs: HeaderPairs) -> bool:
    """RFC 9112 §6.3: "The presence of a message body in a request is signaled by a Content-Length or Transfer-Encoding"."""
    return bool(header_values(pairs, b"content-length") or header_values(pairs, b"transfer-encoding"))


class ProxyResource(ServedResource):
    """``/v1/proxy/<slug>``: everything behind it goes to one provider."""

    def __init__(self, core: Core, provider: Provider) -> None:
        super().__init__(core, provider.slug)
        self._provider = provider
        self._local = provider if isinstance(provider, LocalProvider) else None
        self._authorizing = provider if isinstance(provider, AuthorizingProvider) else None
        self._discerning = provider if isinstance(provider, DiscerningProvider) else None

    async def serve(self, request: Request, account: Account) -> Ending:
        """Door, reading, guard, upstream, relay."""
        core, provider = self.core, self._provider
        segments = len(request.prepath or ())
        if request.uri.split(b"/")[: segments + 1][-3:] != [b"v1", b"proxy", provider.slug.encode()]:
            raise NotFound("Write the path to the provider in its plain form: /v1/proxy/<provider>.")
        tail = raw_tail(request.uri, segments)
        check_target(tail, encoded_slash=provider.encoded_slash)
        admission = admission_of(request, core)
        account.caller = admission.entry.caller
        body = body_of(request, core)
        account.request_bytes = len(body)
        options = in_force(admission.pairs, core.settings.proxy, admission.entry.caller)
        headers, target = outgoing(
            admission.entry,
            provider,
            forwarded_request_headers(admission.pairs),
            self._discerning.target_for(tail, admission.pairs) if self._discerning else provider.target(tail),
            core.provider_key(provider.slug),
        )

        started = time.perf_counter()
        verdict = await self._judge(request, account, admission.pairs, target, body, options)
        account.verdict = verdict
        account.scan_seconds = time.perf_counter() - started
        if verdict.action is Action.BLOCK:
            raise refusal(verdict)

        if self._local is not None:
            answer = self._local.answer(LocalRequest(request.method, target, headers, body))
            response: LocalResponse | UpstreamResponse = LocalResponse(answer, core.clock)
            self._begin(request, account, answer.status, RESPONSES.get(answer.status, b""), answer.headers, None)
        else:
            response = await self._ask(
                UpstreamRequest(
                    cast(str, provider.origin),
                    request.method,
                    target,
                    headers,
                    body if _has_body(admission.pairs) else None,
                    account.caller,
                )
            )
            head = response.head
            length = head.told_length if head.framing in ("length", "none") else None
            self._begin(request, account, head.status, head.phrase, head.headers, length)
        return await self._relay(request, account, response)

    def told(self, account: Account) -> HeaderPairs:
        """The metadata headers of LockLLM's SDKs."""
        if account.verdict is None or account.reading is None:
            return ()
        return pass_headers(account.verdict, provider=self._provider.slug, model=account.reading.model)

    async def _judge(
        self, request: Request, account: Account, pairs: HeaderPairs, target: bytes, body: bytes, options: Options
    ) -> Verdict:
        method, seen = request.method, without_key(target)
        dialect = self._provider.dialect(target.partition(b"?")[0])

        guess = not self.core.guard.refuses_unreadable

        def reading() -> Reading:
            return read(method=method, target=seen, headers=pairs, body=body, dialect=dialect, guess=guess)

        account.reading = reading() if len(body) <= READ_INLINE else await self.core.in_thread(reading)
        return await self.core.guard.judge(account.reading, options)

    async def _ask(self, asking: UpstreamRequest) -> UpstreamResponse:
        settings, slug = self.core.settings.proxy, self._provider.slug
        if self._authorizing is not None:
            asking = await self._authorized(self._authorizing, asking)
        asked = self.core.client(asking.origin).request(
            asking.method, asking.target, headers=asking.headers, data=asking.body
        )
        asked.addTimeout(settings.upstream_timeout, self.core.clock)
        try:
            return await asked
        except (DeferredTimeout, ConnectingCancelledError):  # the latter where it was still connecting
            raise UpstreamTimeout(
                f"The provider {slug} did not begin to answer within {settings.upstream_timeout:g} seconds."
            ) from None
        except (ConnectError, DNSLookupError) as error:
            raise UpstreamError(f"The provider {slug} can't be reached ({type(error).__name__}).") from None
        except (NothingReceived, ProtocolError) as error:
            raise UpstreamError(f"The provider {slug} gave no valid answer: {error}.") from None

    async def _authorized(self, provider: AuthorizingProvider, asking: UpstreamRequest) -> UpstreamRequest:
        """The request with its credential. A plugin may change origin and headers; the rest is the client's."""
        waiting: Deferred[UpstreamRequest] = tx.as_future(provider.authorize, asking)
        waiting.addTimeout(AUTHORIZE_TIMEOUT, self.core.clock)
        try:
            made = await waiting
        except DeferredTimeout:
            raise UpstreamTimeout(
                f"The credential for the provider {provider.slug} could not be made within {AUTHORIZE_TIMEOUT:g} seconds."
            ) from None
        return attrs.evolve(asking, origin=made.origin, headers=made.headers)

    def _begin(
        self,
        request: Request,
        account: Account,
        status: int,
        phrase: bytes,
        headers: HeaderPairs,
        length: int | None,
    ) -> None:
        """Write the head now: a stream's client waits for it."""
        account.status = status
        request.setResponseCode(status, phrase)
        out = request.responseHeaders
        out.removeHeader(b"server")
        out.removeHeader(b"date")
        theirs = forwarded_response_headers(headers)
        add_headers(request, theirs)
        if not header_values(theirs, b"x-request-id"):
            add_headers(request, [(b"X-Request-Id", account.id.encode())])
        add_headers(request, [(b"X-LockLLM-Request-ID", account.id.encode()), *self.told(account)])
        if length is not None:
            out.setRawHeaders(b"content-length", [b"%d" % length])
        request.write(b"")

    async def _relay(self, request: Request, account: Account, response: LocalResponse | UpstreamResponse) -> Ending:
        relay = Relay(request, self.core.clock, self.core.settings.proxy.idle_timeout)
        response.deliverBody(relay)
        end = await relay.done
        account.response_bytes = relay.sent
        if request.channel is None:
            return "gone"
        if end == "cut":
            cut(request, self.core.clock)
        elif end == "done":
            request.finish()
        return end
