"""Counts the connections of a load in the kernel: those there are, accepted, answered; and the app's descriptors.

A load generator closes its connections at its end, so they are counted shortly before. The kernel's tables are read over
netlink (NETLINK_SOCK_DIAG): of 25,000 connections, one end takes 0.04 to 0.06 s of CPU, where `ss` takes 0.2 s and its text
0.03 s more. Each end is asked only for what the other cannot know: the server, whether the app has accepted a connection;
the load host, what data it ever carried. A container sees its own connections only.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path

from .facts import read
from .processes import UnitProcesses
from .protocol import ClientEnd, ConnectionsSeen, Descriptors, Segments, ServerEnd, Silence, WatchConnections
from .unit import show

LATEST_SECONDS = 0.45
"""How late a count may end. It is planned for a little more than that before the load's end."""

MANY_HELD = 0.4
"""From this share of the local ports on, closed connections are counted by their port: two ends below it cannot hold all."""

PATIENCE_SECONDS = 2.0

FAMILIES = (socket.AF_INET, socket.AF_INET6)
ESTABLISHED, OPENING, TIME_WAIT, CLOSED_BY_SERVER, LISTENING = 1, 2, 6, 8, 10
"""States of a TCP connection, as the kernel numbers them."""

SILENCES = tuple(sorted(part * 2.0**power for power in range(-1, 12) for part in (0.5, 0.75)))
"""The times for which it is counted how many connections have been silent, in seconds."""

FEW = 5
"""A connection with so many times fewer replies than the median one has few."""

_SOCK_DIAG, _BY_FAMILY = 4, 20
_DUMP = 0x301
"""The flags of a request for a whole table."""

_ERROR, _DONE = 2, 3
_BUFFER = 1 << 18
_ANY_COOKIE = (1 << 64) - 1

_HEADER = struct.Struct("=IHHII")
_PORTS = 20
_STATE = 16
"""Where the word is in a message that has a socket's state as its second byte."""
_INODE = 84
"""Where a socket's inode is in a message; 0: no process has the socket, because it was not accepted."""
_ATTRIBUTES = 88
_TCP_INFO = 2
_LAST_DATA, _RECEIVED, _SEGMENTS_IN = 52, 128, 152
"""In `struct tcp_info`: milliseconds since data came last, bytes that came, in 64 bits, and segments with data."""


NO_CLIENT = ClientEnd(None, None, 0, None, 0)
NO_SERVER = ServerEnd(None, None, 0, None)
"""What is not known yet."""


class NotToldError(Exception):
    """The kernel does not tell its sockets here."""


def sockets(family: int, *states: int, here: int = 0, there: int = 0, info: bool = False) -> list[memoryview]:
    """Return the TCP sockets in some states, by their own port or that of the other end: messages of the kernel, one after
    the other, in groups of messages of one length, as 32-bit words. With `info`, each has its tcp_info. Raises NotToldError.
    """
    asked = sum(1 << state for state in states)
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, 1 << (_TCP_INFO - 1) if info else 0, 0, asked)
    ports = struct.pack(">HH", here, there)
    try:
        messages = _dump(body + ports + bytes(32) + struct.pack("=IQ", 0, _ANY_COOKIE))
    except OSError as error:
        raise NotToldError(str(error)) from None
    return [memoryview(one).cast("I") for one in _by_length(messages)]


def of_client(port: int) -> list[memoryview]:
    """Return the load host's ends of the connections to a port. Raises NotToldError.

    The table of each family costs a few milliseconds, however few of its sockets are asked for. A load uses one family.
    """
    states = (ESTABLISHED, OPENING, CLOSED_BY_SERVER)
    found = sockets(socket.AF_INET, *states, there=port, info=True)
    return found or sockets(socket.AF_INET6, *states, there=port, info=True)


def of_server(port: int) -> list[memoryview]:
    """Return the server's ends of the connections to a port, of the families that are listened to. Raises NotToldError."""
    families = [family for family in FAMILIES if sockets(family, LISTENING, here=port)]
    return [group for family in families for group in sockets(family, ESTABLISHED, here=port)]


