"""Steadiness of a series that no machine can have read: it is as if there was none, and nothing crashes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchrig.agent.bench import protocol
from benchrig.bench import records
from benchrig.bench.progress import outcome
from benchrig.report.sentences import sentence
from benchrig.results import audit
from benchrig.results.model import Cell, LoadThread, Series
from benchrig.results.steadiness import of_cell
from tests.support.reports import GENERATOR, a_run
from tests.support.series import a_cell_of, flat

CELL = a_cell_of(flat)
assert CELL.server
SERIES = CELL.server.series
LENGTH = len(SERIES.end_seconds)

WRONG = {
    "a negative count": {"segments": (5, -5) * (LENGTH // 2) + (0,) * (LENGTH % 2)},
    "a count of too many digits": {"segments": (2**60,) * LENGTH},
    "negative memory": {"memory_bytes": (-1,) * LENGTH},
    "connections of too many digits": {"opened": (2**62,) * LENGTH},
    "an end that comes at once": {"end_seconds": (1e-300, *SERIES.end_seconds[1:])},
    "an end that is before the one before it": {"end_seconds": SERIES.end_seconds[::-1]},
    "an end before the begin": {"end_seconds": (-1.0, *SERIES.end_seconds[1:])},
    "an end that never comes": {"end_seconds": (*SERIES.end_seconds[:-1], 1e99)},
    "a list that is too short": {"segments": SERIES.segments[:-1]},
    "a list that is missing": {"app_cpu_seconds": ()},
}


def having(series: Series) -> Cell:
    """Return a cell with this series."""
    assert CELL.server
    return replace(CELL, server=replace(CELL.server, series=series))


def told(cell: Cell) -> None:
    """Do with a cell what `bench` and `report` do with it: say how it went, and what is wrong."""
    outcome(cell, "row")
    for warning in audit.warnings(cell, a_run()):
        assert not re.search(r"\b(inf|nan)\b", sentence(warning))


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_series_that_no_machine_can_have_read_is_none(changes: dict[str, tuple[float, ...]]) -> None:
    wrong = replace(SERIES, **changes)  # type: ignore[arg-type]
    assert SERIES.is_sound
    assert of_cell(CELL)
    assert not wrong.is_sound
    assert of_cell(having(wrong)) is None
    told(having(wrong))
    load = protocol.ServerLoad(*[0] * 14, series=protocol.Series(**vars(wrong)))
    assert records.server_load(load).series == Series()


def test_two_readings_at_the_same_time_are_no_fault() -> None:
    ends = SERIES.end_seconds
    assert replace(SERIES, end_seconds=(*ends[:-1], ends[-2])).is_sound


NUMBERS = st.floats(-1e99, 1e99) | st.floats(0, 100) | st.sampled_from([1e-300, 5e-324, 1e-5, -1e-5, 0.0])
COUNTS = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(0, 2**53) | st.integers(-10, 10)


@st.composite
def series_of(draw: st.DrawFn) -> Series:
    """Return a series with some values that are anything."""
    fields = {}
    for name, values in vars(SERIES).items():
        changed = list(values)
        of = NUMBERS if isinstance(changed[0], float) else COUNTS
        for place, value in draw(st.dictionaries(st.integers(0, LENGTH - 1), of, max_size=3)).items():
            changed[place] = value
        fields[name] = tuple(sorted(changed) if draw(st.booleans()) else changed)
    return Series(**fields)


@settings(max_examples=200, deadline=None)
@given(series_of(), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_no_series_and_no_count_makes_a_judgement_fail(
    series: Series, duration: int, requests: int, connections: int
) -> None:
    told(having(series))
    assert CELL.load
    cell = replace(having(series), connections=connections)
    of_cell(replace(cell, load=replace(CELL.load, duration_us=duration, requests=requests)))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, COUNTS), max_size=4))
def test_no_times_of_threads_make_an_audit_fail(times: list[tuple[float, float, float, int]]) -> None:
    threads = records.load_threads([protocol.LoadThread(*one) for one in times])
    told(replace(CELL, generator=replace(GENERATOR, threads=threads)))
    told(replace(CELL, generator=replace(GENERATOR, threads=tuple(LoadThread(*one) for one in times))))


def test_threads_beyond_those_that_an_agent_sends_are_not_stored() -> None:
    thread = protocol.LoadThread(5.0, 1.0, 0.0, 100)
    assert len(records.load_threads([thread] * 200_000)) == 64
