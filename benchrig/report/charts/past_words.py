"""What the charts of a history say: changes, the newest run, and what was found, in words."""

from __future__ import annotations

from benchrig import units
from benchrig.language import say, say_count, say_data
from benchrig.report.history.series import Judgement, Series
from benchrig.report.metrics import Metric
from benchrig.statistics.steps import SHORTEST_LEVEL
from benchrig.units import NOTHING, REQUESTS_PER_SECOND

_COMMIT_DIGITS = 12
"""Of a commit: enough to find it."""


def commit(name: str) -> str:
    """Return a commit, shortened, with a mark of changes that were not committed; a dash where it is not known."""
    if not name:
        return NOTHING
    return name[:_COMMIT_DIGITS] + ("-dirty" if name.endswith("-dirty") else "")


def metric_said(metric: Metric) -> str:
    """Return a metric with its unit, unless it is named by that: `requests/s`, `p99, ms`."""
    label, unit = say_data(metric.label), metric.unit.said
    return label if not metric.unit.name or unit in label else f"{label}, {unit}"


def changed(ratio: float | None, metric: Metric) -> str:
    """Return how a value has changed: `5.2 % slower`, of other metrics than rates `5.2 % lower`."""
    if ratio is None:
        return say("above 0, which it never was")
    percent = units.percent(100 * abs(ratio - 1))
    if metric.unit is REQUESTS_PER_SECOND:
        return say("{percent} % slower", percent=percent) if ratio < 1 else say("{percent} % faster", percent=percent)
    return say("{percent} % lower", percent=percent) if ratio < 1 else say("{percent} % higher", percent=percent)


def percent_said(ratio: float | None) -> str:
    """Return how a value has changed as a figure: `-5.2 %`."""
    return say("from 0") if ratio is None else f"{'-' if ratio < 1 else '+'}{units.percent(100 * abs(ratio - 1))} %"


def title(one: Series, metric: Metric) -> str:
    """Return what was found in a series: its last step, and whether its newest run is off."""
    used = sum(1 for point in one.points if not point.unused)
    if one.steps:
        last = one.steps[-1]
        found = say("{change} since {run}", change=changed(last.ratio, metric), run=last.run)
    elif used < 2 * SHORTEST_LEVEL:
        runs = say_count("{count} run", "{count} runs", used)
        found = say("{runs}; a step takes {needed}", runs=runs, needed=2 * SHORTEST_LEVEL)
    else:
        found = say_count("no step in {count} run", "no step in {count} runs", used)
    if one.newest.off is None:
        return found
    newest = (
        say("the newest run is off: {change}", change=changed(one.newest.ratio, metric))
        if one.newest.off
        else say("the newest run is as expected")
    )
    return say("{found}; {newest}", found=found, newest=newest)


def judged(found: Judgement, metric: Metric) -> str:
    """Return whether a run is as expected, with the interval that was expected."""
    if found.unknown or found.low is None or found.high is None:
        return found.unknown
    half = (found.high - found.low) / 2
    low, high, value = (metric.unit.text(one, half) for one in (found.low, found.high, found.value))
    if found.off:
        change = changed(found.ratio, metric)
        return say("{value} is off: {change} ({low} to {high} expected)", value=value, change=change, low=low, high=high)
    return say("{value} is as expected ({low} to {high})", value=value, low=low, high=high)
