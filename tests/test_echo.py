"""The echo provider, judged by the official SDKs: what they parse, streams and errors included, is right."""

from __future__ import annotations

import gc
import importlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockllm_twisted.builtin.echo import EchoProvider
from lockllm_twisted.builtin.echo_answers import MAX_PIECES, PAUSE
from lockllm_twisted.dialects import ANTHROPIC, GEMINI, OPENAI
from lockllm_twisted.hooks import LocalAnswer, LocalRequest
from lockllm_twisted.testing import check_provider

SAID = [
    {"role": "system", "content": "be brief"},
    {"role": "user", "content": "Grüß Gott, \N{EARTH GLOBE EUROPE-AFRICA}"},
]
ECHO = "You said: Grüß Gott, \N{EARTH GLOBE EUROPE-AFRICA}"


def ask(method: str, target: str, body: object = None, **headers: str) -> LocalAnswer:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return EchoProvider().answer(LocalRequest(method.encode(), target.encode(), pairs, content))


def whole(answer: LocalAnswer) -> Any:
    return json.loads(b"".join(answer.chunks))


class Wire:
    """Carries an SDK's requests to the echo and its answers back, in memory, with the HTTP client that the SDK uses."""

    def __init__(self, http_client: Any) -> None:
        self.http = importlib.import_module(http_client.__mro__[1].__module__.partition(".")[0])
        self.client = http_client(transport=self.http.MockTransport(self.carry))

    def carry(self, request: Any) -> Any:
        sent = LocalRequest(request.method.encode(), request.url.raw_path, request.headers.raw, request.content)
        answer = EchoProvider().answer(sent)
        headers = [(name.decode(), value.decode()) for name, value in answer.headers]
        return self.http.Response(answer.status, headers=headers, content=b"".join(answer.chunks))


def client(sdk_name: str, class_name: str, base_url: str, *resources: str) -> Any:
    sdk = pytest.importorskip(sdk_name)
    made = getattr(sdk, class_name)(
        api_key="k",
        base_url=base_url,
        http_client=Wire(sdk.DefaultHttpxClient).client,
        max_retries=0,
        _strict_response_validation=True,
    )
    for resource in resources:
        getattr(made, resource)
    # The suite collects garbage after every test. The 180,000 objects of two SDKs are none, and cost 0.25 s each time.
    gc.freeze()
    return made


@pytest.fixture(params=["http://proxy/v1", "http://proxy"])
def openai(request: pytest.FixtureRequest) -> Any:
    return client("openai", "OpenAI", request.param, "chat", "responses", "completions", "embeddings", "models")


@pytest.fixture(params=["http://proxy/v1", "http://proxy"])
def anthropic(request: pytest.FixtureRequest) -> Any:
    return client("anthropic", "Anthropic", request.param, "messages", "models")


def test_openai_chat(openai: Any) -> None:
    answer = openai.chat.completions.create(model="m", messages=SAID)
    assert answer.choices[0].message.content == ECHO
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "m"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_openai_chat_stream(openai: Any) -> None:
    events = list(
        openai.chat.completions.create(model="m", messages=SAID, stream=True, stream_options={"include_usage": True})
    )
    assert "".join(event.choices[0].delta.content or "" for event in events if event.choices) == ECHO
    assert len(events) > 4
    assert events[-1].usage.total_tokens > 0
    assert [event.choices[0].finish_reason for event in events if event.choices][-1] == "stop"


def test_openai_chat_stream_helper(openai: Any) -> None:
    with openai.chat.completions.stream(model="m", messages=SAID) as stream:
        assert stream.get_final_completion().choices[0].message.content == ECHO


def test_openai_content_parts(openai: Any) -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "data:"}}]
    turns = [
        {"role": "user", "content": "zero"},
        {"role": "user", "content": [*parts, {"type": "text", "text": "two"}]},
    ]
    answer = openai.chat.completions.create(model="m", messages=[*turns, {"role": "assistant", "content": "three"}])
    assert answer.choices[0].message.content == "You said: one\ntwo"


@pytest.mark.parametrize(
    "said", ["a b", ["a b"], [{"role": "user", "content": [{"type": "input_text", "text": "a b"}]}]]
)
def test_openai_responses(openai: Any, said: Any) -> None:
    if said == ["a b"]:
        said = [{"role": "user", "content": "a b"}]
    answer = openai.responses.create(model="m", input=said)
    assert answer.output_text == "You said: a b"
    assert answer.status == "completed"


