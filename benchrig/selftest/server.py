"""A server of known behaviour: it has the speed, the latency and the faults that its command line asks for.

It needs only the standard library, and so runs on any host's `python3`. `GET /` is answered with a fixed text, `/echo/TEXT`
with TEXT, `POST /echo` with the request's body, and everything else with 404. With SIGTERM, and whenever the last connection
of a load has ended, it prints its own counts as a line of JSON: what the load generator's figures are held against.

A load begins when `--from-connections` connections are open at once. Faults, changes and counts begin with it, so that a
check of the replies and a light warm-up are served well and are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import re
import resource
import signal
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable
from pathlib import Path

PERCENTILES = (50.0, 75.0, 90.0, 99.0, 99.9)

CATCH_UP_SECONDS = 0.2
MOST_LEAKED_BYTES = 256 << 20
RETRY_SECONDS = 0.2
"""How long no connection is accepted after the process ran out of descriptors."""

REASONS = {200: "OK", 404: "Not Found"}


def arguments() -> argparse.ArgumentParser:
    """Return the parser of the command line. Times are in seconds."""
    parser = argparse.ArgumentParser(description="A server of known behaviour.", allow_abbrev=False)
    add = parser.add_argument
    add("--host", default="0.0.0.0")
    add("--port", type=int, default=0, help="0 takes a free one, which the first line of the output names")
    add("--backlog", type=int, default=4096)
    add("--log", type=Path, help="write a line for each reply of a load: seconds since its start, service time in seconds")
    add("--seed", type=int, default=1)
    add("--from-query", action="store_true", help="take further options from the query of the first request that has one")
    add("--from-connections", type=int, default=1, help="a load begins with so many open connections")
    add = parser.add_argument_group("known behaviour").add_argument
    add("--rate", type=float, default=0.0, help="replies per second at most, evenly spaced; 0 is no limit")
    add("--latency", type=latency, default="constant:0", help="constant:S, exponential:MEAN, or bimodal:S,S2,SHARE_OF_S2")
    add("--burn", type=float, default=0.0, help="CPU time of each reply")
    add("--body", default="ok", help="the reply to GET /")
    add("--vary", action="store_true", help="begin each with a number of its own")
    add("--body-bytes", type=int, default=0, help="fill that reply up to so many bytes")

    add = parser.add_argument_group("faults").add_argument
    add("--dead-share", type=float, default=0.0, help="share of connections that never get a reply")
    add("--accept-at-most", type=int, default=0, help="accept no more than so many connections at once")
    add("--descriptors", type=int, default=0, help="limit of open descriptors of this process")
    add("--stall", type=pair, help="LENGTH,EVERY: the whole process stops for LENGTH, EVERY so many seconds")
    add("--wrong-share", type=float, default=0.0, help="share of replies that are wrong")
    add("--wrong-after", type=float, default=0.0, help="they begin so long after the load")
    add("--wrong-status", type=int, default=200)
    add("--wrong-body", default="broken")
    add("--canned", help="answer every echo with this text, whatever was sent")
    add("--drift", type=float, default=0.0, help="share by which replies slow down every second")
    add("--step", type=pair, action="append", default=[], help="AFTER,FACTOR: FACTOR times as slow from then on")
    add("--leak", type=int, default=0, help="bytes that each reply leaves in memory")
    add("--close-after", type=int, default=0, help="close each connection after so many replies")
    add("--hang-after", type=float, default=0.0, help="answer and accept nothing any more after so long")
    add("--exit-after", type=float, default=0.0, help="exit after so long")
    return parser


def latency(text: str) -> Callable[[random.Random], float]:
    """Read a distribution of service times. Raises ValueError."""
    kind, _, rest = text.partition(":")
    numbers = [float(word) for word in rest.split(",")]
    if kind == "constant" and len(numbers) == 1:
        return lambda _: numbers[0]
    if kind == "exponential" and len(numbers) == 1:
        return lambda source: source.expovariate(1 / numbers[0])
    if kind == "bimodal" and len(numbers) == 3:
        return lambda source: numbers[1] if source.random() < numbers[2] else numbers[0]
    raise ValueError(text)


def pair(text: str) -> tuple[float, float]:
    """Read two numbers. Raises ValueError."""
    first, second = text.split(",")
    return float(first), float(second)


class Truth:
    """What the server did: the counts of a load, and each reply's service time."""

    def __init__(self) -> None:
        self.began = 0.0  # by the monotonic clock; 0 before the load
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.at = array("d")
        self.service = array("d")
        self.open, self.most_open, self.over = 0, 0, False
        self._cpu = 0.0

    def begin(self, now: float) -> None:
        """Note that the load begins, to which open connections belong."""
        self.began, self._cpu = now, time.process_time()
        self.counts["accepted"] = self.open

    def reply(self, now: float, seconds: float, status: int) -> None:
        """Count a reply of a load, `seconds` after its request was complete; none after the load."""
        if self.over:
            return
        self.statuses[status] += 1
        self.at.append(now - self.began)
        self.service.append(seconds)

    def json(self, asked: str) -> str:
        """Return the counts as a line of JSON; service times are in microseconds."""
        ordered = sorted(self.service)
        most = len(ordered) - 1
        seconds = self.at[-1] if self.at else 0.0
        figures = {
            "replies": len(ordered),
            "seconds": round(seconds, 4),
            "replies_per_second": round(len(ordered) / seconds, 2) if seconds else 0.0,
            "cpu_seconds": round(time.process_time() - self._cpu, 4),
            "most_open": self.most_open,
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "service_us": {f"{p:g}": round(ordered[round(most * p / 100)] * 1e6) for p in PERCENTILES} if ordered else {},
            "service_us_mean": round(sum(ordered) / len(ordered) * 1e6, 1) if ordered else 0.0,
            "service_us_max": round(ordered[-1] * 1e6) if ordered else 0,
        }
        return json.dumps({"asked": asked, "counts": {**dict(self.counts), **figures}})


