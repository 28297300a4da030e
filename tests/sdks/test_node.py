"""OpenAI's, Anthropic's and LockLLM's Node SDKs through the service: unmodified but for base URL and key.

One process per SDK runs for the whole run (``node/*.mjs``): it is handed jobs and tells what the SDK showed.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from . import answers
from .lab import ATTACK, QUESTION, Lab, Place, Style
from .nodejs import Lines, Node, Nodes
from .upstream import Answer

pytestmark = pytest.mark.sdks_node


@attrs.frozen
class Sdk:
    """What the two SDKs differ in. ``call`` and ``args`` are one chat turn, as a caller writes it."""

    slug: str
    prefix: str
    call: str
    answer: Answer
    streamed: Answer
    node: Node

    def direct(self, lab: Lab, style: Style = "A") -> Place:
        return lab.direct(self.slug, style, self.prefix)

    def job(self, place: Place, prompt: str = QUESTION, **more: Any) -> dict[str, Any]:
        params: dict[str, Any] = {"model": "example", "messages": [{"role": "user", "content": prompt}]}
        if self.slug == "anthropic":
            params["max_tokens"] = 64
        if more.get("stream") and not self.call.endswith(".stream"):
            params["stream"] = True
        return {"call": self.call, "args": [params], **_addressed(place), **more}


def _addressed(place: Place) -> dict[str, Any]:
    return {"url": place.url, "key": place.key, "headers": dict(place.headers), "maxRetries": 0}


@pytest.fixture(params=["openai", "anthropic"])
def sdk(request: pytest.FixtureRequest, nodes: Nodes) -> Sdk:
    if request.param == "openai":
        return Sdk(
            slug="openai",
            prefix="/v1",
            call="chat.completions.create",
            answer=answers.CHAT,
            streamed=answers.CHAT_STREAM,
            node=nodes["openai"],
        )
    return Sdk(
        slug="anthropic",
        prefix="",
        call="messages.create",
        answer=answers.MESSAGE,
        streamed=answers.MESSAGE_STREAM,
        node=nodes["anthropic"],
    )


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
def test_a_call_passes_unchanged(lab: Lab, sdk: Sdk, style: Style, compressed: bool) -> None:
    answer = answers.gzipped(sdk.answer) if compressed else sdk.answer
    lines = lab.compare(
        sdk.direct(lab, style), lab.proxied(sdk.slug, style), answer, lambda place: sdk.node.run(sdk.job(place))
    )
    assert "Paris" in json.dumps(lines[-1]["result"])
    assert lines[-1]["requestID"] == dict(answer.headers)["x-request-id" if sdk.slug == "openai" else "request-id"]


OTHER_CALLS: dict[str, tuple[str, str, list[Any], Answer]] = {
    "responses": ("openai", "responses.create", [{"model": "example", "input": QUESTION}], answers.RESPONSE),
    "embeddings": (
        "openai",
        "embeddings.create",
        [{"model": "example", "input": ["Paris", "a river"]}],
        answers.EMBEDDINGS,
    ),
    "models": ("openai", "models.list", [], answers.MODELS),
    "a path of tomorrow": ("openai", "post", ["/tomorrow/%3Ax%20y:act?q=1", {"body": {"input": "é"}}], answers.CHAT),
    "count_tokens": (
        "anthropic",
        "messages.countTokens",
        [{"model": "example", "messages": [{"role": "user", "content": QUESTION}]}],
        answers.TOKENS,
    ),
    "anthropic's models": ("anthropic", "models.list", [], answers.ANTHROPIC_MODELS),
}


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_the_other_calls_pass_unchanged(lab: Lab, nodes: Nodes, name: str) -> None:
    slug, call, args, answer = OTHER_CALLS[name]
    prefix = "/v1" if slug == "openai" else ""
    [line] = lab.compare(
        lab.direct(slug, prefix=prefix),
        lab.proxied(slug),
        answer,
        lambda place: nodes[slug].run({"call": call, "args": args, **_addressed(place)}),
    )
    assert "result" in line


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("helper", [False, True], ids=["create", "stream"])
def test_each_event_of_a_stream_arrives_before_the_next_is_sent(lab: Lab, sdk: Sdk, style: Style, helper: bool) -> None:
    if helper and sdk.slug == "openai":
        call = "responses.create"
        sdk = attrs.evolve(sdk, streamed=answers.RESPONSE_STREAM)
    else:
        call = "messages.stream" if helper else sdk.call

    def ask(place: Place) -> Lines:
        def see(line: dict[str, Any]) -> None:
            if "opened" in line or ("event" in line and line["event"].get("type") != "ping"):
                lab.upstream.step()

        job = attrs.evolve(sdk, call=call).job(place, stream=True)
        if call == "responses.create":
            job["args"] = [{"model": "example", "input": QUESTION, "stream": True}]
        return sdk.node.run(job, see)

    lines = lab.compare(sdk.direct(lab, style), lab.proxied(sdk.slug, style), answers.stepped(sdk.streamed), ask)
    assert "opened" in lines[0]
    assert "ended" in lines[-1]
    assert len(lines) >= len(sdk.streamed.pieces) + 2


@pytest.mark.parametrize("style", ["A", "B"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streaming"])
def test_an_unsafe_prompt_is_a_bad_request(lab: Lab, sdk: Sdk, stream: bool, style: Style) -> None:
    lab.script(sdk.answer)
    job = sdk.job(lab.proxied(sdk.slug, style), ATTACK, stream=stream, maxRetries=2)
    [line] = lab.blocked(lambda: sdk.node.run(job))
    [response] = lab.tap.responses()
    error = line["error"]
    assert (error["name"], error["status"], error["type"]) == ("BadRequestError", 400, "lockllm_security_error")
    body = error["body"] if sdk.slug == "openai" else error["body"]["error"]
    if sdk.slug == "openai":
        assert error["code"] == "prompt_injection_detected"
    assert body["code"] == "prompt_injection_detected"
    assert set(body["scan_result"]) == {"safe", "label", "confidence", "injection", "sensitivity"}
    assert body["lockllm"]["where"] == "/messages/0/content"
    assert body["message"] in error["message"]
    assert [error["requestID"]] == response.values("x-lockllm-request-id")


def test_anthropic_s_stream_helper_is_refused_as_well(lab: Lab, nodes: Nodes) -> None:
    params = {"model": "example", "max_tokens": 64, "messages": [{"role": "user", "content": ATTACK}]}
    lab.script(answers.MESSAGE_STREAM)
    job = {"call": "messages.stream", "args": [params], "stream": True, **_addressed(lab.proxied("anthropic"))}
    lines = lab.blocked(lambda: nodes["anthropic"].run(job))
    assert lines[-1]["error"]["name"] == "BadRequestError"
    assert not any("event" in line for line in lines)


ERRORS = [
    *(("openai", name) for name in answers.OPENAI_ERRORS),
    *(("anthropic", name) for name in answers.ANTHROPIC_ERRORS),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streaming"])
@pytest.mark.parametrize(("sdk", "name"), ERRORS, indirect=["sdk"])
def test_the_provider_s_errors_are_the_provider_s(lab: Lab, sdk: Sdk, name: str, stream: bool) -> None:
    answer = (answers.OPENAI_ERRORS if sdk.slug == "openai" else answers.ANTHROPIC_ERRORS)[name]
    [line] = lab.compare(
        sdk.direct(lab),
        lab.proxied(sdk.slug),
        answer,
        lambda place: sdk.node.run(sdk.job(place, stream=stream)),
    )
    assert line["error"]["status"] == answer.status


def test_a_stream_that_breaks_off_does_not_look_finished(lab: Lab, sdk: Sdk) -> None:
    lines = lab.compare(
        sdk.direct(lab),
        lab.proxied(sdk.slug),
        answers.cut(sdk.streamed, after=3),
        lambda place: sdk.node.run(sdk.job(place, stream=True)),
    )
    assert sum("event" in line for line in lines) == 3
    assert "error" in lines[-1]


def test_an_answer_that_breaks_off_does_not_look_finished(lab: Lab, sdk: Sdk) -> None:
    [line] = lab.compare(
        sdk.direct(lab),
        lab.proxied(sdk.slug),
        answers.cut(sdk.answer, after=100),
        lambda place: sdk.node.run(sdk.job(place)),
    )
    assert line["error"]["status"] is None


def test_a_client_that_leaves_takes_its_request_along(lab: Lab, sdk: Sdk) -> None:
    lab.script(answers.stepped(sdk.streamed))
    job = sdk.job(lab.proxied(sdk.slug), stream=True, leaveAfter=1)
    lines = sdk.node.run(job, lambda line: lab.upstream.step() if "opened" in line else None)
    assert "left" in lines[-1]
    assert lab.upstream.wait_until_left()


def test_a_provider_that_is_not_there_is_a_bad_gateway(lab: Lab, sdk: Sdk) -> None:
    lab.script(sdk.answer)
    slug = "nobody" if sdk.slug == "openai" else "nobody-anthropic"
    [line] = sdk.node.run(sdk.job(lab.proxied(slug)))
    assert (line["error"]["name"], line["error"]["status"]) == ("InternalServerError", 502)
    assert line["error"]["type"] == "upstream_error"
    assert line["error"]["requestID"]


@pytest.mark.parametrize(
    ("key", "headers"),
    [
        ("sk-own", {"X-LockLLM-Key": "llm_not_one_of_ours_0123456789"}),
        ("sk-own", {}),
        ("llm_not_one_of_ours_0123456789", {}),
    ],
    ids=["A, a wrong LockLLM key", "A, no LockLLM key", "B, a wrong key"],
)
def test_a_stranger_is_not_let_in(lab: Lab, sdk: Sdk, key: str, headers: dict[str, str]) -> None:
    lab.script(sdk.answer)
    job = sdk.job(Place(lab.proxied(sdk.slug).url, key, headers), maxRetries=2)
    [line] = lab.blocked(lambda: sdk.node.run(job))
    assert (line["error"]["name"], line["error"]["status"]) == ("AuthenticationError", 401)
    assert line["error"]["requestID"]


# LockLLM's own ---------------------------------------------------------------------------------------------------------


def _lockllm(lab: Lab, call: str, *args: Any, key: str | None = None) -> dict[str, Any]:
    return {"call": call, "args": list(args), **_addressed(Place(lab.url, key or lab.service.key))}


def test_lockllm_scans_a_safe_text(lab: Lab, nodes: Nodes) -> None:
    [line] = nodes["lockllm"].run(_lockllm(lab, "scanner.scan", {"input": QUESTION}))
    assert (line["result"]["safe"], line["result"]["label"]) == (True, 0)
    assert line["result"]["request_id"]


def test_lockllm_scans_an_unsafe_text(lab: Lab, nodes: Nodes) -> None:
    [line] = nodes["lockllm"].run(_lockllm(lab, "scanner.scan", {"input": ATTACK}))
    assert (line["result"]["safe"], line["result"]["label"]) == (False, 1)
    assert line["result"]["scan_warning"]["injection_score"] > 50


def test_lockllm_is_refused_an_unsafe_text_where_it_asks(lab: Lab, nodes: Nodes) -> None:
    lab.tap.forget()
    [line] = nodes["lockllm"].run(_lockllm(lab, "scanner.scan", {"input": ATTACK}, {"scanAction": "block"}))
    assert (line["error"]["name"], line["error"]["status"]) == ("PromptInjectionError", 400)
    assert set(line["error"]["body"]) == {"safe", "label", "confidence", "injection", "sensitivity"}
    assert [line["error"]["requestID"]] == lab.tap.responses()[0].values("x-request-id")
    assert len(lab.tap.requests()) == 1


def test_lockllm_with_a_wrong_key_is_not_let_in(lab: Lab, nodes: Nodes) -> None:
    job = _lockllm(lab, "scanner.scan", {"input": QUESTION}, key="llm_not_one_of_ours_0123456789")
    [line] = nodes["lockllm"].run(job)
    assert line["error"]["name"] == "AuthenticationError"


@pytest.mark.parametrize(
    ("call", "answer", "key"),
    [
        ("openai.chat.completions.create", answers.CHAT, "sk-stored-openai"),
        ("anthropic.messages.create", answers.MESSAGE, "sk-stored-anthropic"),
    ],
    ids=["createOpenAI", "createAnthropic"],
)
def test_lockllm_s_wrappers_pass_and_are_blocked(lab: Lab, nodes: Nodes, call: str, answer: Answer, key: str) -> None:
    def job(prompt: str) -> dict[str, Any]:
        params = {"model": "example", "max_tokens": 64, "messages": [{"role": "user", "content": prompt}]}
        return _lockllm(lab, call, params)

    lab.script(answer)
    [line] = nodes["lockllm"].run(job(QUESTION))
    assert "Paris" in json.dumps(line["result"])
    assert key.encode() in lab.upstream.requests[0].raw_head
    assert lab.service.key.encode() not in lab.upstream.requests[0].raw_head
    [line] = lab.blocked(lambda: nodes["lockllm"].run(job(ATTACK)))
    assert line["error"]["name"] == "BadRequestError"
