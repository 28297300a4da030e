"""Where a request goes: project and location from its path, and the host of a location.

Responsible for: rules on raw bytes. The number of locations that the pattern allows is the number of hosts that requests
can ever choose from, about 1,400; a location that is none has no address in Google's DNS.
Must never: make a host of anything but a location that matches.

Source of the hosts: google-genai 3.4 and anthropic 2.12, which build them in the same way.
"""

from __future__ import annotations

import re

import attrs

LOCATION = re.compile(
    "global|us|eu|"
    "(?:africa|asia|australia|europe|me|northamerica|southamerica|us)-"
    "(?:central|east|north|northeast|northwest|south|southeast|southwest|west)(?:[1-9]|1[0-9])"
)
"""A region (``europe-west12``), or one of the three that are none: always inside of ``[a-z0-9-]+``."""

_PLACE = re.compile(rb"/v[0-9][a-z0-9]*/projects/([^/]+)/locations/([^/]+)(?=/)")

_MODEL_CALLS = re.compile(
    rb"/v[0-9][a-z0-9]*/"
    rb"(?:projects/[^/]+/locations/[^/]+/)?"
    rb"(?:"
    rb"(?:publishers/[^/:]+/models|models|endpoints)/[^/:]+(?:/operations/[^/:]+)?:"
    rb"(?:generateContent|streamGenerateContent|countTokens|computeTokens|embedContent|batchEmbedContents|predict"
    rb"|rawPredict|streamRawPredict|serverStreamingPredict|predictLongRunning|fetchPredictOperation)"
    rb"|endpoints/[^/:]+/(?:chat/completions|completions|embeddings|responses)"
    rb")\Z"
)
_CATALOGUE = re.compile(rb"/v[0-9][a-z0-9]*/publishers/[^/:]+/models(?:/[^/:]+)?\Z")


@attrs.frozen
class Place:
    """A project and a location as they stand in a path."""

    project: str
    location: str


def place_of(path: bytes) -> Place | None:
    """What a path names; ``None``: nothing, as with a key of Vertex AI's express mode."""
    found = _PLACE.match(path)
    return Place(found[1].decode("ascii"), found[2].decode("ascii")) if found is not None else None


def host(location: str) -> str | None:
    """The host of a location; ``None``: it is none."""
    if LOCATION.fullmatch(location) is None:
        return None
    if location == "global":
        return "aiplatform.googleapis.com"
    if location in ("us", "eu"):
        return f"aiplatform.{location}.rep.googleapis.com"
    return f"{location}-aiplatform.googleapis.com"


def calls_a_model(path: bytes) -> bool:
    """Whether this is inference. All else of the API manages a project."""
    return _MODEL_CALLS.match(path) is not None


def reads_the_catalogue(method: bytes, path: bytes) -> bool:
    """Whether this is a look at the publishers' models, which are the same for everybody, in no project."""
    return method == b"GET" and _CATALOGUE.match(path) is not None
