"""Looks up the history of rows in the index of runs, and judges a run by the like runs before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from benchrig import console, yamlfile
from benchrig.agent.nearest import nearest
from benchrig.agent.text import one_line
from benchrig.errors import Hint, InputError, Inv, unknown
from benchrig.report.history import entry
from benchrig.report.history.series import Judgement, Series, judged_by_like, series, together
from benchrig.report.metrics import METRICS, THROUGHPUT, Metric
from benchrig.results import labels, store
from benchrig.results.index import Index, Listed, Measured, RowEntry, RunEntry

LAST = 50
"""The newest like runs that are looked at, if not told otherwise."""

MOST_LAST = 1000
"""To look for steps in more runs takes long."""

MOST_TOLD = 3
"""Damaged runs that are told one by one."""


@dataclass(frozen=True)
class History:
    """The rows of a suite over runs of like conditions. Values, levels and expectations are in the unit of the metric."""

    suite: str
    metric: str
    """Its name, which ends with the unit, as in `report.json`."""
    row: str
    """The row that was asked for; empty: all of them."""
    newest_run: str
    """The newest complete run of the suite."""
    rows: tuple[Series, ...]


def metric_named(name: str) -> Metric:
    """Return a metric by its function in the language of claims. Raises InputError with the nearest ones."""
    known = {metric.claimed: metric for metric in METRICS}
    if name not in known:
        raise unknown("metric", name, known)
    return known[name]


def enter(folder: Path, reports: Path) -> None:
    """Enter a run that has just ended in the index of `reports`, unless it is stored elsewhere.

    Whatever prevents it is left to the next reader: a measured run is never at risk.
    """
    if folder.resolve().parent != reports.resolve():
        return
    with suppress(Exception), closing(Index(reports, entry.version(), entry.read)) as index:
        index.enter(folder)


def forget(names: Sequence[str], reports: Path) -> None:
    """Remove runs that are gone from the index of `reports`. Whatever prevents it is left to the next reader."""
    with suppress(Exception), closing(Index(reports, entry.version(), entry.read)) as index:
        index.forget(names)


def listed(reports: Path) -> Sequence[Listed]:
    """Return all runs as a list has them, brought up to date; damaged ones among them, without a warning."""
    with _opened(reports, tell=False) as index:
        return index.listed()


def history(reports: Path, metric: Metric = THROUGHPUT, suite: str = "", row: str = "", last: int = LAST) -> History:
    """Return the history of a row by its name, with its server perhaps; without one, that of all rows of a suite.

    Without a suite, it is that of the newest run that has the row, or of the newest run. `last` is the number of like runs
    that are looked at. Raises InputError where there is no complete run, no such row, or no value of the metric.
    """
    with _opened(reports) as index:
        of = _suite(index, suite, row)
        newest = index.newest(of)
        assert newest is not None
        measured = index.measured(metric.name, of, row)
        if not any(one.values for one in measured):
            raise _without_value(metric, of, row)
        by_row = groupby(sorted(measured, key=lambda one: one.label), key=lambda one: one.label)
        called = {name: labels.read(reports / name) for name in dict.fromkeys(one.run for one in measured)}
        found = {label: _called(series(list(group), metric, last, index.facts), called) for label, group in by_row}
        rows = [found[label] for label in _in_order(measured)]
        judged = together([one.newest for one in rows])
        rows = [replace(one, newest=newest_one) for one, newest_one in zip(rows, judged, strict=True)]
        return History(of, metric.name, row, newest[0], tuple(rows))


def _called(of: Series, labels_of: Mapping[str, str]) -> Series:
    """Return the series of a row with the labels of its runs."""
    return replace(of, points=tuple(replace(point, label=labels_of.get(point.run, "")) for point in of.points))


def judge(
    name: str | Path, reports: Path, metrics: Sequence[Metric] = (THROUGHPUT,), last: int = LAST
) -> tuple[Judgement, ...]:
    """Return whether a run is off from the like runs before it, for each of its rows and some metrics.

    `name` is what `store.find_run` takes; the run may also be incomplete, or lie elsewhere: then it is judged by all like
    runs. p-values are adjusted for the number of all these judgements (Holm). Where there are fewer than `runs_needed` like
    runs, or the run's value cannot be used, a judgement has no `p`. Raises InputError where the run cannot be read.
    """
    folder = store.find_run(reports, str(name))
    run = entry.read(folder)
    if run.state == "damaged":
        raise InputError(run.said)
    inside = folder.parent == reports.resolve()
    with _opened(reports) as index:
        return together([_judged(run, row, metric, index, last, inside) for row in run.rows for metric in metrics])


def rows_before(name: str | Path, reports: Path, runs: int) -> Mapping[str, str]:
    """Return the rows that the newest complete runs of the same suite before a run have: each label, with the row's name."""
    folder = store.find_run(reports, str(name))
    run = entry.read(folder)
    with _opened(reports, tell=False) as index:
        measured = index.measured(THROUGHPUT.name, run.suite, "")
    names = list(dict.fromkeys(one.run for one in measured))
    inside = folder.parent == reports.resolve() and run.name in names
    newest = (names[: names.index(run.name)] if inside else names)[-runs:]
    return {one.label: one.name for one in measured if one.values and one.run in newest}


