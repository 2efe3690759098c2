"""What reading wrk's histogram costs: wrk with our script as it is, over the same script without it, in interleaved pairs.

Against a small server on loopback with three kinds of replies: at once, spread around 50 ms, and a few that take 3 s, for
which wrk's histogram has millions of bins. For each kind, the CPU time that the reading takes by wrk's own clock, the
seconds from the end of the load to that of the process, and wrk's CPU per request. The sides alternate (A B B A), so that
what drifts with time falls on both.

    python benchmarks/latency_cost.py [--rounds 4] [--duration 5]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Process
from random import Random
from typing import cast

from benchrig.bench.generators.base import Shape
from benchrig.bench.generators.wrk.generator import WRK
from benchrig.bench.generators.wrk.output import read_load
from benchrig.bench.traffic import Route, Traffic

CALL = "local found = insight(summary, latency, requests, threads, ended)\n"
"""What the script calls, and the other side does not."""

TIMED = f"local began = os.clock()\n{CALL}io.stderr:write(os.clock() - began)\n"

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

RANDOM = Random(0)

WAITS: dict[str, Callable[[], float]] = {
    "at once": lambda: 0.0,
    "around 50 ms": lambda: RANDOM.expovariate(20),
    "4 of 1,000 after 3 s": lambda: 3.0 if RANDOM.random() < 0.004 else 0.01,
}


class Connection(asyncio.Protocol):
    """A connection of the server."""

    def __init__(self, wait: Callable[[], float]) -> None:
        self.wait = wait

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Reply to the request, which is one segment."""
        if data:
            asyncio.get_running_loop().call_later(self.wait(), self.transport.write, REPLY)


def serve(listening: socket.socket, kind: str) -> None:
    """Serve until the process is ended."""

    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: Connection(WAITS[kind]), sock=listening)
        await server.serve_forever()

    asyncio.run(forever())


@dataclass(frozen=True)
class Cost:
    """What one run of wrk took."""

    beyond: float
    """Seconds beyond the load."""
    cpu_us: float
    """CPU time of wrk per request."""
    reading: float
    """Seconds of CPU time that the reading took; 0 where it is left out."""


def run(text: str, port: int, duration: int) -> Cost:
    """Run wrk once with a script."""
    with (
        tempfile.NamedTemporaryFile("w", suffix=".lua") as script,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        script.write(text)
        script.flush()
        command = WRK.command(Shape(2, 100, duration, duration - 1), f"http://127.0.0.1:{port}/")
        argv = [word.replace("{script}", script.name) for word in command]
        began = time.monotonic()
        ends = [(os.POSIX_SPAWN_DUP2, file.fileno(), number) for number, file in enumerate((out, err), 1)]
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=ends)
        _, status, usage = os.wait4(pid, 0)
        wall = time.monotonic() - began
        out.seek(0)
        err.seek(0)
        load, reading = read_load(out.read()), float(err.read() or 0)
    if status:
        raise SystemExit("wrk failed")
    return Cost(wall - load.duration_us / 1e6, 1e6 * (usage.ru_utime + usage.ru_stime) / load.requests, reading)


def compare(kind: str, rounds: int, duration: int) -> str:
    """Take turns, and return what was found in a few lines."""
    route = Route(
        name="home",
        method="GET",
        path="/",
        headers={},
        bodies=(),
        status=200,
        body="ok",
        replies=(),
        contains="",
        json=None,
        stores="",
        capture={},
    )
    script = WRK.script(Traffic((route,)), {"home": ("ok",)})
    if CALL not in script:
        raise SystemExit("the script no longer has the call that this measures")
    scripts = {"with": script.replace(CALL, TIMED), "without": script.replace(CALL, 'local found = ""\n')}
    costs: dict[str, list[Cost]] = {"with": [], "without": []}
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        server = Process(target=serve, args=(listening, kind), daemon=True)
        server.start()
        for number in range(2 * rounds):
            side = "with" if number % 4 in (0, 3) else "without"
            costs[side].append(run(scripts[side], listening.getsockname()[1], duration))
        server.terminate()
        server.join()
    seconds = [one.beyond - other.beyond for one, other in zip(costs["with"], costs["without"], strict=True)]
    ratios = [one.cpu_us / other.cpu_us for one, other in zip(costs["with"], costs["without"], strict=True)]
    readings = [cost.reading for cost in costs["with"]]
    each = {side: statistics.median(cost.cpu_us for cost in of) for side, of in costs.items()}
    return "\n".join(
        [
            f"replies {kind}",
            f"  CPU of the reading: {1e3 * statistics.median(readings):.1f} ms (up to {1e3 * max(readings):.1f})",
            f"  seconds beyond the load, with - without: {statistics.median(seconds):+.4f} (pairs {min(seconds):+.4f} to "
            f"{max(seconds):+.4f})",
            f"  wrk's CPU per request: {each['with']:.3f} / {each['without']:.3f} us = "
            f"{each['with'] / each['without']:.3f} (pairs {min(ratios):.3f} to {max(ratios):.3f})",
        ]
    )


def main() -> None:
    """Compare each kind of reply and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4, help="of each side; an even number keeps the turns fair")
    parser.add_argument("--duration", type=int, default=5, help="of each load, in seconds")
    asked = parser.parse_args()
    for kind in WAITS:
        print(compare(kind, asked.rounds, asked.duration), flush=True)


if __name__ == "__main__":
    main()
