"""One provider for all tests, one service with the defaults, and others where a module needs other settings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .service import RUNNING, STORED_KEY, Service
from .upstream import Upstream


def providers(url: str) -> str:
    """The TOML of every provider that the tests use, all of them at one address."""
    stored = f'base_url = "{url}"\napi_key = "{STORED_KEY.decode()}"\n'
    return (
        "".join(f"[providers.{slug}]\n{stored}" for slug in ("openai", "anthropic", "gemini"))
        + f'[providers.acme]\ndialect = "openai"\nbase_url = "{url}"\n'
        + '[providers.closed]\ndialect = "openai"\nbase_url = "http://127.0.0.1:1"\n'
    )


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """The provider that every service here is set up with."""
    with Upstream() as listening:
        yield listening


@pytest.fixture(scope="session")
def service(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with the defaults: what most tests talk to."""
    with Service(tmp_path_factory.mktemp("default"), providers(upstream.url)).ready() as running:
        yield running


@pytest.fixture(autouse=True)
def _calm(upstream: Upstream) -> Iterator[None]:
    """The provider has heard nothing yet. Whatever a test sends, no process dies of it and none logs a traceback."""
    upstream.reset()
    yield
    assert not upstream.faults, upstream.faults
    troubles = [trouble for running in RUNNING if (trouble := running.trouble())]
    assert not troubles, "\n".join(troubles)
