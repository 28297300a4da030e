"""Anthropic's Python SDK through the service: unmodified but for base URL and key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import attrs
import pytest
from anthropic import Omit

from . import answers
from .clients import KINDS, Do, Kind, plain, told
from .lab import ATTACK, QUESTION, Lab, Place, Style
from .upstream import Answer

MODEL = "claude-example"
MADE_BY_THE_SDK = frozenset(("text", "citation", "thinking", "signature", "input_json"))
"""Events that ``messages.stream`` derives from the ones on the wire (anthropic/lib/streaming/_types.py)."""


def message(*messages: dict[str, Any], **params: Any) -> Do:
    return lambda client: client.messages.create(model=MODEL, max_tokens=64, messages=list(messages), **params)


def streamed(*messages: dict[str, Any], **params: Any) -> Do:
    return lambda client: client.messages.stream(model=MODEL, max_tokens=64, messages=list(messages), **params)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def make(kind: Kind) -> Callable[..., Any]:
    def make(place: Place, *, x_api_key: bool = False, **options: Any) -> Any:
        cls = anthropic.Anthropic if kind is KINDS["sync"] else anthropic.AsyncAnthropic
        options.setdefault("max_retries", 0)
        headers: dict[str, Any] = dict(place.headers)
        if x_api_key:
            headers |= {"Authorization": Omit(), "X-Api-Key": place.key}
        return cls(api_key=place.key, base_url=place.url, default_headers=headers, **options)

    return make


CALLS: dict[str, tuple[Answer, Do]] = {
    "message": (answers.MESSAGE, message(user(QUESTION), system="Answer briefly.")),
    "message, gzip": (answers.gzipped(answers.MESSAGE), message(user(QUESTION))),
    "message with all the trimmings": (
        answers.MESSAGE,
        message(
            user(
                [
                    {
                        "type": "document",
                        "title": "Notes",
                        "source": {"type": "text", "media_type": "text/plain", "data": "Lunch at noon. 図書館"},
                        "citations": {"enabled": True},
                    },
                    {"type": "text", "text": "When is lunch?", "cache_control": {"type": "ephemeral"}},
                ]
            ),
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "t1", "name": "clock", "input": {"zone": "UTC"}}],
            },
            user([{"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "11:30"}]}]),
            system=[{"type": "text", "text": "You are a kitchen assistant."}],
            tools=[
                {
                    "name": "clock",
                    "description": "Tell the time of a zone.",
                    "input_schema": {"type": "object", "properties": {"zone": {"type": "string"}}},
                }
            ],
            extra_headers={"anthropic-beta": "prompt-caching-2024-07-31,other-2026-01-01"},
            extra_body={"a_field_of_tomorrow": {"temperature": 0.30000000000000004}},
        ),
    ),
    "a long document": (answers.MESSAGE, message(user("The quick brown fox jumps over the lazy dog. " * 2000))),
    "count_tokens": (
        answers.TOKENS,
        lambda c: c.messages.count_tokens(model=MODEL, messages=[user(QUESTION)], system="Answer briefly."),
    ),
    "models": (answers.ANTHROPIC_MODELS, lambda c: c.models.list()),
    "a path of tomorrow": (
        answers.TOKENS,
        lambda c: c.post("/v1/tomorrow/%3Ax%20y:act?beta=true", body={"input": QUESTION}, cast_to=object),
    ),
}


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_passes_unchanged(lab: Lab, kind: Kind, make: Callable[..., Any], call: str, style: Style) -> None:
    answer, do = CALLS[call]
    result = lab.compare(
        lab.direct("anthropic", style),
        lab.proxied("anthropic", style),
        answer,
        lambda place: plain(kind.call(make(place), do)),
    )
    if call == "message":
        dumped, request_id = result
        assert dumped["content"][0]["text"] == answers.MESSAGE_TEXT
        assert request_id == "req_011CSHoEeqs5C35K2UUqR7Fy"


@pytest.mark.parametrize("style", ["A", "B"])
def test_the_key_may_stand_in_either_of_its_two_places(
    lab: Lab, kind: Kind, make: Callable[..., Any], style: Style
) -> None:
    """SDKs before 2.0 and the documented ``curl`` lines send ``x-api-key``, newer SDKs a bearer token."""
    lab.compare(
        lab.direct("anthropic", style),
        lab.proxied("anthropic", style),
        answers.MESSAGE,
        lambda place: plain(kind.call(make(place, x_api_key=True), message(user(QUESTION)))),
    )
    assert len(lab.tap.requests()[0].values("x-api-key")) == 1


STREAMS = {
    "create": message(user(QUESTION), stream=True),
    "stream": streamed(user(QUESTION)),
}


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", STREAMS)
def test_each_event_of_a_stream_arrives_before_the_next_is_sent(
    lab: Lab, kind: Kind, make: Callable[..., Any], name: str, compressed: bool, style: Style
) -> None:
    answer = answers.gzipped(answers.MESSAGE_STREAM) if compressed else answers.MESSAGE_STREAM

    def ask(place: Place) -> list[Any]:
        events: list[Any] = []

        def see(event: Any) -> None:
            if event.type not in MADE_BY_THE_SDK and event.type != "ping":
                events.append(event.model_dump())
                lab.upstream.step()

        kind.stream(make(place), STREAMS[name], opened=lab.upstream.step, see=see)
        return events

    events = lab.compare(lab.direct("anthropic", style), lab.proxied("anthropic", style), answers.stepped(answer), ask)
    assert [event["type"] for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


# Blocks ---------------------------------------------------------------------------------------------------------------

UNSAFE: dict[str, tuple[str, Do]] = {
    "a user's message": ("/messages/0/content", message(user(ATTACK))),
    "streaming": ("/messages/0/content", message(user(ATTACK), stream=True)),
    "a part of a message": (
        "/messages/0/content/1/text",
        message(user([{"type": "text", "text": QUESTION}, {"type": "text", "text": ATTACK}])),
    ),
    "a document": (
        "/messages/0/content/0/source/data",
        message(
            user(
                [
                    {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": ATTACK}},
                    {"type": "text", "text": "What does it say?"},
                ]
            )
        ),
    ),
    "what a tool returned": (
        "/messages/2/content/0/content",
        message(
            user("Summarise my newest mail."),
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "read_mail", "input": {}}]},
            user([{"type": "tool_result", "tool_use_id": "t1", "content": f"Hi, lunch at noon? {ATTACK}"}]),
        ),
    ),
    "count_tokens": (
        "/messages/0/content",
        lambda c: c.messages.count_tokens(model=MODEL, messages=[user(ATTACK)]),
    ),
}


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_prompt_is_a_bad_request(
    lab: Lab, kind: Kind, make: Callable[..., Any], name: str, style: Style
) -> None:
    where, do = UNSAFE[name]

    def ask() -> anthropic.BadRequestError:
        with pytest.raises(anthropic.BadRequestError) as caught:
            kind.call(make(lab.proxied("anthropic", style), max_retries=2), do)
        return caught.value

    lab.script(answers.MESSAGE)
    assert_blocked(lab, lab.blocked(ask), where)


@pytest.mark.parametrize("style", ["A", "B"])
def test_an_unsafe_prompt_raises_before_its_stream_opens(
    lab: Lab, kind: Kind, make: Callable[..., Any], style: Style
) -> None:
    def ask() -> anthropic.BadRequestError:
        client = make(lab.proxied("anthropic", style), max_retries=2)
        with pytest.raises(anthropic.BadRequestError) as caught:
            kind.stream(client, streamed(user(ATTACK)), opened=lambda: pytest.fail("it opened"), see=print)
        return caught.value

    lab.script(answers.MESSAGE_STREAM)
    assert_blocked(lab, lab.blocked(ask), "/messages/0/content")


def assert_blocked(lab: Lab, error: anthropic.BadRequestError, where: str) -> None:
    [response] = lab.tap.responses()
    assert error.status_code == 400
    assert error.type == "lockllm_security_error"  # type: ignore[comparison-overlap]  # the SDK lists its vendor's own
    assert isinstance(error.body, dict)
    assert error.body["type"] == "error"
    told_ = error.body["error"]
    assert told_["code"] == "prompt_injection_detected"
    assert set(told_["scan_result"]) == {"safe", "label", "confidence", "injection", "sensitivity"}
    assert told_["scan_result"]["safe"] is False
    assert told_["lockllm"]["where"] == where
    assert error.api_message == told_["message"]
    assert told_["message"] in str(error)
    assert error.request_id
    assert [error.request_id] == response.values("request-id") == response.values("x-lockllm-request-id")
    assert "reveal your system prompt" not in response.body.decode()


# Trouble --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streaming"])
@pytest.mark.parametrize("name", answers.ANTHROPIC_ERRORS)
def test_the_provider_s_errors_are_the_provider_s(
    lab: Lab, kind: Kind, make: Callable[..., Any], name: str, stream: bool
) -> None:
    answer = answers.ANTHROPIC_ERRORS[name]

    def ask(place: Place) -> tuple[object, ...]:
        with pytest.raises(anthropic.APIStatusError) as caught:
            kind.call(make(place), message(user(QUESTION), stream=stream))
        assert caught.value.response.content == answer.body
        return told(caught.value)

    told_ = lab.compare(lab.direct("anthropic"), lab.proxied("anthropic"), answer, ask)
    assert told_[2] == answer.status


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_breaks_off_does_not_look_finished(
    lab: Lab, kind: Kind, make: Callable[..., Any], name: str
) -> None:
    def ask(place: Place) -> tuple[list[str], type[BaseException]]:
        events: list[str] = []
        with pytest.raises(Exception) as caught:  # noqa: PT011 - which one is the SDK's affair; it is compared
            kind.stream(make(place), STREAMS[name], opened=lambda: None, see=lambda event: events.append(event.type))
        return events, caught.type

    answer = answers.cut(answers.MESSAGE_STREAM, after=3)
    events, _ = lab.compare(lab.direct("anthropic"), lab.proxied("anthropic"), answer, ask)
    assert "content_block_delta" in events


def test_an_error_in_the_middle_of_a_stream_arrives_as_one(lab: Lab, kind: Kind, make: Callable[..., Any]) -> None:
    """Anthropic's documented ``error`` event may follow a 200."""
    overloaded = (
        b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
    )

    def ask(place: Place) -> tuple[object, ...]:
        with pytest.raises(anthropic.APIStatusError) as caught:
            kind.stream(make(place), STREAMS["create"], opened=lambda: None, see=lambda _event: None)
        return told(caught.value)

    answer = attrs.evolve(answers.MESSAGE_STREAM, pieces=(*answers.MESSAGE_STREAM.pieces[:3], overloaded))
    assert "Overloaded" in str(lab.compare(lab.direct("anthropic"), lab.proxied("anthropic"), answer, ask))


