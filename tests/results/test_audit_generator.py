"""A load generator that is the bottleneck: judged by what each of its threads got of the CPU."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchrig.report.sentences import sentence
from benchrig.results.audit.generator import _saturated
from benchrig.results.model import Generator, LoadThread
from benchrig.results.warnings import Warning
from tests.support.reports import GENERATOR, a_cell, a_run

IDLE = LoadThread(5.0, 0.5, 0.1, 5_000)


def of(*threads: LoadThread, **changes: Any) -> list[Warning]:
    """Return the warnings of a cell whose load generator had these threads, of four, with four cores."""
    generator: Generator = replace(GENERATOR, threads=threads)
    return list(_saturated(a_cell(**{"generator": generator, "threads": 4, "cores": 4, **changes}), a_run()))


@pytest.mark.parametrize(
    ("thread", "saturated"),
    [
        # Seconds, CPU seconds, waiting seconds, sleeps.
        (LoadThread(5.0, 4.8, 0.0, 500), True),
        (LoadThread(5.0, 4.5, 0.0, 500), False),
        (LoadThread(5.0, 3.0, 1.8, 500), True),
        # What a thread that never sleeps did not run, interrupts took.
        (LoadThread(5.0, 4.2, 0.0, 1), True),
        (LoadThread(5.0, 3.9, 0.0, 1), False),
        # It has little work, and others keep it from that.
        (LoadThread(5.0, 0.4, 4.6, 500), False),
        (LoadThread(5.0, 0.6, 4.4, 500), True),
        # It was seen for a moment.
        (LoadThread(2.0, 2.0, 0.0, 0), False),
    ],
)
def test_a_thread_is_saturated_that_always_runs_or_wants_to_and_has_work(thread: LoadThread, saturated: bool) -> None:
    assert bool(of(thread, IDLE)) == saturated


@pytest.mark.parametrize(
    "thread",
    [
        LoadThread(5.0, 1e90, 0.0, 0),
        LoadThread(5.0, -1.0, 6.0, 0),
        LoadThread(1e-300, 1.0, 0.0, 0),
        LoadThread(0.0, 0.0, 0.0, 0),
    ],
)
def test_times_that_no_thread_can_have_are_not_judged(thread: LoadThread) -> None:
    assert of(thread) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "because others used it too."),
        ({"pinned": {"app": "0", "load generator": "1-2"}}, "because the threads share 2 cores."),
        ({"pinned": {"app": "0", "load generator": "1"}}, "because the threads share 1 core."),
        ({"pinned": {"app": "0", "load generator": "1,3-5"}}, "because others used it too."),
        ({"cores": 2}, "because the threads share 2 cores."),
        ({"cores": 0}, "because others used it too."),
    ],
)
def test_a_thread_that_waits_is_told_whom_it_waited_for(changes: dict[str, Any], why: str) -> None:
    (warning,) = of(LoadThread(5.0, 2.5, 2.4, 50), **changes)
    assert sentence(warning).endswith(f"got 50 % of one, {why}")
    assert warning.invalid


def test_a_process_is_held_against_the_cores_that_it_was_pinned_to() -> None:
    busy = replace(GENERATOR, wall_seconds=5.0, cpu_seconds=9.8, threads=())
    assert of(generator=busy) == []
    assert of(generator=busy, pinned={"load generator": "2-3"})
