"""What charts of latency share: how latencies are written, and the finding of a comparison by p99."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from benchrig.language import say
from benchrig.report.metrics import BY_NAME, Metric
from benchrig.report.table import Row
from benchrig.statistics.difference import LEAST_REPEATS, SIGNIFICANT, welch
from benchrig.units import NOTHING, last_place, rounded

MEDIAN, P99 = ((BY_NAME[f"latency_{key}_ms"], BY_NAME[f"latency_corrected_{key}_ms"]) for key in ("p50", "p99"))
"""Each as measured, and corrected."""


def latency(ms: float) -> str:
    """Write a latency, given in milliseconds, for an axis: `500 µs`, `20 ms`, `1.5 s`."""
    for value, unit in ((ms * 1e3, "µs"), (ms, "ms"), (ms / 1e3, "s")):
        # Rounded first: 999.6 ms are 1 s.
        if (digits := float(f"{value:.3g}")) < 1000:
            return f"{digits:g} {unit}"
    return f"{ms / 1e3:,.0f} s"


def times(one: float, other: float) -> str:
    """Write how many times one value is another, with two digits or all before the point; a dash where that is 0."""
    if other <= 0:
        return NOTHING
    quotient = one / other
    return f"{quotient:.2g}" if quotient < 10 else f"{quotient:,.0f}"


def milliseconds(ms: float) -> str:
    """Write a latency for a table whose heading has the unit, with three digits, or four where the first is 1."""
    return rounded(ms, last_place(ms))


def comparison(rows: Sequence[Row]) -> str:
    """Return the finding about the latency of rows: the lowest and the highest p99 under the same conditions."""
    metric = next((metric for metric in P99 if any(metric.name in row.figures for row in rows)), None)
    known = [row for row in rows if metric and metric.name in row.figures]
    valid = [row for row in known if not row.invalid]
    alike = _alike(valid or known)
    if metric is None or not alike:
        return say("Latency by percentile")
    name = "p99" if metric is P99[0] else say("corrected p99")
    ordered = sorted(alike, key=lambda row: row.value(metric) or 0.0)
    first, last = ordered[0], ordered[-1]
    if first is last:
        return say("{row}: {name} is {value}", row=first.label, name=name, value=first.text(metric))
    under = _conditions(first, rows)
    low, high = first.value(metric) or 0.0, last.value(metric) or 0.0
    return say(
        "{first} has the lowest {name}{under}, {low}; that of {last} is {times} times as high, {high}; {shown}",
        first=first.label,
        name=name,
        under=under,
        low=first.text(metric),
        last=last.label,
        times=times(high, low),
        high=last.text(metric),
        shown=_shown(first, last, metric, len(alike)),
    )


def _alike(rows: Sequence[Row]) -> Sequence[Row]:
    """Return the largest group of rows under the same conditions; the first one of several."""
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(_key(row), []).append(row)
    return max(groups.values(), key=len, default=[])


def _key(row: Row) -> tuple[object, ...]:
    return row.connections, row.route, row.host if row.several else ""


def _conditions(one: Row, rows: Sequence[Row]) -> str:
    """Return what sets the group of a row apart from the others, where there are several groups."""
    if len({_key(row) for row in rows}) < 2:
        return ""
    if len({row.connections for row in rows}) > 1:
        return say(" with {connections} connections", connections=f"{one.connections:,}")
    return say(" for {route}", route=one.route) if one.route else ""


def _shown(one: Row, other: Row, metric: Metric, compared: int) -> str:
    """Say whether two rows differ that were picked as the extremes of so many.

    They are the most distant of all pairs, so the p-value is multiplied by the number of pairs: Bonferroni's method.
    """
    if one.invalid:
        return say("every row is invalid")
    values, others = (row.figures[metric.name].values for row in (one, other))
    if min(len(values), len(others)) < LEAST_REPEATS:
        return say("too few repeats to show it")
    found = welch(values, others)
    return (
        say("the repeats show it")
        if found and found.p * comb(compared, 2) < SIGNIFICANT
        else say("the repeats do not tell them apart")
    )
