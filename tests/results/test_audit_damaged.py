"""Records that no measurement makes, by hand or by damage: every number of a cell may be 0, below it, or enormous."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

from benchrig.report import Report, compare
from benchrig.report.compare import terminal
from benchrig.report.table import make
from benchrig.results import audit, formats
from benchrig.results.codes import Code
from benchrig.results.model import (
    Cell,
    CpuShares,
    DatabaseLoad,
    Generator,
    LoadThread,
    MachineLoad,
    Network,
    Run,
    Segments,
    Series,
    Silence,
)
from tests.support.reports import GENERATOR, SERVER, a_cell, a_load, a_run, with_client

Place = tuple[str | int, ...]

SERIES = Series(
    end_seconds=tuple(round(0.1 * i, 1) for i in range(1, 51)),
    segments=tuple(100 + i % 7 for i in range(50)),
    opened=(2000, *[0] * 49),
    app_cpu_seconds=(0.05,) * 50,
    memory_bytes=tuple(30_000_000 + 400_000 * i for i in range(50)),
)

CELL = a_cell(
    load=replace(a_load(), thread_requests=(24_000,) * 4, thread_requests_per_second=4800.0, silent_us=900_000, depth=1),
    generator=replace(GENERATOR, threads=(LoadThread(5.0, 4.9, 0.05, 3),)),
    server=replace(SERVER, series=SERIES),
    beside=(MachineLoad("load1", True, False, CpuShares(5.0, 40.0, 0.0, 1.0)),),
    connections_seen=with_client(
        opened=9000, received_bytes=4_000_000, silences=(Silence(0.5, 3, 1),), segments=Segments(45, 47, 48, 50, few=0)
    ),
    database=DatabaseLoad(stored=96_000, sessions=10, commits=1, rollbacks=0, cpu_seconds=0.1),
)
"""A cell of which everything is known."""

RUN = replace(a_run("go-2000"), servers=("lab1",), networks=(Network("load1", "lab1", 100.0, 120.0, 1e9),))


DIVISORS = {
    "connections",
    "threads",
    "duration_seconds",
    "requests",
    "duration_us",
    "bytes",
    "mean_us",
    "wall_seconds",
    "seconds",
    "established",
    "received_bytes",
    "opened",
}
"""Numbers that others are divided by."""


def places(data: Any, at: Place = ()) -> Iterator[Place]:
    """Yield where the numbers of a document are; of a list, where its first one is."""
    if isinstance(data, dict):
        for name, value in data.items():
            yield from places(value, (*at, name))
    elif isinstance(data, list):
        for number, value in enumerate(data[:1]):
            yield from places(value, (*at, number))
    elif isinstance(data, (int, float)) and not isinstance(data, bool):
        yield at


WRITTEN: dict[str, Any] = json.loads(formats.text_of(CELL))
PLACES = [place for place in places(WRITTEN) if place not in (("format",), ("repeat",), ("part",))]


def with_values(value: float, *at: Place) -> Cell | None:
    """Return the cell with a value in some places; None where the reader refuses it."""
    data = copy.deepcopy(WRITTEN)
    for place in at:
        inner = data
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = value
    try:
        return formats.read_cell(data).record
    except formats.FormatError:
        return None


def test_the_cell_has_numbers_of_every_part() -> None:
    assert len(PLACES) > 80
    assert {place[0] for place in PLACES} >= {"load", "generator", "server", "beside", "connections_seen", "database"}


@pytest.mark.parametrize("value", [0, -1, 10**15])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_run_with_any_number_is_audited_shown_and_compared(place: Place, value: float) -> None:
    cell = with_values(value, place)
    if cell is None:
        return
    sound = [replace(CELL, repeat=repeat) for repeat in (2, 3)]
    table = make(RUN, [cell, *sound])
    if value == 0:
        assert terminal.render(compare([Report(make(RUN, [CELL, *sound])), Report(table)])).text
    assert table.rows[0].ceiling is None or table.rows[0].ceiling > 0


def test_two_numbers_that_are_0_at_once_are_audited() -> None:
    for two in combinations((place for place in PLACES if place[-1] in DIVISORS), 2):
        if cell := with_values(0, *two):
            audit.warnings(cell, RUN)


def test_more_replies_checked_than_requests_made_leave_none_unchecked() -> None:
    cell = a_cell(load=replace(a_load(), requests=0, replies_checked=50_000))
    assert Code.PARTLY_CHECKED not in {warning.code for warning in audit.warnings(cell, RUN)}


def test_a_run_on_a_network_without_bandwidth_is_audited() -> None:
    run: Run = replace(RUN, networks=(replace(RUN.networks[0], bandwidth_bits_per_second=0.0),))
    assert audit.warnings(CELL, run) == audit.warnings(CELL, replace(run, networks=()))


def test_a_generator_without_threads_and_without_time_is_audited() -> None:
    cell = replace(CELL, threads=0, generator=Generator(("wrk",), 0, wall_seconds=0.0, cpu_seconds=0.0))
    assert audit.warnings(cell, RUN)
