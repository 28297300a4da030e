"""The way to a provider, in memory: reuse, the one retry, time-outs, backpressure, and how each end is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import error
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from lockllm_twisted.upstream.agent import IDLE_SECONDS, STALE_SECONDS
from tests.memory import Stage, Wire, asked, chat, heard, request, settings

SAFE = chat("What is the capital of France?")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def module_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    stage = Stage(settings(tmp_path_factory.mktemp("state"), "idle_timeout = 30\nupstream_timeout = 20\n"))
    yield stage
    stage.close()


@pytest.fixture
def stage(module_stage: Stage) -> Iterator[Stage]:
    module_stage.clear()
    yield module_stage
    module_stage.clear()


def ask(stage: Stage, body: bytes = SAFE) -> Wire:
    client = stage.connect()
    client.feed(request(body=body))
    return client


def test_a_connection_is_used_again_after_a_complete_answer(stage: Stage) -> None:
    ask(stage)
    provider = stage.accept()
    provider.feed(OK)
    provider.clear()
    second = ask(stage)
    assert stage.opened == 1
    assert asked(provider)[1] == SAFE
    provider.feed(OK)
    assert heard(second)[1] == b"ok"


@pytest.mark.parametrize(
    "answer", [OK + b"HTTP/1.1 200 Poison\r\n\r\n", OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")]
)
def test_a_connection_that_cannot_be_trusted_is_not_used_again(stage: Stage, answer: bytes) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(answer)
    assert heard(client)[1] == b"ok"
    assert provider.closed == "aborted"
    ask(stage)
    assert stage.opened == 2


def test_an_unused_connection_is_closed_in_time_and_bytes_on_it_end_it(stage: Stage) -> None:
    ask(stage)
    first = stage.accept()
    first.feed(OK)
    stage.reactor.advance(IDLE_SECONDS)
    assert first.closed == "aborted"
    ask(stage)
    second = stage.accept()
    second.feed(OK)
    second.feed(b"HTTP/1.1 200 Unasked\r\n\r\n")
    assert second.closed == "aborted"


def test_a_stale_connection_is_replaced_once(stage: Stage) -> None:
    ask(stage)
    stage.accept().feed(OK)
    client = ask(stage)
    stage.upstreams[0].leave(ConnectionDone())
    assert stage.opened == 2
    fresh = stage.accept()
    assert asked(fresh)[1] == SAFE
    fresh.leave(ConnectionDone())
    response, body, _ = heard(client)
    assert response.status_code == 502
    assert b"provider_error" in body
    assert stage.opened == 2


def test_a_request_that_may_have_been_worked_on_is_not_repeated(stage: Stage) -> None:
    ask(stage)
    stage.accept().feed(OK)
    late = ask(stage)
    stage.reactor.advance(STALE_SECONDS + 1)
    stage.upstreams[0].leave(ConnectionDone())
    assert heard(late)[0].status_code == 502
    ask(stage)
    stage.accept().feed(OK)
    begun = ask(stage)
    stage.upstreams[1].feed(b"HTTP/1.1 2")
    stage.upstreams[1].leave(ConnectionDone())
    assert heard(begun)[0].status_code == 502
    assert stage.opened == 2


def test_a_provider_that_cannot_be_reached_is_a_502_that_may_be_retried(stage: Stage) -> None:
    client = ask(stage)
    factory: Any = stage.reactor.tcpClients[0][2]
    factory.clientConnectionFailed(None, Failure(error.ConnectionRefusedError()))
    response, body, whole = heard(client)
    assert (response.status_code, whole) == (502, True)
    assert b"upstream_error" in body
    assert b"x-should-retry" not in {bytes(name) for name, _ in response.headers}
    assert b"x-request-id" in {bytes(name) for name, _ in response.headers}


def test_a_provider_that_does_not_begin_is_a_504_and_is_aborted(stage: Stage) -> None:
    client = ask(stage)
    provider = stage.accept()
    stage.reactor.advance(20)
    assert heard(client)[0].status_code == 504
    assert provider.closed == "aborted"


def test_a_provider_that_falls_silent_is_cut_on_both_sides(stage: Stage) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(STREAM + b"3\r\none\r\n")
    for _ in range(5):
        stage.reactor.advance(29)
        provider.feed(b"1\r\n.\r\n")
    assert client.closed is None
    stage.reactor.advance(30)
    assert provider.closed == "aborted"
    _, body, whole = heard(client)
    assert (body, whole) == (b"one.....", False)


def test_the_head_leaves_before_the_first_byte_and_each_piece_when_it_comes(stage: Stage) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(STREAM)
    assert client.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert client.written.endswith(b"\r\n\r\n")
    for piece in (b"data: 1\n\n", b"data: 2\n\n"):
        provider.feed(b"%x\r\n%b\r\n" % (len(piece), piece))
        assert client.written.endswith(piece + b"\r\n")


def test_small_pieces_do_not_wait_for_an_acknowledgement_on_either_side(stage: Stage) -> None:
    client = ask(stage)
    assert client.no_delay
    assert stage.accept().no_delay


def test_a_client_that_leaves_takes_the_provider_with_it(stage: Stage) -> None:
    for answered in (b"", STREAM, STREAM + b"3\r\none\r\n"):
        stage.clear()
        client = ask(stage)
        provider = stage.accept()
        if answered:
            provider.feed(answered)
        client.leave()
        assert provider.closed == "aborted"


def test_a_client_that_reads_slowly_slows_the_provider_down(stage: Stage) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(STREAM + b"3\r\none\r\n")
    client.source.pauseProducing()
    assert not provider.reading
    client.source.resumeProducing()
    assert provider.reading
    client.source.pauseProducing()
    stage.reactor.advance(30)
    assert provider.closed == "aborted"


def test_an_answer_that_comes_while_the_client_cannot_read_is_still_whole(stage: Stage) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(STREAM + b"3\r\none\r\n")
    client.source.pauseProducing()
    provider.feed(b"3\r\ntwo\r\n0\r\n\r\n")
    assert heard(client)[1:] == (b"onetwo", True)


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 300_000])
def test_a_body_of_any_size_is_written_whole(stage: Stage, size: int) -> None:
    client = stage.connect()
    body = b"x" * size
    client.feed(request(target=b"/v1/proxy/openai/v1/files", headers=[(b"Content-Type", b"image/png")], body=body))
    # A large body is read in a thread, whose answer the reactor takes at its next turn.
    while not stage.opened and not client.written:
        stage.reactor.turn()
    assert client.written == b""
    assert asked(stage.accept())[1] == body


@pytest.mark.parametrize(
    "nonsense",
    [
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 99 Odd\r\n\r\n",
        b"HTTP/1.1 20000 Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000,
    ],
)
def test_an_answer_that_is_none_becomes_a_502(stage: Stage, nonsense: bytes) -> None:
    client = ask(stage)
    provider = stage.accept()
    provider.feed(nonsense)
    response, body, whole = heard(client)
    assert (response.status_code, whole) == (502, True)
    assert b"provider_error" in body
    assert provider.closed == "aborted"


def test_nothing_is_left_running_when_all_is_done(stage: Stage) -> None:
    client = ask(stage)
    stage.accept().feed(OK)
    assert heard(client)[2]
    stage.clear()
    left = [call for call in stage.reactor.getDelayedCalls() if call.getTime() - stage.reactor.seconds() > 1]
    assert left == []
