"""One stage per module: plugins load and a store opens once, not per example."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.memory import Stage, settings


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A proxy in memory, without keys."""
    stage = Stage(settings(tmp_path_factory.mktemp("state")))
    yield stage
    stage.close()
