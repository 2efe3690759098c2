"""A cell measured on this machine without any machine of benchrig's: the agent's own operations, the real load generator,
and a small server on loopback that runs already.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchrig.agent.bench import protocol
from benchrig.agent.bench.operations import Bench
from benchrig.bench import answers
from benchrig.bench.app import read_app
from benchrig.bench.cell import measure
from benchrig.bench.host import OperationError
from benchrig.bench.rows import Row
from benchrig.bench.topology import Topology
from benchrig.bench.traffic import Traffic
from benchrig.results import audit
from benchrig.results.codes import Code
from benchrig.results.model import Cell
from benchrig.results.warnings import Warning
from tests.support import ROOT
from tests.support.cell import PLAN
from tests.support.reports import a_run

SERVERS = ROOT / "tests" / "support" / "servers"

OF_CONNECTIONS = {
    Code.DEAD_CONNECTIONS,
    Code.MISSING_CONNECTIONS,
    Code.UNEQUAL_CONNECTIONS,
    Code.DESCRIPTOR_LIMIT,
    Code.SILENT,
    Code.WRONG_AFTER,
    Code.NO_KEEP_ALIVE,
    Code.PORTS_HELD,
}


class LocalHost:
    """This machine, asked as the controller asks an agent."""

    def __init__(self, folder: Path) -> None:
        self._bench = Bench(folder)

    def ask(self, operation: protocol.Operation[Any]) -> Any:
        envelope = self._bench.answer(operation)
        if envelope.error:
            raise OperationError(envelope.error)
        return answers.read(operation, json.loads(json.dumps(envelope.value)))


@contextmanager
def serving(name: str, *words: str) -> Iterator[int]:
    """Run a server of tests/support/servers/, and yield its port."""
    argv = [sys.executable, str(SERVERS / f"{name}.py"), *words]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def measured(port: int, connections: int, seconds: float = 2.0, *, threads: int = 1) -> Cell:
    """Measure a server that runs on this machine, in one cell."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "app.yml").write_text(
            f"title: Small\naddress: http://127.0.0.1:{port}\nroutes:\n  one: {{path: /, expect: {{body: ok}}}}\n"
        )
        app = read_app(folder)
        row = Row("small", app, connections, Traffic(tuple(app.routes.values())))
        host = LocalHost(folder)
        plan = replace(PLAN, rows=(row,), duration_seconds=seconds, threads=threads, warm_up_seconds=1.0)
        facts = host.ask(protocol.FindMachineFacts({}))
        return measure(Topology(host, host, "here", "here", "127.0.0.1", facts, {}), plan, row, 1, lambda _: None).cell


def under_load(fault: str, connections: int, seconds: float = 2.0) -> Cell:
    """Load a server with a fault; again, where the machine was too busy to count in time."""
    for _ in range(3):
        with serving("connections", *fault.split()) as port:
            cell = measured(port, connections, seconds)
        if cell.connections_seen and cell.connections_seen.served is not None:
            break
    return cell


def found(cell: Cell) -> dict[Code, Warning]:
    """Return the warnings about the connections of a measured cell."""
    assert cell.status == "measured", cell.reason
    return {warning.code: warning for warning in audit.warnings(cell, a_run()) if warning.code in OF_CONNECTIONS}
