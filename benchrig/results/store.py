"""The folder of a run: `run.json`, `cells.jsonl` and the generator's raw output; and which run is meant by a name.

`run.json` is replaced as a whole; a cell is appended and on the disk before the next one starts. So a kill at any moment
loses one cell. A run is complete when its `run.json` says when it finished; `reports/latest` links to the newest that is.
Runs are ordered by the number that each is given when it begins, because a clock can be set back.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchrig import console, files, reading, yamlfile
from benchrig.agent.nearest import close, nearest
from benchrig.agent.text import one_line, short
from benchrig.errors import Hint, InputError, Inv, unknown
from benchrig.results import formats
from benchrig.results.model import Cell, Run

RUN = "run.json"
CELLS = "cells.jsonl"
RAW = "raw"
LATEST = "latest"

IMPORTED = "imported.txt"
"""Is in the folder of a run that came from another project: its number says nothing of the order here."""

MOST_LOST = 20
"""Damaged lines of a run that are told one by one."""


def now() -> str:
    """Return the time in UTC as it stands in records: `2026-11-21T03:15:00Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def create(reports: Path, suite: str, name: str = "") -> Path:
    """Make the folder of a new run below `reports`, named for the time and the suite, and return it. Raises OSError."""
    return new_folder(reports, name or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{suite}", RAW)


def new_folder(reports: Path, base: str, within: str = "") -> Path:
    """Make a folder of a name that no other has, numbered if it must be, and one `within` it. Raises OSError."""
    for number in range(1, 1000):
        folder = reports / (base if number == 1 else f"{base}-{number}")
        try:
            (folder / within).mkdir(parents=True, exist_ok=False)
        except FileExistsError:
            if not folder.is_dir():
                raise
            continue
        files.sync_folder(reports)
        return folder
    raise InputError(f"{reports}: too many folders named '{base}'")


def next_number(reports: Path) -> int:
    """Return the number of a new run: one more than the greatest there is."""
    numbers = [0]
    for path in reports.glob(f"*/{RUN}"):
        with suppress(reading.ReadError, formats.FormatError):
            numbers.append(0 if is_imported(path.parent) else formats.head(reading.content(path)).number)
    return 1 + max(numbers)


def write_run(folder: Path, run: Run) -> None:
    """Write what was asked for, in place of what was there."""
    files.write(folder / RUN, formats.text_of(run, indent=2) + "\n")
    files.sync_folder(folder)


def append(folder: Path, cell: Cell) -> None:
    """Add a cell, and see it on the disk. Raises OSError; the file is then as it was."""
    append_line(folder, line_of(cell))


def line_of(cell: Cell) -> bytes:
    """Return the line of a cell in `cells.jsonl`, with its end."""
    return formats.text_of(cell).encode() + b"\n"


def append_line(folder: Path, line: bytes) -> int:
    """Add the line of a cell, as `append` does, and return the size of the file in bytes.

    A last line that a power cut left without its end is ended first.
    """
    with (folder / CELLS).open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        glued = size > 0 and os.pread(file.fileno(), 1, size - 1) != b"\n"
        try:
            _write_all(file.fileno(), b"\n" + line if glued else line)
            os.fsync(file.fileno())
            if not size:
                files.sync_folder(folder)
        except BaseException:
            file.truncate(size)
            raise
        return size + glued + len(line)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write all of it: a disk that becomes full takes a part first."""
    while content:
        content = content[os.write(descriptor, content) :]


def drop_half_line(folder: Path) -> None:
    """Remove a last line of `cells.jsonl` that was cut off: its cell was never stored, and is measured again."""
    path = folder / CELLS
    if not path.is_file():
        return
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - reading.MOST_BYTES))
        last = file.read().rpartition(b"\n")[2]
    try:
        formats.parse(last or b"{}")
    except formats.FormatError:
        os.truncate(path, size - len(last))


def finish(folder: Path, run: Run) -> None:
    """Write that a run is complete, and let `latest` link to it."""
    write_run(folder, replace(run, finished_at=now()))
    files.link(folder.parent / LATEST, folder.name)


def write_raw(folder: Path, name: str, text: str) -> str:
    """Write the generator's raw output, and return its path relative to the run's folder; `name` may be below a folder."""
    path = folder / RAW / name
    path.parent.mkdir(exist_ok=True)
    files.write(path, text)
    return f"{RAW}/{name}"


# Which run is meant.


@dataclass(frozen=True)
class Entry:
    """A run as a list of runs has it."""

    folder: Path
    suite: str
    started_at: str
    is_complete: bool
    """It came to its end; false of one that was interrupted, or that is still measuring."""
    number: int = 0


def entries(reports: Path, *, tell: bool = True) -> tuple[Entry, ...]:
    """Return all runs that have a cell, the newest last. One whose `run.json` is damaged is left out, with a warning.

    Without `tell`, it is left out without a word.
    """
    found = (_entry(folder, tell=tell) for folder in _folders(reports))
    return tuple(sorted(filter(None, found), key=_order))


def _folders(reports: Path) -> list[Path]:
    """Return the folders of all runs that have a cell. A kill while a folder is made leaves one that has none.

    A hidden folder is no run: one that is being imported, or removed.
    """
    found = (path.parent for path in reports.glob(f"[!.]*/{RUN}") if reading.is_file(path) and not path.parent.is_symlink())
    return [folder for folder in found if has_cells(folder)]


def is_imported(folder: Path) -> bool:
    """Return whether a run was imported, and so has the number of another project."""
    return reading.is_there(folder / IMPORTED)


def has_cells(folder: Path) -> bool:
    """Say whether a run has a cell; true also where only reading its file can say why not."""
    try:
        seen = (folder / CELLS).stat()
    except OSError as error:
        return error.errno == errno.EACCES
    return seen.st_size > 0 or not stat.S_ISREG(seen.st_mode)


def _order(entry: Entry) -> tuple[int, str, str]:
    """Return what runs are ordered by. Those of a version that gave them no number, and imported ones, come first."""
    return entry.number, entry.started_at, entry.folder.name


def _entry(folder: Path, *, tell: bool) -> Entry | None:
    try:
        head = formats.head(reading.content(folder / RUN))
    except (reading.ReadError, formats.FormatError) as error:
        if tell:
            console.warn(f"{yamlfile.shown(folder)} is skipped: its {RUN} cannot be read: {error}")
        return None
    number = 0 if is_imported(folder) else head.number
    return Entry(folder, head.suite, head.started_at, bool(head.finished_at), number)


def newest(reports: Path, suite: str = "") -> Path:
    """Return the folder of the newest complete run, or the newest of a suite. Raises InputError when there is none."""
    runs = entries(reports)
    of_suite = [entry for entry in runs if suite in ("", entry.suite)]
    if complete := [entry for entry in of_suite if entry.is_complete]:
        for later in of_suite[of_suite.index(complete[-1]) + 1 :]:
            name = later.folder.name
            console.line(f"a newer run is incomplete: ./inv report {name} shows it, ./inv bench --resume {name} goes on")
        return complete[-1].folder.resolve()
    of = f" of suite '{suite}'" if suite else ""
    if of_suite:
        hint = Hint(
            Inv("report", of_suite[-1].folder.name, on_inventory=False), " shows what an interrupted one has measured."
        )
        raise InputError(f"there is no complete run{of} yet", hint)
    if suite:
        known = {entry.suite for entry in runs}
        raise InputError(
            f"there is no run{of}; {nearest(suite, known)}", Hint(Inv("bench", "--suite", suite), " makes one.")
        )
    raise InputError("there is no run yet", Hint(Inv("bench"), " makes one."))


def newest_begun(reports: Path) -> Path:
    """Return the folder of the newest run that was interrupted, else of the newest. Raises InputError when there is none."""
    runs = {entry.folder.name: entry for entry in entries(reports)}
    # What could not be written to `reports/` was stored as a whole elsewhere, under the same name. Other projects do so too.
    for entry in entries(other_runs()):
        name = entry.folder.name
        if (reports / name).is_dir() and (name not in runs or _cells(entry.folder) > _cells(runs[name].folder)):
            runs[name] = entry
    in_order = sorted(runs.values(), key=_order)
    for entry in [*in_order, *(entry for entry in in_order if not entry.is_complete)][::-1]:
        return entry.folder.resolve()
    raise InputError("there is no run to resume", Hint(Inv("bench"), " makes one."))


def _cells(folder: Path) -> int:
    """Return how many lines the cells of a run have; 0 where they cannot be read."""
    with suppress(reading.ReadError):
        return sum(1 for line in reading.lines(folder / CELLS) if line.strip())
    return 0


def other_runs() -> Path:
    """Return the folder of runs that could not be written to `reports/`: `~/.local/state/benchrig/reports`."""
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path("~/.local/state").expanduser()) / "benchrig" / "reports"


def meant(reports: Path, suite: str, made: str, made_suite: str) -> Path:
    """Return the run that is meant where none is named: the one just `made`, unless it is of another suite; else the newest.

    `suite` may be empty: any suite. Raises InputError as `newest` does.
    """
    return reports / made if made and suite in ("", made_suite) else newest(reports, suite)


def find_run(reports: Path, name: str = LATEST, others: Collection[str] = ()) -> Path:
    """Return the folder of a run: by its name or the beginning of only one run's, by a path, or as `latest`.

    Raises InputError with the nearest names of runs and of `others`, which are what else could be meant.
    """
    if name == LATEST:
        return newest(reports)
    if folder := named(reports, name):
        return folder
    begun = [entry.folder for entry in entries(reports) if name and entry.folder.name.startswith(name)]
    if len(begun) == 1:
        return begun[0].resolve()
    raise _unknown_run(name, reports, begun, others)


def named(reports: Path, name: str) -> Path | None:
    """Return the folder of the run of exactly this name or path; None where there is none."""
    folders = (folder for folder in (reports / name, Path(name)) if reading.is_file(folder / RUN))
    return next((folder.resolve() for folder in folders), None)


MOST_NAMED = 3
"""Runs that a message about an unknown one names: those that begin so, else the nearest, else the newest."""


def _unknown_run(name: str, reports: Path, begun: Sequence[Path], others: Collection[str]) -> InputError:
    wrong = f"unknown run '{one_line(name, 100)}'"
    if begun:
        newest_first = " or ".join(folder.name for folder in begun[: -1 - MOST_NAMED : -1])
        return InputError(f"{wrong}; {len(begun)} runs begin like that: did you mean {newest_first}?")
    if close(name, {*names(reports), *others}):
        return unknown("run", name, {*names(reports), *others})
    newest_runs = [entry.folder.name for entry in entries(reports)[: -1 - MOST_NAMED : -1]]
    known = [f"the newest are {', '.join(newest_runs)}"] if newest_runs else []
    known += [f"published figures: {', '.join(sorted(others))}"] if others else []
    return InputError(f"{wrong}; {'; '.join(known) or 'there is none yet'}")


def names(reports: Path) -> set[str]:
    """Return the names of all runs; `latest` is not one."""
    return {folder.name for folder in _folders(reports)}


# Reading.


def read(folder: Path) -> tuple[Run, tuple[Cell, ...]]:
    """Return a run and its cells. A line that is damaged or there twice is left out with a warning, as are unknown fields.

    Raises InputError when `run.json` cannot be read.
    """
    found, lost = _cells_in(folder)
    for said in lost[:MOST_LOST]:
        console.warn(said)
    if len(lost) > MOST_LOST:
        console.warn(f"{len(lost) - MOST_LOST:,} more lines of {yamlfile.shown(folder / CELLS)} are left out")
    run = _read_run(folder, [data for data, _ in found])
    fields: dict[str, formats.Reading[Any]] = {f"{RUN}: {name}": run for name in run.unknown}
    fields |= {f"{CELLS}: {name}": reading for _, reading in found for name in reading.unknown}
    if fields:
        numbers = ", ".join(str(number) for number in sorted({reading.format for reading in fields.values()}))
        console.warn(
            f"{yamlfile.shown(folder)} (format {numbers}) has fields that this benchrig does not know; "
            f"they are ignored: {short(', '.join(fields), 1000)}"
        )
    return run.record, tuple(reading.record for _, reading in found)


def look(folder: Path) -> int:
    """See that a run can be read, without a word, and return how many lines of its cells are left out.

    Raises InputError when `run.json` cannot be read.
    """
    found, lost = _cells_in(folder)
    _read_run(folder, [data for data, _ in found])
    return len(lost)


def left_out(folder: Path) -> int:
    """Return how many lines of a run's cells `read` leaves out, because they are damaged or there twice."""
    return len(_cells_in(folder)[1])


def _cells_in(folder: Path) -> tuple[list[tuple[formats.Fields, formats.Reading[Cell]]], list[str]]:
    """Return the cells of a run, each with its line, and why each other line is left out."""
    found, lost = [], []
    measured: set[tuple[str, str, int]] = set()
    for where, line in _lines(folder / CELLS):
        try:
            data = formats.parse(line)
            reading = formats.read_cell(data)
        except formats.FormatError as error:
            lost.append(f"{where} cannot be read and is left out ({_lost(line)}): {short(str(error), 500)}")
            continue
        cell = reading.record
        if (cell.name, cell.host, cell.repeat) in measured:
            lost.append(f"{where} is left out: repeat {cell.repeat} of '{cell.name}' on '{cell.host}' is there already")
            continue
        measured.add((cell.name, cell.host, cell.repeat))
        found.append((data, reading))
    return found, lost


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each line of a file with its `file:line`. A line ends at \\n alone: JSON may hold all other line separators."""
    shown = yamlfile.shown(path)
    try:
        for number, line in enumerate(reading.lines(path), start=1):
            if line.strip():
                yield f"{shown}:{number}", line
    except reading.ReadError as error:
        raise InputError(f"{shown} cannot be read: {error}") from None


def _lost(line: bytes) -> str:
    """Return what a damaged line was, as far as it still says."""
    name, repeat = (re.search(pattern, line) for pattern in (rb'"name": "([^"]+)"', rb'"repeat": (\d+)'))
    which = f"repeat {repeat[1].decode()}" if repeat else "a measurement"
    return f"{which} of '{name[1].decode(errors='replace')}'" if name else "a measurement"


def _read_run(folder: Path, cells: list[formats.Fields]) -> formats.Reading[Run]:
    path, shown = folder / RUN, yamlfile.shown(folder)
    try:
        return formats.read_run(formats.parse(reading.content(path)), cells)
    except reading.ReadError as error:
        raise InputError(f"{yamlfile.shown(path)} cannot be read: {error}") from None
    except formats.LaterFormatError as error:
        raise InputError(f"{yamlfile.shown(path)} cannot be read: {error}", "Update benchrig.") from None
    except formats.FormatError as error:
        hint = f"Restore it from a copy, or remove {shown}: the load generator's output is in {shown}/{RAW}."
        raise InputError(f"{yamlfile.shown(path)} is damaged: {error}", hint) from None
