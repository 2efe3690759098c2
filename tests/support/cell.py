"""Rows of the project's own suites, and hosts that record what they are asked, for tests of a cell."""

from __future__ import annotations

from typing import Any

from benchrig.agent.bench import protocol as ask
from benchrig.bench.app import read_apps
from benchrig.bench.cell import measure
from benchrig.bench.data import read_data
from benchrig.bench.database import DatabaseEnd
from benchrig.bench.ends import Ends
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, plan
from benchrig.results.model import Cell
from benchrig.results.wrk_output import MARKER
from tests.support import ROOT
from tests.support.reports import SERVER
from tests.support.wrk import EXACT, TEXT

PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("sanic",)))
ROW = PLAN.rows[0]
FILMS = {row.name: row for row in plan(ROOT, read_apps(ROOT), BenchRequest(suite="quart-vs-flask")).rows}
REVIEW = FILMS["films-quart.review"]
DATA = read_data(ROOT, "films")

FACTS = ask.Facts("CPU", 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {"wrk": "4.1.0"}, open_files=1 << 20, local_ports=64512)
OUTPUT = ask.LoadOutput(0, f"{TEXT}{MARKER}{EXACT}\n", "", wall_seconds=5.1, cpu_seconds=0.4, open_files=1 << 20)

SOUND: dict[type, Any] = {
    ask.FreePort: ask.Port(True),
    ask.Start: ask.Done(),
    ask.AwaitAnswer: ask.Readiness(True),
    ask.Fetch: ask.Reply(200, "ok"),
    ask.ResetData: ask.Loaded(DATA.file.fingerprint),
    ask.FindDatabaseLoad: ask.DatabaseCounters(2, 10, 100, 1, 0.5),
    ask.RunLoad: OUTPUT,
    ask.FindCpuTimes: ask.CpuTimes(at=1.0, total=2.0, idle=1.0, steal=0.0, interrupts=0.1),
    ask.StartSampling: ask.Done(),
    ask.StopSampling: SERVER,
    ask.FindWhatRuns: ask.Ran(True, {"Python": "3.11.2", "sanic": "24.6.0"}, 1 << 20),
    ask.ReadJournal: ask.Journal("Traceback: it was the cable"),
    ask.Stop: ask.Port(True),
}


class RecordingHost:
    """Answers as told, and remembers what it was asked; an exception among the answers is raised."""

    def __init__(self, name: str, asked: list[str], **instead: Any) -> None:
        self._name = name
        self._asked = asked
        self._answers = {**SOUND, **{getattr(ask, operation): answer for operation, answer in instead.items()}}
        self.operations: list[Any] = []

    def ask(self, operation: Any) -> Any:
        self._asked.append(f"{self._name} {type(operation).__name__}")
        self.operations.append(operation)
        answer = self._answers[type(operation)]
        if isinstance(answer, Exception):
            raise answer
        return answer


def tried(row: Row = ROW, facts: ask.Facts = FACTS, **instead: Any) -> tuple[Cell, str, list[str]]:
    """Measure a row on recording hosts; return the cell, the raw text and what was asked of whom."""
    asked: list[str] = []
    server, generator = RecordingHost("server", asked, **instead), RecordingHost("loadgen", asked, **instead)
    database = RecordingHost("database", asked, **instead)
    measured = measure(ends(row, server, generator, database, facts), PLAN, row, 1, lambda _: None)
    return measured.cell, measured.raw, asked


def ends(row: Row, server: Any, generator: Any, database: Any, facts: ask.Facts = FACTS) -> Ends:
    found = ask.DatabaseFacts("15.8", {}, 100, 3, DATA.file.fingerprint)
    return Ends(
        server=server,
        generator=generator,
        server_name="server",
        generator_name="loadgen",
        address="127.0.0.1" if server is generator else "10.0.0.1",
        generator_facts=facts,
        unit_open_files={row.app.name: 1 << 20},
        database=DatabaseEnd(database, "db", DATA, found) if row.app.file.database else None,
    )


ALL_STEPS = [
    "server FreePort",
    "server Start",
    "server AwaitAnswer",
    "loadgen Fetch",
    "loadgen RunLoad",
    "server StartSampling",
    "loadgen FindCpuTimes",
    "loadgen RunLoad",
    "loadgen FindCpuTimes",
    "server StopSampling",
    "server FindWhatRuns",
    "server Stop",
]
"""What is asked of whom in the course of a cell."""

STORED = ask.Reply(200, '{"rating": 4,  "film_id": 995}')
"""The reply to REVIEW's request."""
