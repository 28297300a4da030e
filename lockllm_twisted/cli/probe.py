"""``lockllm providers test``: one real request to a provider, and what came back.

Responsible for: asking the same way as the service does (same client, same rules, same place for the key), and telling in
a few words whose fault a failure is.
Must never: show a key, also where the provider repeats it; ask for anything that costs.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING, Any, cast

import attrs

from lockllm_twisted.cli.common import json_option, say, settings_of, store_of, visible
from lockllm_twisted.cli.providers import known, slug_option
from lockllm_twisted.errors import LockLLMError, SettingsError
from lockllm_twisted.hooks import AuthorizingProvider, Provider, UpstreamRequest
from lockllm_twisted.settings import ProviderSettings
from lockllm_twisted.values import ANONYMOUS, Caller

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

TIMEOUT = 30.0
"""Seconds for everything: a list of models comes in one."""

_SHOWN = 300
"""Characters of what the provider said."""

_GOOD = range(200, 300)

_OPERATOR = Caller(id="-cli-", name="-cli-")
"""Who asks here. A plugin that keeps the operator's credentials for known callers knows this one."""


@attrs.frozen
class Told:
    """What came back. ``status`` is ``None`` where no answer came; ``said`` are the provider's words, or ours on the failure."""

    provider: str
    url: str
    status: int | None
    reason: str
    seconds: float
    said: str

    @property
    def code(self) -> int:
        """The exit code."""
        return 2 if self.status is None else 0 if self.status in _GOOD else 1