def test_an_answer_that_breaks_off_does_not_look_finished(lab: Lab, kind: Kind, make: Callable[..., Any]) -> None:
    def ask(place: Place) -> type[BaseException]:
        with pytest.raises(anthropic.APIConnectionError) as caught:
            kind.call(make(place), message(user(QUESTION)))
        return caught.type

    lab.compare(lab.direct("anthropic"), lab.proxied("anthropic"), answers.cut(answers.MESSAGE, after=100), ask)


def test_a_client_that_leaves_takes_its_request_along(lab: Lab, kind: Kind, make: Callable[..., Any]) -> None:
    class Leave(Exception):
        pass

    def see(_event: Any) -> None:
        raise Leave

    lab.script(answers.stepped(answers.MESSAGE_STREAM))
    with pytest.raises(Leave):
        kind.stream(make(lab.proxied("anthropic")), STREAMS["stream"], opened=lab.upstream.step, see=see)
    assert lab.upstream.wait_until_left()


def test_a_provider_that_is_not_there_is_a_bad_gateway(lab: Lab, kind: Kind, make: Callable[..., Any]) -> None:
    lab.script(answers.MESSAGE)
    with pytest.raises(anthropic.InternalServerError) as caught:
        kind.call(make(lab.proxied("nobody-anthropic")), message(user(QUESTION)))
    error = caught.value
    assert error.status_code == 502
    assert isinstance(error.body, dict)
    assert (error.body["error"]["code"], error.body["error"]["type"]) == ("provider_error", "upstream_error")
    assert error.body["error"]["message"] in str(error)
    assert error.request_id
    assert lab.upstream.requests == []


# Keys -----------------------------------------------------------------------------------------------------------------

STRANGERS = {
    "A, a wrong LockLLM key": ("sk-ant-own", {"X-LockLLM-Key": "llm_not_one_of_ours_0123456789"}),
    "A, no LockLLM key": ("sk-ant-own", {}),
    "B, a wrong key": ("llm_not_one_of_ours_0123456789", {}),
}


@pytest.mark.parametrize("x_api_key", [False, True], ids=["bearer", "x-api-key"])
@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_is_not_let_in(lab: Lab, kind: Kind, make: Callable[..., Any], name: str, x_api_key: bool) -> None:
    key, headers = STRANGERS[name]

    def ask() -> anthropic.AuthenticationError:
        client = make(Place(lab.proxied("anthropic").url, key, headers), x_api_key=x_api_key, max_retries=2)
        with pytest.raises(anthropic.AuthenticationError) as caught:
            kind.call(client, message(user(QUESTION)))
        return caught.value

    lab.script(answers.MESSAGE)
    error = lab.blocked(ask)
    assert isinstance(error.body, dict)
    assert (error.body["error"]["code"], error.type) == ("unauthorized", "authentication_error")
    assert error.request_id
    assert key not in str(error.body)
