"""The server of known behaviour does what its command line says, and counts what it did."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

import pytest

from tests.support.known import known_server, wrk

needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="needs wrk")


def _send(port: int, *parts: bytes) -> bytes:
    """Send a request in several segments, and return the reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            peer.sendall(part)
        return peer.recv(65536)


def test_a_request_in_several_segments_is_one_request() -> None:
    with known_server() as server:
        reply = _send(server.port, b"POST /ec", b"ho HTTP/1.1\r\nContent-Le", b"ngth: 5\r\n\r", b"\nhel", b"lo")
        assert reply.endswith(b"\r\n\r\nhello")
        assert server.counts()["requests"] == 1


def test_pipelined_requests_are_answered_in_their_order() -> None:
    with known_server() as server, socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        peer.sendall(b"GET /echo/a HTTP/1.1\r\n\r\nGET /echo/b HTTP/1.1\r\n\r\nGET /none HTTP/1.1\r\n\r\n")
        received = b""
        while received.count(b"HTTP/1.1 ") < 3 or not received.endswith(b"missing"):
            received += peer.recv(65536)
        assert re.findall(rb"\r\n\r\n([ab]|missing)", received) == [b"a", b"b", b"missing"]


def test_a_canned_reply_is_the_same_for_everything() -> None:
    with known_server("--canned=x") as server:
        assert _send(server.port, b"GET /echo/a HTTP/1.1\r\n\r\n").endswith(b"\r\n\r\nx")


@needs_wrk
def test_the_rate_is_kept(tmp_path: Path) -> None:
    with known_server("--rate=400", "--from-connections=10", f"--log={tmp_path / 'log'}") as server:
        text = wrk(server.port, "-t1", "-c20", "-d2s")
        counts = server.counts()
    ((requests, seconds),) = re.findall(r"(\d+) requests in ([\d.]+)s", text)
    assert float(requests) / float(seconds) == pytest.approx(400, rel=0.02)
    # At the end, each connection waits for a reply.
    assert int(requests) <= counts["replies"] <= int(requests) + 20
    assert len((tmp_path / "log").read_text().splitlines()) == counts["replies"]
    assert counts["service_us"]["50"] == pytest.approx(20 / 400 * 1e6, rel=0.1)


@needs_wrk
def test_the_latency_has_its_distribution() -> None:
    with known_server("--latency=bimodal:0.01,0.2,0.1") as server:
        wrk(server.port, "-t1", "-c20", "-d2s")
        service = server.counts()["service_us"]
    assert service["50"] == pytest.approx(10_000, abs=5_000)
    assert service["99"] == pytest.approx(200_000, abs=20_000)


@needs_wrk
def test_faults_are_caused_and_counted() -> None:
    with known_server("--dead-share=0.2", "--wrong-share=0.1", "--wrong-status=500", "--latency=constant:0.005") as server:
        text = wrk(server.port, "-t1", "-c20", "-d1s")
        counts = server.counts()
    assert counts["dead"] == 4
    assert counts["wrong"] == counts["statuses"]["500"] == pytest.approx(counts["replies"] / 10, abs=1)
    # Replies that were on their way at the end are in the server's counts alone.
    (counted,) = re.findall(r"Non-2xx or 3xx responses: (\d+)", text)
    assert int(counted) == pytest.approx(counts["wrong"], abs=3)


@needs_wrk
def test_connections_beyond_the_limit_are_not_accepted() -> None:
    with known_server("--accept-at-most=5", "--latency=constant:0.005") as server:
        wrk(server.port, "-t1", "-c20", "-d1s")
        assert server.counts()["most_open"] == 5


@needs_wrk
def test_a_hung_server_answers_nothing_any_more() -> None:
    with known_server("--hang-after=0.3", "--latency=constant:0.005") as server:
        wrk(server.port, "-t1", "-c20", "-d1s")
        assert server.counts()["seconds"] < 0.35
