"""What an operator does beside a running service: allow a false positive, and measure the service on labelled texts."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from .service import ATTACK, BENIGN, CHAT, Service, cli, run_cli
from .upstream import Upstream

pytestmark = pytest.mark.sockets

LESSON = f"Our course on security shows what an attack looks like: {ATTACK} That is how one reads."


def event_of(service: Service, exchange: str) -> dict[str, Any]:
    """The event of an exchange, which is written soon."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for event in json.loads(cli(service.state, "events", "--json", "--limit", "1000")):
            if event["id"] == exchange:
                return dict(event)
    raise AssertionError(f"no event of {exchange}")


def answers_soon(service: Service, status: int) -> None:
    """The lesson is answered so before long: within a second, on a machine that does nothing else."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if service.ask(service.chat(LESSON)).status == status:
            return
    raise AssertionError(f"it is never answered with {status}")


@pytest.mark.usefixtures("upstream")
def test_an_allowed_text_passes_a_running_service(service: Service) -> None:
    blocked = service.ask(service.chat(LESSON))
    assert blocked.status == 400
    exchange = blocked.error["request_id"]
    assert event_of(service, exchange)["action"] == "block"
    cli(service.state, "feedback", exchange, "--benign")
    answers_soon(service, 200)
    body = {"model": "m", "messages": [{"role": "system", "content": "Teach."}, {"role": "user", "content": LESSON}]}
    assert service.ask(service.post(CHAT, json.dumps(body).encode())).status == 200
    assert service.ask(service.chat(LESSON + ".")).status == 400
    cli(service.state, "feedback", exchange, "--remove")
    answers_soon(service, 400)


def test_a_service_is_measured_as_its_scanners_are(
    service: Service, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        {"text": BENIGN, "label": "benign"},
        {"text": "Good morning!", "label": "benign", "role": "system"},
        {"text": ATTACK, "label": "injection"},
        {"text": "Tell me more.", "label": "injection"},
        {"text": ATTACK, "label": "indirect_injection", "role": "tool", "source": "mail"},
    ]
    file = tmp_path / "records.jsonl"
    file.write_text("\n".join(json.dumps(record) for record in records))
    monkeypatch.setenv("LOCKLLM_API_KEY", service.key.decode())
    asked = run_cli(service.state, "evaluate", str(file), "--endpoint", f"http://127.0.0.1:{service.port}", "--json")
    assert (asked.returncode, asked.stderr) == (0, "")
    here = json.loads(cli(service.state, "evaluate", str(file), "--json"))["attacks"]
    there = json.loads(asked.stdout)["attacks"]
    assert there["recall_pooled"]["as_set"] == here["recall_pooled"]["as_set"]
    assert there["fpr_pooled"]["as_set"] == here["fpr_pooled"]["as_set"]
    assert there["roc_auc"] == here["roc_auc"]
    assert upstream.heard_nothing()
    monkeypatch.setenv("LOCKLLM_API_KEY", "llk_wrong")
    refused = run_cli(service.state, "evaluate", str(file), "--endpoint", f"http://127.0.0.1:{service.port}")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--key-env" in refused.stderr
