"""One exception tree. Each class knows its HTTP status, and the ``type`` and ``code`` that its body carries.

Responsible for: what can go wrong, named once. The bodies are LockLLM's nested envelope.
Must never: carry a key, a prompt or a path of this machine in a message.
"""

from __future__ import annotations

from typing import Any, ClassVar


class LockLLMError(Exception):
    """Anything that this software says no to. ``message`` is for the caller: it names what to change."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    code: str = "internal_error"

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None, **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.http_status = self.status if status is None else status
        self.detail = detail


class SettingsError(LockLLMError):
    """A setting that can't stand. ``line`` is its line in the file, where known."""

    type = "lockllm_config_error"
    code = "invalid_settings"

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class PluginError(LockLLMError):
    """A plugin that does not load or breaks its protocol: the start fails, naming its distribution."""

    type = "lockllm_config_error"
    code = "plugin_error"


class BadRequest(LockLLMError):
    """A request that can't be understood in exactly one way."""

    status = 400
    type = "invalid_request_error"
    code = "invalid_request"


class Unauthorized(LockLLMError):
    """No LockLLM key, or none that we know."""

    status = 401
    type = "authentication_error"
    code = "unauthorized"


class ConfigurationProblem(LockLLMError):
    """The request needs something that this server's operator, or the caller's own header, has not set rightly."""

    status = 400
    type = "lockllm_config_error"
    code = "no_upstream_key"


class NotFound(LockLLMError):
    """No such provider or endpoint."""

    status = 404
    type = "not_found_error"
    code = "not_found"


class ScannerFailed(LockLLMError):
    """A scanner failed or timed out and its setting says: block. Retrying may help."""

    status = 503
    type = "lockllm_scanner_error"
    code = "scanner_failed"


class UpstreamError(LockLLMError):
    """The provider gave no answer at all (502)."""

    status = 502
    type = "upstream_error"
    code = "provider_error"


class UpstreamTimeout(UpstreamError):
    """The provider's first byte did not come in time (504)."""

    status = 504
    code = "provider_timeout"


class Blocked(LockLLMError):
    """An unsafe request. ``detail`` holds ``scan_result`` and ``lockllm``."""

    status = 400
    type = "lockllm_security_error"
    code = "prompt_injection_detected"


class PolicyViolation(LockLLMError):
    """A request that an operator's own rule forbids (contract: 403)."""

    status = 403
    type = "lockllm_policy_error"
    code = "policy_violation"
