"""One AWS, one service before it on two ports, http and https, for all SDKs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
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

    @property
    def key(self) -> str:
        return self.service.key.decode()

    @property
    def url(self) -> str:
        return f"{self.service.url}/v1/proxy/bedrock"

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.secure_port}/v1/proxy/bedrock"


@pytest.fixture(scope="session")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    directory = tmp_path_factory.mktemp("bedrock")
    authority = Authority(directory)
    own, secure_port = authority.issue(*LOOPBACK), free_port()
    with Upstream() as aws:
        service = Service(
            directory,
            f'[providers.bedrock]\nbase_url = "{aws.url}"\n',
            listen=[
                "tcp:{port}:interface=127.0.0.1",
                f"ssl:{secure_port}:interface=127.0.0.1:privateKey={own.key}:certKey={own.chain}",
            ],
            environment={
                "AWS_ACCESS_KEY_ID": OPERATOR.access_key,
                "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_key,
                "AWS_SESSION_TOKEN": OPERATOR.token,
                "AWS_REGION": REGION,
                "AWS_CONFIG_FILE": str(directory / "none"),
            },
        )
        with service.ready():
            yield Lab(aws, service, secure_port, authority.roots)
            for secret in (OPERATOR.secret_key, OPERATOR.token, OWN_API_KEY, service.key.decode()):
                assert secret not in service.log.text()


@pytest.fixture
def lab(_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """AWS has heard nothing yet; this process has no AWS settings of its own, and the service's log no traceback."""
    for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    _lab.aws.reset()
    yield _lab
    assert not _lab.aws.faults
    assert not _lab.service.trouble()
