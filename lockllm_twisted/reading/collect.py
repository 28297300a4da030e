"""What has been found in one request so far.

Responsible for: each (origin, text) told once, the texts of the conversation being read, reasons, the first problem, and
the limits that keep memory bounded.
Must never: look into a text.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache

from lockllm_twisted.reading.seams import Text, seams
from lockllm_twisted.values import Coverage, Origin, Passage, Reading, Unreadable

MAX_TEXTS = 500_000
"""Strings of one body, objects of one document, lines of one file. A string costs 600 bytes in all the lists here, so 300
MB at worst; a batch of 50,000 requests, which is what the providers take, stays under half of it."""
MAX_VALUES = 4_000_000
"""Values of all kinds in one body: one second to walk them."""
MAX_FIELDS = 10_000
"""Fields of a form, parts of a multipart body."""

MAX_REASONS = 32
MAX_MODEL = 256
SHORT = 64

_ALL = Coverage()
_UNKNOWN = Origin.UNKNOWN

PROTOCOL = frozenset({
    "role", "content", "type", "text", "name", "parts", "id", "model", "messages", "function", "arguments", "tool_calls",
    "tool_call_id", "tool_use_id", "call_id", "input", "source", "description", "parameters", "properties", "required",
    "system", "developer", "user", "assistant", "tool", "image", "audio", "document", "file", "refusal", "message",
    "reasoning", "thinking", "ephemeral", "base64", "url", "object", "array", "string", "number", "integer", "boolean",
    "null", "auto", "low", "medium", "high", "default", "completed", "enabled", "disabled", "custom", "grammar", "mcp",
    "none", "float", "OBJECT", "ARRAY", "STRING", "NUMBER", "INTEGER", "BOOLEAN",
})  # fmt: skip
"""Words of the APIs themselves: told once per request, for whoever says them first."""

GroupKey = tuple[int, str | None]

passage_at = lru_cache(maxsize=4096)(Passage)
"""A passage that recurs from request to request (``user`` at ``/messages/1/role``), made once. For names and words of the
protocol only, never for content."""


class Refused(Exception):
    """Internal: reading can't go on in this document."""

    def __init__(self, problem: Unreadable) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Collector:
    """The growing `Reading` of one request. ``words``: those of the protocol that were told, ``spoken``: all else, by origin."""

    __slots__ = (
        "_budget",
        "_groups",
        "_guess",
        "_reasons",
        "_texts",
        "has_content",
        "model",
        "passages",
        "problem",
        "spoken",
        "words",
    )

    def __init__(self, *, guess: bool = True) -> None:
        self._guess = guess
        self.passages: list[Passage] = []
        self.problem: Unreadable | None = None
        self.model: str | None = None
        self.has_content = False
        self.words: set[str] = set()
        self.spoken: defaultdict[Origin, set[str]] = defaultdict(_nothing)
        self._texts: list[Text] = []
        self._groups: dict[GroupKey, list[int]] = {}
        self._budget = MAX_VALUES
        self._reasons: dict[str, None] = {}

    @property
    def gave_up(self) -> bool:
        """The body is broken, and nobody wants to know what it may have said."""
        return self.problem is not None and not self._guess

    def word(self, origin: Origin, where: str, text: str) -> None:
        """A key, an identifier or a word of the protocol: scanned, but no neighbour of anything."""
        told = self.words if text in PROTOCOL else self.spoken[origin]
        if text not in told:
            told.add(text)
            short = len(text) < SHORT and len(where) < SHORT
            self.passages.append(passage_at(origin, where, text) if short else Passage(origin, where, text))

    def text(self, text: str, where: str, origin: Origin, rank: int, group: GroupKey) -> None:
        """A text of the conversation. ``group`` tells which places differ from this one in array indexes only."""
        told = self.words if text in PROTOCOL else self.spoken[origin]
        if text not in told:
            told.add(text)
            self.passages.append(Passage(origin, where, text))
        index = len(self._texts)
        if index >= MAX_TEXTS:
            raise too_many("strings", MAX_TEXTS)
        self._texts.append((text, where, origin, rank))
        self._groups.setdefault(group, []).append(index)

    def expect(self, values: int, keys: int = 0) -> None:
        """Raise `Refused` where time or memory would not be bounded."""
        self._budget -= values
        if self._budget < 0:
            raise too_many("values", MAX_VALUES)
        if len(self.passages) + keys > MAX_TEXTS:
            raise too_many("strings", MAX_TEXTS)

    def unstructured(self, where: str, text: str) -> None:
        """The text of something that could not be read properly: whatever the limits are."""
        self.has_content = True
        self.passages.append(Passage(_UNKNOWN, where, text))

    def end_conversation(self) -> None:
        """What comes next is no neighbour of what came: tell the seams."""
        texts, groups = self._texts, self._groups
        if not texts:
            return
        self.has_content = True
        self._texts, self._groups = [], {}
        if len(texts) > 1:
            for seam in seams(texts, groups.values()):
                told = self.spoken[seam.origin]
                if seam.text not in told:
                    told.add(seam.text)
                    self.passages.append(seam)

    def names_model(self, name: object) -> None:
        """A model's name, where it is one: it goes to logs and headers."""
        if isinstance(name, str) and len(name) <= MAX_MODEL and name.isprintable():
            self.model = name

    def not_read(self, reason: str, where: str = "") -> None:
        """Something that reaches the model and is no text we can see."""
        if len(self._reasons) < MAX_REASONS:
            self._reasons[f"{reason}:{where}" if where else reason] = None
        else:
            self._reasons["more"] = None

    def refuse(self, problem: Unreadable) -> None:
        """The first problem of a request is the one that is told."""
        self.problem = self.problem or problem

    def reading(self) -> Reading:
        """All that was found."""
        if not self._reasons:
            return Reading(self.passages, _ALL, self.problem, self.model)
        coverage = Coverage("partial" if self.has_content else "not_scanned", tuple(self._reasons))
        return Reading(self.passages, coverage, self.problem, self.model)


def _nothing() -> set[str]:
    """What counts as told from the start: an empty text says nothing."""
    return {""}


def too_many(what: str, limit: int) -> Refused:
    """A body that is not read because of its structure, not its size."""
    return Refused(Unreadable(f"too_many_{what}", f"The body holds more than {limit} {what}. Send several requests."))