def _dump(body: bytes) -> bytes:
    """Ask the kernel for a table of sockets, and return its messages. Raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.settimeout(PATIENCE_SECONDS)
        kernel.send(_HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _DUMP, 1, 0) + body)
        parts: list[bytes] = []
        while True:
            part = kernel.recv(_BUFFER)
            kind = struct.unpack_from("=H", part, 4)[0]
            if kind == _DONE:
                return b"".join(parts)
            if kind == _ERROR:
                code = -struct.unpack_from("=i", part, _HEADER.size)[0]
                raise OSError(code, os.strerror(code))
            parts.append(part)


def _by_length(messages: bytes) -> list[bytes]:
    """Return messages in groups of one length: the numbers of such a group can be read without a loop."""
    if not messages:
        return []
    words = memoryview(messages).cast("I")
    first = words[0]
    # As a rule all are alike.
    if len(messages) % first == 0 and set(words[:: first // 4]) == {first}:
        return [messages]
    groups: dict[int, list[bytes]] = {}
    at = 0
    while at < len(messages):
        size = (words[at // 4] + 3) & ~3
        groups.setdefault(size, []).append(messages[at : at + size])
        at += size
    return [b"".join(group) for group in groups.values()]


def _column(groups: Iterable[memoryview], place: int) -> list[int]:
    """Return the number at a place of each message."""
    return [number for words in groups for number in words[place // 4 :: (words[0] + 3) // 4].tolist()]


def _info(groups: Iterable[memoryview], place: int) -> list[int]:
    """Return the number at a place of each socket's tcp_info. Raises NotToldError for an older kernel's, which lacks it."""
    return [number for words in groups for number in _column([words], _info_at(words) + place)]


def _sum(groups: Iterable[memoryview], place: int) -> int:
    """Return the sum of the numbers of 64 bits at a place of all tcp_info. Raises NotToldError."""
    groups = list(groups)
    low, high = sum(_info(groups, place)), sum(_info(groups, place + 4))
    return low + (high << 32) if sys.byteorder == "little" else high + (low << 32)


def _info_at(words: memoryview) -> int:
    """Return where the tcp_info is in the messages of a group. Raises NotToldError."""
    message = words[: (words[0] + 3) // 4].tobytes()
    at = _ATTRIBUTES
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == _TCP_INFO and length >= 4 + _SEGMENTS_IN + 4:
            return at + 4
        at += max(4, (length + 3) & ~3)
    raise NotToldError("no tcp_info")


def client_end(found: Sequence[memoryview]) -> ClientEnd:
    """Return what the load host's ends of connections tell. Raises NotToldError."""
    states = [word >> 8 & 0xFF for word in _column(found, _STATE)]
    there = [state == ESTABLISHED for state in states]
    received, silent = (list(compress(_info(found, place), there)) for place in (_SEGMENTS_IN, _LAST_DATA))
    return replace(
        NO_CLIENT,
        established=len(received),
        unanswered=received.count(0),
        changing=len(states) - len(received),
        silences=_silences(silent, received),
        segments=_spread(received),
        received_bytes=_sum(found, _RECEIVED),
    )


def _silences(milliseconds: Sequence[int], received: Sequence[int]) -> tuple[Silence, ...]:
    """Count the connections that have been silent for some times, by how long each has been and how much it received."""
    all_of_them = sorted(milliseconds)
    unanswered = sorted(silent for silent, count in zip(milliseconds, received, strict=True) if not count)
    found: list[Silence] = []
    for seconds in SILENCES:
        every, never = (len(one) - bisect_left(one, 1000 * seconds) for one in (all_of_them, unanswered))
        if not every:
            break
        found.append(Silence(seconds, every, never))
    return tuple(found)


def _spread(received: Sequence[int]) -> Segments | None:
    """Return the spread of what connections received."""
    if not received:
        return None
    ordered, last = sorted(received), len(received) - 1
    least, p10, median, most = (ordered[int(share * last)] for share in (0, 0.1, 0.5, 1))
    return Segments(least, p10, median, most, few=bisect_left(ordered, median / FEW))