def test_openai_responses_stream(openai: Any) -> None:
    events = list(openai.responses.create(model="m", input="a b", stream=True))
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "You said: a b"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")


def test_openai_responses_stream_helper(openai: Any) -> None:
    with openai.responses.stream(model="m", input="a b") as stream:
        for _ in stream:
            pass
        assert stream.get_final_response().output_text == "You said: a b"


def test_openai_completions(openai: Any) -> None:
    assert openai.completions.create(model="m", prompt="a b").choices[0].text == "You said: a b"
    # The SDK's type has no null for finish_reason; OpenAI's own stream has it in all events but the last.
    openai._strict_response_validation = False
    events = list(openai.completions.create(model="m", prompt="a b", stream=True))
    assert "".join(event.choices[0].text for event in events) == "You said: a b"


def test_openai_embeddings(openai: Any) -> None:
    # The SDK asks for base64, and would check it against its type for the decoded list.
    openai._strict_response_validation = False

    def vectors(**more: Any) -> list[list[float]]:
        answer = openai.embeddings.create(model="m", input=["a", "b", "a"], **more)
        return [each.embedding for each in answer.data]

    one, two, three = vectors()
    assert one == three != two
    assert len(one) == 8
    assert vectors(encoding_format="float")[0] == pytest.approx(one)


def test_openai_models(openai: Any) -> None:
    assert [model.id for model in openai.models.list()] == ["echo"]
    assert openai.models.retrieve("gpt-x").id == "gpt-x"


def test_openai_errors(openai: Any) -> None:
    sdk = pytest.importorskip("openai")
    with pytest.raises(sdk.NotFoundError, match=r"Unknown request URL: POST .*/moderations"):
        openai.moderations.create(input="a")
    with pytest.raises(sdk.BadRequestError, match="Missing required parameter: 'messages'") as caught:
        openai.post("/chat/completions", body={"model": "m"}, cast_to=object)
    assert caught.value.type == "invalid_request_error"


def test_anthropic_messages(anthropic: Any) -> None:
    answer = anthropic.messages.create(model="m", max_tokens=9, messages=SAID[1:], system="be brief")
    assert answer.content[0].text == ECHO
    assert (answer.stop_reason, answer.role, answer.model) == ("end_turn", "assistant", "m")
    assert answer.usage.output_tokens == len(ECHO.split())


def test_anthropic_stream(anthropic: Any) -> None:
    types = [event.type for event in anthropic.messages.create(model="m", max_tokens=9, messages=SAID[1:], stream=True)]
    assert types[:2] == ["message_start", "content_block_start"]
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    with anthropic.messages.stream(model="m", max_tokens=9, messages=SAID[1:]) as stream:
        assert stream.get_final_message().content[0].text == ECHO


def test_anthropic_looks_behind_a_tool_result(anthropic: Any) -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": "secret"}
    turns = [{"role": "user", "content": "a b"}, {"role": "user", "content": [result]}]
    answer = anthropic.messages.create(model="m", max_tokens=9, messages=turns)
    assert answer.content[0].text == "You said: a b"


def test_anthropic_counts_and_models(anthropic: Any) -> None:
    assert anthropic.messages.count_tokens(model="m", messages=SAID[1:]).input_tokens == 3
    assert [model.id for model in anthropic.models.list()] == ["echo"]
    assert anthropic.models.retrieve("m").id == "m"


def test_anthropic_errors(anthropic: Any) -> None:
    sdk = pytest.importorskip("anthropic")
    with pytest.raises(sdk.NotFoundError) as lost:
        anthropic.post("/v1/nothing", body={}, cast_to=object)
    assert lost.value.body["error"]["type"] == "not_found_error"
    with pytest.raises(sdk.BadRequestError) as bad:
        anthropic.post("/v1/messages", body={"model": "m"}, cast_to=object)
    assert bad.value.body["type"] == "error"


CONTENTS = {"contents": {"role": "user", "parts": [{"text": "a b"}]}}


@pytest.mark.parametrize("version", ["", "/v1", "/v1beta", "/v1alpha"])
def test_gemini(version: str) -> None:
    answer = whole(ask("POST", f"{version}/models/g:generateContent", CONTENTS))
    assert answer["candidates"][0]["content"] == {"role": "model", "parts": [{"text": "You said: a b"}]}
    assert answer["modelVersion"] == "g"
    assert whole(ask("POST", f"{version}/models/g:countTokens", CONTENTS)) == {"totalTokens": 2}
    assert whole(ask("GET", f"{version}/models", x_goog_api_key="k"))["models"][0]["name"] == "models/echo"