def options(parser: argparse.ArgumentParser) -> None:
    """``providers test``."""
    slug_option(parser)
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Ask once: 0 where the provider says yes, 1 where it says no, 2 where it could not be asked."""
    from lockllm_twisted.store.credentials import configured_key  # noqa: PLC0415 # with the rest of the store

    settings = settings_of(options)
    slug = options.slug
    provider = known(slug, settings)
    if provider.origin is None:
        raise SettingsError(
            f"{slug} answers by itself: there is nobody to ask."
            if provider.slug == "echo"
            else f'{slug} has no address yet: write [providers.{slug}] base_url = "https://…" into the settings file.'
        )
    section = settings.providers.get(slug, ProviderSettings())
    key = configured_key(settings, slug, section) or store_of(options, settings).provider_key(slug)
    place = provider.credential(provider.target(b"/models").partition(b"?")[0])
    if key is None and place is not None and not place.optional and not isinstance(provider, AuthorizingProvider):
        raise SettingsError(
            f"no key is stored for {slug}, so there is nothing to try: lockllm providers set-key {slug}"
        )
    told = _awaited(provider, key)
    if options.json:
        say(json.dumps(attrs.asdict(told)))
    else:
        say(visible(f"{told.url}: {told.status or 'no answer'} {told.reason}".rstrip() + f", {told.seconds:.2f} s"))
        if told.said:
            say(visible(f"  {told.said}"))
    return told.code


def _awaited(provider: Provider, key: str | None) -> Told:
    from twisted.internet import reactor  # noqa: PLC0415 # half a second of imports that no other command needs
    from twisted.internet.defer import Deferred  # noqa: PLC0415 # as above

    found: list[Any] = []
    asking: Deferred[Told] = Deferred.fromCoroutine(_asked(reactor, provider, key))
    asking.addBoth(found.append)
    if not found:
        asking.addBoth(lambda _: cast(Any, reactor).stop())
        cast(Any, reactor).run()
    if not isinstance(found[0], Told):
        found[0].raiseException()
    return cast(Told, found[0])


async def _asked(reactor: Any, provider: Provider, key: str | None) -> Told:
    import treq  # noqa: PLC0415 # as above
    from txaio import tx  # noqa: PLC0415 # as above

    from lockllm_twisted.door import Entry, outgoing  # noqa: PLC0415 # as above
    from lockllm_twisted.upstream import origin_agent  # noqa: PLC0415 # as above
    from lockllm_twisted.upstream.agent import UpstreamClient  # noqa: PLC0415 # as above

    target = provider.target(getattr(provider, "probe", b"/models"))
    headers = [(b"Accept", b"application/json"), *getattr(provider, "probe_headers", ())]
    headers, with_key = outgoing(Entry(ANONYMOUS, ()), provider, headers, target, key)
    asking = UpstreamRequest(provider.origin or "", b"GET", with_key, headers, None, _OPERATOR)
    began = time.monotonic()

    def told(status: int | None, reason: str, said: str) -> Told:
        url = asking.origin + target.decode("latin-1")
        clean = said if key is None else said.replace(key, "…")
        return Told(provider.slug, url, status, reason, round(time.monotonic() - began, 3), clean[:_SHOWN])

    agent = None
    try:
        if isinstance(provider, AuthorizingProvider):
            made = await _in_time(tx.as_future(provider.authorize, asking), reactor)
            asking = attrs.evolve(asking, origin=made.origin, headers=made.headers)
        agent, host = origin_agent(reactor, asking.origin)
        sent = UpstreamClient(agent, host).request(b"GET", asking.target, headers=asking.headers)
        response = await _in_time(sent, reactor)
        body = await _in_time(treq.content(response), reactor)
        return told(response.code, response.phrase.decode("latin-1"), _words(response.code, body))
    except LockLLMError as error:
        return told(None, "", error.message)
    except Exception as error:  # noqa: BLE001 # a plugin's authorize may raise anything: the plugin boundary
        return told(None, "", _why(error, asking.origin))
    finally:
        if agent is not None:
            agent.close()


def _in_time(waiting: Deferred[Any], reactor: Any) -> Deferred[Any]:
    return waiting.addTimeout(TIMEOUT, reactor)


def _why(error: BaseException, origin: str) -> str:
    """Whose fault it is that no answer came."""
    from OpenSSL import SSL  # noqa: PLC0415 # as above
    from service_identity import VerificationError  # noqa: PLC0415 # as above
    from twisted.internet import defer  # noqa: PLC0415 # as above
    from twisted.internet import error as net  # noqa: PLC0415 # as above

    from lockllm_twisted.upstream import NothingReceived, ProtocolError  # noqa: PLC0415 # as above

    host = origin.partition("://")[2]
    if isinstance(error, NothingReceived) and isinstance(error.reason.value, (VerificationError, SSL.Error)):
        error = error.reason.value
    failures: tuple[tuple[Any, str], ...] = (
        (VerificationError, f"TLS failed, and nothing was sent: the certificate is not one for {host}."),
        (SSL.Error, f"TLS with {host} failed, and nothing was sent: {_tls(error)}."),
        (NothingReceived, f"{host} closed the connection without an answer."),
        (net.DNSLookupError, f"the name {host} is not known to DNS: check the network, and base_url."),
        (net.ConnectionRefusedError, f"nobody listens at {host}."),
        ((defer.TimeoutError, net.ConnectingCancelledError), f"{host} did not answer within {TIMEOUT:g} seconds."),
        (net.ConnectError, f"{host} can't be reached ({type(error).__name__})."),
        (ProtocolError, f"{host} gave no valid answer: {error}."),
        (BaseException, f"{type(error).__name__}: the provider's plugin failed."),
    )
    return next(words for kind, words in failures if isinstance(error, kind))


def _tls(error: BaseException) -> str:
    """``certificate verify failed`` of OpenSSL's list of libraries, functions and reasons."""
    entries = error.args[0] if error.args and isinstance(error.args[0], list) else ()
    reasons = [entry[-1] for entry in entries if isinstance(entry, tuple) and entry[-1]]
    return "; ".join(reasons) or type(error).__name__


def _words(status: int, body: bytes) -> str:
    """How much there is where it went well, else the provider's own words."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "" if status in _GOOD else body.decode("utf-8", "replace").strip()
    if status in _GOOD:
        listed = next((value for value in _values(document, "data", "models") if isinstance(value, list)), None)
        return "" if listed is None else f"{len(listed)} models"
    for found in (document, *_values(document, "error")):
        for words in (found, *_values(found, "message", "error_description", "detail", "error")):
            if isinstance(words, str):
                return words
    return json.dumps(document)


def _values(document: Any, *names: str) -> list[Any]:
    return [document[name] for name in names if isinstance(document, dict) and name in document]
