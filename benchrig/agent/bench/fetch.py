"""One HTTP request from an agent, with its reply: whole, decoded, and bounded in size and time."""

from __future__ import annotations

import contextlib
import http.client
import select
import socket
import threading
import zlib
from dataclasses import replace
from typing import Any

from .protocol import SPLIT_SECONDS, Fetch, Reply

BODY_BYTES = 4 << 20

_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
"""What zlib is told of each content encoding that it can decode."""


def fetch(op: Fetch) -> Reply:
    """Make one HTTP request; an error is part of the answer."""
    connection = _Connection(op.host, op.port, timeout=op.seconds)
    late = threading.Event()
    try:
        connection.connect()
        # A reply that comes drop by drop, for ever, is ended.
        timer = threading.Timer(2 * op.seconds, _end, (connection.sock, late))
        timer.start()
        try:
            connection.request(op.method, op.path, op.body.encode() or None, dict(op.headers))
            connection.send_collected(op.split)
            reply = _reply(connection.getresponse())
        finally:
            timer.cancel()
    except (OSError, ValueError, http.client.HTTPException) as error:
        reply = Reply(error=getattr(error, "strerror", None) or str(error) or type(error).__name__)
    finally:
        connection.close()
    if late.is_set():
        reply = Reply(error=f"no whole reply within {2 * op.seconds:g} s")
    return replace(reply, early=connection.early)


class _Connection(http.client.HTTPConnection):
    """A connection that collects a request's parts, and sends them as one TCP segment or as two."""

    early = False
    """The other end answered, or closed, before it had the second segment."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._parts: list[bytes] = []

    def send(self, data: Any) -> None:
        """Collect a part of the request."""
        self._parts.append(bytes(data))

    def send_collected(self, split: str) -> None:
        """Send the request; with `split`, cut in the middle of its head or of its body."""
        request = b"".join(self._parts)
        head = request.index(b"\r\n\r\n") + 4
        cut = {"head": head // 2, "body": (head + len(request)) // 2}.get(split, 0)
        if cut:
            self.sock.sendall(request[:cut])
            self.early = bool(select.select([self.sock], [], [], SPLIT_SECONDS)[0])
        try:
            self.sock.sendall(request[cut:])
        except OSError:
            # Who has answered already may have closed; the answer is worth more than this error.
            if not self.early:
                raise


def _reply(response: http.client.HTTPResponse) -> Reply:
    body = response.read(BODY_BYTES)
    cut = bool(response.read(1))
    encoding = (response.getheader("Content-Encoding") or "").strip().lower()
    if encoding in ("", "identity"):
        return Reply(response.status, body.decode(errors="replace"), cut=cut)
    try:
        decoding = zlib.decompressobj(_WINDOW_BITS[encoding])
        body = decoding.decompress(body, BODY_BYTES)
    except (KeyError, zlib.error):
        return Reply(response.status, encoding=encoding, unread=True)
    cut = cut or bool(decoding.unconsumed_tail)
    return Reply(response.status, body.decode(errors="replace"), cut=cut, encoding=encoding)


def _end(sock: socket.socket, late: threading.Event) -> None:
    """End a connection, and note that it was ended."""
    late.set()
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