def test_gemini_streams_events_or_an_array_that_grows() -> None:
    events = ask("POST", "/v1beta/models/g:streamGenerateContent?alt=sse", CONTENTS)
    array = ask("POST", "/v1beta/models/g:streamGenerateContent", CONTENTS)
    said = [json.loads(chunk.removeprefix(b"data: ")) for chunk in events.chunks]
    assert whole(array) == said
    assert "".join(each["candidates"][0]["content"]["parts"][0]["text"] for each in said) == "You said: a b"
    assert [each["candidates"][0].get("finishReason") for each in said] == [None, None, None, "STOP"]
    assert len(array.chunks) == len(said) + 1


def test_gemini_errors() -> None:
    answer = ask("POST", "/v1beta/models/g:generateContent", b"{")
    assert (answer.status, whole(answer)["error"]["status"]) == (400, "INVALID_ARGUMENT")
    answer = ask("POST", "/v1beta/models/g:fly", CONTENTS, x_goog_api_client="c")
    assert (answer.status, whole(answer)["error"]["status"]) == (404, "NOT_FOUND")


def test_an_openai_client_at_geminis_path_is_answered_as_one() -> None:
    answer = ask("POST", "/v1beta/openai/chat/completions", {"messages": SAID})
    assert whole(answer)["choices"][0]["message"]["content"] == ECHO


def test_the_wrong_method_is_an_unknown_url() -> None:
    assert ask("GET", "/v1/chat/completions").status == 404
    assert ask("POST", "/v1/models", {}).status == 404


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b"null", b'"x"', b"[" * 100_000])
def test_a_broken_body_is_the_vendors_400(path: str, body: bytes) -> None:
    answer = ask("POST", path, body)
    assert answer.status == 400
    assert whole(answer)["error"]["type"] == "invalid_request_error"


def test_a_stream_is_one_chunk_an_event_and_a_plain_answer_is_one_chunk() -> None:
    plain = ask("POST", "/v1/chat/completions", {"messages": SAID})
    assert (len(plain.chunks), plain.pause) == (1, 0.0)
    for path in ("/chat/completions", "/messages", "/responses", "/completions"):
        body = {"messages": SAID, "input": "a b", "prompt": "a b", "stream": True}
        stream = ask("POST", path, body)
        assert stream.pause == PAUSE
        assert all(chunk.endswith(b"\n\n") and chunk.count(b"\n\n") == 1 for chunk in stream.chunks)
        assert dict(stream.headers)[b"content-type"].startswith(b"text/event-stream")


def test_a_long_echo_ends_soon() -> None:
    text = "word " * 20_000
    stream = ask("POST", "/v1/chat/completions", {"messages": [{"role": "user", "content": text}], "stream": True})
    assert len(stream.chunks) <= MAX_PIECES + 3
    said = [json.loads(chunk.removeprefix(b"data: ")) for chunk in stream.chunks[:-1]]
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in said) == f"You said: {text}"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content", "text"]), inner),
    max_leaves=8,
)


@given(
    st.sampled_from(
        ["/chat/completions", "/responses", "/completions", "/messages", "/embeddings", "/models/m:countTokens"]
    ),
    st.fixed_dictionaries(
        dict.fromkeys(("messages", "input", "prompt", "contents"), json_values),
        optional={"stream": json_values, "model": json_values, "stream_options": json_values},
    ),
)
def test_any_shape_is_answered_and_the_same_twice(path: str, body: dict[str, Any]) -> None:
    answer = ask("POST", path, body)
    assert answer.status == 200
    assert answer == ask("POST", path, body)


def test_every_vendors_body_is_labelled_by_its_own_dialect() -> None:
    echo = EchoProvider()
    assert echo.dialect(b"/v1/messages") is echo.dialect(b"/messages/count_tokens") is ANTHROPIC(b"/v1/messages")
    assert echo.dialect(b"/chat/completions") is OPENAI(b"/v1/chat/completions")
    assert echo.dialect(b"/v1beta/models/m:generateContent") is GEMINI(b"/v1beta/models/m:generateContent")
    assert None not in (echo.dialect(b"/messages"), echo.dialect(b"/responses"), echo.dialect(b"/models/m:countTokens"))


def test_it_keeps_the_protocol() -> None:
    check_provider(EchoProvider())
