"""Which operation, on which model, a path asks for.

Responsible for: a list of what may be signed for. An operation is recognised in its plain spelling only; anything else is
none.
Must never: guess. What is not recognised is not signed for.

Source: the service model of bedrock-runtime (2023-09-30) in botocore; the OpenAI and Anthropic paths from these vendors'
SDKs for Bedrock.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote_to_bytes

import attrs

BIDIRECTIONAL = "invoke-with-bidirectional-stream"
ON_A_MODEL = ("converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens")
"""Operations whose path names the model."""
OPERATIONS = (*ON_A_MODEL, "apply-guardrail", "guardrail-checks", "async-invoke", "openai", "anthropic")
"""What is signed for, by the names that the settings use."""

_MODEL = re.compile(rb"/model/([^/]+)/([a-z-]+)\Z")
_OTHERS = (
    ("apply-guardrail", re.compile(rb"/guardrail/[^/]+/version/[^/]+/apply\Z")),
    ("guardrail-checks", re.compile(rb"/guardrail-checks/invoke\Z")),
    ("async-invoke", re.compile(rb"/async-invoke(?:/([^/]+))?\Z")),
    ("openai", re.compile(rb"/openai/v1/.")),
    ("anthropic", re.compile(rb"/anthropic/v1/.")),
)
_MODEL_KEYS = {"async-invoke": "modelId", "openai": "model", "anthropic": "model"}
_ARN = re.compile(r"arn:[a-z0-9-]+:[a-z0-9-]+:([a-z0-9-]+):")


@attrs.frozen
class Operation:
    """What a path asks for. ``id`` is the model's (or the invocation's) id in the path, decoded once, as AWS does."""

    name: str
    id: str | None = None

    @property
    def region(self) -> str | None:
        """The region that an ARN in the path names."""
        found = _ARN.match(self.id or "")
        return found[1] if found else None

    @property
    def model(self) -> str | None:
        """The model that the path names."""
        return self.id if self.name in ON_A_MODEL else None

    @property
    def model_key(self) -> str | None:
        """Where the body names the model, for an operation whose path does not."""
        return _MODEL_KEYS.get(self.name)


def operation(path: bytes) -> Operation | None:
    """The operation at a raw path of AWS, without the query; ``None``: none that is known."""
    if (found := _MODEL.match(path)) is not None:
        name = found[2].decode()
        known = name in ON_A_MODEL or name == BIDIRECTIONAL
        return Operation(name, unquote_to_bytes(found[1]).decode("utf-8", "replace")) if known else None
    for name, pattern in _OTHERS:
        if (found := pattern.match(path)) is not None:
            given = found[1] if found.re.groups else None
            return Operation(name, unquote_to_bytes(given).decode("utf-8", "replace") if given else None)
    return None


def models_in(body: bytes | None, key: str) -> set[str] | None:
    """Every value of ``key`` at the top of a JSON body, so that a repeated key hides none; ``None``: it can't be read."""
    found: list[tuple[str, Any]] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found[:] = members  # the top object is the last to be closed
        return dict(members)

    try:
        document = json.loads((body or b"").decode(), object_pairs_hook=pairs)
    except (ValueError, RecursionError):  # UnicodeDecodeError is a ValueError
        return None
    values = {str(value) for name, value in found if name == key and isinstance(value, str)}
    others = any(name == key and not isinstance(value, str) for name, value in found)
    return None if others or not isinstance(document, dict) else values
