"""Texts of the real wrk under small servers, right and wrong ones: what it prints is read whole, and judged."""

from __future__ import annotations

import asyncio
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.printed import find_printed
from benchrig.report.texts import Judged, Verdict, judge
from benchrig.results.codes import Code

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")

Answer = Callable[[int], tuple[str, float]]
"""Returns the status of the n-th reply, and how long to wait for it; an empty status closes the connection."""

PIPELINE = """\
init = function(args)
   local all = {}
   for i = 1, 8 do all[i] = wrk.format(nil, "/") end
   batch = table.concat(all)
end
request = function() return batch end
"""


@contextmanager
def server(answer: Answer) -> Iterator[int]:
    """Serve HTTP on loopback in a thread; yield the port."""
    count = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                count += 1
                status, wait = answer(count)
                await asyncio.sleep(wait)
                if not status:
                    break
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\nok".encode())
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    ready: queue.Queue[int] = queue.Queue()
    stop = asyncio.Event()

    async def run() -> None:
        made = await asyncio.start_server(serve, "127.0.0.1", 0)
        ready.put(made.sockets[0].getsockname()[1])
        await stop.wait()
        made.close()

    loop = asyncio.new_event_loop()

    def work() -> None:
        # It ends the connections that are left.
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield ready.get(timeout=10)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def load(port: int, *words: str, stop_after: float | None = None, pipeline: int | None = None) -> Judged:
    """Return the verdict on what wrk prints, which must be read to its last word; SIGINT ends it early."""
    with subprocess.Popen(
        ["wrk", "-t2", "-c10", "--latency", *words, f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True
    ) as run:
        try:
            said, _ = run.communicate(timeout=stop_after or 60)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGINT)
            said, _ = run.communicate(timeout=60)
    (pasted,) = find_printed(said)
    assert pasted.unread == (), said
    return judge(pasted, DEFAULT, pipeline)


def found(judged: Judged) -> dict[Code, bool]:
    """Return the codes of a text's warnings, each with whether it makes the text invalid."""
    return {warning.code: warning.invalid for warning in judged.warnings}


@pytest.mark.parametrize("wait", [0.0, 0.02, 0.2])
def test_a_right_server_has_no_warning_but_what_a_busy_machine_makes(wait: float) -> None:
    with server(lambda _: ("200 OK", wait)) as port:
        assert {*found(load(port, "-d2s"))} <= ({Code.LITTLES_LAW, Code.STALLED} if wait < 0.1 else set())


def test_error_replies_are_found() -> None:
    with server(lambda n: ("404 Not Found" if n % 4 else "200 OK", 0.01)) as port:
        assert found(load(port, "-d1s")) == {Code.STATUS_ERRORS: True}


def test_late_replies_are_found() -> None:
    with server(lambda n: ("200 OK", 1.3 if n % 3 == 0 else 0.1)) as port:
        warnings = found(load(port, "-d4s", "--timeout", "1s"))
        assert warnings[Code.TIMEOUTS] is False
        assert warnings[Code.LATENCY_CLIPPED] is True


def test_a_run_without_replies_is_found() -> None:
    with server(lambda _: ("200 OK", 9.0)) as port:
        assert found(load(port, "-d1s")) == {Code.NO_REQUESTS: True}


def test_a_run_that_was_interrupted_is_found() -> None:
    with server(lambda _: ("200 OK", 0.05)) as port:
        assert Code.INTERRUPTED in found(load(port, "-d9s", stop_after=1.5))


def test_a_server_that_closes_connections_is_found() -> None:
    with server(lambda n: ("" if n % 5 == 0 else "200 OK", 0.02)) as port:
        assert Code.CONNECTION_ERRORS in found(load(port, "-d1s"))


def test_a_server_that_stood_still_is_found() -> None:
    with server(lambda n: ("200 OK", 1.5 if n == 60 else 0.005)) as port:
        judged = load(port, "-d3s", "-c2")
        assert Code.STALLED in found(judged)


def test_a_server_that_closes_each_connection_is_not_called_invalid() -> None:
    with server(lambda _: ("200 OK\r\nConnection: close", 0.005)) as port:
        judged = load(port, "-d2s")
        assert judged.verdict is not Verdict.INVALID


def test_replies_that_the_end_of_the_run_cut_off_are_found() -> None:
    with server(lambda n: ("200 OK", 1.3 if n % 40 == 0 else 0.02)) as port:
        assert found(load(port, "-d2s", "--timeout", "9s"))[Code.CUT_BY_END] is False
        assert Code.CUT_BY_END not in found(load(port, "-d4s", "--timeout", "2s"))


def test_a_server_that_stops_at_times_is_found_by_the_rate_of_the_threads() -> None:
    start = time.monotonic()

    def wait(_: int) -> tuple[str, float]:
        into = (time.monotonic() - start) % 1.0
        return "200 OK", 1.0 - into if into > 0.4 else 0.005

    with server(wait) as port:
        judged = load(port, "-d4s", "-c20")
        assert "bursts" in {warning.values.get("case") for warning in judged.warnings if warning.code is Code.STALLED}


def test_pipelined_requests_are_not_accused(tmp_path: Path) -> None:
    script = tmp_path / "pipeline.lua"
    script.write_text(PIPELINE)
    with server(lambda _: ("200 OK", 0.003)) as port:
        # A machine that is busy may hold up a reply, which raises the mean in earnest.
        for pipeline in (None, 8):
            assert any(
                Code.LITTLES_LAW not in found(load(port, "-d1s", "-s", str(script), pipeline=pipeline)) for _ in range(4)
            )
