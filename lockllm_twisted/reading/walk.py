"""Every string of a document, with its place and whom it speaks for.

Responsible for: keys and values alike, shadowed ones too; JSON and ``data:`` URLs inside strings; which strings are words
of a protocol and no part of a conversation.
Must never: skip a string that could be words, or go deeper than a limit.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import attrs

from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import attachments
from lockllm_twisted.reading.collect import PROTOCOL, Collector, GroupKey, Refused
from lockllm_twisted.reading.embedded import Found, data_url
from lockllm_twisted.reading.labels import NOBODY, Place, places
from lockllm_twisted.reading.seams import ASIDE
from lockllm_twisted.reading.strict import Document, Shadowed, embedded_json, too_deep
from lockllm_twisted.values import Unreadable

MAX_DEPTH = 128
"""Levels of nesting. Schemas in real tool definitions have under 20; CPython's own limit is near 1,000."""
_MAX_INNER_DEPTH = 64
_MAX_LAYERS = 3
"""JSON inside a string inside a string …"""
_MAX_POINTER = 256
"""Longer pointers lose their middle, so that a long key costs its length once and not once per string below it."""
_HEAD = 96
_MAX_TOKEN = 64

_QUIET_KEYS = frozenset({
    "role", "type", "id", "object", "model", "status", "detail", "format", "tool_call_id", "tool_use_id", "call_id",
    "item_id", "media_type", "mime_type", "mimeType", "encoding_format", "signature", "thoughtSignature",
    "thought_signature", "encrypted_content", "service_tier", "effort", "verbosity", "language", "phase",
})  # fmt: skip
_SPECIAL_KEYS = _QUIET_KEYS | attachments.NAMES
_WORD_KEYS = _QUIET_KEYS - attachments.NAMES
_IDENTIFIER = re.compile(r"[A-Za-z]*[^\sA-Za-z]\S*")
"""A word that is no plain English one: it has a digit or a sign. Linear: the two classes exclude each other."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPENINGS = frozenset('{["dD \t\r\n')
_CLOSINGS = {"{": "}", "[": "]", '"': '"'}
_ITEM = re.compile(r"(.*/\d+)(?=[/#]|$)", re.DOTALL)

_Shape = dict[str | None, Any]
"""The places of a document without their array indexes: ``None`` leads into an array."""


def walk(
    collector: Collector, document: Document, dialect: Dialect | None, base: str = "", *, strictly: bool = True
) -> bool:
    """Collect all strings of a parsed document; they are one conversation. Whether it came to the end.

    ``strictly``: a provider parses it. Else it is part of a text, and its duplicate keys are no problem.
    """
    walker = _Walker(collector, layers=0 if strictly else 1)
    done = False
    try:
        walker.any(document.value, base, {}, places(dialect, document.value), "", 0)
        done = True
    except Refused as refused:
        collector.refuse(refused.problem)
    except RecursionError:
        collector.refuse(too_deep())
    collector.end_conversation()
    return done


def text(collector: Collector, value: str, where: str, place: Place = NOBODY) -> None:
    """Collect one text that stands in no document. A place such as ``form:prompt`` may come again."""
    if not value:
        return
    try:
        _Walker(collector).string(value, where, (0, where), place)
    except Refused as refused:
        collector.refuse(refused.problem)
        collector.unstructured(where, value)


class _Walker:
    """One walk. ``layers`` counts JSON inside strings; places in there are ``/outer/pointer#/inner/pointer``.

    ``shape`` is the place without its array indexes, ``name`` the key of the object around (``None`` in free-form JSON).
    """

    __slots__ = ("_collector", "_inner", "_layers")

    def __init__(self, collector: Collector, layers: int = 0) -> None:
        self._collector = collector
        self._layers = layers
        self._inner: dict[GroupKey, _Shape] = {}

    def any(self, value: Any, where: str, shape: _Shape, place: Place, name: str | None, depth: int) -> None:
        """One value of any kind."""
        kind = type(value)
        if kind is str:
            if value:
                self.string(value, where, (id(shape), None), place)
        elif kind is list or kind is dict or kind is Shadowed:
            self._inside(value, where, shape, place, name, depth)

    def _inside(self, value: Any, where: str, shape: _Shape, place: Place, name: str | None, depth: int) -> None:
        """A list or an object."""
        if depth >= (_MAX_INNER_DEPTH if self._layers else MAX_DEPTH):
            self._bottom()
            return
        if len(where) > _MAX_POINTER:
            where = f"{where[:_HEAD]}…{where[-_HEAD:]}"
        if type(value) is list:
            self._collector.expect(len(value) + 1)
            self._array(value, where, shape, place, name, depth)
        else:
            self._collector.expect(len(value) + 1, len(value))
            self._object(value, where, shape, place, name, depth)

    def _object(
        self, value: dict[str, Any], where: str, shape: _Shape, place: Place, name: str | None, depth: int
    ) -> None:
        pairs: Iterable[tuple[str, Any]] = value.items()
        if type(value) is Shadowed:
            pairs = value.pairs
            self._report(value.pairs, where)
        origin, below, rest, collector = place.origin, place.below, place.rest, self._collector
        words, spoken = collector.words, collector.spoken[origin]
        for key, child in pairs:
            token = clean = key
            if len(key) > _MAX_TOKEN or not _is_plain(key):
                clean = self._clean(key)
                token = _token(clean)
            at = f"{where}/{token}"
            if clean not in words and clean not in spoken:
                collector.word(origin, f"{at}#key", clean)
            kind = type(child)
            if kind is str:
                if child:
                    self.string(child, at, (id(shape), key), below.get(key, rest), key, value, name)
            elif kind is list or kind is dict or kind is Shadowed:
                inner = shape.get(key)
                if inner is None:
                    inner = shape[key] = {}
                free = name is None or (depth > 0 and key in attachments.FREE_FORM and kind is not list)
                if not free and key in attachments.CONTAINERS and (reason := attachments.held(key, child)) is not None:
                    self._told(reason, at)
                self._inside(child, at, inner, below.get(key, rest), None if free else key, depth + 1)

    def _array(self, value: list[Any], where: str, shape: _Shape, place: Place, name: str | None, depth: int) -> None:
        inner = shape.setdefault(None, {})
        group = (id(inner), None)
        images = name if name == "images" else None
        below, rest = place.below, place.rest
        for index, child in enumerate(value):
            kind = type(child)
            if kind is str:
                if child:
                    self.string(child, f"{where}/{index}", group, below.get(index, rest), name, None, images)
            elif kind is list or kind is dict or kind is Shadowed:
                self._inside(child, f"{where}/{index}", inner, below.get(index, rest), name, depth + 1)

    def string(
        self,
        value: str,
        where: str,
        group: GroupKey,
        place: Place,
        key: str | None = None,
        holder: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        """One string that is not empty. ``holder`` is the object that it is in, at the key ``name``."""
        if key in _WORD_KEYS and value in PROTOCOL:
            self._collector.word(place.origin, where, value)
            return
        if not value.isascii():
            value = self._clean(value)
        if key in _SPECIAL_KEYS or value[0] in _OPENINGS:
            found = self._found(value, where, key, holder, name)
            if found is not None and found.text:
                self._collector.text(found.text, f"{where}#text", place.origin, place.rank, group)
                self._json(found.text, f"{where}#text", group, place)
            if found is not None and not found.keep:
                return
            if _is_quiet(key, value, found):
                self._collector.word(place.origin, where, value)
                return
            self._json(value, where, group, place)
        self._collector.text(value, where, place.origin, place.rank, group)

    def _found(
        self, value: str, where: str, key: str | None, holder: dict[str, Any] | None, name: str | None
    ) -> Found | None:
        """What the string is, where it is not only a text; told in the coverage where it is none that can be read."""
        found = None
        if value[0] in "dD" and (url := data_url(value)) is not None:
            found = url if name is not None and key in attachments.FILES else attrs.evolve(url, keep=True)
        elif name is not None and key in attachments.NAMES:
            found = attachments.found(holder or {}, name, key, value)
        if found is not None and found.reason is not None:
            self._told(found.reason, where)
        return found

    def _json(self, value: str, where: str, group: GroupKey, place: Place) -> None:
        """JSON inside a string: tool arguments, a whole document, a string encoded twice."""
        value = value.strip()
        if self._layers == _MAX_LAYERS or value[-1:] != _CLOSINGS.get(value[:1]):
            return
        inner = embedded_json(value) if value[0] != '"' or "\\" in value else None
        if inner is not None:
            self._layers += 1
            shape = self._inner.setdefault(group, {})
            self.any(inner, f"{where}#", shape, Place(place.origin, ASIDE), None, 0)
            self._layers -= 1

    def _bottom(self) -> None:
        """Too deep. A provider reads the body that deep; what a string holds is scanned as the string that it is."""
        if not self._layers:
            raise Refused(too_deep())

    def _told(self, reason: str, where: str) -> None:
        item = _ITEM.match(where)
        self._collector.not_read(reason, item[1] if item else where)

    def _report(self, pairs: list[tuple[str, Any]], where: str) -> None:
        if not self._layers:
            twice = _token(_SURROGATE.sub("\ufffd", Counter(key for key, _ in pairs).most_common(1)[0][0]))
            message = (
                f"The key {twice!r} stands more than once in {where or 'the outermost object'}. Send each key once."
            )
            self._collector.refuse(Unreadable("duplicate_key", message))

    def _clean(self, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
        if not self._layers:
            message = "A string holds half of a surrogate pair (\\ud800 to \\udfff). Send whole characters."
            self._collector.refuse(Unreadable("lone_surrogate", message))
        return _SURROGATE.sub("\ufffd", value)


def _is_quiet(key: str | None, value: str, found: Found | None) -> bool:
    """Whether a string is an identifier or a word of the protocol, which comes between no neighbours."""
    if key not in _QUIET_KEYS and (found is None or key not in attachments.NAMES):
        return False
    return value in PROTOCOL or _IDENTIFIER.fullmatch(value) is not None or (key == "model" and value.isalpha())


@lru_cache(maxsize=1024)
def _is_plain(key: str) -> bool:
    """Whether a short key is its own token in a pointer: ASCII, nothing to escape."""
    return key.isascii() and "/" not in key and "~" not in key


def _token(key: str) -> str:
    """RFC 6901, section 3. A long key is told by its start."""
    if len(key) > _MAX_TOKEN:
        key = key[:_MAX_TOKEN] + "…"
    return key.replace("~", "~0").replace("/", "~1")
