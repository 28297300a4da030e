"""The provider ``bedrock``: where a request goes, whether it may, and with which credential.

Responsible for: the order of these questions, for one request.
Must never: sign for a caller who is not known, unless the operator has said so; for a region or a model outside the
caller's limits; or for an operation that is not in the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import attrs
from lockllm_twisted.dialects import BEDROCK
from lockllm_twisted.errors import BadRequest, ConfigurationProblem, NotFound, Unauthorized
from lockllm_twisted.hooks import UpstreamRequest
from lockllm_twisted.renewal import Renewed
from lockllm_twisted.table import ANTHROPIC_STYLE, REPEATED_V1, V1, TableProvider
from lockllm_twisted.values import ANONYMOUS
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from lockllm_bedrock import operations
from lockllm_bedrock.credentials import Held
from lockllm_bedrock.operations import BIDIRECTIONAL, Operation
from lockllm_bedrock.regions import Hosts, Service
from lockllm_bedrock.settings import BedrockSettings, Limits
from lockllm_bedrock.signing import Scope, credentials_of, scope_of, sign

INLINE = 256 * 1024
"""Bytes of body that are hashed in well under a millisecond; more goes to a thread."""


def bedrock(settings: BedrockSettings, hosts: Hosts, credentials: Renewed[Held]) -> BedrockProvider:
    """The row of the table: all that is data. Its origin is for display; `authorize` makes it anew for each request."""
    region = settings.region
    return BedrockProvider(
        "bedrock",
        f"https://{hosts[region]['bedrock'] if region else 'bedrock-runtime.REGION.amazonaws.com'}",
        (BEDROCK,),
        bare=b"/openai/v1",
        moves=(
            (rb"/anthropic" + REPEATED_V1, b"/anthropic/v1"),
            (ANTHROPIC_STYLE, b"/anthropic/v1"),
            (V1, b"/openai/v1"),
        ),
        keep=(b"/model", b"/guardrail", b"/guardrail-checks", b"/async-invoke", b"/openai", b"/anthropic"),
        encoded_slash=True,  # ARNs hold slashes
        probe=b"/openai/v1/models",
        settings=settings,
        hosts=hosts,
        credentials=credentials,
    )


@attrs.frozen(kw_only=True)
class BedrockProvider(TableProvider):
    """A row of the table, and what no row can hold. ``pinned``: the operator has set a ``base_url``, so that is the host."""

    settings: BedrockSettings
    hosts: Hosts = attrs.field(repr=False)
    credentials: Renewed[Held] = attrs.field(repr=False)
    pinned: bool = False
    in_thread: Callable[[Callable[[], Any]], Deferred[Any]] = attrs.field(default=deferToThread, repr=False)

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """A request with a Bedrock API key goes as it came; any other is signed with the operator's credentials."""
        path = request.target.partition(b"?")[0].removeprefix(self.root)
        operation = operations.operation(path)
        if operation is not None and operation.name == BIDIRECTIONAL:
            raise BadRequest(
                "Bedrock's bidirectional stream is not supported: it carries prompts where no scanner can read them. Use "
                "converse-stream or invoke-with-response-stream.",
                code="not_supported",
            )
        scope = scope_of(request.headers)
        signing = scope is not None or not credentials_of(request.headers)
        service = self._service(scope, operation)
        limits = self.settings.limits(request.caller)
        region, origin = "", self.origin
        if signing or not self.pinned:
            region = self._region(scope, operation, limits)
        if not self.pinned:
            origin = f"https://{self.hosts[region][service]}"
        if signing:
            self._check_caller(request, operation)

        def checked_and_signed(held: Held | None) -> UpstreamRequest:
            _check_limits(limits, operation, request)
            if held is None:
                return attrs.evolve(request, origin=origin)
            headers = sign(
                method=request.method,
                url=origin + request.target.decode("ascii"),
                headers=request.headers,
                body=request.body,
                credentials=held.frozen,
                region=region,
                service=service,
            )
            return attrs.evolve(request, origin=origin, headers=headers)

        held = await self.credentials.get() if signing else None
        if len(request.body or b"") <= INLINE:
            return checked_and_signed(held)
        return cast(UpstreamRequest, await self.in_thread(lambda: checked_and_signed(held)))

    def _service(self, scope: Scope | None, operation: Operation | None) -> Service:
        if scope is not None:
            if scope.service not in ("bedrock", "bedrock-mantle"):
                raise BadRequest(
                    f"The request is signed for the AWS service {scope.service}: here it must be bedrock or "
                    "bedrock-mantle.",
                    code="unknown_service",
                )
            return cast(Service, scope.service)
        name = operation.name if operation is not None else ""
        mantle = name == "anthropic" or (name == "openai" and self.settings.openai_endpoint == "mantle")
        return "bedrock-mantle" if mantle else "bedrock"

    def _region(self, scope: Scope | None, operation: Operation | None, limits: Limits) -> str:
        named = scope.region if scope is not None else operation.region if operation is not None else None
        region = named or self.settings.region
        if region is None:
            raise ConfigurationProblem(
                'The server knows no AWS region for this request: set region = "us-east-1", or another, in '
                "[plugins.bedrock], or AWS_REGION in its environment.",
                code="no_region",
            )
        if limits.regions is not None and region not in limits.regions:
            raise BadRequest(f"The AWS region {region} is not allowed here.", code="region_not_allowed", status=403)
        if region not in self.hosts:
            raise BadRequest(
                f"There is no AWS region {region}. (One that is new: name it in regions of [plugins.bedrock].)",
                code="unknown_region",
            )
        return region

    def _check_caller(self, request: UpstreamRequest, operation: Operation | None) -> None:
        if operation is None:
            raise NotFound(
                "This is no path of Bedrock that is signed for here: send /model/ID/converse, /model/ID/invoke and their "
                "kin, or /openai/v1/…, or /anthropic/v1/…."
            )
        if request.caller == ANONYMOUS and not self.settings.anonymous_callers:
            raise Unauthorized(
                "The server's AWS credentials are for callers with a LockLLM key: send one in X-LockLLM-Key, or send a "
                "Bedrock API key of your own as the bearer."
            )


def _check_limits(limits: Limits, operation: Operation | None, request: UpstreamRequest) -> None:
    """Refuse what the caller may not use. The limits hold whoever's credential it is."""
    name = operation.name if operation is not None else None
    if limits.operations is not None and name not in limits.operations:
        raise BadRequest(
            f"The operation {name or 'at this path'} is not allowed here.", code="operation_not_allowed", status=403
        )
    if limits.models is None:
        return
    models: set[str] | None
    if operation is None:
        models = None
    elif operation.model is not None:
        models = {operation.model}
    elif operation.model_key is None or request.method in (b"GET", b"HEAD", b"DELETE"):
        return
    else:
        models = operations.models_in(request.body, operation.model_key)
    if not models:
        raise BadRequest(
            "Only some models are allowed here, and this request names none that can be read.",
            code="model_not_allowed",
            status=403,
        )
    if not all(map(limits.allows_model, models)):
        raise BadRequest("This model is not allowed here.", code="model_not_allowed", status=403)
