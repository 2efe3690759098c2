"""The folders of sessions of `./inv ab`.

A session is a folder of `reports/` with `ab.json` and a folder for each boot. A boot's folder has a run for each
measurement, `1-A`, `1-B`, `2-A` and so on: an ordinary run with `run.json`, `cells.jsonl` and `raw/`, stored at once. Lists
of runs do not have these, because they lie deeper.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from benchrig import console, files, reading, yamlfile
from benchrig.agent import spec
from benchrig.agent.nearest import nearest
from benchrig.agent.text import one_line
from benchrig.errors import Hint, InputError, Inv
from benchrig.results import store
from benchrig.results.model import Cell, Run
from benchrig.results.model.session import Session, Side
from benchrig.statistics.boots import Spread

FILE = "ab.json"

FORMAT = 1
"""Of `ab.json`."""

INTERRUPTED = "interrupted"
"""Ends the name of a boot's folder that is not counted, because the boot did not come to its end."""


@dataclass(frozen=True)
class Measured:
    """One measurement of a session."""

    boot: int
    pair: int
    side: Side
    run: Run
    cell: Cell


@dataclass(frozen=True)
class Known:
    """A spread that an A/A session has found."""

    session: str
    """The session's name."""
    spread: Spread


def create(reports: Path, row: str) -> Path:
    """Make the folder of a new session below `reports`, named for the time and A's row, and return it. Raises OSError."""
    return store.new_folder(reports, f"{datetime.now(UTC):%Y%m%d-%H%M%S}-ab-{row}")


def write(folder: Path, session: Session) -> None:
    """Write a session's record in place of what was there. Raises OSError."""
    text = json.dumps({"format": FORMAT, **asdict(session)}, indent=2, ensure_ascii=False)
    files.write(folder / FILE, text + "\n")


def read(folder: Path) -> Session:
    """Return the record of a session. Raises InputError when it cannot be read."""
    path = folder / FILE
    try:
        data = reading.json_value(reading.content(path))
        if not isinstance(data, dict):
            raise reading.ReadError("not a JSON object")
        written = data.pop("format", 0)
        if isinstance(written, int) and written > FORMAT:
            raise reading.ReadError(f"its format {written} is of a later benchrig")
        session = spec.build(Session, data, unknown=[])
    except (reading.ReadError, spec.SpecError) as error:
        raise InputError(f"{yamlfile.shown(path)} cannot be read: {error}") from None
    pairs = session.settings.repeats
    orders = [order for order in session.order if len(order) == 2 * pairs and set(order) <= {"A", "B"}]
    if len(orders) != session.boots or session.boots < 1:
        raise InputError(f"{yamlfile.shown(path)} is damaged: 'order' is not one of {session.boots} boots of {pairs} pairs")
    return session


def folders(reports: Path) -> list[Path]:
    """Return the folders of all sessions, the oldest first."""
    found = (path.parent for path in reports.glob(f"[!.]*/{FILE}") if not path.parent.is_symlink())
    return sorted(found, key=lambda folder: folder.name)


def find(reports: Path, name: str = "", *, unfinished: bool = False) -> Path:
    """Return the folder of a session: by its name or its path; without one or as `latest`, the newest.

    With `unfinished`, it is the newest that was interrupted. Raises InputError with the nearest names.
    """
    every = folders(reports)
    if name not in ("", store.LATEST):
        there = next((one for one in (reports / name, Path(name)) if reading.is_file(one / FILE)), None)
        if there:
            return there.resolve()
        begun = [folder for folder in every if folder.name.startswith(name)]
        if len(begun) == 1:
            return begun[0].resolve()
        raise InputError(f"unknown session '{one_line(name, 100)}'; {nearest(name, [one.name for one in every])}")
    for folder in reversed(every):
        if not unfinished or not is_finished(folder):
            return folder.resolve()
    what = "session to resume" if unfinished else "session yet"
    raise InputError(f"there is no {what}", Hint(Inv("ab", "A", "B"), " makes one, of two rows A and B."))


def is_finished(folder: Path) -> bool:
    """Return whether a session is complete, or cannot be read, which a warning says."""
    try:
        return bool(read(folder).finished_at)
    except InputError as error:
        console.warn(f"{error}; it is skipped")
        return True


def boot_folder(folder: Path, boot: int) -> Path:
    """Return the folder of a boot's runs; boots count from 1."""
    return folder / f"boot-{boot}"


def turns(session: Session, boot: int) -> Iterator[tuple[int, Side]]:
    """Yield the measurements of a boot in their order: the number of the pair, and the side."""
    for at, side in enumerate(session.order[boot - 1]):
        yield at // 2 + 1, "A" if side == "A" else "B"


def measurement(folder: Path, boot: int, pair: int, side: Side) -> Measured | None:
    """Return a measurement of a session; None where there is none yet."""
    place = boot_folder(folder, boot) / f"{pair}-{side}"
    if not reading.is_file(place / store.RUN):
        return None
    run, cells = store.read(place)
    return Measured(boot, pair, side, run, cells[-1]) if cells else None


def measurements(folder: Path, session: Session) -> tuple[Measured, ...]:
    """Return all measurements of a session, in the order in which they were made."""
    found = (measurement(folder, boot, *turn) for boot in range(1, session.boots + 1) for turn in turns(session, boot))
    return tuple(filter(None, found))


def is_complete(folder: Path, session: Session, boot: int) -> bool:
    """Return whether all measurements of a boot are there."""
    return all(measurement(folder, boot, *turn) for turn in turns(session, boot))


def set_aside(folder: Path, boot: int) -> bool:
    """Rename the folder of a boot that did not come to its end: it is kept and not counted. Return whether there was one."""
    place = boot_folder(folder, boot)
    if not place.exists():
        return False
    number = next(n for n in range(1, 10_000) if not (folder / f"{place.name}-{INTERRUPTED}-{n}").exists())
    place.rename(folder / f"{place.name}-{INTERRUPTED}-{number}")
    return True


def finished(session: Session) -> Session:
    """Return a session that came to its end now."""
    return replace(session, finished_at=store.now())
