"""A client of ``POST /v1/scan``, for any server that speaks it: ours, or another that is to be compared.

Responsible for: one request, the answers that such servers give, patience with those that say "later".
Must never: follow a redirect (the key would travel on), show a key, or use an unverified certificate.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import attrs

from lockllm_twisted.errors import LockLLMError, SettingsError, Unauthorized, UpstreamError

_TIMEOUT = 60.0
_ATTEMPTS = 5
_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_LATER = frozenset({429, 502, 503, 504})
_HOPELESS = frozenset({301, 302, 303, 307, 308, 404, 405})
_LONGEST_ANSWER = 4 * 1024 * 1024
_PATH = "/v1/scan"


@attrs.frozen
class Endpoint:
    """Where, with which key, and how sensitive (``None``: the server's default)."""

    secure: bool
    host: str
    port: int | None
    path: str
    key: str | None = attrs.field(default=None, repr=False)
    sensitivity: str | None = None

    @property
    def exposed(self) -> bool:
        """Whether texts and key travel in the clear beyond this machine."""
        return not self.secure and self.host not in ("127.0.0.1", "::1", "localhost")


@attrs.frozen
class Answer:
    """What the server said. ``score`` on its own scale, if it tells one: 0 to 100, or 0 to 1.

    ``failure``: why it said nothing of this text.
    """

    score: float | None = None
    flagged: bool = False
    seconds: float = 0.0
    failure: str | None = None


def parse(url: str, *, key: str | None = None, sensitivity: str | None = None) -> Endpoint:
    """An endpoint from its URL, with or without ``/v1/scan``. Raises `SettingsError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError("--endpoint: write the server's address, such as http://127.0.0.1:8080.")
    if parts.username is not None or parts.query or parts.fragment:
        raise SettingsError("--endpoint: the address holds no user, query or fragment; a key goes into --key-env.")
    path = parts.path.rstrip("/")
    path = path if path.endswith(_PATH) else path + _PATH
    return Endpoint(parts.scheme == "https", parts.hostname, port, path, key, sensitivity)


class Connection:
    """One connection, kept open. Of one thread at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        where = endpoint.host, endpoint.port
        self._http = (
            http.client.HTTPSConnection(*where, timeout=_TIMEOUT, context=ssl.create_default_context())
            if endpoint.secure
            else http.client.HTTPConnection(*where, timeout=_TIMEOUT)
        )
        self._answered = False
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if endpoint.key is not None:
            self._headers["Authorization"] = f"Bearer {endpoint.key}"
        if endpoint.sensitivity is not None:
            self._headers["X-LockLLM-Sensitivity"] = endpoint.sensitivity

    def scan(self, text: str, role: str) -> Answer:
        """The server's answer to one text.

        Raises `LockLLMError` where no other text would fare better: nobody answers, the key is refused, or there is no
        such path.
        """
        fields = {"input": text} if role == "user" else {"input": text, "role": role}
        body = json.dumps(fields).encode()
        for attempt in range(1, _ATTEMPTS + 1):
            started = time.perf_counter()
            try:
                status, headers, content = self._ask(body)
            except (OSError, http.client.HTTPException) as problem:
                self._http.close()
                if attempt == _ATTEMPTS or not self._answered:
                    raise UpstreamError(f"{self._told} can't be asked: {_reason(problem)}.") from None
                if attempt > 1:  # the first time, the server may have closed an idle connection
                    self._wait(attempt, None)
                continue
            seconds = time.perf_counter() - started
            self._answered = True
            if status not in _LATER or attempt == _ATTEMPTS:
                break
            self._wait(attempt, headers.get("Retry-After"))
        return self._understood(status, content, seconds)

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    @property
    def _told(self) -> str:
        endpoint = self._endpoint
        return f"{endpoint.host}{'' if endpoint.port is None else f':{endpoint.port}'}{endpoint.path}"

    def _ask(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        self._http.request("POST", self._endpoint.path, body, self._headers)
        response = self._http.getresponse()
        content = response.read(_LONGEST_ANSWER)
        if response.length:  # more than an answer to a scan has
            self._http.close()
        return response.status, response.headers, content

    @staticmethod
    def _wait(attempt: int, wish: str | None) -> None:
        seconds = float(wish) if wish is not None and wish.isdecimal() else _PAUSE * 2 ** (attempt - 1)
        time.sleep(min(seconds, _LONGEST_PAUSE))

    def _understood(self, status: int, content: bytes, seconds: float) -> Answer:
        try:
            fields = json.loads(content)
        except (ValueError, RecursionError):
            fields = None
        fields = fields if isinstance(fields, dict) else {}
        error = fields.get("error")
        error = error if isinstance(error, dict) else {}
        if status == http.client.OK and isinstance(fields.get("safe"), bool):
            return Answer(_score(fields), not fields["safe"], seconds)
        if isinstance(error.get("scan_result"), dict):  # a server that is set to block
            return Answer(_score(error["scan_result"]), flagged=True, seconds=seconds)
        code = error.get("code")
        if status == http.client.UNAUTHORIZED or (status == http.client.FORBIDDEN and code != "policy_violation"):
            raise Unauthorized(
                f"{self._told} answers {status}: name the variable that holds a valid key with --key-env."
            )
        if code == "policy_violation":
            return Answer(flagged=True, seconds=seconds)
        if status in _HOPELESS or status == http.client.OK:
            raise LockLLMError(f"{self._told} answers {status}, and not as POST /v1/scan does: check --endpoint.")
        word = f" {code}" if isinstance(code, str) and code.isidentifier() else ""
        return Answer(failure=f"status {status}{word}")


def _score(fields: dict[str, Any]) -> float | None:
    """The attack's score; LockLLM's ``policy_only`` tells none."""
    score = fields.get("injection")
    return None if isinstance(score, bool) or not isinstance(score, int | float) else float(score)


def _reason(problem: Exception) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not valid: {problem.verify_message}"
    return (problem.strerror if isinstance(problem, OSError) else None) or type(problem).__name__
