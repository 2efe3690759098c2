"""The file of the index of runs: whether SQLite may open it, its version, its tables."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from benchrig import reading

_TABLES = """
CREATE TABLE version (code TEXT NOT NULL);
CREATE TABLE runs (
    name TEXT PRIMARY KEY, seen TEXT NOT NULL, state TEXT NOT NULL, said TEXT NOT NULL, suite TEXT NOT NULL,
    number INTEGER NOT NULL, started_at TEXT NOT NULL, commit_id TEXT NOT NULL, facts TEXT NOT NULL,
    machines TEXT NOT NULL, planned INTEGER NOT NULL
);
CREATE TABLE measured (
    run TEXT NOT NULL, place INTEGER NOT NULL, label TEXT NOT NULL, name TEXT NOT NULL, app TEXT NOT NULL,
    system TEXT NOT NULL, unused TEXT NOT NULL, conditions TEXT NOT NULL, facts TEXT NOT NULL, figures TEXT NOT NULL,
    PRIMARY KEY (run, place)
);
CREATE VIEW complete AS SELECT *, CASE
    WHEN (SELECT count(*) > count(DISTINCT number) FROM runs WHERE state = 'complete' AND number > 0) THEN 0 ELSE number
END AS turn FROM runs WHERE state = 'complete';
CREATE INDEX by_suite ON runs (suite);
CREATE INDEX by_name ON measured (name);
"""
"""Runs are in the order of their numbers, and by the clock where two have the same: then some were made elsewhere."""


class ForeignError(sqlite3.DatabaseError):
    """The file is a database of something else: its tables are not ours to remove."""


def can_open(path: Path) -> bool:
    """Return whether SQLite may open an index: a FIFO in place of one of its files would hold it up for ever."""
    files = (path, *(path.with_name(f"{path.name}-{end}") for end in ("journal", "wal", "shm")))
    return all(reading.is_file(one) or not os.path.lexists(one) for one in files)


def read_only(path: Path, wait_seconds: float) -> sqlite3.Connection:
    """Open a file for reading, and wait so long for another process. Raises sqlite3.Error."""
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", timeout=wait_seconds, uri=True)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Change a database as a whole, or not at all. Raises sqlite3.Error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def version_of(db: sqlite3.Connection) -> str:
    """Return the version that wrote an index; empty of an empty file.

    Raises sqlite3.DatabaseError for one that is none, and ForeignError for a database of something else.
    """
    if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return ""
    try:
        (found,) = db.execute("SELECT code FROM version").fetchone() or ("unknown",)
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        raise ForeignError(str(error)) from None
    return str(found)


def make_tables(db: sqlite3.Connection, version: str) -> None:
    """Make the tables of an index, without any run; others are removed."""
    names = db.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
    for kind, name in names.fetchall():
        db.execute(f'DROP {kind} "{name}"')
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement)
    db.execute("INSERT INTO version VALUES (?)", (version,))
