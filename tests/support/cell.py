"""Rows of the project's own suites, and hosts that record what they are asked, for tests of a cell."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from benchrig.agent import spec
from benchrig.agent.bench import protocol
from benchrig.bench.app import read_apps
from benchrig.bench.cell import measure
from benchrig.bench.data import read_data
from benchrig.bench.database import DatabaseHost
from benchrig.bench.generators.wrk.output import MARKER
from benchrig.bench.rows import Row
from benchrig.bench.suite import BenchRequest, plan
from benchrig.bench.topology import Topology
from benchrig.results.model import Cell
from tests.support import ROOT
from tests.support.reports import SERVER
from tests.support.wrk import EXACT, TEXT

PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("sanic",)))
ROW = PLAN.rows[0]
FILMS = {row.name: row for row in plan(ROOT, read_apps(ROOT), BenchRequest(suite="quart-vs-flask")).rows}
REVIEW = FILMS["films-quart.review"]
DATA = read_data(ROOT, "films")

FACTS = protocol.MachineFacts(
    "CPU", 2, 1 << 30, "6.1", "Debian", "kvm", {}, {}, {"wrk": "4.1.0"}, open_files=1 << 20, local_ports=64512
)
OUTPUT = protocol.LoadOutput(0, f"{TEXT}{MARKER}{EXACT}\n", "", wall_seconds=5.1, cpu_seconds=0.4, open_files=1 << 20)

SEEN = spec.build(protocol.ServerLoad, asdict(SERVER))

SOUND: dict[type, Any] = {
    protocol.FreePort: protocol.Port(True),
    protocol.Start: protocol.Done(),
    protocol.AwaitAnswer: protocol.Readiness(True),
    protocol.Fetch: protocol.Reply(200, "ok"),
    protocol.ResetData: protocol.Loaded(DATA.file.fingerprint),
    protocol.FindDatabaseLoad: protocol.DatabaseCounters(2, 10, 100, 1, 0.5),
    protocol.RunLoad: OUTPUT,
    protocol.FindCpuTimes: protocol.CpuTimes(at=1.0, total=2.0, idle=1.0, steal=0.0, interrupts=0.1),
    protocol.CountSent: protocol.Sent(100, 5),
    protocol.StartSampling: protocol.Sent(2_100, 9),
    protocol.StopSampling: SEEN,
    protocol.FindWhatRuns: protocol.Ran(True, {"Python": "3.11.2", "sanic": "24.6.0"}, 1 << 20),
    protocol.WatchConnections: protocol.Done(),
    protocol.StopWatching: protocol.ConnectionsSeen(),
    protocol.ReadJournal: protocol.Journal("Traceback: it was the cable"),
    protocol.Stop: protocol.Stopped(protocol.Port(True)),
}


class RecordingHost:
    """Answers as told, and remembers what it was asked; an exception among the answers is raised."""

    def __init__(self, name: str, asked: list[str], **instead: Any) -> None:
        self._name = name
        self._asked = asked
        self._answers = {**SOUND, **{getattr(protocol, operation): answer for operation, answer in instead.items()}}
        self.operations: list[Any] = []

    def ask(self, operation: Any) -> Any:
        self._asked.append(f"{self._name} {type(operation).__name__}")
        self.operations.append(operation)
        answer = self._answers[type(operation)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def news(self) -> None:
        """Tell nothing."""


def tried(row: Row = ROW, facts: protocol.MachineFacts = FACTS, **instead: Any) -> tuple[Cell, str, list[str]]:
    """Measure a row on recording hosts; return the cell, the raw text and what was asked of whom."""
    asked: list[str] = []
    server, generator = RecordingHost("server", asked, **instead), RecordingHost("loadgen", asked, **instead)
    database = RecordingHost("database", asked, **instead)
    measured = measure(topology(row, server, generator, database, facts), PLAN, row, 1, lambda _: None)
    return measured.cell, measured.raw, asked


def topology(row: Row, server: Any, generator: Any, database: Any, facts: protocol.MachineFacts = FACTS) -> Topology:
    found = protocol.DatabaseFacts("15.8", {}, 100, 3, DATA.file.fingerprint)
    return Topology(
        server=server,
        generator=generator,
        server_name="server",
        generator_name="loadgen",
        address="127.0.0.1" if server is generator else "10.0.0.1",
        generator_facts=facts,
        unit_open_files={row.app.name: 1 << 20},
        database=DatabaseHost(database, "db", DATA, found) if row.app.file.database else None,
    )


ALL_STEPS = [
    "server FreePort",
    "server Start",
    "server AwaitAnswer",
    "loadgen Fetch",
    "server CountSent",
    "loadgen RunLoad",
    "server StartSampling",
    "loadgen FindCpuTimes",
    "server WatchConnections",
    "loadgen WatchConnections",
    "loadgen RunLoad",
    "loadgen FindCpuTimes",
    "server StopWatching",
    "loadgen StopWatching",
    "server StopSampling",
    "server FindWhatRuns",
    "server Stop",
]
"""What is asked of whom in the course of a cell."""

STORED = protocol.Reply(200, '{"rating": 4,  "film_id": 995}')
"""The reply to REVIEW's request."""


def unasked() -> Topology:
    """Return the topology of one machine that is never asked."""
    host: Any = object()
    return Topology(host, host, "lab1", "lab1", "127.0.0.1", FACTS, {})
