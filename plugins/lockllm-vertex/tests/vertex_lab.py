"""One Google: its API and its token endpoint, and one service before it on two ports, http and https, for all SDKs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.sockets.certificates import LOOPBACK, Authority
from tests.sockets.service import Service, free_port
from tests.sockets.upstream import Upstream, answer

OWN_TOKEN = "ya29.clients-canary-77aa"
OPERATORS_TOKEN = "ya29.operators-canary-31fe"


@attrs.frozen
class Lab:
    """What a client needs: where to go, what to trust, which LockLLM key to send."""

    google: Upstream
    tokens: Upstream
    service: Service
    secure_port: int
    roots: Path

    @property
    def key(self) -> str:
        return self.service.key.decode()

    @property
    def url(self) -> str:
        return f"{self.service.url}/v1/proxy/vertex-ai"

    @property
    def secure_url(self) -> str:
        return f"https://localhost:{self.secure_port}/v1/proxy/vertex-ai"


def key_file(directory: Path, token_uri: str) -> Path:
    """A service account's key, as Google's console hands it out."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "k1",
        "private_key": private.decode(),
        "client_email": "llm@my-project.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
    (directory / "key.json").write_text(json.dumps(account))
    return directory / "key.json"


@contextmanager
def running(directory: Path) -> Iterator[Lab]:
    """The lab, up; after the tests, no secret is in the service's log."""
    authority = Authority(directory)
    own, secure_port = authority.issue(*LOOPBACK), free_port()
    with Upstream() as google, Upstream() as tokens:
        private = json.loads(key_file(directory, f"{tokens.url}/token").read_text())["private_key"]
        granted = {"access_token": OPERATORS_TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        tokens.script = answer(json.dumps(granted).encode(), (b"Content-Type", b"application/json"))
        service = Service(
            directory,
            f'[providers.vertex-ai]\nbase_url = "{google.url}"\n[plugins.vertex]\ncredentials_file = "key.json"\n'
            'project = "my-project"\nlocation = "europe-west4"\n',
            listen=[
                "tcp:{port}:interface=127.0.0.1",
                f"ssl:{secure_port}:interface=127.0.0.1:privateKey={own.key}:certKey={own.chain}",
            ],
        )
        with service.ready():
            yield Lab(google, tokens, service, secure_port, authority.roots)
            for secret in (OPERATORS_TOKEN, OWN_TOKEN, private, service.key.decode()):
                assert secret not in service.log.text()
