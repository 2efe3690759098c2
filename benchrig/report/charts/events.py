"""What happened in the course of a row, from its warnings about steadiness: ramps, changes of level and pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from benchrig.language import say
from benchrig.report.courses import Course, Curves, parts_of, usable
from benchrig.report.sentences import written
from benchrig.report.table import Row
from benchrig.results.codes import Code
from benchrig.results.steadiness import LEAST_INTERVALS, LEAST_SECONDS, STALL_SECONDS, STALLED
from benchrig.results.warnings import Number, Warning
from benchrig.units import rounded, size

MOST_PAUSES = 40
"""So many are marked in a chart."""

_STEADINESS = (Code.WARMING_UP, Code.RAMP, Code.STEP, Code.DRIFT, Code.STALLED, Code.SILENT, Code.MEMORY_GROWS)

_MOST_SAID = 2
"""Warnings in a title; all are below the table."""


@dataclass(frozen=True)
class Event:
    """Something that happened while the load ran."""

    at: float
    """In seconds since it began."""
    said: str
    """Empty where it is said of another one."""
    until: float | None = None
    """When it ended; None of what has no length."""


def finding(row: Row, curves: Curves) -> str:
    """Return how steady a row was, as the title of its chart."""
    found = [said for warning in _steadiness(row) if (said := _short(warning))]
    if found:
        return say("{row}: {what}", row=row.label, what=say("; ").join(found[:_MOST_SAID]))
    used = say(
        "{cpu} % of a core and {memory} at most",
        cpu=rounded(curves.most_cpu_percent, 0),
        memory=size(curves.most_memory_bytes),
    )
    if not any(_is_judged(course) for course in row.courses):
        return say("{row}: too short to tell whether it was steady; {used}", row=row.label, used=used)
    return say("{row}: no ramp, step or pause was found; {used}", row=row.label, used=used)


def _short(warning: Warning) -> str:
    """Return a warning about steadiness in a few words; the table's warnings have whole sentences."""
    values = {name: written(value) for name, value in warning.values.items() if isinstance(value, Number)}
    match warning.code:
        case Code.RAMP | Code.WARMING_UP:
            said = say("a ramp of {seconds} costs {cost} of the throughput", **values)
        case Code.STEP:
            said = say("throughput changed by {change} after {seconds}", **values)
        case Code.DRIFT if warning.values.get("case") == "rising":
            said = say("throughput rose by {change} from start to end", **values)
        case Code.DRIFT:
            said = say("throughput fell by {change} from start to end", **values)
        case Code.STALLED if warning.values.get("case") == "pauses":
            said = say("it paused for {total}", **values)
        case Code.SILENT:
            said = say("no reply came in the last {silent}", **values)
        case Code.MEMORY_GROWS:
            said = say("memory grew by {rate}", **values)
        case _:
            return ""
    if warning.repeats.high == 1:
        return said
    seen, repeats = written(warning.seen_in), written(warning.repeats)
    return say("{what} ({seen} of {repeats} repeats)", what=said, seen=seen, repeats=repeats)


def _is_judged(course: Course) -> bool:
    if not usable(course):
        return False
    parts = parts_of(course)
    return len(parts) >= LEAST_INTERVALS and parts[-1][1] >= LEAST_SECONDS


def events_of(row: Row) -> Sequence[Event]:
    """Return what happened in any repeat of a row. Ramps and changes of level are where the warnings have them."""
    found: list[Event] = []
    for warning in _steadiness(row):
        seconds = warning.values.get("seconds")
        if warning.code in (Code.RAMP, Code.WARMING_UP) and isinstance(seconds, Number):
            found.append(Event(_middle(seconds), say("the ramp ends: {seconds}", seconds=written(seconds))))
        elif warning.code is Code.STEP and isinstance(seconds, Number):
            found.append(Event(_middle(seconds), say("the level changes: {seconds}", seconds=written(seconds))))
    if any(warning.code is Code.STALLED and warning.values.get("case") == "pauses" for warning in _steadiness(row)):
        pauses = [pause for course in row.courses if usable(course) for pause in _pauses(course)][:MOST_PAUSES]
        found += [Event(start, "" if place else say("pause"), end) for place, (start, end) in enumerate(sorted(pauses))]
    return found


def _steadiness(row: Row) -> Sequence[Warning]:
    return [warning for code in _STEADINESS for warning in row.warnings if warning.code is code]


def _pauses(course: Course) -> Iterator[tuple[float, float]]:
    """Yield when a server that had sent something sent almost nothing, as `results/steadiness.py` defines it."""
    parts = parts_of(course)
    mean = sum(segments for _, _, segments in parts) / parts[-1][1]
    for quiet, group in groupby(parts, lambda part: part[2] < STALLED * mean * (part[1] - part[0])):
        stretch = list(group)
        start, end = stretch[0][0], stretch[-1][1]
        if quiet and start > 0 and end - start >= STALL_SECONDS:
            yield start, end


def _middle(number: Number) -> float:
    return (number.low + number.high) / 2
