"""One request of an agent: in one TCP segment or two, with a reply of any encoding."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from benchrig.agent.bench.fetch import BODY_BYTES, fetch
from benchrig.agent.bench.protocol import Fetch, Reply, Split
from tests.support.servers.http import serving


def replied(head: str, body: bytes) -> Reply:
    """Return what an agent makes of a reply."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    with serving(serve) as port:
        return fetch(Fetch("127.0.0.1", port, "/", 5.0))


@pytest.mark.parametrize(
    ("encoding", "body", "expected"),
    [
        ("gzip", gzip.compress("größe".encode(), mtime=0), Reply(200, "größe", encoding="gzip")),
        ("GZIP", gzip.compress(b"ok", mtime=0), Reply(200, "ok", encoding="gzip")),
        ("deflate", zlib.compress(b"ok"), Reply(200, "ok", encoding="deflate")),
        ("identity", b"ok", Reply(200, "ok")),
        ("br", b"\x8b\x00\x80ok\x03", Reply(200, encoding="br", unread=True)),
        ("gzip", b"ok", Reply(200, encoding="gzip", unread=True)),
    ],
)
def test_a_body_is_decoded_and_its_encoding_told(encoding: str, body: bytes, expected: Reply) -> None:
    assert replied(f"Content-Encoding: {encoding}\r\n", body) == expected


def test_an_encoded_body_is_cut_at_the_same_length_as_any_other() -> None:
    reply = replied("Content-Encoding: gzip\r\n", gzip.compress(b"x" * (BODY_BYTES + 1), mtime=0))
    assert (len(reply.body), reply.cut) == (BODY_BYTES, True)


def test_bytes_that_are_no_text_are_no_error() -> None:
    assert replied("", b"\x89PNG\xff") == Reply(200, "\ufffdPNG\ufffd")


@pytest.mark.parametrize(("split", "count", "last"), [("", 1, "POST"), ("head", 2, "abcdef"), ("body", 2, "def")])
def test_a_request_is_cut_where_it_is_said(split: Split, count: int, last: str) -> None:
    came: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not "".join(came).endswith("abcdef"):
            came.append((await reader.read(65536)).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with serving(serve) as port:
        assert fetch(Fetch("127.0.0.1", port, "/a", 5.0, "POST", {}, "abcdef", split)) == Reply(200)
    assert len(came) == count
    assert came[-1].startswith(last) or (split == "head" and came[-1].endswith(f"\r\n\r\n{last}"))
    head, _, body = "".join(came).partition("\r\n\r\n")
    assert head.startswith("POST /a HTTP/1.1\r\n")
    assert body == "abcdef"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", b""])
def test_an_answer_or_an_end_before_the_second_segment_is_told(answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)

    with serving(serve) as port:
        reply = fetch(Fetch("127.0.0.1", port, "/", 5.0, split="head"))
    assert reply.early
    assert reply.status == 400 if answer else reply.error
