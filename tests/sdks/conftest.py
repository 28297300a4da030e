"""One scripted provider, one service and one tap for the whole run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Lab
from .nodejs import Nodes
from .service import OWN_KEYS, STORED_KEYS, Service
from .tap import Tap
from .upstream import Upstream


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.sdks)


@pytest.fixture(autouse=True)
def _no_unseen_failures() -> None:
    """In the place of the suite's check: no Deferred lives in this process; the service's log is searched instead."""


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    upstream.start()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def service(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service"), upstream.port)
    yield service
    service.stop()
    assert "Traceback" not in service.log, service.log
    assert "Unhandled" not in service.log, service.log
    for secret in (service.key, *OWN_KEYS.values(), *STORED_KEYS.values()):
        assert secret not in service.log


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    nodes = Nodes(tmp_path_factory.mktemp("node"))
    yield nodes
    nodes.stop()


@pytest.fixture(scope="session")
def _lab(upstream: Upstream, service: Service) -> Lab:
    return Lab(upstream=upstream, tap=Tap(upstream, service.port), service=service)


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """The session's lab. A request that nobody scripted, or a piece that never arrived, fails the test that saw it."""
    yield _lab
    assert _lab.upstream.problems == []
