"""Every provider with its own SDK, in Python and in Node: what `table` lists, each row in every way that its SDK has."""

from __future__ import annotations

import json
from collections.abc import Iterable

import attrs
import pytest

from . import answers
from .lab import ATTACK, QUESTION, Lab, Place, Style
from .nodejs import Nodes
from .sdks import Outcome
from .table import ROWS, Row
from .upstream import Answer

# What SDKs use that is going away (AI21 from httpx and pydantic, Google from aiohttp) is their own affair.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@attrs.frozen
class Asker:
    """One row of the table in one of its ways."""

    row: Row
    way: str
    lab: Lab
    nodes: Nodes

    def direct(self, style: Style, base: str) -> Place:
        return self._place(style, self.lab.direct(self.row.slug, style, self.row.bases[base]))

    def proxied(self, style: Style, base: str) -> Place:
        return self._place(style, self.lab.proxied(self.row.slug, style, base))

    def _place(self, style: Style, place: Place) -> Place:
        return attrs.evolve(place, key="") if self.row.keyless and style == "A" else place

    def compare(self, answer: Answer, style: Style = "A", base: str | None = None) -> Outcome:
        base = self.row.base if base is None else base
        made_anew = self.row.client.made_anew
        return self.lab.compare(self.direct(style, base), self.proxied(style, base), answer, self.ask, made_anew)

    def ask(self, place: Place, prompt: str = QUESTION) -> Outcome:
        return self.row.client.ask(self.way, self.nodes, place, self.row.call, prompt, self.lab.upstream.step)


def _cases(rows: Iterable[Row], *ways: str) -> list[object]:
    """The rows in these of their ways, or in all of them."""
    return [
        pytest.param(
            (row, way), id=f"{row.name}-{way}", marks=[getattr(pytest.mark, mark) for mark in row.client.marks]
        )
        for row in rows
        for way in row.client.ways
        if way in row.ways and (way in ways or not ways)
    ]


WHOLE = [row for row in ROWS if not row.call.stream]
STREAMS = [row for row in ROWS if row.call.stream]
CLIENTS = {row.client.name: row for row in reversed(WHOLE)}.values()
"""One call of each client."""


@pytest.fixture(params=_cases(ROWS))
def sdk(request: pytest.FixtureRequest, lab: Lab, nodes: Nodes) -> Asker:
    row, way = request.param
    return Asker(row, way, lab, nodes)


def test_a_call_passes_unchanged_and_each_event_before_the_next_is_sent(sdk: Asker) -> None:
    row = sdk.row
    outcome = sdk.compare(answers.stepped(row.answer) if row.call.stream else row.answer)
    assert outcome.failure is None
    assert row.shows in str(outcome.events)
    assert len(outcome.events) >= len(row.answer.pieces)


@pytest.mark.parametrize("sdk", _cases(WHOLE, "sync", "node"), indirect=True)
def test_a_stored_key_goes_where_the_provider_looks_for_it(sdk: Asker) -> None:
    assert sdk.compare(sdk.row.answer, style="B").failure is None


@pytest.mark.parametrize("sdk", _cases((row for row in WHOLE if len(row.bases) > 1), "sync", "node"), indirect=True)
def test_other_base_urls_that_users_write_work_as_well(sdk: Asker) -> None:
    for base in list(sdk.row.bases)[1:]:
        assert sdk.compare(sdk.row.answer, base=base).failure is None


def test_an_unsafe_prompt_is_the_sdk_s_own_bad_request(lab: Lab, sdk: Asker) -> None:
    lab.script(sdk.row.answer)
    outcome = lab.blocked(lambda: sdk.ask(sdk.proxied("A", sdk.row.base), ATTACK))
    [response] = lab.tap.responses()
    assert response.values("x-should-retry") == ["false"]
    assert outcome.events == []
    assert outcome.failure is not None
    assert (outcome.failure.kind, outcome.failure.status) == (sdk.row.client.bad_request, 400)
    if sdk.way not in sdk.row.call.mute:
        assert json.loads(response.body)["message"] in outcome.failure.message


def test_the_provider_s_error_is_the_provider_s(sdk: Asker) -> None:
    outcome = sdk.compare(sdk.row.refusal)
    assert outcome.failure is not None
    assert outcome.failure.status == sdk.row.refusal.status


@pytest.mark.parametrize("sdk", _cases(STREAMS), indirect=True)
def test_a_stream_that_breaks_off_does_not_look_finished(sdk: Asker) -> None:
    outcome = sdk.compare(answers.cut(sdk.row.answer, after=sdk.row.call.ahead + 1))
    assert outcome.events
    assert outcome.failure is not None


@pytest.mark.parametrize("sdk", _cases(CLIENTS, "sync", "node"), indirect=True)
def test_a_provider_that_is_not_there_is_a_bad_gateway_and_worth_a_retry(lab: Lab, sdk: Asker) -> None:
    lab.script(sdk.row.answer)
    outcome = sdk.ask(lab.proxied("nobody"))
    assert outcome.failure is not None
    assert outcome.failure.status == 502
    seen = [(response.status, response.values("x-should-retry")) for response in lab.tap.responses()]
    assert seen == [(502, [])] * (1 + sdk.row.client.retries)
    assert lab.upstream.requests == []
