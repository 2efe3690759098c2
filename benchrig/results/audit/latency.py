"""Warnings about times without replies. What the figures alone tell of the end of a run is in `course.py`."""

from __future__ import annotations

from collections.abc import Iterator

from benchrig.results.audit.detector import Detector
from benchrig.results.codes import Code
from benchrig.results.course import silent_seconds
from benchrig.results.model import Cell, Run
from benchrig.results.steadiness import of_cell
from benchrig.results.warnings import Number, Unit, Warning, number

CUT_SHARE = 0.5
"""Of a reply that takes this share of the run, half the requests that are sent get none before the end."""

STALL_FACTOR = 1.1

STALL_FACTOR_IN_STEP = 1.2
"""Where connections may get their replies all at once, each SAMPLE_US and more apart: up to 1.15 without any stall."""

SAMPLE_US = 100_000
"""How often the load generator samples the throughput of a thread."""

EDGES_US = 100_000
"""The load begins and ends within a sample, which makes the factor of a short load larger."""

LONGEST_STEP_US = 200_000
"""From this median latency on, times without a reply are nothing special."""

REPLIES_PER_SAMPLE = 5
"""With fewer, a sample without a reply may be chance."""

SILENT_SHARE = 0.1
"""From this share of the load on, its values are those of another server."""


def _stalled(cell: Cell, _: Run) -> Iterator[Warning]:
    """Compare the throughput while replies came with that of the whole time; each sample counts the same in the first.

    The two differ by chance where a sample has few replies, and where all connections wait in step, so these are left out.
    """
    load = cell.load
    factor = load.stall_factor if load else None
    if not (load and factor):
        return
    latency = load.measured or load.corrected
    typical = latency.percentiles_us.get("50", 0.0) if latency else LONGEST_STEP_US
    in_sample = load.requests_per_second / len(load.thread_requests) * SAMPLE_US / 1e6
    limit = None if load.pauses else stall_limit(typical, in_sample, load.duration_us)
    judged = of_cell(cell)
    # The series has the same stalls, and their length.
    if limit and factor > limit and not (judged and judged.stalls):
        yield Warning(Code.STALLED, cell.host, {"case": "bursts", "factor": number(factor, Unit.TIMES)})


def stall_limit(typical_us: float, in_sample: float, duration_us: float) -> float | None:
    """Return the highest stall factor without a stall; None where it is not judged.

    Arguments: a typical latency, and how many replies of a thread a sample has.
    """
    if in_sample < REPLIES_PER_SAMPLE or typical_us >= LONGEST_STEP_US:
        return None
    return (STALL_FACTOR if typical_us < SAMPLE_US else STALL_FACTOR_IN_STEP) + EDGES_US / duration_us


def _silent(cell: Cell, _: Run) -> Iterator[Warning]:
    """Detect that no reply came at the end for more than twice as long as any had taken."""
    load, silent = cell.load, silent_seconds(cell)
    if load and silent:
        invalid = 1e6 * silent >= SILENT_SHARE * load.duration_us
        yield Warning(Code.SILENT, cell.host, {"silent": _seconds(1e6 * silent)}, invalid)


def _seconds(microseconds: float) -> Number:
    return number(round(microseconds / 1e6, 2), Unit.SECONDS)


DETECTORS: tuple[Detector, ...] = (_stalled, _silent)
