"""The lab of the SDKs, once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from vertex_lab import Lab, running


@pytest.fixture(scope="session")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("vertex")) as lab:
        yield lab


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """Google has heard nothing yet, and the service's log holds no traceback."""
    _lab.google.reset()
    yield _lab
    assert not _lab.google.faults
    assert not _lab.service.trouble()
