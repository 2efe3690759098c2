"""An HTTP server on loopback whose answers and whose style a test chooses; also servers that read a request wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Style = Literal["keep-alive", "close", "http/1.0", "chunked", "slow", "parts"]
STYLES: tuple[Style, ...] = ("keep-alive", "close", "http/1.0", "chunked", "slow", "parts")


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    body: str


Answer = Callable[[Request], tuple[int, str]]


@contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """Serve each connection on loopback in a thread, and yield the port."""
    loop = asyncio.new_event_loop()
    ready: list[int] = []
    started = threading.Event()

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await serve(reader, writer)
        writer.close()

    def run() -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(guarded, "127.0.0.1", 0, backlog=1024))
        ready.append(server.sockets[0].getsockname()[1])
        started.set()
        loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    started.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def answering(answer: Answer, style: Style = "keep-alive", headers: str = "") -> Serve:
    """Return a correct server, also of requests that come in several segments or several at once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            method, path, _ = head.split(" ", 2)
            length = next((line for line in head.lower().split("\r\n") if line.startswith("content-length:")), ":0")
            body = (await reader.readexactly(int(length.partition(":")[2]))).decode()
            status, text = answer(Request(method, path, body))
            if style == "slow":
                await asyncio.sleep(0.02)
            for part in _parts(status, text.encode(), style, headers):
                writer.write(part)
                if style == "parts":
                    await writer.drain()
                    await asyncio.sleep(0.001)
            await writer.drain()
            if style in ("close", "http/1.0"):
                return

    return serve


def _parts(status: int, body: bytes, style: Style, headers: str) -> tuple[bytes, ...]:
    """Return a reply in the parts in which it is sent."""
    version = "1.0" if style == "http/1.0" else "1.1"
    head = f"HTTP/{version} {status} Some\r\n{headers}{'Connection: close' + chr(13) + chr(10) if style == 'close' else ''}"
    if style == "chunked":
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:1], body[1:]) if part)
        return (f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n",)
    whole = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    return (whole[:20], whole[20:]) if style == "parts" else (whole,)


def _reply(status: int, text: str) -> bytes:
    return b"".join(_parts(status, text.encode(), "keep-alive", ""))


async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer whatever comes, as soon as anything comes."""
    while await reader.read(65536):
        writer.write(_reply(200, "ok"))
        await writer.drain()


async def one_read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take what one read gives for a whole request, and refuse it when it is not."""
    while data := await reader.read(65536):
        writer.write(_reply(*((200, "ok") if b"\r\n\r\n" in data else (400, "bad"))))
        await writer.drain()


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests that come in one read, and never answer others."""
    while data := await reader.read(65536):
        if data.endswith(b"\r\n\r\n") and data.startswith(b"GET"):
            writer.write(_reply(200, "ok"))
            await writer.drain()


async def half_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Echo the body, of which it reads once what has come."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_reply(200, (await reader.read(65536)).decode()))
        await writer.drain()
