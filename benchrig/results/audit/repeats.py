"""Warnings about the repeats of a row."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchrig.language import Text, joined, later
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.results.warnings import Number, Unit, Value, Warning, number
from benchrig.statistics import repeats as checks


def repeat_warnings(measured: Sequence[Cell], missed: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Return the warnings about the repeats of a row: they differ in a way that their interval does not include, some were
    not measured, or the run was resumed between them.
    """
    yield from _unlike(measured)
    yield from _resumed(measured, run)
    if measured and missed:
        values: dict[str, Value] = {
            "missing": number(len(missed)),
            "repeats": number(len(measured) + len(missed)),
            "reason": missed[0].reason,
        }
        yield Warning(Code.REPEAT_MISSING, missed[0].host, values, invalid=True)


def _unlike(measured: Sequence[Cell]) -> Iterator[Warning]:
    """Warn of a drift over the repeats, of two states, of autocorrelation and of outliers. None makes a row invalid."""
    # In the order of time: a repeat that was lost is measured again in a later part of the run.
    cells = sorted((cell for cell in measured if cell.load), key=lambda cell: (cell.part, cell.repeat))
    rates = [cell.load.requests_per_second for cell in cells if cell.load]
    if not rates:
        return
    found, host, repeats = checks.judge(rates), cells[0].host, number(len(rates))
    if found.drift is not None:
        case = "rising" if found.drift > 0 else "falling"
        change = number(100 * abs(found.drift), Unit.PERCENT)
        yield Warning(Code.REPEATS_DRIFT, host, {"case": case, "change": change, "repeats": repeats})
    if found.states:
        yield Warning(Code.TWO_STATES, host, {**_states(found.states, cells), "repeats": repeats})
    if like := found.correlation:
        values = {"correlation": number(like.at_lag_1, Unit.TIMES), "worth": number(like.worth)}
        yield Warning(Code.REPEATS_CORRELATED, host, {**values, "repeats": repeats})
    if found.outliers:
        far = [rates[place - 1] for place in found.outliers]
        median = number(statistics.median(rates), Unit.REQUESTS_PER_SECOND)
        yield Warning(
            Code.OUTLIERS,
            host,
            {
                "outliers": number(len(far)),
                "repeats": repeats,
                "which": ranges([cells[place - 1].repeat for place in found.outliers]),
                "rate": Number(min(far), max(far), Unit.REQUESTS_PER_SECOND),
                "median": median,
            },
        )


def _states(states: checks.States, cells: Sequence[Cell]) -> dict[str, Value]:
    once = len(states.changes) == 1
    more = {"after": ranges([cells[states.changes[0] - 1].repeat])} if once else {"changes": number(len(states.changes))}
    return {
        "case": "once" if once else "several",
        **more,
        "low": number(states.low, Unit.REQUESTS_PER_SECOND),
        "in_low": number(states.in_low),
        "high": number(states.high, Unit.REQUESTS_PER_SECOND),
        "in_high": number(len(cells) - states.in_low),
    }


def _resumed(measured: Sequence[Cell], run: Run) -> Iterator[Warning]:
    """Warn when a row's repeats were measured before and after an interruption, or conditions changed in between."""
    changed = dict.fromkeys(one for part in run.parts for one in part.changed)
    repeats: dict[int, list[int]] = {}
    for cell in measured:
        repeats.setdefault(cell.part, []).append(cell.repeat)
    if not measured or not (changed or len(repeats) > 1):
        return
    said = joined(
        [later("{repeats} in part {part}", repeats=ranges(of), part=part) for part, of in sorted(repeats.items())],
        later("; "),
    )
    values: dict[str, Value] = {"case": "changed" if changed else "same", "repeats": said}
    yield Warning(
        Code.RESUMED, measured[0].host, values | ({"changed": "; ".join(changed)} if changed else {}), invalid=bool(changed)
    )


def ranges(numbers: Sequence[int]) -> Text:
    """Return numbers of repeats in words: `repeat 2`, `repeats 1 to 3`, `repeats 1 to 3, 5`."""
    found: list[list[int]] = []
    for repeat in sorted(numbers):
        if found and repeat == found[-1][-1] + 1:
            found[-1].append(repeat)
        else:
            found.append([repeat])
    parts = [str(one[0]) if len(one) == 1 else later("{low} to {high}", low=one[0], high=one[-1]) for one in found]
    words = joined(parts, later(", "))
    return later("repeat {numbers}", numbers=words) if len(numbers) == 1 else later("repeats {numbers}", numbers=words)
