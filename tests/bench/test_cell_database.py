"""A cell whose app has a database: its data before the load, and what the load did to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchrig.agent.bench import protocol
from benchrig.bench.cell import measure
from benchrig.bench.host import OperationError
from benchrig.bench.rows import Row
from benchrig.bench.traffic import Traffic
from benchrig.results.model import Cell, DatabaseLoad
from tests.support.cell import ALL_STEPS, DATA, FILMS, PLAN, REVIEW, STORED, RecordingHost, topology, tried

WATCHED = ["loadgen FindCpuTimes", "database FindCpuTimes"]
DATABASE_STEPS = [
    "database ResetData",
    *ALL_STEPS[:4],
    "loadgen Fetch",  # a request with a body is cut in its head, and then in its body
    "server CountSent",
    "loadgen RunLoad",
    "database FindDatabaseLoad",
    "server StartSampling",
    *WATCHED,
    *ALL_STEPS[8:11],
    *WATCHED,
    *ALL_STEPS[12:-1],
    "loadgen Fetch",
    "server Stop",
    "database FindDatabaseLoad",
]


def test_a_cell_with_a_database_begins_with_its_data_and_ends_with_what_the_load_did_to_them() -> None:
    cell, _, asked = tried(REVIEW, Fetch=STORED)
    assert (cell.status, cell.reason) == ("measured", "")
    assert asked == DATABASE_STEPS
    assert next(iter(cell.phases)) == "reset_data"
    assert list(cell.phases)[-2:] == ["stop", "count_again"]


class CountingHost(RecordingHost):
    """A database that has counted more each time it is asked."""

    counters = (protocol.DatabaseCounters(2, 10, 100, 1, 0.5), protocol.DatabaseCounters(1002, 13, 1100, 4, 2.0))

    def ask(self, operation: Any) -> Any:
        answer = super().ask(operation)
        if not isinstance(operation, protocol.FindDatabaseLoad):
            return answer
        return replace(self.counters[operation.ended], **({} if operation.table else {"rows": None}))


def counted(row: Row) -> Cell:
    host, database = RecordingHost("both", [], Fetch=STORED), CountingHost("database", [])
    return measure(topology(row, host, host, database), PLAN, row, 1, lambda _: None).cell


def test_what_the_load_did_to_the_database_is_the_difference_of_what_was_counted_before_and_after() -> None:
    cell = counted(REVIEW)
    assert cell.database == DatabaseLoad(1000, sessions=3, commits=1000, rollbacks=3, cpu_seconds=1.5, on_server=False)
    assert cell.versions["PostgreSQL"] == "15.8"


def test_rows_are_not_counted_for_requests_that_store_none() -> None:
    row = replace(FILMS["films-quart.film"], traffic=Traffic((replace(REVIEW.traffic.routes[0], stores=""),)))
    load = counted(row).database
    assert load is not None
    assert load.stored is None
    assert load.sessions == 3


def test_data_that_loading_does_not_bring_into_their_state_fail_the_cell_before_anything_is_started() -> None:
    cell, _, asked = tried(REVIEW, ResetData=protocol.Loaded("999 films"))
    place = DATA.where("fingerprint")
    assert cell.reason == f"the data set on db is '999 films' after loading, not '{DATA.file.fingerprint}' ({place})"
    assert asked == ["database ResetData", "server ReadJournal", "server Stop", "database FindDatabaseLoad"]


def test_a_database_that_is_gone_after_the_load_fails_the_cell_and_keeps_its_figures() -> None:
    class Dying(RecordingHost):
        def ask(self, operation: Any) -> Any:
            if getattr(operation, "ended", False):
                raise OperationError("db: PostgreSQL does not answer: No such file or directory")
            return super().ask(operation)

    host, database = RecordingHost("both", [], Fetch=STORED), Dying("database", [])
    cell = measure(topology(REVIEW, host, host, database), PLAN, REVIEW, 1, lambda _: None).cell
    assert (cell.status, cell.reason) == ("failed", "db: PostgreSQL does not answer: No such file or directory")
    assert cell.load is not None


def test_a_database_that_is_gone_comes_before_what_its_app_then_does() -> None:
    gone = OperationError("db: PostgreSQL does not answer: nobody listens; ./inv provision --tags postgresql starts it")
    cell, _, _ = tried(REVIEW, Fetch=protocol.Reply(500, "oops"), FindDatabaseLoad=gone)
    assert cell.reason.startswith(f"{gone}; it answers wrongly: ")
    cell, _, _ = tried(REVIEW, ResetData=gone, FindDatabaseLoad=gone)
    assert cell.reason == str(gone)
