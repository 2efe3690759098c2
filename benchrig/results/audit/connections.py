"""Warnings about the connections that were really there, as the kernels of both ends counted them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run, Silence
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

PORTS_HELD, PORTS_HELD_AND_FEW = 0.95, 0.8
"""Ports are released and held anew all the time: connections that are not there say that too few are left."""

SILENT_SECONDS = 0.5
"""A connection without a reply for less time may have been overlooked by chance."""

ENOUGH_SEGMENTS = 50
"""From so many replies on, a connection that got a fifth of them did not by chance."""


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
    if carried and carried.each and cell.load and _keeps_alive(cell):
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
    """Tell whether the server closes connections after few requests, so that their rate is measured."""
    again, load = opened_again(cell), cell.load
    return bool(again and load and not _keeps_alive(cell) and again * REQUESTS_PER_CONNECTION >= load.requests)


def connections_there(cell: Cell) -> int | None:
    """Return how many connections had a part in the load, where that is fewer than asked for; None: not known, or as many.

    One that waits in a long queue has a part, answered or not: a server that is so slow would not be faster with it. So has
    one that is between two uses, because the server closes connections.
    """
    seen, load = cell.connections_seen, cell.load
    if not (seen and seen.client and load) or seen.client.established is None:
        return None
    for few in (answered(cell), cell.connections - (_not_there(cell) or 0)):
        if load.requests >= TURNS * few:
            return few if few < (1 - FEW) * cell.connections else None
    return None


def _no_keep_alive(cell: Cell, _: Run) -> Iterator[Warning]:
    again, load = opened_again(cell), cell.load
    if not (again and load and load.requests > 0):
        return
    values: dict[str, Value]
    if closes(cell):
        # A connection of the load carries a request: more of them are the app's own.
        opened = min(again, load.requests) + max(0, cell.connections)
        values = {"case": "each", "opened": number(opened), "each": number(load.requests / opened, Unit.TIMES)}
        yield Warning(Code.NO_KEEP_ALIVE, cell.host, values)
    elif again > FEW * load.requests and again > cell.connections / 4:
        # A smaller part of them may be of the app, and have been opened after the count.
        values = {"case": "some", "again": number(again), "share": number(100 * again / load.requests, Unit.PERCENT)}
        yield Warning(Code.NO_KEEP_ALIVE, cell.host, values)


def _ports_held(cell: Cell, _: Run) -> Iterator[Warning]:
    seen = cell.connections_seen
    # Ports that an earlier row left held are nothing to connections that stay.
    if seen is None or seen.client is None or _keeps_alive(cell):
        return
    # Whichever end closes first holds the pair of ports, so that the load host cannot use its own for that server.
    held = (seen.client.time_wait or 0) + ((seen.server.time_wait if seen.server else 0) or 0)
    established = seen.client.established
    # One that is being opened for long has a port that the server still holds.
    few = bool(_not_there(cell)) or (established is not None and established < cell.connections / 2)
    if held >= (PORTS_HELD_AND_FEW if few else PORTS_HELD) * seen.client.local_ports:
        values = {"held": number(held), "ports": number(seen.client.local_ports)}
        yield Warning(Code.PORTS_HELD, cell.host, values, invalid=True)


def _dead(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect connections that were there and had no part in the load, or no longer."""
    load, dead = cell.load, _without_reply(cell)
    unfair = bool(load and load.requests >= TURNS * answered(cell))
    for case, count in dead.items():
        if count:
            values: dict[str, Value] = {"case": case, "dead": number(count), "connections": number(cell.connections)}
            if case == "quiet":
                values["silent"] = number(_quiet_seconds(cell), Unit.SECONDS)
            yield Warning(Code.DEAD_CONNECTIONS, cell.host, values, invalid=unfair and count > FEW * cell.connections)


def _without_reply(cell: Cell) -> dict[str, int]:
    """Return how many connections were dead, by what was wrong: never accepted, never answered, or answered no longer."""
    seen = cell.connections_seen
    if not (seen and seen.client and cell.load):
        return {}
    client, server = seen.client, seen.server
    if client.established is None or client.unanswered is None:
        return {}
    unanswered, quiet = client.unanswered, 0
    if client.silences is not None:
        # One that was opened just now has no reply yet, and is not dead.
        age = _silent_seconds(cell) if opened_again(cell) else min(SILENT_SECONDS, cell.duration_seconds / 4)
        unanswered = _silent_for(client.silences, age).unanswered
        silent = _silent_for(client.silences, _silent_seconds(cell))
        # Where all are silent, it is the server that stands still, and not some connections.
        goes_on = silent.connections < client.established and not cell.load.pauses
        quiet = silent.connections - silent.unanswered if goes_on else 0
    elif opened_again(cell):
        return {}
    unaccepted = 0
    if server and server.established is not None and server.unaccepted is not None:
        # A full backlog leaves connections that the load host has and the server does not.
        unaccepted = max(0, client.established - (server.established - server.unaccepted))
    unaccepted = min(unaccepted, unanswered)
    return {"unaccepted": unaccepted, "unanswered": unanswered - unaccepted, "quiet": quiet}


