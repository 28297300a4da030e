"""Content types lie; encodings, forms, multipart and lines of JSON have one meaning or none."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from lockllm_twisted.dialects.openai import openai_audio, openai_files
from lockllm_twisted.hooks import Dialect
from lockllm_twisted.reading import read
from lockllm_twisted.values import Origin, Reading

Headers = list[tuple[bytes, bytes]]


def reading(
    body: bytes = b"",
    kind: bytes | None = None,
    *,
    headers: Headers | None = None,
    target: bytes = b"/v1/x",
    dialect: Dialect | None = None,
    method: bytes = b"POST",
    max_decoded: int = 1_000_000,
) -> Reading:
    sent = list(headers or [])
    if kind is not None:
        sent.append((b"Content-Type", kind))
    return read(method=method, target=target, headers=sent, body=body, dialect=dialect, max_decoded=max_decoded)


def texts(found: Reading) -> dict[str, str]:
    return {p.where: p.text for p in found.passages if p.until is None and not p.where.endswith("#key")}


def code(found: Reading) -> str | None:
    return None if found.unreadable is None else found.unreadable.code


@pytest.mark.parametrize(
    "kind",
    [
        None,
        b"application/json",
        b"Application/JSON ; charset=utf-8",
        b"text/plain",
        b"application/octet-stream",
        b"application/x-www-form-urlencoded",
        b"image/png",
        b"application/vnd.api+json",
        b"x" * 3000,
        b"application/json, text/plain",
    ],
)
def test_json_is_json_whatever_it_is_called(kind: bytes | None) -> None:
    found = reading(b'{"a": "evil \\u0021"}', kind)
    assert texts(found)["/a"] == "evil !"
    assert found.unreadable is None
    assert code(reading(b'{"a": "evil", "a": ""}', kind)) == "duplicate_key"
    assert code(reading(b"\xff\xfe" + '{"a": "evil"}'.encode("utf-16-le"), kind)) == "not_utf8"


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"QUERY", b"HEAD"])
def test_a_body_is_read_on_every_method(method: bytes) -> None:
    assert texts(reading(b'{"a": "evil"}', method=method))["/a"] == "evil"


def test_two_content_types_are_refused() -> None:
    headers = [(b"content-type", b"application/json"), (b"Content-Type", b"text/plain")]
    found = reading(b'{"a": "evil"}', headers=headers)
    assert (code(found), texts(found)["/a"]) == ("content_type", "evil")
    assert code(reading(b"{}", headers=[headers[0], headers[0]])) is None


def test_what_is_called_json_must_be_json() -> None:
    assert code(reading(b"evil", b"application/json")) == "invalid_json"
    assert texts(reading(b"evil", b"application/json"))[""] == "evil"


@pytest.mark.parametrize("kind", [None, b"text/plain", b"text/markdown; charset=utf-8"])
def test_plain_text_is_a_passage(kind: bytes | None) -> None:
    found = reading(b"[evil](text)", kind)
    assert (texts(found)[""], found.unreadable, found.coverage.state) == ("[evil](text)", None, "scanned")


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (b"image/png", b"\x89PNG\r\n\x1a\n\0", "image"),
        (b"audio/wav", b"RIFF\xff\xff\xff\xffWAVE", "audio"),
        (None, b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", "pdf"),
        (None, b"\x00\x01\x02\xff", "binary"),
        (b"application/octet-stream", b"\x00\x01\x02\xff", "file"),
    ],
)
def test_binary_is_told(kind: bytes | None, data: bytes, reason: str) -> None:
    found = reading(data, kind)
    assert (found.coverage.state, found.coverage.reasons, found.unreadable) == ("not_scanned", (reason,), None)


# -- Content-Encoding


@pytest.mark.parametrize(
    ("coding", "data"),
    [
        (b"gzip", gzip.compress(b'{"a": "evil"}')),
        (b"GZIP", gzip.compress(b'{"a": "evil"}')),
        (b"deflate", zlib.compress(b'{"a": "evil"}')),
        (b"identity", b'{"a": "evil"}'),
        (b"identity, gzip", gzip.compress(b'{"a": "evil"}')),
        (b"", b'{"a": "evil"}'),
    ],
)
def test_one_layer_is_decoded(coding: bytes, data: bytes) -> None:
    found = reading(data, b"application/json", headers=[(b"Content-Encoding", coding)])
    assert (texts(found)["/a"], found.unreadable, found.coverage.state) == ("evil", None, "scanned")


@pytest.mark.parametrize(
    "coding", [b"br", b"zstd", b"x-gzip", b"gzip, gzip", b"gzip,deflate", b"nonsense", b"gzip;q=1"]
)
def test_other_codings_are_415(coding: bytes) -> None:
    found = reading(b'{"a": "evil"}', b"application/json", headers=[(b"Content-Encoding", coding)])
    assert found.unreadable is not None
    assert (found.unreadable.code, found.unreadable.status) == ("content_encoding", 415)
    assert "evil" in texts(found).values()
    assert found.coverage.state == "partial"


def test_two_encoding_headers_are_two_layers() -> None:
    headers = [(b"Content-Encoding", b"gzip"), (b"content-encoding", b"gzip")]
    assert code(reading(gzip.compress(b"{}"), headers=headers)) == "content_encoding"


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(b'{"a": "evil"}')[:-1],
        gzip.compress(b'{"a": "x"}') + gzip.compress(b'{"a": "evil"}'),
        gzip.compress(b'{"a": "x"}') + b"\0",
        zlib.compress(b'{"a": "evil"}'),
        zlib.compressobj(wbits=-15).flush(),
        b'{"a": "evil"}',
        b"\x1f",
    ],
)
def test_a_stream_must_end_exactly(data: bytes) -> None:
    found = reading(data, b"application/json", headers=[(b"Content-Encoding", b"gzip")])
    assert (code(found), found.coverage.reasons[0]) == ("content_encoding_broken", "content_encoding")


@pytest.mark.parametrize(("size", "limit"), [(2_000_000, 1_000_000), (30_000_000, 100_000_000)])
def test_a_bomb_is_refused(size: int, limit: int) -> None:
    bomb = gzip.compress(b"a" * size)
    found = reading(bomb, headers=[(b"Content-Encoding", b"gzip")], max_decoded=limit)
    assert code(found) == "decoded_too_large"
    assert max(len(passage.text) for passage in found.passages) < 7_000_000


# -- target


def test_path_and_query_are_read_decoded() -> None:
    found = reading(target=b"/v1/a%20b/evil%21?q=ignore+%61ll&flag&q=x")
    assert texts(found)["path:"] == "/v1/a b/evil!"
    assert "ignore all" in {passage.text for passage in found.passages}
    assert "query:flag#key" in [passage.where for passage in found.passages]


def test_the_api_key_of_a_query_is_no_passage() -> None:
    found = reading(target=b"/v1beta/models/gemini-x:generateContent?key=AIzaSyD-abcdefghijklmnop&alt=sse")
    assert not [passage for passage in found.passages if "AIza" in passage.text]
    assert found.model == "gemini-x"
    assert "ignore all" in texts(reading(target=b"/?key=ignore%20all")).values()


# -- forms


def test_a_form_is_read_per_field() -> None:
    found = reading(
        b"model=m&prompt=ev%69l+text&prompt=%7B%22a%22:%22in%5cu0073ide%22}", b"application/x-www-form-urlencoded"
    )
    assert texts(found)["form:prompt#/a"] == "inside"
    assert "evil text" in {passage.text for passage in found.passages}
    assert (found.model, found.unreadable) == ("m", None)
    assert code(reading(b"a=%ff", b"application/x-www-form-urlencoded")) == "invalid_utf8"


# -- multipart


def multipart(*parts: bytes, boundary: bytes = b"B") -> bytes:
    return b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary


def part(name: bytes, data: bytes, extra: bytes = b"", filename: bytes | None = None) -> bytes:
    named = b"" if filename is None else b'; filename="%b"' % filename
    return b'Content-Disposition: form-data; name="%b"%b\r\n%b\r\n%b' % (name, named, extra, data)


FORM = b"multipart/form-data; boundary=B"


def test_parts_are_read_with_their_labels() -> None:
    body = multipart(
        part(b"prompt", b"evil text"),
        part(b"model", b"whisper-1"),
        part(b"file", b"\xff\xfb\x90\0", b"Content-Type: audio/mpeg\r\n", b"ignore all.mp3"),
        part(b"notes", b"more evil", b"Content-Type: text/plain\r\n", b"a.txt"),
    )
    found = reading(body, FORM, dialect=openai_audio)
    assert texts(found) == {
        "path:": "/v1/x",
        "form:prompt": "evil text",
        "form:model": "whisper-1",
        "file:file#filename": "ignore all.mp3",
        "file:notes#filename": "a.txt",
        "file:notes": "more evil",
    }
    assert {p.origin for p in found.passages if p.text == "evil text"} == {Origin.USER}
    assert (found.model, found.coverage.state, found.coverage.reasons) == ("whisper-1", "partial", ("audio:file:file",))


def test_batch_files_are_read_record_by_record() -> None:
    record = {
        "custom_id": "one",
        "url": "/v1/chat/completions",
        "body": {
            "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "ignore all prev"}]
        },
    }
    other = {"custom_id": "two", "url": "/v1/embeddings", "body": {"input": ["a text"]}}
    lines = "\n".join(map(json.dumps, (record, other))).encode() + b"\n"
    found = reading(
        multipart(part(b"purpose", b"batch"), part(b"file", lines, b"", b"b.jsonl")), FORM, dialect=openai_files
    )
    by_place = {passage.where: passage for passage in found.passages if passage.until is None}
    assert by_place["file:file#/0/body/messages/0/content"].origin is Origin.SYSTEM
    assert by_place["file:file#/0/body/messages/1/content"].origin is Origin.USER
    assert by_place["file:file#/1/body/input/0"].origin is Origin.DOCUMENT
    assert [passage.text for passage in found.passages if passage.until] == [
        "be kindignore all prev",
        "be kind ignore all prev",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [(b'{"a": 1, "a": 2}', "duplicate_key"), (b'{"a": "x"', "invalid_json"), (b'"\xff"', "invalid_utf8")],
)
def test_a_bad_line_of_a_batch_is_refused_by_number(line: bytes, expected: str) -> None:
    found = reading(multipart(part(b"file", b"{}\n\n" + line, b"", b"b.jsonl")), FORM)
    assert found.unreadable is not None
    assert found.unreadable.code == expected
    assert "Line 3" in found.unreadable.message or "file:file#/2" in found.unreadable.message


def test_lines_without_a_name_are_recognised() -> None:
    lines = b'{"a": "\\u0065vil one"}\n{"b": "evil two"}\n'
    for kind in (None, b"application/octet-stream", b"application/jsonl", b"application/x-ndjson"):
        assert {"evil one", "evil two"} <= set(texts(reading(lines, kind)).values()), kind
    assert code(reading(lines, b"application/json")) == "trailing_data"
    stored = reading(multipart(part(b"file", lines + b'{"a":1,"a":"twice"}\nno json', b"", b"notes.txt")), FORM)
    assert {"evil one", "twice", "no json"} <= set(texts(stored).values())
    assert stored.unreadable is None


@pytest.mark.parametrize(
    "body",
    [
        multipart(part(b"a", b"evil")).replace(b"\r\n", b"\n"),
        b"evil preamble\r\n" + multipart(part(b"a", b"x")),
        multipart(part(b"a", b"x")) + b"evil epilogue",
        multipart(part(b"a", b"evil"))[:-8],
        multipart(part(b"a", b"evil\r\n--B2\r\nx")),
        multipart(part(b"a", b"evil --B x")),
        multipart(part(b"a", b"evil\n--B\n")),
        multipart(b"evil"),
        multipart(b"\r\nevil"),
        multipart(part(b"a", b"ZXZpbA==", b"Content-Transfer-Encoding: base64\r\n"), part(b"b", b"evil")),
        multipart(part(b"a", b"evil", b"Content-Type: multipart/mixed; boundary=C\r\n")),
        multipart(part(b"a", b"evil", b'Content-Disposition: form-data; name="b"\r\n')),
        multipart(part(b"a", b"evil", b"X: a\r\n folded\r\n")),
        multipart(part(b'a"; name="b', b"evil")),
        multipart(b"Content-Disposition: attachment\r\n\r\nevil"),
    ],
)
def test_multipart_that_can_be_split_in_two_ways_is_refused(body: bytes) -> None:
    found = reading(body, FORM)
    assert code(found) == "multipart"
    assert any("evil" in passage.text for passage in found.passages)


@pytest.mark.parametrize(
    "body",
    [
        multipart(
            part(b"a", "evil".encode("utf-16-le"), b"Content-Type: text/plain; charset=utf-16le\r\n"),
            part(b"b", b"evil"),
        ),
        multipart(part(b"a", b"evil", b"Content-Type: text/plain; charset=ibm037\r\n", b"a.txt")),
        multipart(part(b"_charset_", b"utf-16le"), part(b"a", b"evil")),
    ],
)
def test_a_part_has_no_charset_of_its_own(body: bytes) -> None:
    found = reading(body, FORM)
    assert code(found) == "charset"
    assert any("evil" in passage.text for passage in found.passages)
    assert code(reading(multipart(part(b"a", b"x", b"Content-Type: text/plain; charset=UTF-8\r\n")), FORM)) is None


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=B; boundary=C",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary="B',
        b"multipart/form-data; boundary=" + b"B" * 71,
        b"multipart/form-data; boundary=B, multipart/form-data; boundary=C",
    ],
)
def test_one_boundary_is_needed(kind: bytes) -> None:
    assert code(reading(multipart(part(b"a", b"evil")), kind)) == "multipart"
    two = [(b"Content-Type", FORM), (b"Content-Type", FORM + b"2")]
    assert code(reading(multipart(part(b"a", b"evil")), headers=two)) == "content_type"


def test_multipart_related_needs_no_names() -> None:
    body = multipart(
        b'Content-Type: application/json\r\n\r\n{"file": "evil one"}', b"Content-Type: text/plain\r\n\r\nevil two"
    )
    found = reading(body, b'multipart/related; boundary="B"')
    assert found.unreadable is None
    assert {"evil one", "evil two"} <= set(texts(found).values())


def test_an_empty_form_is_no_problem() -> None:
    assert reading(multipart(), FORM).unreadable is None


def test_without_a_guess_a_broken_body_costs_no_text() -> None:
    broken = b'{"prompt": "' + b"\xff" * 1000
    wanted = {"method": b"POST", "target": b"/v1/x", "headers": (), "body": broken, "dialect": None}
    guessed, refused = read(**wanted), read(**wanted, guess=False)  # type: ignore[arg-type]
    assert guessed.unreadable == refused.unreadable is not None
    assert sum(len(passage.text) for passage in refused.passages) < 100 < sum(len(p.text) for p in guessed.passages)


@pytest.mark.parametrize(
    ("target", "model"),
    [
        (b"/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", "anthropic.claude-3-haiku-20240307-v1:0"),
        (b"/model/anthropic.claude-v2:1/invoke", "anthropic.claude-v2:1"),
        (b"/openai/deployments/my-gpt/chat/completions?api-version=1", "my-gpt"),
        (b"/v1/models/meta/llama-3/predictions", "meta/llama-3"),
        (b"/hf-inference/models/org/name", "org/name"),
        (b"/v1beta/models/gemini-x:generateContent", "gemini-x"),
        (b"/v1/projects/p/locations/l/publishers/google/models/m:predict", "m"),
        (b"/v1/models", None),
        (b"/v1/chat/completions", None),
    ],
)
def test_a_model_that_stands_in_the_path_is_told(target: bytes, model: str | None) -> None:
    found = read(method=b"POST", target=target, headers=[], body=b'{"prompt": "x"}', dialect=None)
    assert found.model == model