def _judged(run: RunEntry, row: RowEntry, metric: Metric, index: Index, last: int, inside: bool) -> Judgement:
    mine = Measured(
        run.name,
        run.started_at,
        run.commit,
        row.label,
        row.name,
        row.app,
        row.system,
        row.unused,
        row.conditions,
        row.figures.get(metric.name, ()),
    )
    there = [one for one in index.measured(metric.name, run.suite, row.label) if one.label == row.label]
    names = [one.run for one in there]
    earlier = there[: names.index(run.name)] if inside and run.name in names else there
    return judged_by_like([*earlier, mine], metric, last)


def document(of: History) -> dict[str, Any]:
    """Return a history as plain values for JSON: with whether each row's newest run is off, or why that is not known."""
    made = asdict(of)
    for row, one in zip(made["rows"], of.rows, strict=True):
        row["newest"] |= {"off": one.newest.off, "unknown": one.newest.unknown}
    return made


@contextmanager
def _opened(reports: Path, *, tell: bool = True) -> Iterator[Index]:
    """Open the index, brought up to date; damaged runs are warned of, once for each of its readers that is to `tell`."""
    with closing(Index(reports, entry.version(), entry.read)) as index:
        index.update()
        damaged = index.damaged() if tell else []
        for name, said in damaged[:MOST_TOLD]:
            console.warn(f"{yamlfile.shown(reports / name)} is left out: {said}")
        if len(damaged) > MOST_TOLD:
            console.warn(f"{len(damaged) - MOST_TOLD:,} more damaged runs are left out")
        yield index


def _suite(index: Index, suite: str, row: str) -> str:
    """Return the suite that is meant. Raises InputError where it has no complete run, or no such row."""
    newest = index.newest()
    if newest is None:
        more = " Interrupted ones can be resumed: ./inv bench --resume." if index.incomplete() else ""
        raise InputError("there is no complete run yet", Hint(Inv("bench"), f" makes one.{more}"))
    if suite and suite not in index.suites():
        hint = Hint(Inv("bench", "--suite", suite), " makes one.")
        raise InputError(
            f"there is no complete run of suite '{one_line(suite, 100)}'; {nearest(suite, index.suites())}", hint
        )
    if not row:
        return suite or newest[1]
    labels = {label for label, _, _ in index.rows()}
    having = [of for label, name, of in index.rows() if row in (label, name)]
    if suite and having and suite not in having:
        raise InputError(f"no run of suite '{suite}' has a row '{row}'; suite {' and '.join(dict.fromkeys(having))} has one")
    if not having:
        raise unknown("row", row, labels)
    return suite or having[0]


def _without_value(metric: Metric, suite: str, row: str) -> InputError:
    of = f"row '{row}'" if row else f"suite '{suite}'"
    return InputError(f"no complete run has {metric.claimed} of {of}", "./inv report shows what was measured.")


def _in_order(measured: Sequence[Measured]) -> list[str]:
    """Return the labels of rows in the order of the newest run, behind them those of earlier ones."""
    runs: dict[str, list[str]] = {}
    for one in measured:
        runs.setdefault(one.run, []).append(one.label)
    return list(dict.fromkeys(label for labels in reversed(runs.values()) for label in labels))
