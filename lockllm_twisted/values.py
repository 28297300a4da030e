"""The words of the house: Passage, Finding, Coverage, Verdict, Exchange, and the small vocabularies they are made of.

Responsible for: frozen values that every other room speaks in.
Must never: do I/O, hold a credential in a ``repr``, or import another room.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Literal

import attrs


class Origin(StrEnum):
    """Who a text speaks for, as the model will see it."""

    USER = "user"
    SYSTEM = "system"
    DEVELOPER = "developer"
    ASSISTANT = "assistant"
    TOOL_RESULT = "tool_result"
    TOOL_DEFINITION = "tool_definition"
    DOCUMENT = "document"
    UNKNOWN = "unknown"


ROLES: Mapping[str, Origin] = MappingProxyType(
    {
        "user": Origin.USER,
        "system": Origin.SYSTEM,
        "developer": Origin.DEVELOPER,
        "assistant": Origin.ASSISTANT,
        "tool": Origin.TOOL_RESULT,
    }
)
"""The roles of a chat, as people name them who ask for a scan of one text."""


class Action(IntEnum):
    """What happens to a request; the larger one is the stricter one."""

    ALLOW = 0
    FLAG = 1
    BLOCK = 2

    @property
    def word(self) -> str:
        """The action as settings, logs and answers spell it."""
        return self.name.lower()


class Sensitivity(StrEnum):
    """How little evidence is enough (contract: ``X-LockLLM-Sensitivity``)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class ScanMode(StrEnum):
    """Which kinds of scanner run (contract: ``X-LockLLM-Scan-Mode``)."""

    NORMAL = "normal"
    POLICY_ONLY = "policy_only"
    COMBINED = "combined"


class Category(StrEnum):
    """What the built-in scanners can find. A plugin may use names of its own: ``Finding.category`` is plain text."""

    PROMPT_INJECTION = "prompt_injection"
    JAILBREAK = "jailbreak"
    INDIRECT_INJECTION = "indirect_injection"
    SYSTEM_PROMPT_EXTRACTION = "system_prompt_extraction"
    UNSAFE_INSTRUCTIONS = "unsafe_instructions"
    OBFUSCATION = "obfuscation"


@attrs.frozen
class Passage:
    """One piece of text that reaches the model.

    ``where`` is an RFC 6901 JSON Pointer, or ``form:name``, ``file:name#…``, ``query:name``, ``path:``. A key of an
    object is a passage of its own, its ``where`` ending in ``#key``. A seam (neighbouring texts joined, so that a cut
    hides nothing) starts in the text at ``where`` and ends in the one at ``until``.
    """

    origin: Origin
    where: str
    text: str = attrs.field(repr=False)
    until: str | None = None


@attrs.frozen
class Finding:
    """What one scanner says of one text; position-free, so that it may be cached and told again.

    ``score`` runs from 0 to 1. ``start`` and ``end`` are offsets in the text *as it came* (code points); a finding made
    in a decoded view points at the encoded piece. ``via`` is the decode chain, outermost first: ``("base64", "nfkc")``.
    ``rule`` names the rule or the feature that carried the score, ``because`` the words that spoke most for it.
    """

    scanner: str
    category: str
    score: float
    rule: str
    start: int = 0
    end: int = 0
    via: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


@attrs.frozen
class Hit:
    """A finding at its place in this request. ``policy`` tells a custom rule of the operator's from core detection.

    ``passage`` is what it was found in, where that is known.
    """

    finding: Finding
    origin: Origin
    where: str
    until: str | None = None
    kind: Literal["core", "policy"] = "core"
    passage: Passage | None = attrs.field(default=None, eq=False, repr=False)


CoverageState = Literal["scanned", "partial", "not_scanned"]


@attrs.frozen
class Coverage:
    """What was read of a request: never silently "safe".

    ``reasons`` are stable words with an optional place, such as ``image:/messages/0/content/1``; empty when all was
    read.
    """

    state: CoverageState = "scanned"
    reasons: tuple[str, ...] = ()


@attrs.frozen
class Unreadable:
    """A body whose meaning is uncertain: scanner and provider might read different texts.

    ``code`` is a stable word (``duplicate_key``, ``invalid_utf8``, …), ``message`` a sentence that names what to
    change; ``status`` is 400, or 415 for an encoding that is not accepted.
    """

    code: str
    message: str
    status: int = 400


@attrs.frozen
class Reading:
    """All that was found in one request: passages and seams in reading order, and what could not be read."""

    passages: Sequence[Passage]
    coverage: Coverage = Coverage()
    unreadable: Unreadable | None = None
    model: str | None = None


Cause = Literal["findings", "unreadable", "attachments", "scanner_error"]


@attrs.frozen
class Verdict:
    """The decision on one request, and all that led to it. ``score`` is the highest of its hits, 0 to 1.

    ``hits`` are those above the threshold in force, the gravest first; ``allowed`` those that would be among them, but
    for the allow list. ``cause`` says what the action answers; a policy leaves both as they are.
    """

    action: Action
    hits: tuple[Hit, ...]
    coverage: Coverage
    score: float
    sensitivity: Sensitivity
    policy: str
    mode: ScanMode = ScanMode.COMBINED
    cause: Cause = "findings"
    unreadable: Unreadable | None = None
    failed_scanners: tuple[str, ...] = ()
    allowed: tuple[Hit, ...] = ()

    @property
    def safe(self) -> bool:
        """Nothing was found above its threshold, everything was readable in one way, and no scanner failed."""
        return not self.hits and self.unreadable is None and not self.failed_scanners


@attrs.frozen
class Caller:
    """Who sent a request: the LockLLM key's id and name, never the key. ``locked`` callers may not loosen a setting."""

    id: str
    name: str
    locked: bool = False


ANONYMOUS = Caller(id="-", name="anonymous")
"""The caller where ``require_key = false``."""

Ending = Literal["done", "cut", "gone", "blocked", "refused", "failed"]


@attrs.frozen
class Exchange:
    """One proxied request and its answer, as the log and the store see it: no prompt text, no key.

    ``seconds`` is from the first byte of the request to the last of the answer, ``scan_seconds`` the part that reading
    and scanning took. ``ending``: ``done`` (answered in full), ``cut`` (the provider broke off), ``gone`` (the client
    left), ``blocked``, ``refused`` (a bad request or key), ``failed`` (no answer from the provider). ``rule`` starts with
    ``allowed:`` where the allow list set aside all that was found. ``findings`` hold keyed digests of the texts.
    """

    id: str
    time: float
    caller: str
    provider: str
    method: str
    path: str
    model: str | None
    action: str
    score: float
    category: str | None
    rule: str | None
    where: str | None
    coverage: str
    status: int
    code: str | None
    request_bytes: int
    response_bytes: int
    scan_seconds: float
    seconds: float
    ending: Ending
    findings: tuple[dict[str, object], ...] = ()
    text: str | None = attrs.field(default=None, repr=False)


def new_id() -> str:
    """A request's id: 96 random bits, sortable by nothing, guessable by nobody."""
    return "req_" + secrets.token_hex(12)
