"""Connections that fell silent, that are slow, or that come and go: the figures are of real cells."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell, ClientEnd, ConnectionsSeen, LoadThread, Segments, ServerEnd, Silence
from benchrig.results.warnings import Warning
from tests.support import audits
from tests.support.audits import found, slow
from tests.support.reports import GENERATOR, a_load

CLIENT = ClientEnd(50, unanswered=0, opened=50, time_wait=None, local_ports=64512, silences=())
OF_CONNECTIONS = {Code.DEAD_CONNECTIONS, Code.MISSING_CONNECTIONS, Code.UNEQUAL_CONNECTIONS, Code.PORTS_HELD}


def a_fast_cell(connections: int = 50, requests: int = 250_000, **client: object) -> Cell:
    """Return a cell of 5 s on one machine, whose slowest reply took 20 ms."""
    end = replace(CLIENT, **{"established": connections, "opened": connections} | client)  # type: ignore[arg-type]
    server = ServerEnd(end.established, unaccepted=0, opened=end.opened, time_wait=None)
    load = slow(a_load(requests), 0.97 * connections * 5e3 / requests, max_ms=20.0)
    seen = ConnectionsSeen(client=end, server=server)
    return audits.a_sound_cell(load=load, connections=connections, load_on_server=True, connections_seen=seen)


def told(cell: Cell) -> dict[Code, Warning]:
    """Return the warnings about connections that are there or not."""
    return {code: warning for code, warning in found(cell).items() if code in OF_CONNECTIONS}


def silent(*counts: tuple[float, int, int]) -> tuple[Silence, ...]:
    return tuple(Silence(*one) for one in counts)


@pytest.mark.parametrize(("connections", "dead"), [(10, 4), (50, 20), (50, 10), (50, 2), (200, 80)])
def test_connections_that_were_answered_once_and_never_again_make_a_row_invalid(connections: int, dead: int) -> None:
    cell = a_fast_cell(connections, silences=silent((0.25, dead, 0), (0.5, dead, 0), (3.0, dead, 0)))
    (warning,) = told(cell).values()
    assert sentence(warning) == (
        f"{dead} of {connections} connections got no reply for the last 3 s or more, but others did."
    )
    assert (warning.code, warning.invalid, audit.connections_there(cell)) == (
        Code.DEAD_CONNECTIONS,
        True,
        connections - dead,
    )


def test_connections_are_silent_only_after_twice_the_slowest_reply() -> None:
    cell = a_fast_cell(silences=silent((0.5, 20, 0), (1.0, 20, 0)))
    assert cell.load
    assert told(cell)
    assert not told(replace(cell, load=slow(cell.load, 1.0, max_ms=510.0)))


def test_a_queue_in_which_connections_wait_their_turn_has_no_silent_ones() -> None:
    # 500 requests in 5 s: one has its turn each 0.5 s.
    assert not told(a_fast_cell(requests=500, silences=silent((0.5, 20, 0), (1.0, 3, 0))))


def test_a_server_that_stands_still_is_silent_and_no_connection_of_it_is_dead() -> None:
    assert not told(a_fast_cell(silences=silent((0.5, 50, 0))))


def test_connections_that_had_only_just_been_opened_again_are_not_dead() -> None:
    # Each 20th request closed its connection: 120 of 500 had no reply yet.
    client = {"unanswered": 120, "opened": 7_306, "received_bytes": 1}
    cell = a_fast_cell(500, 146_000, **client)
    assert told(cell) == {}
    assert audit.connections_there(cell) is None
    (dead,) = told(a_fast_cell(500, 146_000, **client, silences=silent((0.5, 30, 30)))).values()
    assert sentence(dead).startswith("30 of 500 connections never got a reply.")


def test_a_table_that_has_connections_twice_counts_none_as_not_accepted() -> None:
    cell = a_fast_cell(established=100, unanswered=25, opened=4_010, received_bytes=1)
    seen = replace(cell.connections_seen, server=ServerEnd(48, unaccepted=1, opened=4_010, time_wait=23_550))  # type: ignore[type-var]
    assert told(replace(cell, connections_seen=seen)) == {}


def test_ports_that_leave_few_of_the_connections_are_held() -> None:
    client = {"opened": 98_000, "local_ports": 2_000, "received_bytes": 1, "unanswered": 0}
    lost = a_fast_cell(requests=98_000, established=4, changing=2, time_wait=1_779, **client)
    assert [(code, one.invalid) for code, one in told(lost).items()] == [
        (Code.MISSING_CONNECTIONS, True),
        (Code.PORTS_HELD, True),
    ]
    waiting = a_fast_cell(requests=98_000, established=4, changing=46, time_wait=1_779, **client)
    assert list(told(waiting)) == [Code.PORTS_HELD]
    there = a_fast_cell(requests=98_000, established=40, changing=8, time_wait=1_779, **client)
    assert told(there) == {}


@pytest.mark.parametrize(
    ("segments", "few"),
    [
        (Segments(225, 230, 2_250, 2_300, few=10), 10),
        (Segments(9, 2_200, 2_250, 2_300, few=1), 1),
        (Segments(2_100, 2_200, 2_250, 2_300, few=0), 0),
        (Segments(1, 2, 40, 60, few=10), 0),
    ],
)
def test_connections_that_got_far_fewer_replies_than_most(segments: Segments, few: int) -> None:
    warnings = told(a_fast_cell(segments=segments))
    assert [warning.values["few"].low for warning in warnings.values()] == [few] * bool(few)  # type: ignore[union-attr]
    assert not any(warning.invalid for warning in warnings.values())


@pytest.mark.parametrize(
    ("factor", "cpu", "wait", "broken"),
    [
        (0.533, 0.28, 0.51, True),
        (0.463, 0.22, 0.42, True),
        (0.759, 0.10, 0.41, True),
        (0.822, 0.32, 0.34, False),
        (0.925, 0.15, 0.46, False),
        (0.938, 0.09, 0.42, False),
    ],
)
def test_the_wait_of_the_load_generator_for_a_core_is_no_excuse_for_a_low_mean(
    factor: float, cpu: float, wait: float, broken: bool
) -> None:
    cell = a_fast_cell()
    assert cell.load
    threads = (LoadThread(5.0, cpu_seconds=cpu * 5, wait_seconds=wait * 5, sleeps=9),) * cell.threads
    generator = replace(GENERATOR, threads=threads, wall_seconds=5.0)
    law = replace(cell, generator=generator, load=slow(cell.load, factor, max_ms=20.0))
    assert (Code.LITTLES_LAW in found(law)) == broken
