"""From a name to a report: of a run, by its folder's name, its path or `latest`, or of a published set, by its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig.agent.text import short
from benchrig.bench.suite import profile_with, row_names
from benchrig.report import claims, published
from benchrig.report.document import Report
from benchrig.report.servers import beside_first
from benchrig.report.table import Table, make, of_published, on_first_server
from benchrig.results import labels, store
from benchrig.results.model import Run


def load(name: str | Path, root: Path) -> Report:
    """Return the report of a run or of a published set, with the claims on it judged.

    `name` is what `find_folder` takes; `root` is the project's folder. Raises InputError with the nearest names of both
    kinds when there is neither, and with `file:line` when the records, the published figures or the claims cannot be read.
    """
    folder = find_folder(name, root)
    if folder is None:
        return _judged(of_published(published.read(str(name), root)), root)
    run, cells = store.read(folder)
    made = make(run, cells, _compared_with(run, root))
    table = replace(made, label=labels.read(folder), suite_rows=row_names(root, run.suite))
    return _judged(beside_first(table), root)


def _compared_with(run: Run, root: Path) -> published.Published | None:
    """Return the published figures that a run is compared with; None, with a warning, when they are not there any more."""
    if not run.published or run.published in published.names(root):
        return published.read(run.published, root) if run.published else None
    console.warn(f"run {run.name} is shown without '{short(run.published)}': there are no such published figures any more")
    return None


def find_folder(name: str | Path, root: Path) -> Path | None:
    """Return the folder of a run; None for the name of a published set.

    A run is given by its folder's name below `reports/` or the beginning of only one, by a path, or as `latest`. By its
    whole name it comes before a published set of that name. Raises InputError with the nearest names of both kinds when
    there is neither.
    """
    reports, sets = root / "reports", published.names(root)
    if str(name) in sets and store.named(reports, str(name)) is None:
        return None
    return store.find_run(reports, str(name), sets)


def _judged(table: Table, root: Path) -> Report:
    """Return the report of a table, with verdicts on the claims about its published figures.

    With several servers, the rows of the first one are judged.
    """
    document = table.source
    if document is None or (drawn := claims.read(document.name, root)) is None:
        return Report(table)
    if table.run:
        table = replace(table, published_profile=profile_with(root, table.run.suite, document.source.timeout_seconds))
    return Report(table, claims.judge(drawn, on_first_server(table), of_published(document)))
