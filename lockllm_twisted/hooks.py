"""The door for plugins: pluggy markers, hook specifications, and the protocols of what a plugin hands over.

Responsible for: the contract between this software and a plugin; the docstrings here *are* that contract.
Must never: load a plugin (that is ``registry``) or do anything per request.

Plugins register, the host calls: each hook runs once, synchronously, at start, and returns objects. Per request the
host calls those objects' methods directly, each with its own time-out and isolation. A method may be plain, a coroutine
function, or return a Deferred.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import attrs
import pluggy

from lockllm_twisted.values import (
    Action,
    Caller,
    Coverage,
    Finding,
    Hit,
    Origin,
    Passage,
    ScanMode,
    Sensitivity,
    Verdict,
)

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from lockllm_twisted.settings import Settings

GROUP = "lockllm_twisted"
"""The entry point group, and pluggy's project name."""

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)

Path = tuple[str | int, ...]
"""A place in a JSON document: keys and indexes from the root."""

Label = tuple[Path, Origin]
"""All text at or below a place speaks for this origin; the longest matching place wins."""

Dialect = Callable[[Any], Iterable[Label]]
"""Labels the origins of one endpoint's JSON body. It gets the parsed document, which may have any shape at all, and must
never raise. It cannot hide text: what it does not label is scanned as ``unknown``."""


@attrs.frozen
class CredentialPlace:
    """Where a provider's key travels: a header (with a prefix such as ``Bearer``) or a query parameter.

    ``optional``: the provider may do without one, so that it is no error if none is stored.
    """

    kind: Literal["header", "query"]
    name: bytes
    prefix: bytes = b""
    optional: bool = False


BEARER = CredentialPlace("header", b"authorization", b"Bearer ")


@attrs.frozen
class UpstreamRequest:
    """A request as it is about to leave for a provider.

    ``origin`` is ``https://host[:port]``, ``target`` what `Provider.target` returned, ``headers`` all end-to-end headers
    but Host and framing. ``body`` is ``None`` where the client sent none.
    """

    origin: str
    method: bytes
    target: bytes
    headers: Sequence[tuple[bytes, bytes]] = attrs.field(repr=False)
    body: bytes | None = attrs.field(repr=False)
    caller: Caller


@attrs.frozen
class LocalRequest:
    """A request that a provider without an origin answers itself."""

    method: bytes
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = attrs.field(repr=False)


@attrs.frozen
class LocalAnswer:
    """The answer to a `LocalRequest`: each chunk is sent on its own, ``pause`` seconds apart."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    chunks: Sequence[bytes]
    pause: float = 0.0


@runtime_checkable
class Provider(Protocol):
    """One LLM provider: a fixed origin, its path rules on raw bytes, where its key sits, the dialects of its paths."""

    @property
    def slug(self) -> str:
        """The segment after ``/v1/proxy/``: ``[a-z0-9-]+``."""

    @property
    def origin(self) -> str | None:
        """``https://host[:port]``, no path (that is `target`'s); ``None``: it answers by itself (see `LocalProvider`)."""

    @property
    def encoded_slash(self) -> bool:
        """Whether ``%2F`` may stand inside a path segment (ids that hold a slash)."""

    def target(self, tail: bytes) -> bytes:
        """The raw path and query behind ``/v1/proxy/<slug>`` -> the raw path and query to ask the provider for.

        The tail starts with ``/`` and holds no dot segment. Nothing may be decoded or re-encoded.
        """

    def credential(self, path: bytes) -> CredentialPlace | None:
        """Where a stored key is put for a path that `target` returned; ``None`` where the provider takes none."""

    def dialect(self, path: bytes) -> Dialect | None:
        """The dialect of a path that `target` returned (without the query); ``None``: every text is ``unknown``.

        One path has one dialect: the answer is remembered.
        """