def descriptors(pids: Iterable[int]) -> Descriptors | None:
    """Count the open descriptors of processes; None when none of them can be seen."""
    found: list[tuple[int, int]] = []
    for pid in pids:
        limit = re.search(r"^Max open files\s+(\d+)", read(f"/proc/{pid}/limits"), re.MULTILINE)
        with contextlib.suppress(OSError):
            folder = Path(f"/proc/{pid}/fd")
            # Since Linux 6.2 the folder's size is their number; before, they are listed.
            count = folder.stat().st_size or sum(1 for _ in folder.iterdir())
            found.append((count, int(limit[1]) if limit else 0))
    if not found:
        return None
    most, limit_of_it = max(found, key=lambda one: one[0] / one[1] if one[1] else 0.0)
    return Descriptors(most, limit_of_it, sum(count for count, _ in found))


def _opened() -> tuple[int, int]:
    """Return how many connections this host has begun, and how many came to it, since it was started."""
    names, values = (line.split() for line in read("/proc/net/snmp").splitlines() if line.startswith("Tcp:"))
    counts = dict(zip(names, values, strict=False))
    return int(counts["ActiveOpens"]), int(counts["PassiveOpens"])


def _local_ports() -> int:
    first, last = (int(word) for word in (read("/proc/sys/net/ipv4/ip_local_port_range") or "32768 60999").split())
    return last - first + 1


def _time_wait(*, here: int = 0, there: int = 0) -> int | None:
    """Return how many closed connections with a port are held; None where all of the host's are too few to matter."""
    held = re.search(r"^TCP:.* tw (\d+)", read("/proc/net/sockstat"), re.MULTILINE)
    if held is None or int(held[1]) < MANY_HELD * _local_ports():
        return None
    try:
        ports = [one for family in FAMILIES for one in _column(sockets(family, TIME_WAIT), _PORTS)]
    except NotToldError:
        return None
    # Looked at here as well, because not every kernel selects closed connections by their port.
    wanted, at = here or there, 0 if here else 1
    return [struct.unpack(">HH", struct.pack("=I", pair))[at] for pair in ports].count(wanted)


class ConnectionWatch:
    """Counts the connections to a port once, in a thread of its own, at the time that an operation names."""

    def __init__(self, op: WatchConnections) -> None:
        self._op = op
        self._due = time.monotonic() + op.seconds
        self._stopped = threading.Event()
        self._active, self._passive = _opened()
        self._seen = ConnectionsSeen()
        self._processes = UnitProcesses(show(op.unit, "ControlGroup").get("ControlGroup", "")) if op.unit else None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """The count is over."""
        return not self._thread.is_alive()

    def stop(self) -> ConnectionsSeen:
        """End, and return what was counted, with the connections that were opened until now."""
        self._stopped.set()
        self._thread.join()
        active, passive = _opened()
        client, server = self._seen.client or NO_CLIENT, self._seen.server or NO_SERVER
        return replace(
            self._seen,
            client=replace(client, opened=active - self._active, local_ports=_local_ports()) if self._op.client else None,
            server=replace(server, opened=passive - self._passive) if self._op.server else None,
        )

    def _run(self) -> None:
        if self._stopped.wait(max(0.0, self._due - time.monotonic())):
            return
        began = time.thread_time()
        client = self._client() if self._op.client else None
        server = self._server() if self._op.server else None
        files = descriptors(self._processes.pids()) if self._processes else None
        # A machine under full load may give us our turn too late: what was counted then may be the end of the load.
        if time.monotonic() - self._due < LATEST_SECONDS:
            self._seen = ConnectionsSeen(client, server, files, round(time.thread_time() - began, 5))

    def _client(self) -> ClientEnd:
        end = NO_CLIENT
        with contextlib.suppress(NotToldError):
            end = client_end(of_client(self._op.port))
        return replace(end, time_wait=_time_wait(there=self._op.port))

    def _server(self) -> ServerEnd:
        established = unaccepted = None
        with contextlib.suppress(NotToldError):
            inodes = _column(of_server(self._op.port), _INODE)
            established, unaccepted = len(inodes), inodes.count(0)
        return replace(
            NO_SERVER,
            established=established,
            unaccepted=unaccepted,
            time_wait=_time_wait(here=self._op.port),
        )
