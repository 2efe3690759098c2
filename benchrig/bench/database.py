"""The database of a bench: its data set is reset before every cell, and counted before and after the load."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from benchrig.agent.bench import protocol
from benchrig.bench.app import App
from benchrig.bench.data import DataSet
from benchrig.bench.host import Host
from benchrig.errors import BenchrigError, InputError
from benchrig.mistakes import Mistakes
from benchrig.results.model import Database, DatabaseLoad


class DataError(Exception):
    """The data set differs from its `data.yml`, although it has just been loaded."""


@dataclass(frozen=True)
class DatabaseHost:
    """The host of the database, and the data set in it."""

    host: Host
    name: str
    data: DataSet
    facts: protocol.DatabaseFacts

    def reset(self) -> None:
        """Put the data set back into its first state. Raises DataError when it is another one; OperationError."""
        found = self.host.ask(protocol.ResetData(self.data.name)).fingerprint
        expected = self.data.file.fingerprint
        if found != expected:
            place = self.data.where("fingerprint")
            raise DataError(f"the data set on {self.name} is '{found}' after loading, not '{expected}' ({place})")

    def leave(self) -> None:
        """Remove what the last load stored, so that a later provision changes nothing. Errors are ignored."""
        with contextlib.suppress(DataError, BenchrigError):
            self.reset()

    def read(self, table: str, *, ended: bool) -> protocol.DatabaseCounters:
        """Read PostgreSQL's counters, before a load or when the app has `ended`. Raises OperationError."""
        return self.host.ask(protocol.FindDatabaseLoad(self.data.name, table, ended))

    def stored(self) -> Database:
        """Return its record for a run."""
        facts = self.facts
        return Database(self.name, self.data.name, facts.version, facts.settings, self.data.file.fingerprint)


def difference(before: protocol.DatabaseCounters, after: protocol.DatabaseCounters, *, on_server: bool) -> DatabaseLoad:
    """Return what a load did, from what was counted before and after it."""
    return DatabaseLoad(
        stored=None if before.rows is None or after.rows is None else after.rows - before.rows,
        sessions=after.sessions - before.sessions,
        commits=after.commits - before.commits,
        rollbacks=after.rollbacks - before.rollbacks,
        cpu_seconds=round(after.cpu_seconds - before.cpu_seconds, 3),
        on_server=on_server,
    )


def look(host: Host, name: str, data: DataSet, apps: Iterable[App]) -> DatabaseHost:
    """Check the database before any cell: it must be able to serve `apps`.

    Raises InputError: a pool larger than PostgreSQL allows, a data set that loading does not bring into its state;
    OperationError when PostgreSQL does not answer.
    """
    facts = host.ask(protocol.FindDatabase(data.name))
    end = DatabaseHost(host, name, data, facts)
    mistakes = Mistakes()
    for app in apps:
        _check_pool(mistakes, app, name, facts)
    mistakes.raise_all()
    if facts.fingerprint != data.file.fingerprint:
        try:
            end.reset()
        except DataError as error:
            raise InputError(
                str(error), "If you changed its files on purpose, write the new fingerprint there. Otherwise restore them."
            ) from None
    return end


def _check_pool(mistakes: Mistakes, app: App, name: str, facts: protocol.DatabaseFacts) -> None:
    pool = app.file.database.pool_max if app.file.database else 0
    allowed = facts.max_connections - facts.reserved_connections
    if pool <= allowed:
        return
    wrong = (
        f"a pool of {pool} connections is more than PostgreSQL on {name} allows: max_connections {facts.max_connections}, "
        f"{facts.reserved_connections} of them reserved; lower it to {allowed}, or raise postgresql_max_connections"
    )
    mistakes.add(app.where("database", "pool_max"), wrong)
