"""The lab of the SDKs, once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bedrock_lab import Lab, running


@pytest.fixture(scope="session")
def _lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("bedrock")) as lab:
        yield lab


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
