"""Signature Version 4: the client's signature is read for its scope, taken out, and made anew with other credentials.

Responsible for: which headers go, which are signed. The arithmetic is botocore's.
Must never: touch the path, the query or the body: what is signed is what is sent.

A client signs the proxy's host and path, so its signature is worth nothing at AWS; nor can it be checked here, because
that takes the client's secret. Who may call is decided by the LockLLM key alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence

import attrs
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from lockllm_twisted.errors import BadRequest

Pairs = Sequence[tuple[bytes, bytes]]

# botocore writes what it signs, the session token too, to this log where an application has set debugging on for all.
logging.getLogger("botocore.auth").setLevel(logging.INFO)

_SCOPE = re.compile(
    rb"AWS4-HMAC-SHA256 +Credential=[^/,\s]+/[0-9]{8}/([a-z0-9-]{1,40})/([a-z0-9-]{1,40})/aws4_request(?:[, ]|\Z)"
)


@attrs.frozen
class Scope:
    """What a client's signature was made for."""

    region: str
    service: str


def credentials_of(headers: Pairs) -> list[bytes]:
    """What stands where Bedrock looks for a credential."""
    return [value for name, value in headers if name.lower() in (b"authorization", b"x-api-key") and value]


def scope_of(headers: Pairs) -> Scope | None:
    """The scope of the client's signature; ``None``: it is not signed. Raises `BadRequest` for one that can't be read."""
    signatures = [value for value in credentials_of(headers) if value.startswith(b"AWS4-")]
    if not signatures:
        return None
    found = _SCOPE.match(signatures[0])
    if found is None or len(signatures) > 1:
        raise BadRequest(
            "The Authorization header is no AWS signature of version 4 for one region: sign with AWS4-HMAC-SHA256 and "
            "Credential=KEY/DATE/REGION/SERVICE/aws4_request."
        )
    return Scope(found[1].decode(), found[2].decode())


def sign(
    *,
    method: bytes,
    url: str,
    headers: Pairs,
    body: bytes | None,
    credentials: ReadOnlyCredentials,
    region: str,
    service: str,
) -> list[tuple[bytes, bytes]]:
    """The headers with a signature of these credentials instead of the client's.

    ``url`` is the raw one that will be asked for. Signed are the host and what means something to AWS; the rest
    (``User-Agent``, ``Accept-Encoding``, …) travels unsigned, as an SDK sends it.
    """
    kept = [pair for pair in headers if not _is_of_a_signature(pair[0].lower())]
    request = AWSRequest(method=method.decode("latin-1"), url=url, data=body or b"")
    for name, value in kept:
        if name.lower() in (b"accept", b"content-type") or name.lower().startswith(b"x-amzn-bedrock-"):
            request.headers[name.decode("latin-1")] = value.decode("latin-1")
    before = len(request.headers)
    SigV4Auth(credentials, service, region).add_auth(request)
    made = list(request.headers.items())[before:]
    return kept + [(name.encode("latin-1"), value.encode("latin-1")) for name, value in made]


def _is_of_a_signature(name: bytes) -> bool:
    """AWS wants every ``X-Amz-`` header signed. Bedrock has none of its own: those are ``X-Amzn-Bedrock-``."""
    return name == b"authorization" or name.startswith(b"x-amz-")
