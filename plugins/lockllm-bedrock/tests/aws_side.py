"""AWS's side, for tests: whether a request is rightly signed, and answers in Bedrock's formats.

Responsible for: doing what AWS describes, from the bytes of a request and nothing else.
Must never: use botocore, which makes the signatures that are looked at here.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import struct
import zlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from botocore.credentials import ReadOnlyCredentials

REGION = "eu-central-1"
OPERATOR = ReadOnlyCredentials("AKIDOPERATOR", "operator/secret+key", "operator-token==")


def signature_is_right(method: bytes, target: bytes, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> bool:
    """AWS, "Create a signed AWS API request": the operator's signature, over the host, the path, the body and all
    ``X-Amz-`` headers."""
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name.decode().lower(), []).append(value.decode())
    (authorization,) = fields["authorization"]
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})", authorization
    )
    assert found is not None
    access_key, scope, signed, signature = found.groups()
    names = signed.split(";")
    must = {"host", *(name for name in fields if name.startswith("x-amz-"))}
    if access_key != OPERATOR.access_key or not must <= set(names) or names != sorted(names):
        return False
    path, _, query = target.decode().partition("?")
    canonical = [
        method.decode(),
        quote(path, safe="/-_.~"),
        "&".join(sorted(part if "=" in part else part + "=" for part in query.split("&"))) if query else "",
        *(f"{name}:{','.join(' '.join(value.split()) for value in fields[name])}" for name in names),
        "",
        signed,
        hashlib.sha256(body).hexdigest(),
    ]
    (moment,) = fields["x-amz-date"]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}"
    key = b"AWS4" + OPERATOR.secret_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(signature, hmac.digest(key, to_sign.encode(), "sha256").hex())


def event(kind: str, payload: Any) -> bytes:
    """One message of ``application/vnd.amazon.eventstream``: lengths, headers, payload, two checksums."""
    names = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in names.items()
    )
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", len(headers) + len(body) + 16, len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + body
    return message + struct.pack(">I", zlib.crc32(message))


def model_event(payload: Any) -> bytes:
    """One event of InvokeModelWithResponseStream: the vendor's own, as base64."""
    return event("chunk", {"bytes": base64.b64encode(json.dumps(payload).encode()).decode()})
