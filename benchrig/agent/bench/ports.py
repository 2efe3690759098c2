"""TCP ports: reserved for an app, checked to be free, and the process that holds one."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .facts import read
from .protocol import Port

RESERVED_PORTS = "/proc/sys/net/ipv4/ip_local_reserved_ports"


STOP_SECONDS = 10.0


def reserve(port: int) -> None:
    """Reserve a port, so that the kernel does not give it to a client from its local range."""
    reserved = read(RESERVED_PORTS)
    ranges = [part.partition("-") for part in reserved.split(",") if part]
    if any(int(first) <= port <= int(last or first) for first, _, last in ranges):
        return
    # Some containers refuse it; a port that is taken is reported in any case.
    with contextlib.suppress(OSError):
        Path(RESERVED_PORTS).write_text(f"{reserved},{port}".lstrip(","), encoding="ascii")


def await_free(port: int) -> Port:
    """Wait until a port is free of our apps; return whose it is when another program has it, or ours does not end."""
    deadline = time.monotonic() + STOP_SECONDS
    while not is_free(port):
        found = holder(port)
        if time.monotonic() > deadline or (found.pid and "benchrig-" not in read(f"/proc/{found.pid}/cgroup")):
            return found
        time.sleep(0.01)
    return Port(True)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As a server does: connections that are closing do not block the port, a listener does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def holder(port: int, besides: int = -1) -> Port:
    """Return the process that holds a port: the one that listens on it, else one with a connection from it.

    The sockets of the user id `besides` are left out.
    """
    sockets = {name: listens for name, at, uid, listens in _sockets() if at == port and uid != besides}
    found = Port(False)
    for process in Path("/proc").glob("[0-9]*"):
        for name in sockets.keys() & _open_files(process):
            found = Port(False, int(process.name), _command(process), sockets[name])
            if found.listens:
                return found
    return found


def _command(process: Path) -> str:
    return read(process / "cmdline").replace("\0", " ").strip()


def _open_files(process: Path) -> set[str]:
    """Return what a process's descriptors point to; what it closes meanwhile is left out."""
    found: set[str] = set()
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


def _sockets() -> Iterator[tuple[str, int, int, bool]]:
    """Yield the TCP sockets there are, as /proc names them: each with its port, its owner, and whether it listens."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in read(table).splitlines()[1:]:
            words = line.split()
            yield f"socket:[{words[9]}]", int(words[1].rpartition(":")[2], 16), int(words[7]), words[3] == "0A"


@dataclass(frozen=True)
class Listener:
    """A TCP socket that listens: its name in /proc, its port, its owner's user id, and whether it is one of IPv4."""

    name: str
    port: int
    uid: int
    ipv4: bool


def listeners(port: int | None = None) -> Iterator[Listener]:
    """Yield the TCP sockets that listen, or those of a port. They come first: the rest of a long table is not read."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), Path(table).open(encoding="ascii") as lines:
            next(lines)
            for line in lines:
                words = line.split()
                if words[3] != "0A":
                    break
                found = int(words[1].rpartition(":")[2], 16)
                if port in (None, found):
                    yield Listener(f"socket:[{words[9]}]", found, int(words[7]), table.endswith("tcp"))


def stranger(pids: Callable[[], Iterable[int]], port: int) -> Port | None:
    """Return another process that listens on a port beside `pids`, as SO_REUSEPORT permits; None when there is none."""
    sockets = {listener.name for listener in listeners(port)}
    # After the sockets, because a process may be new, and its socket is then not among them.
    own = set(pids())
    strange = sockets - set().union(*(_open_files(Path(f"/proc/{pid}")) for pid in own))
    for process in Path("/proc").glob("[0-9]*") if strange else ():
        if int(process.name) not in own and strange & _open_files(process):
            return Port(False, int(process.name), _command(process), listens=True)
    return None


def listens_elsewhere(pids: Iterable[int], port: int) -> str:
    """Return a note on processes that listen on another port, or on none; empty when they listen on this one."""
    sockets = set().union(*(_open_files(Path(f"/proc/{pid}")) for pid in pids))
    ports = sorted({listener.port for listener in listeners() if listener.name in sockets})
    return "" if port in ports else f"; it listens on {', '.join(map(str, ports)) or 'no port'}"
