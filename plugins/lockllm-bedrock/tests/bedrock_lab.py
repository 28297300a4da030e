"""One AWS, one service before it on two ports, http and https, for all SDKs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import attrs
from aws_side import OPERATOR, REGION
from tests.sockets.certificates import LOOPBACK, Authority
from tests.sockets.service import Service, free_port
from tests.sockets.upstream import Upstream

OWN_API_KEY = "bedrock-api-key-canary-1c9f"
"""A Bedrock API key that a client brings along."""


@attrs.frozen
class Lab:
    """What a client needs: where to go, what to trust, which LockLLM key to send."""

    aws: Upstream
    service: Service
    secure_port: int
    roots: Path
    environment: Mapping[str, str] = attrs.field(repr=False)

    @property
    def key(self) -> str:
        return self.service.key.decode()

    @property
    def url(self) -> str:
        return f"{self.service.url}/v1/proxy/bedrock"

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.secure_port}/v1/proxy/bedrock"


@contextmanager
def running(directory: Path) -> Iterator[Lab]:
    """The lab, up; after the tests, no secret is in the service's log."""
    authority = Authority(directory)
    own, secure_port = authority.issue(*LOOPBACK), free_port()
    environment = {
        "AWS_ACCESS_KEY_ID": OPERATOR.access_key,
        "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_key,
        "AWS_SESSION_TOKEN": OPERATOR.token,
        "AWS_REGION": REGION,
        "AWS_CONFIG_FILE": str(directory / "none"),
    }
    with Upstream() as aws:
        service = Service(
            directory,
            f'[providers.bedrock]\nbase_url = "{aws.url}"\n',
            listen=[
                "tcp:{port}:interface=127.0.0.1",
                f"ssl:{secure_port}:interface=127.0.0.1:privateKey={own.key}:certKey={own.chain}",
            ],
            environment=environment,
        )
        with service.ready():
            yield Lab(aws, service, secure_port, authority.roots, environment)
            for secret in (OPERATOR.secret_key, OPERATOR.token, OWN_API_KEY, service.key.decode()):
                assert secret not in service.log.text()
