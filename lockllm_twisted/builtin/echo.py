"""The echo provider: answers by itself, with no account and no connection, so that a first request can pass or be blocked.

Responsible for: knowing which vendor's request it got, with or without a version in the path, and refusing what that
vendor would refuse.
Must never: do I/O, keep state or raise: it runs on the reactor thread, on whatever a client sent.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import attrs

from lockllm_twisted.builtin.echo_answers import (
    ROUTES,
    Ask,
    anthropic_error,
    gemini_error,
    is_anthropic,
    is_google,
    openai_error,
)
from lockllm_twisted.dialects import ANTHROPIC, GEMINI, OPENAI, Family
from lockllm_twisted.hooks import CredentialPlace, Dialect, LocalAnswer, LocalRequest

_BASE = re.compile(rb"(?:/v1(?:alpha|beta)?)*(?:/openai)?(?=/)")


@attrs.frozen
class EchoProvider:
    """``echo``: says what the last user turn said."""

    slug: str = "echo"
    origin: str | None = None
    encoded_slash: bool = False
    families: tuple[Family, ...] = (OPENAI, ANTHROPIC, GEMINI)

    def target(self, tail: bytes) -> bytes:
        """The tail as it came: every path dialect is understood here."""
        return tail

    def credential(self, path: bytes) -> CredentialPlace | None:
        """No key is needed."""
        return None

    def dialect(self, path: bytes) -> Dialect | None:
        """Whichever vendor's path it is."""
        family = ANTHROPIC if b"/messages" in path else GEMINI if b":" in path else OPENAI
        return family(path)

    def answer(self, request: LocalRequest) -> LocalAnswer:
        """The vendor's answer with an echo in it; its 404 for an unknown path, its 400 for a body without a prompt."""
        path, _, query = request.target.partition(b"?")
        base = _BASE.match(path)
        inner = path[base.end() :] if base else path
        headers = {name.lower() for name, _ in request.headers}
        for method, pattern, needed, error, reply in ROUTES:
            found = re.fullmatch(pattern, inner)
            if found is None or method != request.method:
                continue
            body: Any = {}
            if needed:
                try:
                    body = json.loads(request.body.decode())
                except (ValueError, RecursionError):
                    return error(400, "We could not parse the JSON body of your request.")
                if not isinstance(body, dict) or needed not in body:
                    return error(400, f"Missing required parameter: '{needed}'.")
            model = found.groupdict().get("model", b"").decode("latin-1") or body.get("model")
            said = _last_said(body.get(needed))
            return reply(
                Ask(
                    body=body,
                    model=model if isinstance(model, str) else "echo",
                    said=said,
                    reply=f"You said: {said}",
                    id=hashlib.sha256(path + request.body).hexdigest()[:24],
                    headers=headers,
                    query=query,
                )
            )
        error = anthropic_error if is_anthropic(headers) else gemini_error if is_google(headers) else openai_error
        return error(404, f"Unknown request URL: {request.method.decode('latin-1')} {path.decode('latin-1')}")


def _last_said(turns: Any) -> str:
    """The text of the last user turn, of any vendor's shape; empty if there is none."""
    if isinstance(turns, str):
        return turns
    for turn in reversed(turns if isinstance(turns, list) else [turns]):
        if isinstance(turn, str):
            return turn
        if isinstance(turn, dict) and turn.get("role", "user") == "user":
            parts = turn.get("content", turn.get("parts"))
            parts = parts if isinstance(parts, list) else [parts]
            texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
            if said := "\n".join(text for text in texts if isinstance(text, str)):
                return said
    return ""
