"""The providers, as a table: a new one is a new row.

Responsible for: origins, path rules on raw bytes, where the key sits, which dialects label the paths; the endpoints that
an operator declares with a base URL and a dialect.
Must never: decode or re-encode a byte of a target, or let a request choose its host.

The one rule that makes every SDK work (they disagree on whether the version belongs to the base URL): what follows the
slug may be the vendor's full path, a path with a bare ``/v1``, or one with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import attrs

from lockllm_twisted.builtin.dialects import ANTHROPIC, GEMINI, OPENAI, Family
from lockllm_twisted.hooks import BEARER, CredentialPlace, Dialect
from lockllm_twisted.settings import ProviderSettings

Rule = tuple[re.Pattern[bytes], bytes | None]


def _compiled(rules: Iterable[tuple[bytes, bytes | None]]) -> tuple[Rule, ...]:
    return tuple((re.compile(pattern), head) for pattern, head in rules)


@attrs.frozen
class TableProvider:
    """One row.

    ``rules`` are tried in order at the start of the path, and the first that matches wins: what it matched is replaced
    by its second part, or kept where that is ``None``. All behind it stays as it came. ``families`` are asked in order
    for the dialect of a path. A stored key is put into ``key``, or below a path of ``keys_below`` elsewhere. ``prefix`` is the path of a ``base_url``. ``doc`` is where the vendor describes the API.
    """

    slug: str
    origin: str
    key: CredentialPlace
    rules: tuple[Rule, ...] = attrs.field(converter=_compiled)
    families: tuple[Family, ...]
    doc: str = ""
    encoded_slash: bool = False
    prefix: bytes = b""
    keys_below: tuple[tuple[bytes, CredentialPlace], ...] = ()

    def target(self, tail: bytes) -> bytes:
        """The path and query to ask the provider for."""
        path, mark, query = tail.partition(b"?")
        for pattern, replacement in self.rules:
            if (found := pattern.match(path)) is not None:
                head = found[0] if replacement is None else replacement
                return _joined(self.prefix, head) + path[found.end() :] + mark + query
        return self.prefix + tail

    def credential(self, path: bytes) -> CredentialPlace:
        """Where the key of a path sits."""
        inner = self._inner(path)
        return next((place for below, place in self.keys_below if inner.startswith(below)), self.key)

    def dialect(self, path: bytes) -> Dialect | None:
        """The first dialect that a family has for this path, seen without the prefix."""
        inner = self._inner(path)
        return next((dialect for family in self.families if (dialect := family(inner)) is not None), None)

    def _inner(self, path: bytes) -> bytes:
        return path if not self.prefix else path.removeprefix(_VERSION_AT_END.sub(b"", self.prefix))


_VERSION_AT_END = re.compile(rb"/v[0-9]+(?:alpha|beta)?\Z")


def _joined(prefix: bytes, head: bytes) -> bytes:
    """``/x/v1`` and ``/v1`` are ``/x/v1``: what the prefix ends with is not said again."""
    ends = [match.end() for match in re.finditer(rb"/[^/]+", head)]
    shared = next((end for end in reversed(ends) if prefix.endswith(head[:end])), 0)
    return prefix + head[shared:]


_END = rb"(?![^/])"
_V1 = rb"/v1" + _END
_VERSION = rb"/v[0-9]+(?:alpha|beta)?" + _END
# Anthropic's SDKs add /v1 to whatever base URL they get: one with /v1 in it is asked for /v1/v1/messages.
_REPEATED_V1 = rb"(?:/v1)+" + _END
# None of these is a collection of Gemini's own API, so the name alone tells that an OpenAI client is asking.
# /models, /files and /batches exist on both sides: they are taken as native.
_OPENAI_STYLE = rb"(?:/v1)?(?=/(?:audio|chat|completions|embeddings|images|moderations|responses|videos)" + _END + rb")"

X_API_KEY = CredentialPlace("header", b"x-api-key")
X_GOOG_API_KEY = CredentialPlace("header", b"x-goog-api-key")

TABLE = (
    TableProvider(
        slug="openai",
        origin="https://api.openai.com",
        key=BEARER,
        rules=((_V1, None), (rb"", b"/v1")),
        families=(OPENAI,),
        doc="https://platform.openai.com/docs/api-reference",
    ),
    TableProvider(
        slug="anthropic",
        origin="https://api.anthropic.com",
        key=X_API_KEY,
        rules=((_REPEATED_V1, b"/v1"), (rb"", b"/v1")),
        families=(ANTHROPIC, OPENAI),
        doc="https://docs.anthropic.com/en/api/overview",
    ),
    TableProvider(
        slug="gemini",
        origin="https://generativelanguage.googleapis.com",
        key=X_GOOG_API_KEY,
        keys_below=((b"/v1beta/openai/", BEARER),),
        rules=(
            (_OPENAI_STYLE, b"/v1beta/openai"),
            (rb"/v1(?:alpha|beta)?" + _END, None),
            (rb"/(?:upload|download|ws)" + _END, None),
            (rb"", b"/v1beta"),
        ),
        families=(GEMINI,),
        doc="https://ai.google.dev/api",
    ),
)
"""The providers of the core."""

_CUSTOM: Mapping[str, TableProvider] = {
    "openai": TableProvider("", "", BEARER, ((_VERSION, None), (rb"", b"")), (OPENAI, ANTHROPIC), encoded_slash=True),
    "anthropic": TableProvider(
        "", "", X_API_KEY, ((_REPEATED_V1, b"/v1"), (rb"", b"")), (ANTHROPIC, OPENAI), encoded_slash=True
    ),
    "gemini": TableProvider("", "", X_GOOG_API_KEY, ((_VERSION, None), (rb"", b"")), (GEMINI,), encoded_slash=True),
}
"""An operator's endpoint by its dialect: the path is put behind the base URL. Model ids such as ``org/name`` are usual there,
and OpenAI's SDK encodes their slash."""

_BASE_URL = re.compile(r"(https?://[^/]+)(.*)")


def from_settings(declared: Mapping[str, ProviderSettings]) -> Iterator[TableProvider]:
    """The table as the settings re-point it, and the endpoints that they declare.

    A section with a ``dialect`` is an endpoint of its own, also where its slug is in the table: a config that declares
    one keeps its meaning when the table learns that slug.
    """
    rows = {row.slug: row for row in TABLE}
    for slug, section in declared.items():
        row = rows.get(slug) if section.dialect is None else _CUSTOM[section.dialect]
        if row is not None and section.base_url is not None:
            origin, prefix = _BASE_URL.fullmatch(section.base_url).groups()  # type: ignore[union-attr]  # checked there
            rows[slug] = attrs.evolve(row, slug=slug, origin=origin, prefix=prefix.encode())
    yield from rows.values()
