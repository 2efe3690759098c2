"""Makes a set of published figures of a run: `configs/published/NAME.yml`, and a text of each row in `NAME/` beside it."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchrig import files, reading, shell
from benchrig.agent.text import one_line, short
from benchrig.bench.app import NAMES, is_name
from benchrig.bench.generators.base import OutputError
from benchrig.bench.generators.registry import DEFAULT
from benchrig.errors import Hint, InputError, Inv
from benchrig.mistakes import LONGEST_TITLE
from benchrig.report import describe, published
from benchrig.report.metrics import BY_NAME, METRICS, THROUGHPUT, TIMEOUTS
from benchrig.report.table import Row, make, on_first_server
from benchrig.results import store
from benchrig.results.model import Cell, Run
from benchrig.yamlfile import shown

RESERVED = (store.LATEST, "history")
"""Names that mean something else where a run or published figures are named."""

MOST_TOLD = 40
"""Rows whose reasons are told, where none can be published."""

_SCHEMA = "# yaml-language-server: $schema=../../docs/schema/published.schema.json\n"


@dataclass(frozen=True)
class LeftOut:
    """A row that is not published."""

    row: str
    reason: str


@dataclass(frozen=True)
class Made:
    """A set that was made of a run."""

    path: Path
    rows: int
    texts: int
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True)
class _Set:
    """What is to be written: the file's text, and the texts of rows by the names of their files."""

    file: str
    texts: Mapping[str, str]


def check_name(name: str, root: Path) -> None:
    """See that a set can be made under a name. Raises InputError."""
    if not is_name(name) or name in RESERVED:
        raise InputError(f"'{short(name)}' cannot name a set of figures: {NAMES}, and not {' or '.join(RESERVED)}")
    if store.named(root / "reports", name):
        raise InputError(f"'{name}' is the name of a run: a set needs a name of its own")
    for path in (published.folder(root) / f"{name}.yml", published.folder(root) / name):
        if os.path.lexists(path):
            raise InputError(f"{shown(path)} exists already: a set is never replaced", "Choose another name.")


def publish(folder: Path, name: str, root: Path) -> Made:
    """Make the set `name` of the run in a folder. Rows whose figures must not be used are left out, and returned.

    Of several servers, the first one's rows are taken. Raises InputError for a name that cannot be taken, for a run that is
    incomplete, and for one without a row to publish; OSError when it cannot be written.
    """
    check_name(name, root)
    run, cells = store.read(folder)
    table = on_first_server(make(run, cells))
    if table.incomplete or not run.finished_at:
        hint = Hint(Inv("bench", "--resume", folder.name), " measures what it lacks.")
        raise InputError(f"{shown(folder)} is incomplete: only a complete run is published", hint)
    left_out = tuple(filter(None, map(_why_not, table.rows)))
    refused = {one.row for one in left_out}
    rows = [row for row in table.rows if row.name not in refused]
    if not rows:
        reasons = "".join(f"\n  {one_line(f'{one.row} {one.reason}', 200)}" for one in left_out[:MOST_TOLD])
        more = f"\n  and {len(left_out) - MOST_TOLD} more" if len(left_out) > MOST_TOLD else ""
        raise InputError(f"no row of {shown(folder)} can be published:{reasons}{more}")
    texts = dict(_texts(rows, cells, folder, name))
    data = _file(run, rows, {row: path for row, (path, _) in texts.items()})
    made = _Set(_SCHEMA + _yaml(data), dict(texts.values()))
    _see_sound(made, name)
    _write(made, name, published.folder(root))
    return Made(published.folder(root) / f"{name}.yml", len(rows), len(texts), left_out)


def _why_not(row: Row) -> LeftOut | None:
    if row.status != "measured" or THROUGHPUT.name not in row.figures:
        return LeftOut(row.name, "failed" if row.status == "failed" else "is not possible")
    if invalid := dict.fromkeys(warning.code.label for warning in row.warnings if warning.invalid):
        return LeftOut(row.name, f"is invalid: {', '.join(invalid)}")
    return None if row.value(THROUGHPUT) else LeftOut(row.name, "has no throughput")