class Server:
    """Accepts connections, decides what each request gets and when, and causes the faults."""

    def __init__(self, options: argparse.Namespace, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.truth = Truth()
        self.hung = False
        self.asked = ""
        self._next_slot = 0.0
        self._judged = 0
        self._leaked: list[bytes] = []
        self._listening = False
        self._tasks: set[asyncio.Task[object]] = set()
        self._wrong = itertools.count(1)
        self._socket = socket.create_server((options.host, options.port), backlog=options.backlog)
        self._socket.setblocking(False)
        self.configure(options)

    def configure(self, options: argparse.Namespace) -> None:
        """Behave as these options say from now on."""
        self.options = options
        self._random = random.Random(options.seed)
        self._body = options.body.encode().rjust(options.body_bytes, b".")
        self._socket.listen(options.backlog)
        if options.descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (options.descriptors,) * 2)

    def obey(self, path: str) -> str:
        """Take in options from a request's query, once, if that is asked for; return the path without its query."""
        path, _, query = path.partition("?")
        if self.options.from_query and query and not self.asked:
            self.asked = query
            self.configure(arguments().parse_args([f"--{word}" for word in query.split("&")], self.options))
        return path

    def start(self) -> None:
        """Begin to accept, and say on which port."""
        self.listen()
        print(json.dumps({"port": self._socket.getsockname()[1]}), flush=True)

    def listen(self) -> None:
        """Accept connections, as long as there may be more."""
        if not self._listening and not self.hung:
            self._listening = True
            self.loop.add_reader(self._socket.fileno(), self._accept)

    def deaf(self) -> None:
        """Accept nothing; what connects waits in the kernel's backlog."""
        self._listening = False
        self.loop.remove_reader(self._socket.fileno())

    def _accept(self) -> None:
        for _ in range(100):
            if self.options.accept_at_most and self.truth.open >= self.options.accept_at_most:
                self.deaf()
                return
            try:
                peer, _ = self._socket.accept()
            except BlockingIOError:
                return
            except OSError:
                self.truth.counts["accept_errors"] += 1
                self.deaf()
                self.loop.call_later(RETRY_SECONDS, self.listen)
                return
            peer.setblocking(False)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.opened()
            task = self.loop.create_task(self.loop.connect_accepted_socket(lambda: Connection(self), peer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def opened(self) -> None:
        """Count a connection; the load may begin with it."""
        truth = self.truth
        truth.open += 1
        truth.most_open = max(truth.most_open, truth.open)
        if truth.began:
            truth.counts["accepted"] += 1
        elif truth.open >= self.options.from_connections:
            truth.begin(self.loop.time())
            self._begin_faults()

    def closed(self) -> None:
        """Take in the end of a connection, and report when it was the last one of the load."""
        self.truth.open -= 1
        # A check after the load is no part of it.
        self.truth.over = bool(self.truth.began) and self.truth.open < self.options.from_connections // 2
        self.listen()
        if not self.truth.open and self.truth.began:
            # A server that closes each connection has none now and then.
            self.loop.call_later(RETRY_SECONDS if self.options.close_after else 0, self._report_if_idle)

    def _report_if_idle(self) -> None:
        if not self.truth.open:
            self.report()

    def report(self) -> None:
        """Print the counts and write the log."""
        print(self.truth.json(self.asked), flush=True)
        if self.options.log:
            rows = (f"{at:.6f} {took:.6f}\n" for at, took in zip(self.truth.at, self.truth.service, strict=True))
            self.options.log.write_text("".join(rows))

    def _begin_faults(self) -> None:
        self._next_slot = self.loop.time()
        if self.options.stall:
            self.loop.call_later(self.options.stall[1], self._stall)
        if self.options.hang_after:
            self.loop.call_later(self.options.hang_after, self._hang)
        if self.options.exit_after:
            self.loop.call_later(self.options.exit_after, os._exit, 0)

    def _stall(self) -> None:
        length, every = self.options.stall
        time.sleep(length)
        self.truth.counts["stalls"] += 1
        self.loop.call_later(every - length, self._stall)

    def _hang(self) -> None:
        self.hung = True
        self.deaf()

    def is_dead(self) -> bool:
        """Decide whether a connection that sends its first request of the load is never answered."""
        share = self.options.dead_share
        self._judged += 1
        dead = int(self._judged * share) > int((self._judged - 1) * share)
        self.truth.counts["dead"] += dead
        return dead

    def delay(self, now: float) -> float:
        """Return in how many seconds a request that is complete now is answered."""
        options, began = self.options, self.truth.began
        since = now - began if began else 0.0
        factor = 1.0 + options.drift * since
        if began:
            factor *= next((by for after, by in sorted(options.step, reverse=True) if since >= after), 1.0)
        wait: float = options.latency(self._random) * factor
        if options.rate:
            # Slots follow each other evenly: what a timer or a busy machine delays is caught up.
            self._next_slot = max(now - CATCH_UP_SECONDS, self._next_slot + factor / options.rate)
            wait = max(wait, self._next_slot - now)
        return wait

    def answer(self, method: str, path: str, body: bytes, now: float) -> tuple[int, bytes]:
        """Return status and body of a reply; a wrong one if it is its turn."""
        options, began = self.options, self.truth.began
        if options.burn:
            until = time.process_time() + options.burn
            while time.process_time() < until:
                pass
        if began and options.leak and len(self._leaked) * options.leak < MOST_LEAKED_BYTES:
            self._leaked.append(b"x" * options.leak)
        if began and options.wrong_share and now - began >= options.wrong_after:
            number = next(self._wrong)
            if int(number * options.wrong_share) > int((number - 1) * options.wrong_share):
                self.truth.counts["wrong"] += 1
                return options.wrong_status, options.wrong_body.encode()
        if path.startswith("/echo/") or (path == "/echo" and method == "POST"):
            told = body if method == "POST" else path[len("/echo/") :].encode()
            return 200, told if options.canned is None else options.canned.encode()
        if path != "/":
            return 404, b"missing"
        return 200, b"%d" % len(self.truth.at) + self._body if options.vary else self._body


class Connection(asyncio.Protocol):
    """A connection: its requests are answered one after the other, however they are cut into segments."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._received = b""
        self._busy = False
        self._judged = self._dead = False
        self._replies = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Count its end."""
        self._transport = None
        self._server.closed()

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request."""
        self._received += data
        self._next()

    def _next(self) -> None:
        """Begin to answer the next request, if one is complete and no other is being answered."""
        if self._busy or self._transport is None:
            return
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = content_length(head)
        if len(rest) < length:
            return
        self._received = rest[length:]
        self._busy = True
        server = self._server
        if server.truth.began:
            server.truth.counts["requests"] += 1
            if not self._judged:
                self._judged, self._dead = True, server.is_dead()
        if self._dead or server.hung:
            return
        now = server.loop.time()
        method, target, *_ = [*head.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        path = server.obey(target)
        wait = server.delay(now)
        if wait > 0:
            server.loop.call_at(now + wait, self._answer, method, path, rest[:length], now)
        else:
            self._answer(method, path, rest[:length], now)

    def _answer(self, method: str, path: str, body: bytes, asked: float) -> None:
        server = self._server
        if self._transport is None or server.hung:
            return
        status, text = server.answer(method, path, body, server.loop.time())
        self._replies += 1
        last = bool(server.options.close_after) and self._replies >= server.options.close_after
        head = f"HTTP/1.1 {status} {REASONS.get(status, 'Other')}\r\nContent-Length: {len(text)}\r\n"
        head += "Content-Type: text/plain\r\n" + ("Connection: close\r\n" if last else "")
        self._transport.write(head.encode() + b"\r\n" + text)
        now = server.loop.time()
        if server.truth.began:
            server.truth.reply(now, now - asked, status)
        self._busy = False
        if last:
            self._transport.close()
        elif self._received:
            server.loop.call_soon(self._next)


def content_length(head: bytes) -> int:
    """Return how many bytes of body follow a request's head; 0 where it does not say so in a number."""
    found = re.search(rb"(?im)^content-length:[ \t]*(\d+)", head)
    return int(found[1]) if found else 0


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT, then print the counts."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = Server(options, loop)
    server.start()
    await ended.wait()
    server.report()


if __name__ == "__main__":
    asyncio.run(serve(arguments().parse_args()))
