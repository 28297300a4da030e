"""``POST /v1/scan``: the guard without a proxy, as LockLLM's own SDKs call it.

Responsible for: the body's fields and the answer's shape.
Must never: forward anything.
"""

from __future__ import annotations

import json
import time
from typing import Any

import attrs
from twisted.web.resource import Resource
from twisted.web.server import Request

from lockllm_twisted.answers import refusal, scan_answer
from lockllm_twisted.api.missing import MissingResource
from lockllm_twisted.client import Client
from lockllm_twisted.core import Core
from lockllm_twisted.door import Entry
from lockllm_twisted.errors import BadRequest
from lockllm_twisted.options import Options, by_default, in_force
from lockllm_twisted.reading import read
from lockllm_twisted.serving import Account, ServedResource, send
from lockllm_twisted.values import ROLES, Action, Ending, Origin, Passage, Reading, ScanMode, Sensitivity
from lockllm_twisted.wire import Named


class ScanResource(ServedResource):
    """Judges the text of its body: 200 with the verdict; 400 or 403 only where a header asks to block."""

    isLeaf = False

    def __init__(self, core: Core) -> None:
        super().__init__(core, "scan")
        self._options = attrs.evolve(by_default(core.settings.proxy), action=Action.FLAG, policy_action=Action.FLAG)

    def getChild(self, path: bytes, request: Request) -> Resource:
        """Nothing is below."""
        return MissingResource(self.core)

    def enter(self, client: Client) -> Entry:
        """A key is needed."""
        return self.core.admit(client.fields.named, client.target)

    async def serve(self, client: Client, entry: Entry, account: Account) -> Ending:
        """One scan."""
        core = self.core
        if client.method != b"POST":
            raise BadRequest("Use POST.", code="method_not_allowed", status=405)
        fields = _fields(client.body)
        text, origin = _text(fields), _origin(fields)
        options = in_force(client.fields.named, self._options, entry.caller)
        options = _with_body(options, fields, client.fields.named)
        started = time.perf_counter()
        account.reading = reading = Reading([Passage(origin, "/input", text)])
        account.verdict = verdict = await core.guard.judge(reading, options)
        account.scan_seconds = time.perf_counter() - started
        if verdict.action is Action.BLOCK:
            raise refusal(verdict)
        answer = scan_answer(verdict, request_id=account.id, chars=len(text), passages=1, seconds=account.scan_seconds)
        account.status = 200
        out = json.dumps(answer).encode()
        account.response_bytes = len(out)
        headers = [(b"Content-Type", b"application/json"), (b"Cache-Control", b"no-store")]
        rid = account.id.encode()
        send(client, 200, [*headers, (b"X-Request-Id", rid), (b"X-LockLLM-Request-ID", rid)], out)
        return "done"


def _fields(body: bytes) -> dict[str, Any]:
    """The body as an object, read as strictly as a proxied one."""
    unreadable = read(method=b"POST", target=b"/", headers=_JSON, body=body, dialect=None).unreadable
    if unreadable is not None:
        raise BadRequest(unreadable.message, code=unreadable.code, status=unreadable.status)
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise BadRequest('Send a JSON object such as {"input": "the text to scan"}.', code="invalid_input")
    return fields


_JSON = ((b"content-type", b"application/json"),)


def _text(fields: dict[str, Any]) -> str:
    for name in ("input", "inputs", "text"):
        if name in fields:
            if not isinstance(fields[name], str) or not fields[name]:
                raise BadRequest(f"The field {name} must be a string that is not empty.", code="invalid_input")
            return str(fields[name])
    raise BadRequest("The field input is missing: the text to scan.", code="missing_field")


def _origin(fields: dict[str, Any]) -> Origin:
    role = fields.get("role", "user")
    if not isinstance(role, str) or role not in ROLES:
        raise BadRequest(f"The field role is not one of {', '.join(ROLES)}.", code="invalid_input")
    return ROLES[role]


def _with_body(options: Options, fields: dict[str, Any], named: Named) -> Options:
    """``sensitivity`` and ``mode`` may stand in the body; a header goes before."""
    try:
        if "sensitivity" in fields and b"x-lockllm-sensitivity" not in named:
            options = attrs.evolve(options, sensitivity=Sensitivity(fields["sensitivity"]))
        if "mode" in fields and b"x-lockllm-scan-mode" not in named:
            options = attrs.evolve(options, mode=ScanMode(fields["mode"]))
    except ValueError as error:
        raise BadRequest(f"A field of the body has a value that is not known: {error}.", code="invalid_input") from None
    return options
