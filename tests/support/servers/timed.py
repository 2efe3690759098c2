"""A server on loopback that waits as it is told before each reply, stops at times, and logs how long each request took."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STEP_SECONDS = 0.005

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Timed:
    """The server's behaviour, which may change while it runs, and its log."""

    wait: Callable[[], float]
    """Returns the seconds until the reply to the next request; below 0 for none, ever."""
    port: int = 0
    reply: bytes = REPLY
    services_us: list[float] = field(default_factory=list)
    """From when a request was read until its reply was written, of each reply."""
    lag_us: float = 0.0
    """The longest that the server was late: a request may have waited as long before it was read."""
    stops: Callable[[], float] = lambda: 0.0
    """Returns for how many seconds the whole server now stops; it is asked every STEP_SECONDS."""


class _Connection(asyncio.Protocol):
    def __init__(self, server: Timed) -> None:
        self.server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        assert data.startswith(b"GET ")
        began = time.perf_counter()
        if (seconds := self.server.wait()) >= 0:
            asyncio.get_running_loop().call_later(seconds, self.reply, began)

    def reply(self, began: float) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.server.reply)
            self.server.services_us.append((time.perf_counter() - began) * 1e6)


def _step(server: Timed, loop: asyncio.AbstractEventLoop, due: float) -> None:
    server.lag_us = max(server.lag_us, 1e6 * (loop.time() - due))
    time.sleep(server.stops())
    due = loop.time() + STEP_SECONDS
    loop.call_at(due, _step, server, loop, due)


@contextmanager
def timed(wait: Callable[[], float], stops: Callable[[], float] = lambda: 0.0) -> Iterator[Timed]:
    """Run the server in a thread."""
    server = Timed(wait, stops=stops)
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(loop.create_server(lambda: _Connection(server), "127.0.0.1", 0, backlog=1024))
    server.port = listening.sockets[0].getsockname()[1]
    loop.call_soon(_step, server, loop, loop.time())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    listening.close()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