def _texts(rows: Sequence[Row], cells: Sequence[Cell], folder: Path, name: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield the rows that have a text of the load generator: its path below `configs/published/`, and the text.

    It is that of the repeat whose throughput is the median, or the lower of the middle two; what follows the load
    generator's own output, such as a journal, is not published.
    """
    for row in rows:
        cell = _middle(row, cells)
        # The record may be of an archive from anywhere: its path is believed only as far as it stays in the run.
        path = folder / cell.raw
        text = _text(path) if cell.raw and reading.is_below(path, folder / store.RAW) else ""
        if text:
            yield row.name, (f"{name}/{row.name}.txt", text)


def _middle(row: Row, cells: Sequence[Cell]) -> Cell:
    of_row = [cell for cell in cells if cell.name == row.name and cell.host == row.host and cell.load]
    by_rate = sorted(of_row, key=lambda cell: cell.load.requests_per_second if cell.load else 0.0)
    return by_rate[(len(by_rate) - 1) // 2]


def _text(path: Path) -> str:
    """Return the load generator's own text, with its command; empty where that cannot be read."""
    try:
        whole = reading.text(path)
        DEFAULT.read_printed(whole)
    except (reading.ReadError, OutputError):
        return ""
    end = DEFAULT.find_printed(whole)[0].last_line
    return "\n".join(whole.split("\n")[:end]) + "\n"


def _file(run: Run, rows: Sequence[Row], texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of the set's file."""
    server = run.servers[0] if run.servers else rows[0].host
    machine = next((one for one in run.machines if one.name == server), None)
    systems = {"system": machine.os, "kernel": machine.kernel} if machine else {}
    versions = {name: version for one in run.machines for name, version in one.versions.items()}
    of_rows = {name: version for row in rows for name, version in row.versions.items()}
    return {
        "title": short(run.suite_title or run.suite, LONGEST_TITLE - 1),
        "source": {
            "document": f"The run {run.name} of benchrig {run.benchrig_version or 'of unknown version'}, "
            f"suite {run.suite}, profile {run.profile}, {run.started_at}",
            "language": "en",
            "machine": _machines(run),
            **({"cores": machine.cores} if machine else {}),
            "command": _command(rows),
            "threads": run.settings.threads,
            "duration_seconds": run.settings.duration_seconds,
            "timeout_seconds": run.settings.timeout_seconds,
            "versions": {**systems, **versions, **of_rows, "benchrig": run.benchrig_version},
            "run": run.name,
        },
        "rows": {row.name: _row(row, texts.get(row.name, "")) for row in rows},
    }


def _machines(run: Run) -> str:
    """Return the hardware of a run's machines: of a single one, as a comparison names that of the other side."""
    if len(run.machines) == 1:
        return describe.hardware(run.machines[0])
    return "; ".join(f"{machine.name}: {describe.hardware(machine)}" for machine in run.machines)


def _command(rows: Sequence[Row]) -> str:
    """Return the load generator's command of the first row that has one, with `{connections}` for its connections."""
    row = next((row for row in rows if row.command), None)
    if row is None:
        return DEFAULT.name
    words = [re.sub(rf"^-c{row.connections}$", "-c{connections}", word) for word in row.command]
    return shell.quote(words).replace("'-c{connections}'", "-c{connections}")


def _row(row: Row, text: str) -> dict[str, Any]:
    warned = dict.fromkeys(warning.code.label for warning in row.warnings)
    repeats = "1 repeat" if row.repeats == 1 else f"{row.repeats} repeats"
    figures = {metric.name: row.value(metric) for metric in METRICS if metric.published}
    return {
        "title": row.system,
        "route": row.route,
        "connections": row.connections,
        **{name: _number(name, value) for name, value in figures.items() if value},
        "timeouts": int(row.value(TIMEOUTS) or 0),
        **({"sleep_seconds": row.sleep_seconds} if row.sleep_seconds else {}),
        "found_in": f"median of {repeats}" + (f"; warnings: {', '.join(warned)}" if warned else ""),
        **({"raw": text} if text else {}),
    }


def _number(name: str, value: float) -> float | int:
    """Return a value with six digits and more: none of a measured value means more."""
    return int(value) if BY_NAME[name].kind == "count" else float(f"{value:.9g}")


def _yaml(data: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def _see_sound(made: _Set, name: str) -> None:
    """See that a set reads as every other. Raises InputError."""
    with tempfile.TemporaryDirectory(prefix="benchrig-") as folder:
        root = Path(folder)
        published.folder(root).mkdir(parents=True)
        _write(made, name, published.folder(root))
        try:
            published.read(name, root)
        except InputError as error:
            said = str(error).replace(f"{published.folder(root)}/", "")
            raise InputError(f"the run cannot be published: {said}") from None


def _write(made: _Set, name: str, folder: Path) -> None:
    """Write a set: its texts first, because the file is what makes it one. Raises OSError, and leaves nothing then."""
    path = folder / f"{name}.yml"
    try:
        if made.texts:
            (folder / name).mkdir()
        for file, text in made.texts.items():
            files.write(folder / file, text)
        files.write(path, made.file)
    except BaseException:
        path.unlink(missing_ok=True)
        shutil.rmtree(folder / name, ignore_errors=True)
        raise
