"""The index of runs: what a list over many runs needs of each of them, in one SQLite file beside their folders.

It is needed for speed alone. The folders stay the truth: a folder that is new, gone or changed since (by size and times
of its files) is entered again by whoever reads the index. An index that is damaged, or that another version wrote, is
made anew. Where the file cannot be written, as in someone else's `reports/`, the same is kept in memory. What is entered
of a run, the caller knows: `read` makes it of a folder, and `version` says by which code.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

from benchrig import console
from benchrig.results import store
from benchrig.results.index_file import ForeignError, can_open, make_tables, read_only, transaction, version_of

T = TypeVar("T")

FILE = "index.sqlite"

WAIT_SECONDS = 5.0
"""How long one process waits for another that writes the index; then it goes on in memory."""

BATCH = 50
"""Runs that are written together: an interrupted first reading of many runs loses less than that."""

State = Literal["complete", "incomplete", "damaged"]


@dataclass(frozen=True)
class RowEntry:
    """A row of a run."""

    label: str
    """Its name, with its server where the run has several."""
    name: str
    app: str
    system: str
    """What ran, in words."""
    unused: str
    """Why its values must not be used, in words; empty where they can be."""
    conditions: Mapping[str, str]
    """What its values can be compared under, by name: load, settings, machines."""
    facts: Mapping[str, str]
    """What may explain a difference: versions and files."""
    figures: Mapping[str, tuple[float, ...]]
    """The values of all repeats by metric."""


@dataclass(frozen=True)
class RunEntry:
    """A run as it is entered."""

    name: str
    """Its folder's."""
    state: State
    said: str = ""
    """Why it is damaged."""
    suite: str = ""
    number: int = 0
    started_at: str = ""
    commit: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What may explain a difference in all of its rows: commit, kernel, settings."""
    rows: tuple[RowEntry, ...] = ()
    machines: tuple[str, ...] = ()
    planned: int = 0
    """How many rows it was to have, with each of its servers."""


@dataclass(frozen=True)
class Listed:
    """A run as a list of runs has it."""

    name: str
    state: State
    said: str
    suite: str
    number: int
    started_at: str
    machines: tuple[str, ...]
    rows: int
    """Those of which there is a cell."""
    planned: int


@dataclass(frozen=True)
class Measured:
    """A row of a complete run with its values of one metric."""

    run: str
    started_at: str
    commit: str
    label: str
    name: str
    app: str
    system: str
    unused: str
    conditions: Mapping[str, str]
    values: tuple[float, ...]
    """Of all repeats; empty where it has none of the metric."""


class Index:
    """The index of the runs below `reports`. Close it when done; it may be used by one thread alone."""

    def __init__(self, reports: Path, version: str, read: Callable[[Path], RunEntry]) -> None:
        self._reports = reports
        self._path = reports / FILE
        self._version = version
        self._read = read
        self._was_damaged = False
        self._db = self._opened()

    def close(self) -> None:
        """Close its file."""
        self._db.close()

    def enter(self, folder: Path) -> None:
        """Enter one run, in place of what was known of it."""
        self._write([(_seen(folder), self._read(folder))])

    def forget(self, names: Sequence[str]) -> None:
        """Remove what is known of some runs."""
        self._change(lambda db: _remove(db, list(map(_text, names))))

    def update(self) -> None:
        """Enter what is new or has changed in the folders, and forget what is gone."""
        before = None
        # What refuses to be written goes on in memory, where all may be missing.
        while before is not self._db:
            before = self._db
            self._update()
        console.status("")

    def _update(self) -> None:
        there = {_text(name): self._reports / name for name in sorted(store.names(self._reports))}
        seen = {name: _seen(folder) for name, folder in there.items()}
        known = self._sound(lambda: dict(self._db.execute("SELECT name, seen FROM runs").fetchall()))
        if gone := [name for name in known if name not in there]:
            self._change(lambda db: _remove(db, gone))
        changed = [name for name in there if known.get(name) != seen[name]]
        for start in range(0, len(changed), BATCH):
            if len(changed) > 1:
                console.status(f"reading {len(changed):,} runs that are new or have changed: {start:,} read")
            self._write([(seen[name], self._read(there[name])) for name in changed[start : start + BATCH]])

    def damaged(self) -> Sequence[tuple[str, str]]:
        """Return the runs that cannot be read, each with the reason."""
        query = "SELECT name, said FROM runs WHERE state = 'damaged' ORDER BY name"
        return self._sound(lambda: self._db.execute(query).fetchall())

    def incomplete(self) -> Sequence[str]:
        """Return the names of the runs that were interrupted, or are being measured."""
        query = "SELECT name FROM runs WHERE state = 'incomplete' ORDER BY name"
        return [name for (name,) in self._sound(lambda: self._db.execute(query).fetchall())]

    def listed(self) -> Sequence[Listed]:
        """Return all runs, in the order of their numbers and times; one that is damaged has none of these."""
        query = (
            "SELECT name, state, said, suite, number, started_at, machines, "
            "(SELECT count(*) FROM measured WHERE run = runs.name), planned FROM runs ORDER BY number, started_at, name"
        )
        return self._sound(lambda: list(map(_listed, self._db.execute(query).fetchall())))

    def newest(self, suite: str = "") -> tuple[str, str] | None:
        """Return the name and the suite of the newest complete run, or of the newest of a suite; None of none."""
        query = (
            "SELECT name, suite FROM complete WHERE ? IN ('', suite) ORDER BY turn DESC, started_at DESC, name DESC LIMIT 1"
        )
        found = self._sound(lambda: self._db.execute(query, (suite,)).fetchone())
        return (found[0], found[1]) if found else None

    def suites(self) -> Sequence[str]:
        """Return the suites that have complete runs."""
        query = "SELECT DISTINCT suite FROM complete ORDER BY suite"
        return [suite for (suite,) in self._sound(lambda: self._db.execute(query).fetchall())]

    def rows(self) -> Sequence[tuple[str, str, str]]:
        """Return the labels of all rows of complete runs, each with name and suite; the newest run's come first."""
        query = (
            "SELECT m.label, m.name, r.suite FROM measured m JOIN complete r ON r.name = m.run "
            "ORDER BY r.turn DESC, r.started_at DESC, r.name DESC, m.place"
        )
        return list(dict.fromkeys(self._sound(lambda: self._db.execute(query).fetchall())))

    def measured(self, metric: str, suite: str, row: str = "") -> Sequence[Measured]:
        """Return the rows of all complete runs of a suite with their values of a metric, the oldest run first.

        `row` is the name of a row, with its server perhaps; of all rows without it.
        """
        query = (
            "SELECT r.name, r.started_at, r.commit_id, m.label, m.name, m.app, m.system, m.unused, m.conditions, m.figures "
            "FROM measured m JOIN complete r ON r.name = m.run WHERE r.suite = ? "
            "AND (? = '' OR m.name = ? OR m.label = ?) ORDER BY r.turn, r.started_at, r.name, m.place"
        )
        return self._sound(lambda: [_measured(found, metric) for found in self._db.execute(query, (suite, row, row, row))])

    def facts(self, run: str, label: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return what may explain a difference of a row of a run, by name: that of the whole run, and that of the row."""
        query = "SELECT r.facts, m.facts FROM measured m JOIN runs r ON r.name = m.run WHERE r.name = ? AND m.label = ?"

        def found() -> tuple[Mapping[str, str], Mapping[str, str]]:
            of_run, of_row = self._db.execute(query, (run, label)).fetchone() or ("{}", "{}")
            return json.loads(of_run), json.loads(of_row)

        return self._sound(found)

    # Writing.

    def _write(self, entries: Sequence[tuple[str, RunEntry]]) -> None:
        def act(db: sqlite3.Connection) -> None:
            for seen, entry in entries:
                _remove(db, [_text(entry.name)])
                _add(db, seen, entry)

        self._change(act)

    def _change(self, act: Callable[[sqlite3.Connection], object]) -> None:
        """Change the index in one transaction; where the file refuses it, go on in memory."""
        try:
            with transaction(self._db):
                act(self._db)
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = self._copied()
            with transaction(self._db):
                act(self._db)

    # Opening.

    def _opened(self) -> sqlite3.Connection:
        """Return the file, made where there is none; where it cannot be written, what it has, in memory."""
        if not (store.names(self._reports) and can_open(self._path)):
            return self._empty()
        try:
            return self._of_today()
        except ForeignError:
            console.line(f"{FILE} is no index of runs: it stays as it is, and all runs are read; move it away to be quicker")
            return self._empty()
        except sqlite3.OperationalError:
            # Another process writes for long, or the folder is read-only.
            return self._copied()
        except sqlite3.DatabaseError:
            return self._made_anew()

    def _of_today(self) -> sqlite3.Connection:
        """Return the file's index; make its tables where it has none, or those of another version."""
        db = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            if version_of(db) == self._version:
                return db
            with transaction(db):
                # Another process may have made them by now.
                version = version_of(db)
                if version and version != self._version:
                    console.line("the index of runs is made anew: another version of benchrig wrote it")
                if version != self._version:
                    make_tables(db, self._version)
        except BaseException:
            db.close()
            raise
        return db

    def _copied(self) -> sqlite3.Connection:
        """Return an index in memory with what the file has, if that can be read."""
        db = sqlite3.connect(":memory:", isolation_level=None)
        if can_open(self._path):
            with suppress(sqlite3.Error), closing(read_only(self._path, WAIT_SECONDS)) as file:
                file.backup(db)
                if version_of(db) == self._version:
                    return db
        db.close()
        return self._empty()

    def _empty(self) -> sqlite3.Connection:
        """Return an index in memory without any run."""
        db = sqlite3.connect(":memory:", isolation_level=None)
        make_tables(db, self._version)
        return db

    def _made_anew(self) -> sqlite3.Connection:
        """Return an empty index in place of a damaged file; in memory where that cannot be removed."""
        console.line("the index of runs is made anew: it was damaged")
        try:
            for path in (self._path, self._path.with_name(f"{FILE}-journal")):
                path.unlink(missing_ok=True)
            return self._of_today()
        except (OSError, sqlite3.Error):
            return self._empty()

    def _sound(self, ask: Callable[[], T]) -> T:
        """Return what the index answers; where it is damaged, what one answers that is made anew."""
        try:
            return ask()
        except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:
            if self._was_damaged:
                raise
            self._was_damaged = True
            with suppress(sqlite3.Error):
                self._db.close()
            is_locked = isinstance(error, sqlite3.OperationalError) and "locked" in str(error)
            self._db = self._copied() if is_locked else self._made_anew()
            self.update()
            return ask()


def known_rows(reports: Path) -> list[str]:
    """Return the names of all rows that the index has as it stands, for completion; none where it cannot be read."""
    if not can_open(reports / FILE):
        return []
    with suppress(sqlite3.Error), closing(read_only(reports / FILE, wait_seconds=0.1)) as db:
        return [str(name) for (name,) in db.execute("SELECT DISTINCT name FROM measured ORDER BY name")]
    return []


def _seen(folder: Path) -> str:
    """Return what changes when the files of a run do: their sizes and times."""
    parts = []
    for name in (store.RUN, store.CELLS, store.IMPORTED):
        try:
            seen = (folder / name).stat()
        except OSError as error:
            parts.append(f"error {error.errno}")
        else:
            # Also of its inode: a copy or an edit may keep the time of the content.
            parts.append(f"{seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns}")
    return ", ".join(parts)


def _remove(db: sqlite3.Connection, names: Sequence[str]) -> None:
    db.executemany("DELETE FROM measured WHERE run = ?", [(name,) for name in names])
    db.executemany("DELETE FROM runs WHERE name = ?", [(name,) for name in names])


def _add(db: sqlite3.Connection, seen: str, entry: RunEntry) -> None:
    facts = json.dumps(dict(entry.facts))
    name, said, suite, started, commit = map(_text, (entry.name, entry.said, entry.suite, entry.started_at, entry.commit))
    machines = json.dumps(entry.machines)
    head = (name, seen, entry.state, said, suite, entry.number, started, commit, facts, machines, entry.planned)
    db.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", head)
    db.executemany(
        "INSERT INTO measured VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (name, place, *map(_text, (row.label, row.name, row.app, row.system, row.unused)), *_documents(row))
            for place, row in enumerate(entry.rows)
        ],
    )


def _documents(row: RowEntry) -> tuple[str, ...]:
    return tuple(json.dumps(dict(part)) for part in (row.conditions, row.facts, row.figures))


def _listed(found: tuple[Any, ...]) -> Listed:
    name, state, said, suite, number, started_at, machines, rows, planned = found
    return Listed(name, state, said, suite, number, started_at, tuple(json.loads(machines)), rows, planned)


def _measured(found: tuple[str, ...], metric: str) -> Measured:
    run, started_at, commit, label, name, app, system, unused, conditions, figures = found
    values = tuple(_parsed(figures).get(metric, ()))
    return Measured(run, started_at, commit, label, name, app, system, unused, _parsed(conditions), values)


def _text(text: str) -> str:
    """Return a text that SQLite takes: without halves of surrogate pairs, as in the name of a folder that is no UTF-8."""
    return text.encode(errors="backslashreplace").decode()


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Mapping[str, Any]:
    """Return what a text says: most runs have the same conditions, and several metrics of a row are read in turn."""
    found: Mapping[str, Any] = json.loads(text)
    return found
