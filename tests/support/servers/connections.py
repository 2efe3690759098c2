"""A server with a fault in its connections, as a process of its own: `python connections.py FAULT [NUMBER]`.

It answers `ok` to each request, and prints its port when it listens. The faults:

    none          none
    dead N        it accepts all, and never answers N of them
    once N        it answers N of them once, and never again
    slow N        it answers N of them after 0.1 s, and the others after 1 ms
    few N         it closes each connection after N replies
    deaf N        it accepts N connections, and no more
    files N       it lowers its limit of file descriptors to N
    dies S        it stops answering S seconds after the load began
    closes        it closes each connection after its reply
    resets        the same, by a reset, so that no closed connection is held
    proxies       it asks another server before each reply, over a new connection
    waits S       it waits so long before each reply
    lost N        under the load, it stops listening when all have come, and closes N of them a second later
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import struct
import sys
import threading
import time

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOAD = 20
"""From so many connections on, it is the load."""

LAST_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Server(asyncio.Protocol):
    """One connection."""

    fault = "none"
    number = 0.0
    opened = 0
    began = 0.0
    behind = ("", 0)
    all: list[asyncio.Transport] = []  # noqa: RUF012

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.unread = b""
        Server.opened += 1
        if Server.opened == LOAD:
            Server.began = time.monotonic()
        self.chosen = LOAD < Server.opened <= LOAD + self.number
        self.dead = self.fault == "dead" and self.chosen
        self.replies = 0
        Server.all.append(transport)

    def data_received(self, data: bytes) -> None:
        died = self.fault == "dies" and Server.began > 0 and time.monotonic() - Server.began > self.number
        if self.dead or died:
            return
        self.unread += data
        count = self.unread.count(b"\r\n\r\n")
        self.unread = self.unread.rpartition(b"\r\n\r\n")[2]
        if not count:
            return
        self.replies += 1
        if self.fault == "once" and self.chosen:
            self.dead = True
        if self.fault == "closes" or (self.fault == "few" and self.replies >= self.number):
            self.transport.write(LAST_REPLY)
            self.transport.close()
        elif self.fault == "resets":
            self.transport.write(LAST_REPLY)
            # The reply must be read before the reset discards it.
            asyncio.get_running_loop().call_later(0.002, self.transport.abort)
            linger = struct.pack("ii", 1, 0)
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif self.fault == "proxies":
            with socket.create_connection(Server.behind) as other:
                other.recv(1)
            self.transport.write(REPLY * count)
        elif self.fault in ("waits", "slow"):
            seconds = self.number if self.fault == "waits" else 0.1 if self.chosen else 0.001
            asyncio.get_running_loop().call_later(seconds, self.transport.write, REPLY * count)
        else:
            self.transport.write(REPLY * count)


async def accept_some(listener: socket.socket, most: int) -> None:
    """Accept so many connections, and no more."""
    loop = asyncio.get_running_loop()
    for _ in range(most):
        connection, _ = await loop.sock_accept(listener)
        await loop.connect_accepted_socket(Server, connection)
    await asyncio.Event().wait()


def behind() -> tuple[str, int]:
    """Start a server that closes each connection at once, and return its address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)

    def serve() -> None:
        while True:
            listener.accept()[0].close()

    threading.Thread(target=serve, daemon=True).start()
    host, port = listener.getsockname()
    return host, port


async def main(fault: str, number: float) -> None:
    Server.fault, Server.number = fault, number
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    if fault == "files":
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(number), int(number)))
    if fault == "deaf":
        await accept_some(listener, int(number))
    if fault == "proxies":
        Server.behind = behind()
    server = await asyncio.get_running_loop().create_server(Server, sock=listener, backlog=4096)
    if fault == "lost":
        # The warm-up and what comes before it open few.
        while Server.opened < LOAD:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        server.close()
        for transport in Server.all[-int(number) :]:
            transport.abort()
        await asyncio.Event().wait()
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.get_event_loop_policy().new_event_loop().run_until_complete(
            main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0)
        )
