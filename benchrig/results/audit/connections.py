"""Warnings about the connections that were really there, as the kernels of both ends counted them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Unit, Value, Warning, number

FEW = 0.01
"""Up to this share of the connections, their lack changes no figure by more than its noise."""

TURNS = 4
"""Connections without a reply are not merely waiting where the others had so many replies each."""

REQUESTS_PER_CONNECTION = 10
"""A server whose connections carry fewer requests than that is measured by the connections that it accepts."""

MOST_OF_THE_LOAD = 0.25
"""A connection that the server is about to close has carried almost nothing; all together less than this share."""

STRANGERS = 50
"""Connections that other programs may open during a load."""

AT_LIMIT = 2
"""Descriptors that a process at its limit may have left: some keep one to refuse a connection with."""

PORTS_HELD = 0.95


def opened_again(cell: Cell) -> int | None:
    """Return how many connections were opened during the load beside those that were asked for; None: not known.

    The kernels count all of a machine's. Of a server, that includes SSH and the app's own sessions with a database there; of
    a load host that is another machine, hardly any beside the load generator's.
    """
    seen = cell.connections_seen
    if seen is None or seen.client is None:
        return None
    opened = seen.client.opened
    if cell.load_on_server and seen.server:
        sessions = cell.database.sessions if cell.database and cell.database.on_server else 0
        opened = min(opened, seen.server.opened) - sessions
    again = opened - cell.connections
    carried = _carried(cell)
    if carried and cell.load and _keeps_alive(cell):
        # The app's own connections, to a database or another server, are among those counted. The load's carried requests.
        again = min(again, int((1 - carried.share) * cell.load.requests / carried.each))
    return again if again > STRANGERS else 0


@dataclass(frozen=True)
class _Carried:
    """What the connections that were there at the end had carried until then."""

    share: float
    """Of all bytes of the load."""
    each: float
    """Requests that one of them carried on average."""


def _carried(cell: Cell) -> _Carried | None:
    """Return what the connections there at the end had carried; None: not known, or there were none."""
    client, load = cell.connections_seen.client if cell.connections_seen else None, cell.load
    if not (client and client.established and client.received_bytes is not None and load and load.bytes):
        return None
    share = min(1.0, client.received_bytes / load.bytes)
    return _Carried(share, share * load.requests / client.established)


def _keeps_alive(cell: Cell) -> bool:
    """Tell whether the connections that were there at the end show that the server does not close them after few requests.

    Neither the ports that are held nor the connections that were opened show that: a reset holds no port, the kernel drops
    closed connections above a limit and keeps those of an earlier row, and the app may have connections of its own.
    """
    carried = _carried(cell)
    return carried is not None and (carried.each >= REQUESTS_PER_CONNECTION or carried.share >= MOST_OF_THE_LOAD)


def closes(cell: Cell) -> bool:
    """Tell whether the server closes connections after few requests, so that some of them are never there."""
    again, load = opened_again(cell), cell.load
    return bool(again and load and not _keeps_alive(cell) and again * REQUESTS_PER_CONNECTION >= load.requests)


def connections_there(cell: Cell) -> int | None:
    """Return how many connections had a part in the load, where that is fewer than asked for; None: not known, or as many.

    One that waits in a long queue has a part, answered or not: a server that is so slow would not be faster with it.
    """
    seen, load = cell.connections_seen, cell.load
    if not (seen and seen.client and load) or seen.client.established is None or closes(cell):
        return None
    for there in (seen.served, seen.client.established):
        if there is not None and load.requests >= TURNS * there:
            return there if there < (1 - FEW) * cell.connections else None
    return None


def _no_keep_alive(cell: Cell, _: Run) -> Iterator[Warning]:
    again, load = opened_again(cell), cell.load
    if closes(cell) and again and load:
        # A connection of the load carries a request: more of them are the app's own.
        opened = min(again, load.requests) + cell.connections
        values = {"opened": number(opened), "each": number(load.requests / opened, Unit.TIMES)}
        yield Warning(Code.NO_KEEP_ALIVE, cell.host, values)


def _ports_held(cell: Cell, _: Run) -> Iterator[Warning]:
    seen = cell.connections_seen
    # Ports that an earlier row left held are nothing to connections that stay.
    if seen is None or seen.client is None or _keeps_alive(cell):
        return
    # Whichever end closes first holds the pair of ports, so that the load host cannot use its own for that server.
    held = (seen.client.time_wait or 0) + ((seen.server.time_wait if seen.server else 0) or 0)
    if held >= PORTS_HELD * seen.client.local_ports:
        values = {"held": number(held), "ports": number(seen.client.local_ports)}
        yield Warning(Code.PORTS_HELD, cell.host, values, invalid=True)


def _dead(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect connections that were there and had no part in the load: never accepted, or accepted and never answered."""
    seen, load = cell.connections_seen, cell.load
    if not (seen and seen.client and load) or closes(cell):
        return
    client, server, served = seen.client, seen.server, seen.served
    if client.established is None or client.unanswered is None or served is None:
        return
    unaccepted = 0
    if server and server.established is not None and server.unaccepted is not None:
        # A full backlog leaves connections that the load host has and the server does not.
        unaccepted = max(0, client.established - (server.established - server.unaccepted))
    unfair = load.requests >= TURNS * served
    for case, count in {"unaccepted": unaccepted, "unanswered": client.unanswered - unaccepted}.items():
        if count > _in_between(cell):
            values: dict[str, Value] = {"case": case, "dead": number(count), "connections": number(cell.connections)}
            yield Warning(Code.DEAD_CONNECTIONS, cell.host, values, invalid=unfair and count > FEW * cell.connections)


def _missing(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect connections that were not there at the end: never made, or lost during the load."""
    seen, load = cell.connections_seen, cell.load
    if not (seen and seen.client and load) or seen.client.established is None or closes(cell):
        return
    missing = cell.connections - seen.client.established
    if missing > _in_between(cell):
        unfair = load.requests >= TURNS * seen.client.established
        values = {"established": number(seen.client.established), "connections": number(cell.connections)}
        yield Warning(Code.MISSING_CONNECTIONS, cell.host, values, invalid=unfair and missing > FEW * cell.connections)


def _in_between(cell: Cell) -> int:
    """Return how many connections may be between two uses at any time, because the server closes some now and then."""
    again, load = opened_again(cell), cell.load
    if not (again and load and load.requests and cell.duration_seconds):
        return 0
    # One that was opened again waits for its reply about as long as any.
    return ceil(3 * again / cell.duration_seconds * max(0.01, cell.connections / load.requests_per_second))


def _descriptors(cell: Cell, _: Run) -> Iterator[Warning]:
    files = cell.connections_seen.descriptors if cell.connections_seen else None
    if files and files.limit and files.most >= files.limit - AT_LIMIT:
        values = {"open": number(files.most), "limit": number(files.limit)}
        yield Warning(Code.DESCRIPTOR_LIMIT, cell.host, values, invalid=True)


def _wrong_after(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.wrong_after:
        yield Warning(Code.WRONG_AFTER, cell.host, {"reason": cell.wrong_after}, invalid=True)


DETECTORS: tuple[Detector, ...] = (_descriptors, _dead, _missing, _wrong_after, _no_keep_alive, _ports_held)
