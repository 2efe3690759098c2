"""A server that answers at a known rate: `python paced.py COURSE RATE`. It prints its port.

The courses are in COURSES: each gives the share of RATE at a time, in seconds since the first request. `leak` keeps 20 kB of
each reply; `waves` answers each request 0.1 s after it came, whatever RATE says.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import ClassVar

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
TICK_SECONDS = 0.002
CATCH_UP_SECONDS = 0.1
"""What was not answered for so long, on a busy machine, is answered late; more is lost."""

LEAK_BYTES = 20_000
SLEEP_SECONDS = 0.1

COURSES: dict[str, Callable[[float], float]] = {
    "steady": lambda _: 1.0,
    "leak": lambda _: 1.0,
    "waves": lambda _: 1.0,
    "slow_start": lambda at: 0.2 if at < 1.0 else 1.0,
    "warm_up": lambda at: min(1.0, 0.3 + 0.35 * at),
    "drift": lambda at: max(0.4, 1 - 0.08 * at),
    "step": lambda at: 1.0 if at < 2.5 else 0.6,
    "late_step": lambda at: 0.5 if at < 3.5 else 1.0,
    "stalls": lambda at: 0.0 if at % 2.0 >= 1.5 else 1.0,
    "small_step": lambda at: 1.0 if at < 2.5 else 0.97,
}


class Paced(asyncio.Protocol):
    """One connection; the replies of all come from one queue."""

    waiting: ClassVar[deque[asyncio.Transport]] = deque()
    began = 0.0
    sleeps = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take the requests that came."""
        Paced.began = Paced.began or time.monotonic()
        for _ in range(data.count(b"\r\n\r\n")):
            if self.sleeps:
                asyncio.get_running_loop().call_later(SLEEP_SECONDS, self.transport.write, REPLY)
            else:
                self.waiting.append(self.transport)


async def answer(course: Callable[[float], float], rate: float, kept: list[bytes] | None) -> None:
    """Answer those that wait, at the rate of the moment."""
    due, last = 0.0, time.monotonic()
    while True:
        await asyncio.sleep(TICK_SECONDS)
        now = time.monotonic()
        due = min(due + rate * course(now - Paced.began) * (now - last), rate * CATCH_UP_SECONDS)
        last = now
        while due >= 1 and Paced.waiting:
            with contextlib.suppress(OSError):
                Paced.waiting.popleft().write(REPLY)
            if kept is not None:
                kept.append(bytes(LEAK_BYTES))
            due -= 1


async def main(name: str, rate: float) -> None:
    """Serve until killed."""
    Paced.sleeps = name == "waves"
    server = await asyncio.get_running_loop().create_server(Paced, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await answer(COURSES[name], rate, [] if name == "leak" else None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
