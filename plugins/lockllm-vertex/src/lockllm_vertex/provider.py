"""The provider ``vertex-ai``: where a request goes, whether it may, and with which token.

Responsible for: the order of these questions, for one request.
Must never: use the operator's token for a caller who is not known, unless the operator has said so; for a project or a
location outside the caller's limits; or for anything but calling models.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import attrs
from lockllm_twisted.dialects import VERTEX
from lockllm_twisted.errors import BadRequest, ConfigurationProblem, NotFound, Unauthorized
from lockllm_twisted.hooks import CredentialPlace, UpstreamRequest
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.table import OPENAI_STYLE, TableProvider
from lockllm_twisted.values import ANONYMOUS

from lockllm_vertex import places
from lockllm_vertex.credentials import Token
from lockllm_vertex.places import Place
from lockllm_vertex.settings import PROJECT, Limits, VertexSettings

X_GOOG_API_KEY = CredentialPlace("header", b"x-goog-api-key")
QUOTA_PROJECT = b"x-goog-user-project"
"""Whom Google charges, instead of the project in the path."""

_KEY_IN_QUERY = re.compile(rb"[?&](?:key|access_token)=")
_OPENAI_STYLE = re.compile(OPENAI_STYLE)


def vertex(settings: VertexSettings, tokens: Renewed[Token]) -> VertexProvider:
    """The row of the table: all that is data. Its origin is for display; `authorize` makes it anew for each request.

    OpenAI's paths are below one project and location. Where these are not set, the paths stay, for `authorize` to tell.
    """
    project, location = settings.project, settings.location
    openapi = f"/v1/projects/{project}/locations/{location}/endpoints/openapi" if project and location else "/v1"
    return VertexProvider(
        "vertex-ai",
        f"https://{places.host(location) if location else 'LOCATION-aiplatform.googleapis.com'}",
        (VERTEX,),
        moves=((OPENAI_STYLE, openapi.encode()),),
        keep=(b"/v1", b"/v1beta1"),
        key=X_GOOG_API_KEY,
        probe=b"/v1beta1/publishers/google/models",
        settings=settings,
        tokens=tokens,
    )


@attrs.frozen(kw_only=True)
class VertexProvider(TableProvider):
    """A row of the table, and what no row can hold. ``pinned``: the operator has set a ``base_url``, so that is the host."""

    settings: VertexSettings
    tokens: Renewed[Token] = attrs.field(repr=False)
    pinned: bool = False

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """A request with a token or a key of its own goes as it came; any other one gets the operator's token."""
        path = request.target.partition(b"?")[0].removeprefix(self.root)
        if _OPENAI_STYLE.match(path):
            raise ConfigurationProblem(
                "OpenAI-style paths name no project: the server needs project and location in [plugins.vertex].",
                code="no_project",
            )
        place = places.place_of(path)
        host = self._host(place)
        catalogue = places.reads_the_catalogue(request.method, path)
        _check_limits(self.settings.limits(request.caller), place, _quota_projects(request), anywhere=catalogue)
        headers: Sequence[tuple[bytes, bytes]] = request.headers
        if not _brings_a_credential(request):
            self._check_caller(request, model=catalogue or places.calls_a_model(path))
            headers = _with_token(headers, await self.tokens.get())
        return attrs.evolve(request, origin=self.origin if self.pinned else f"https://{host}", headers=headers)

    def _host(self, place: Place | None) -> str:
        location = place.location if place is not None else "global"
        host = places.host(location)
        if host is None or (place is not None and PROJECT.fullmatch(place.project) is None):
            raise BadRequest(
                "The path names no project and location of Vertex AI: send /v1/projects/PROJECT/locations/LOCATION/…, such "
                "as europe-west4, global, us or eu.",
                code="unknown_location",
            )
        return host

    def _check_caller(self, request: UpstreamRequest, *, model: bool) -> None:
        if not model:
            raise NotFound(
                "With the server's own credentials only models are called here (:generateContent, :rawPredict, :predict "
                "and their kin, OpenAI-style chat and embeddings). For anything else send a token of your own."
            )
        if request.caller == ANONYMOUS and not self.settings.anonymous_callers:
            raise Unauthorized(
                "The server's Google credentials are for callers with a LockLLM key: send one in X-LockLLM-Key, or send a "
                "token of your own as the bearer."
            )


def _brings_a_credential(request: UpstreamRequest) -> bool:
    named = any(name.lower() in (b"authorization", X_GOOG_API_KEY.name) and value for name, value in request.headers)
    return named or _KEY_IN_QUERY.search(request.target) is not None


def _quota_projects(request: UpstreamRequest) -> list[str]:
    return [value.decode("latin-1") for name, value in request.headers if name.lower() == QUOTA_PROJECT]


def _with_token(headers: Sequence[tuple[bytes, bytes]], token: Token) -> list[tuple[bytes, bytes]]:
    kept = [pair for pair in headers if pair[0].lower() not in (b"authorization", X_GOOG_API_KEY.name)]  # empty ones
    made = [*kept, (b"Authorization", b"Bearer " + token.value)]
    if token.quota_project is not None and all(name.lower() != QUOTA_PROJECT for name, _ in kept):
        made.append((QUOTA_PROJECT, token.quota_project.encode()))
    return made


def _check_limits(limits: Limits, place: Place | None, quota_projects: Sequence[str], *, anywhere: bool) -> None:
    """Refuse what the caller may not use. The limits hold whoever's credential it is. ``anywhere``: in no project."""
    if limits.projects is not None and place is None and not anywhere:
        raise BadRequest(
            "Only some projects are allowed here, and the path names none: send /v1/projects/PROJECT/locations/….",
            code="project_not_allowed",
            status=403,
        )
    for project in (*((place.project,) if place is not None else ()), *quota_projects):
        if limits.projects is not None and project not in limits.projects:
            raise BadRequest("This Google Cloud project is not allowed here.", code="project_not_allowed", status=403)
    location = place.location if place is not None else "global"
    if limits.locations is not None and location not in limits.locations and not anywhere:
        raise BadRequest(f"The location {location} is not allowed here.", code="location_not_allowed", status=403)