@runtime_checkable
class DiscerningProvider(Provider, Protocol):
    """A provider some of whose paths mean one thing to one client and another to the next."""

    def target_for(self, tail: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """As `Provider.target`, for a client that sent these headers."""


@runtime_checkable
class LocalProvider(Provider, Protocol):
    """A provider without an origin: it answers by itself, with no connection."""

    def answer(self, request: LocalRequest) -> LocalAnswer:
        """The answer to a request that passed the scanners. Called on the reactor thread: must not block.

        Raises `LockLLMError` for an answer of ours.
        """


@runtime_checkable
class AuthorizingProvider(Provider, Protocol):
    """A provider whose origin or credential is made for each request: regional hosts, signatures, tokens that expire."""

    def authorize(
        self, request: UpstreamRequest
    ) -> UpstreamRequest | Awaitable[UpstreamRequest] | Deferred[UpstreamRequest]:
        """The request with the origin and the headers that it is to be sent with; method, target and body stay.

        Called after the verdict, just before a connection is used; must not block. A LockLLM key never reaches it: where one stood in
        the provider key's place and no key is stored, the request comes without a credential. The origin must be made from parts that were
        checked against a strict pattern. Raises `LockLLMError` for an answer of ours.
        """


class Scanner(Protocol):
    """Judges one text at a time.

    A plain ``scan`` must be thread-safe and is pure: the same text and origin give the same findings for one
    ``version``, because verdicts are cached by these three.
    """

    @property
    def name(self) -> str:
        """A stable word; ``[scanners.<name>]`` of the settings configures its time-out and failure action."""

    @property
    def version(self) -> str:
        """Changes whenever the findings may change: rules, weights, settings."""

    @property
    def kind(self) -> Literal["core", "policy"]:
        """``core``: threat detection. ``policy``: the operator's own rules (403 of the contract, other headers)."""

    @property
    def inline_chars(self) -> int | None:
        """How many characters a plain ``scan`` judges in about a millisecond.

        More than that, counted over a request, goes to the project's thread pool; 0: always there. ``None`` for a
        ``scan`` that is a coroutine function or returns Deferreds: it is always called on the reactor thread.
        """

    def scan(self, passage: Passage) -> Sequence[Finding] | Awaitable[Sequence[Finding]] | Deferred[Sequence[Finding]]:
        """All findings of one passage, of any score: the policy holds the thresholds.

        An exception or a time-out is the scanner's failure, and the request's fate is then the setting ``on_scanner_error``.
        """


@runtime_checkable
class QuickScanner(Scanner, Protocol):
    """A scanner with a plain ``scan`` that judges most texts quickly, and can tell of the others that it will not."""

    def scan_quickly(self, passage: Passage) -> Sequence[Finding] | None:
        """What ``scan`` finds, where that takes about a millisecond; else ``None``, and ``scan`` is asked in the thread pool.

        Called in place of ``scan`` on the reactor thread, for up to ``inline_chars``.
        """


@attrs.frozen
class Question:
    """What a policy decides on: the hits of all scanners, coverage, and the settings in force for this request.

    ``action`` answers core hits, ``policy_action`` hits of the operator's own rules; ``origin_actions`` go before
    ``action`` for hits in a passage of that origin.
    """

    hits: tuple[Hit, ...]
    coverage: Coverage
    sensitivity: Sensitivity
    mode: ScanMode
    action: Action
    policy_action: Action
    origin_actions: Mapping[Origin, Action]


class Policy(Protocol):
    """Turns findings into a verdict. With several policies the strictest verdict stands."""

    @property
    def name(self) -> str:
        """A stable word, told as ``Verdict.policy``."""

    def decide(self, question: Question) -> Verdict | None:
        """The verdict, or ``None`` to leave it to the others. Plain and quick; an exception blocks the request."""


class Hookspecs:
    """What a plugin may implement, with ``@hookimpl``. Every hook takes the settings and returns an iterable."""

    @hookspec
    def lockllm_providers(self, settings: Settings) -> Iterable[Provider]:  # type: ignore[empty-body]
        """Provider adapters. A slug that another plugin has registered stops the start."""

    @hookspec
    def lockllm_scanners(self, settings: Settings) -> Iterable[Scanner]:  # type: ignore[empty-body]
        """Scanners, run on every passage of every request."""

    @hookspec
    def lockllm_policies(self, settings: Settings) -> Iterable[Policy]:  # type: ignore[empty-body]
        """Policies beside the built-in one."""
