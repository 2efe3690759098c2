"""Reports of a run or a published set: one table model, and the forms it is shown and written in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchrig import files, yamlfile
from benchrig.report.compare import compare
from benchrig.report.document import Report
from benchrig.report.load import find_folder, load
from benchrig.report.output import EXPORTS
from benchrig.report.table import Table
from benchrig.report.terminal import render as render_terminal
from benchrig.report.terminal import width_of
from benchrig.results import store

__all__ = [
    "EXPORTS",
    "Report",
    "Table",
    "compare",
    "load",
    "render_terminal",
    "width_of",
    "write_reports",
]


def write_reports(name: str | Path, root: Path, *, keep: bool = False) -> Report:
    """Return the report of a run or of a published set; write every file of it into a run's folder.

    With `keep`, files that are there already stay as they are, unless the run has been measured further since.

    `name` and `root` are as for `load`, and it raises what that raises. A published set has no folder: nothing of it was
    measured here, and nothing is written. Each file is replaced whole: a reader never sees half of one.
    """
    folder = find_folder(name, root)
    report = load(folder or name, root)
    if folder is None:
        return report
    for file, export in EXPORTS.items():
        if keep and _is_new(folder / file, folder / store.CELLS):
            continue
        files.write(folder / file, export(report))
    return replace(report, page=yamlfile.shown(folder / "report.html"))


def _is_new(file: Path, cells: Path) -> bool:
    """Say whether a file of a report is there, and not older than what was measured."""
    try:
        return file.stat().st_mtime_ns >= cells.stat().st_mtime_ns
    except OSError:
        return False
