"""Charts as files, for the tasks that have some, and what such a task shows as a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from benchrig import console
from benchrig.errors import BenchrigError, InputError

if TYPE_CHECKING:
    from benchrig.report.charts.chart import Chart


def check_folder(name: str) -> None:
    """Raise InputError where charts cannot be written to what the user named: it is there, and no folder."""
    if name and Path(name).exists() and not Path(name).is_dir():
        raise InputError(f"--charts {name}: this is a file, and charts are written to a folder")


def write_charts(found: Iterable[Chart], name: str, tell: Callable[[str], object]) -> None:
    """Write charts to a folder, and tell the path of each file as soon as it is there."""
    from benchrig.report.charts import files
    from benchrig.yamlfile import shown

    for path in files.write(tuple(found), Path(name).expanduser()):
        tell(shown(path))


def check_alone(output: str, **forms: bool) -> None:
    """Raise InputError where more than one form is asked for: by flags such as `--json`, and by the file of `--output`."""
    chosen = [name for name, asked in forms.items() if asked]
    if len(chosen) > 1:
        raise InputError(f"--{chosen[0]} and --{chosen[1]} are two forms of one output: leave one out")
    if chosen and output not in ("", "-"):
        raise InputError(f"--{chosen[0]} prints, and --output writes a file in the form of its ending: leave one out")


def write_file(name: str, text: str) -> BenchrigError | None:
    """Write what was asked for to the file of `--output`, and say so. Return why it could not be written."""
    from benchrig.report import named_files
    from benchrig.report.output import FLAG

    failure = named_files.write(FLAG, name, text.rstrip("\n") + "\n")
    if not failure:
        console.line(f"wrote {name}")
    return failure
