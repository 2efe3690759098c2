"""The folder of a run: `run.json`, `cells.jsonl` and the generator's raw output. A kill at any moment loses one cell.

`run.json` is replaced as a whole; a cell is appended and on the disk before the next one starts; `reports/latest` points to
the newest run that has a cell.
"""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from benchrig import yamlfile
from benchrig.agent import spec
from benchrig.errors import Hint, InputError, Inv, Problem, unknown
from benchrig.results.model import Cell, Run

T = TypeVar("T")

RUN = "run.json"
CELLS = "cells.jsonl"
RAW = "raw"
LATEST = "latest"


def now() -> str:
    """Return the time in UTC as it stands in records: `2026-11-21T03:15:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(reports: Path, suite: str) -> Path:
    """Make the folder of a new run below `reports`, named for the time and the suite, and return it."""
    base = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{suite}"
    for number in range(1, 1000):
        folder = reports / (base if number == 1 else f"{base}-{number}")
        try:
            (folder / RAW).mkdir(parents=True, exist_ok=False)
            return folder
        except FileExistsError:
            continue
    raise InputError(f"{reports}: too many runs in one second")


def write_run(folder: Path, run: Run) -> None:
    """Write what was asked for, in place of what was there."""
    part = folder / f".{RUN}.part"
    part.write_text(json.dumps(dataclasses.asdict(run), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(folder / RUN)


def append(folder: Path, cell: Cell) -> None:
    """Add a cell, see it on the disk, and make the run the newest."""
    with (folder / CELLS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(cell), ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    _make_latest(folder)


def write_raw(folder: Path, name: str, text: str) -> str:
    """Keep the generator's raw output, and return its path relative to the run's folder; `name` may be below a folder."""
    path = folder / RAW / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return f"{RAW}/{name}"


def _make_latest(folder: Path) -> None:
    link = folder.parent / LATEST
    if link.is_symlink() and str(link.readlink()) == folder.name:
        return
    part = folder.parent / f".{LATEST}.{os.getpid()}"
    part.unlink(missing_ok=True)
    part.symlink_to(folder.name)
    part.replace(link)


def find_run(reports: Path, name: str = LATEST) -> Path:
    """Return the folder of a run, given by its name, as `latest`, or by a path. Raises InputError with the nearest names."""
    for folder in (reports / name, Path(name)):
        if (folder / RUN).is_file():
            return folder.resolve()
    if name == LATEST:
        raise InputError("there is no run yet", Hint(Inv("bench"), " makes one."))
    raise unknown("run", name, names(reports))


def names(reports: Path) -> set[str]:
    """Return the names of all runs; `latest` is not one."""
    return {path.parent.name for path in reports.glob(f"*/{RUN}") if not path.parent.is_symlink()}


def read(folder: Path) -> tuple[Run, tuple[Cell, ...]]:
    """Read a run and its cells. A last line that a kill cut off is left out. Raises InputError with `file:line`."""
    run = _build(Run, (folder / RUN).read_text(encoding="utf-8"), f"{yamlfile.shown(folder / RUN)}:1")
    path = folder / CELLS
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    return run, tuple(_build(Cell, line, f"{yamlfile.shown(path)}:{n}") for n, line in enumerate(whole, start=1))


def _build(cls: type[T], text: str, where: str) -> T:
    try:
        return spec.build(cls, json.loads(text))
    except ValueError as error:
        raise InputError(problems=[Problem(where, f"not valid JSON: {error}")]) from None
    except spec.SpecError as error:
        raise InputError(problems=[Problem(where, f"not a record of this version: {error}")]) from None
