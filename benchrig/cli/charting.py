"""The charts of a report as files, for the task that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchrig.errors import InputError

if TYPE_CHECKING:
    from benchrig.report import Report


def check_folder(name: str) -> None:
    """Raise InputError where charts cannot be written to what the user named: it is there, and no folder."""
    if name and Path(name).exists() and not Path(name).is_dir():
        raise InputError(f"--charts {name}: this is a file, and charts are written to a folder")


def write_charts(report: Report, name: str, tell: Callable[[str], object]) -> None:
    """Write all charts of a report to a folder, and tell the path of each file as soon as it is there."""
    from benchrig.report.charts import charts, files
    from benchrig.yamlfile import shown

    found = [chart for of_kind in charts(report).values() for chart in of_kind]
    for path in files.write(found, Path(name).expanduser()):
        tell(shown(path))