def answered(cell: Cell) -> int:
    """Return how many connections are neither missing nor dead, as far as is known."""
    return cell.connections - (_not_there(cell) or 0) - sum(_without_reply(cell).values())


def _silent_seconds(cell: Cell) -> float:
    """Return after which time without a reply a connection is dead, where the others are answered."""
    load = cell.load
    if load is None or not load.requests_per_second:
        return inf
    slowest = max(load.latency.max_us / 1e6, cell.timeout_seconds if load.errors.timeout else 0.0)
    least = min(SILENT_SECONDS, cell.duration_seconds / 4)
    return max(least, 2 * slowest, 3 * cell.connections / load.requests_per_second)


def _quiet_seconds(cell: Cell) -> float:
    """Return for how long all connections that are answered no longer have been silent."""
    client = cell.connections_seen.client if cell.connections_seen else None
    silences = client.silences if client and client.silences else ()
    silent = _silent_for(silences, _silent_seconds(cell))
    return max((one.seconds for one in silences if one.connections == silent.connections), default=silent.seconds)


def _silent_for(silences: tuple[Silence, ...], seconds: float) -> Silence:
    """Return how many connections had been silent for a time, or for the next longer one that was counted."""
    return next((one for one in silences if one.seconds >= seconds), Silence(seconds, 0, 0))


def _not_there(cell: Cell) -> int | None:
    """Return how many connections were not there at the end, beyond those in between two uses; None: not known."""
    seen = cell.connections_seen
    if not (seen and seen.client) or seen.client.established is None:
        return None
    if seen.client.changing is None and closes(cell):
        return None
    missing = cell.connections - seen.client.established - (seen.client.changing or 0)
    return missing if missing > _in_between(cell) else 0


def _missing(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect connections that were not there at the end: never made, or lost during the load."""
    missing, load = _not_there(cell), cell.load
    if missing and load:
        there = cell.connections - missing
        unfair = load.requests >= TURNS * there
        values = {"established": number(there), "connections": number(cell.connections)}
        yield Warning(Code.MISSING_CONNECTIONS, cell.host, values, invalid=unfair and missing > FEW * cell.connections)


def _in_between(cell: Cell) -> int:
    """Return how many connections may be between two uses at any time, because the server closes some now and then.

    The kernel's table is not read at once: where connections come and go, some are in it twice, and some not at all.
    """
    again, load = opened_again(cell), cell.load
    if not (again and load and load.requests_per_second and cell.duration_seconds):
        return 0
    # One that was opened again waits for its reply about as long as any.
    each = 3 * again / cell.duration_seconds * max(0.01, cell.connections / load.requests_per_second)
    return min(ceil(each), cell.connections // 2)


def _unequal(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect connections that got far fewer replies than most: they are slow, and count for little in the latencies."""
    client = cell.connections_seen.client if cell.connections_seen else None
    if not (client and client.segments and cell.load) or opened_again(cell):
        return
    dead, spread = sum(_without_reply(cell).values()), client.segments
    if spread.median >= ENOUGH_SEGMENTS and spread.few - dead > FEW * cell.connections:
        values = {
            "few": number(spread.few - dead),
            "connections": number(cell.connections),
            "least": number(spread.least),
            "median": number(spread.median),
        }
        yield Warning(Code.UNEQUAL_CONNECTIONS, cell.host, values)


def _descriptors(cell: Cell, _: Run) -> Iterator[Warning]:
    files = cell.connections_seen.descriptors if cell.connections_seen else None
    if files and files.limit and files.most >= files.limit - AT_LIMIT:
        values = {"open": number(files.most), "limit": number(files.limit)}
        yield Warning(Code.DESCRIPTOR_LIMIT, cell.host, values, invalid=True)


def _wrong_after(cell: Cell, _: Run) -> Iterator[Warning]:
    if cell.wrong_after:
        yield Warning(Code.WRONG_AFTER, cell.host, {"reason": cell.wrong_after}, invalid=True)


DETECTORS: tuple[Detector, ...] = (_descriptors, _dead, _missing, _unequal, _wrong_after, _no_keep_alive, _ports_held)
