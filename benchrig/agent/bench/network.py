"""The network probe: round-trip time by a TCP echo, bandwidth by a TCP stream.

One machine listens. The other connects and sends a word that the controller gave it. Nothing has to be installed.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import socket
import statistics
import struct
import threading
import time

from .protocol import MeasureNetwork, NetworkMeasurement, NetworkPort

EXCHANGES = 200
"""Round trips that are timed."""

UNTIMED_EXCHANGES = 20
"""Round trips before them, in which both ends get going."""

EXCHANGE_BYTES = 64
EXCHANGES_SECONDS = 5.0
"""No more are begun after this time: far away, they are fewer."""

STREAM_SECONDS = 1.0
STREAM_BYTES = 256 << 20
"""The stream ends with whichever of the two comes first."""

CHUNK_BYTES = 1 << 20
WAIT_SECONDS = 10.0
"""The longest wait for the other end."""

_ECHO, _STREAM = b"e", b"s"

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""No end of a connection is left in TIME_WAIT: the port is the app's next."""


class NetworkServer:
    """The server of the network probe: it answers one connection after the other until it is closed."""

    def __init__(self, wanted_port: int) -> None:
        self._listener = _listen(wanted_port)
        self._word = secrets.token_hex(16)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def at(self) -> NetworkPort:
        """Where it listens, and the word that it wants to hear."""
        return NetworkPort(self._listener.getsockname()[1], self._word)

    def close(self) -> None:
        """Give the port back."""
        # Closing alone would not wake the thread that waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_SECONDS)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(OSError):
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        _prepare(connection)
        word, what = _exactly(connection, len(self._word)), _exactly(connection, 1)
        if not secrets.compare_digest(word, self._word.encode()):
            return
        if what == _ECHO:
            while data := connection.recv(EXCHANGE_BYTES):
                connection.sendall(data)
            return
        # What cannot be compressed: a tunnel on the way might.
        chunk = os.urandom(CHUNK_BYTES)
        for _ in range(STREAM_BYTES // CHUNK_BYTES):
            connection.sendall(chunk)
        connection.recv(1)


def measure(op: MeasureNetwork) -> NetworkMeasurement:
    """Measure the network to a listening host; when it cannot be reached, the answer has an error."""
    try:
        with _connect(op, _ECHO) as connection:
            trips = sorted(_round_trips(connection))
        with _connect(op, _STREAM) as connection:
            bandwidth = _bandwidth(connection)
    except OSError as error:
        return NetworkMeasurement(error=error.strerror or str(error) or type(error).__name__)
    # The percentile by the nearest rank.
    p99 = trips[math.ceil(0.99 * len(trips)) - 1]
    return NetworkMeasurement(round(1e6 * statistics.median(trips), 1), round(1e6 * p99, 1), round(bandwidth))


def _listen(wanted_port: int) -> socket.socket:
    """Listen on a port, or on any free one where that is taken."""
    for port in (wanted_port, 0):
        try:
            return socket.create_server(("", port), backlog=8)
        except OSError:
            if not port:
                raise
    raise AssertionError("unreachable")


def _prepare(connection: socket.socket) -> None:
    connection.settimeout(WAIT_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


def _connect(op: MeasureNetwork, what: bytes) -> socket.socket:
    connection = socket.create_connection((op.host, op.port), WAIT_SECONDS)
    _prepare(connection)
    connection.sendall(op.word.encode() + what)
    return connection


def _exactly(connection: socket.socket, count: int) -> bytes:
    """Read so many bytes. Raises OSError when the other end closes before."""
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise ConnectionError("the other end closed the connection")
        data += more
    return data


def _round_trips(connection: socket.socket) -> list[float]:
    """Return the seconds that each exchange took, the untimed ones left out."""
    message = bytes(EXCHANGE_BYTES)
    trips: list[float] = []
    end = time.perf_counter() + EXCHANGES_SECONDS
    for _ in range(UNTIMED_EXCHANGES + EXCHANGES):
        began = time.perf_counter()
        connection.sendall(message)
        _exactly(connection, EXCHANGE_BYTES)
        trips.append(time.perf_counter() - began)
        if time.perf_counter() > end:
            break
    return trips[UNTIMED_EXCHANGES:] or trips


def _bandwidth(connection: socket.socket) -> float:
    """Return the bits per second that arrive, from the first bytes to the last."""
    buffer = bytearray(CHUNK_BYTES)
    first = received = connection.recv_into(buffer)
    began = now = time.perf_counter()
    while received < STREAM_BYTES and now < began + STREAM_SECONDS:
        count = connection.recv_into(buffer)
        if not count:
            raise ConnectionError("the other end closed the connection")
        received += count
        now = time.perf_counter()
    return 8 * (received - first) / (now - began)
