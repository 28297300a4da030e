"""Google's Python SDK through the service: unmodified but for base URL and key."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from . import answers
from .lab import ATTACK, QUESTION, Lab, Place, Style

MODEL = "gemini-example"
Ask = Callable[[Place, Callable[[], object]], list[str | None]]


def _client(place: Place) -> genai.Client:
    options = types.HttpOptions(base_url=place.url, headers=dict(place.headers))
    return genai.Client(api_key=place.key, http_options=options, vertexai=False)


def _whole(place: Place, _step: Callable[[], object], prompt: str = QUESTION) -> list[str | None]:
    client = _client(place)
    try:
        return [client.models.generate_content(model=MODEL, contents=prompt).text]
    finally:
        client.close()


def _whole_async(place: Place, _step: Callable[[], object], prompt: str = QUESTION) -> list[str | None]:
    async def run() -> list[str | None]:
        client = _client(place)
        try:
            return [(await client.aio.models.generate_content(model=MODEL, contents=prompt)).text]
        finally:
            await client.aio.aclose()

    return asyncio.run(run())


def _stream(place: Place, step: Callable[[], object], prompt: str = QUESTION) -> list[str | None]:
    client = _client(place)
    try:
        return [
            (step(), event.text)[1] for event in client.models.generate_content_stream(model=MODEL, contents=prompt)
        ]
    finally:
        client.close()


def _stream_async(place: Place, step: Callable[[], object], prompt: str = QUESTION) -> list[str | None]:
    async def run() -> list[str | None]:
        client = _client(place)
        try:
            stream = await client.aio.models.generate_content_stream(model=MODEL, contents=prompt)
            return [(step(), event.text)[1] async for event in stream]
        finally:
            await client.aio.aclose()

    return asyncio.run(run())


WHOLE: dict[str, Any] = {"sync": _whole, "async": _whole_async}
STREAMS: dict[str, Any] = {"sync": _stream, "async": _stream_async}


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("ask", WHOLE.values(), ids=WHOLE)
def test_a_call_passes_unchanged(lab: Lab, ask: Ask, style: Style) -> None:
    texts = lab.compare(
        lab.direct("gemini", style),
        lab.proxied("gemini", style),
        answers.GENERATED,
        lambda place: ask(place, lab.upstream.step),
    )
    assert texts == ["Paris."]
    assert lab.upstream.requests[0].target.endswith(f"/models/{MODEL}:generateContent")


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("ask", STREAMS.values(), ids=STREAMS)
def test_each_event_of_a_stream_arrives_before_the_next_is_sent(lab: Lab, ask: Ask, style: Style) -> None:
    """The SDK does not tell when the head is there, so the first piece needs no step."""

    def stepping(place: Place) -> list[str | None]:
        lab.upstream.step()
        return ask(place, lab.upstream.step)

    texts = lab.compare(
        lab.direct("gemini", style), lab.proxied("gemini", style), answers.stepped(answers.GENERATED_STREAM), stepping
    )
    assert texts == ["Par", "is", "."]


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("ask", [*WHOLE.values(), *STREAMS.values()], ids=["sync", "async", "stream", "async stream"])
def test_an_unsafe_prompt_is_a_client_error(lab: Lab, ask: Any, style: Style) -> None:
    def attack() -> errors.ClientError:
        with pytest.raises(errors.ClientError) as caught:
            ask(lab.proxied("gemini", style), lab.upstream.step, prompt=ATTACK)
        return caught.value

    lab.script(answers.GENERATED)
    error = lab.blocked(attack)
    assert error.code == 400
    assert error.details["error"]["code"] == "prompt_injection_detected"
    assert error.details["error"]["lockllm"]["where"] == "/contents/0/parts/0/text"
    assert error.message == error.details["error"]["message"]


def test_a_stranger_is_not_let_in(lab: Lab) -> None:
    def knock() -> errors.ClientError:
        with pytest.raises(errors.ClientError) as caught:
            _whole(Place(lab.proxied("gemini").url, "AIza-own"), lab.upstream.step)
        return caught.value

    lab.script(answers.GENERATED)
    assert lab.blocked(knock).code == 401
