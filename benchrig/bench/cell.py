"""One cell: an app started afresh, waited for, verified from where the load comes, warmed up, loaded, sampled, stopped.

The steps stand in `_bring_up`, `_load` and `_finish`, in their order. What goes wrong in any of them makes the cell a failed
one, with the reason and what the app wrote; only a lost host goes up to the caller. A service that runs already
(`address`) is verified, warmed up and loaded, and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from benchrig.agent.bench import protocol
from benchrig.agent.text import short
from benchrig.bench import records, sandbox
from benchrig.bench.answers import LONGEST_REASON
from benchrig.bench.app import App
from benchrig.bench.attempt import Attempt
from benchrig.bench.counting import begin_counting, counted
from benchrig.bench.database import DataError, difference
from benchrig.bench.generators.base import Shape
from benchrig.bench.host import OperationError
from benchrig.bench.limits import Limits, obstacle
from benchrig.bench.meter import Meter, WarmUp
from benchrig.bench.rows import Row
from benchrig.bench.runtimes import probes, runtimes
from benchrig.bench.suite import Plan
from benchrig.bench.topology import Topology, watched
from benchrig.bench.traffic import Route
from benchrig.bench.validity import Trial, killed_for_memory, latest_end, validity
from benchrig.bench.verify import WrongAnswerError, filled, mistake, verify
from benchrig.results.model import Cell, Generator, Load
from benchrig.results.store import now

ANSWER_SECONDS = 30.0
"""How long an app may take from its start until it answers."""

VERIFY_SECONDS = 10.0
AFTER_SECONDS = 2.0
"""How long an app may take to answer after the load, beside what it still has to do."""

SOON_SECONDS = 1.0
"""An app that needs longer for as many requests as there are connections is not asked after the load."""
JOURNAL_LINES = 30
LONGEST_JOURNAL = 64 << 10
"""Characters of what an app wrote that are kept of each cell: a host may send more."""

WARM_UP_CONNECTIONS = 4
"""Light on purpose: a server that handles one request at a time would still be busy with a heavier warm-up's remains."""


@dataclass(frozen=True)
class Measurement:
    """A cell, with the generator's raw output, the script it ran, and what the app wrote; empty where there is none."""

    cell: Cell
    raw: str = ""
    script: str = ""
    journal: str = ""


class CellError(Exception):
    """The cell cannot be measured; the text has the reason."""


class AppEndedError(CellError):
    """The app has ended; its last lines have the reason."""


FAILURES = (CellError, DataError, OperationError)


def measure(
    topology: Topology, plan: Plan, row: Row, repeat: int, say: Callable[[str], None], meter: Meter | None = None
) -> Measurement:
    """Measure one cell; `say` shows the current step, `meter` reads figures of it. Raises HostError when a host is lost."""
    attempt = Attempt(topology, plan, row, say, meter or Meter())
    blank = _blank(attempt, repeat)
    if reason := obstacle(_limits(attempt), row.connections):
        return Measurement(replace(blank, status="not_possible", reason=reason))
    try:
        _bring_up(attempt)
        cell = _load(attempt, blank)
    except FAILURES as error:
        attempt.journal = _journal(attempt)
        last = last_words(attempt.journal, row.app.unit) if isinstance(error, AppEndedError) else ""
        cell = replace(blank, status="failed", reason=f"{error}; its last output: {last}" if last else str(error))
    else:
        attempt.journal = _journal(attempt) if cell.status == "failed" else ""
    if cell.status == "failed":
        cell = replace(cell, reason=f"{cell.reason}{sandbox.suspicion(attempt.app, attempt.journal)}")
    try:
        cell = _finish(attempt, cell)
    except FAILURES as error:
        # Of a database that is gone, the app's own failure is only a consequence.
        both = cell.reason and str(error) not in cell.reason
        cell = replace(cell, status="failed", reason=f"{error}; {cell.reason}" if both else cell.reason or str(error))
    cell = replace(cell, phases=attempt.phases, reason=short(cell.reason, LONGEST_REASON))
    return Measurement(cell, _raw(attempt), attempt.script, attempt.written)


def _bring_up(attempt: Attempt) -> None:
    """Bring the app up: reset the data, start, verify, warm up. Raises CellError, DataError, OperationError."""
    if attempt.database:
        attempt.say("resetting the data")
        with attempt.phase("reset_data"):
            attempt.database.reset()
            if pinned := attempt.topology.pins.database:
                attempt.database.host.ask(protocol.PinDatabase(pinned))
    if attempt.is_ours:
        attempt.say("starting")
        _start(attempt)
    with attempt.phase("verify"):
        captures = attempt.plan.generator.capabilities.captures
        try:
            verified = verify(attempt.row.traffic, lambda route, split: _fetch(attempt, route, split), captures)
        except WrongAnswerError as error:
            raise CellError(f"it answers wrongly: {error}") from None
    attempt.script = attempt.plan.generator.script(verified.traffic, verified.answers)
    attempt.checks = verified.checks

    attempt.say(f"warming up {attempt.plan.warm_up_seconds:g} s")
    light = replace(attempt.shape, threads=1, connections=WARM_UP_CONNECTIONS, duration_seconds=attempt.plan.warm_up_seconds)
    before = attempt.topology.server.ask(protocol.CountSent()) if attempt.is_ours else None
    with attempt.phase("warm_up"):
        output = _run(attempt, light)
    attempt.warmed_up = WarmUp(before, output) if before else None


def _start(attempt: Attempt) -> None:
    """Start a fresh app, and wait until it answers. Raises CellError, OperationError."""
    app, server, port = attempt.app, attempt.topology.server, attempt.port
    with attempt.phase("free_port"):
        _see_free(server.ask(protocol.FreePort(port)), port)
    with attempt.phase("start"):
        server.ask(protocol.Start(app.unit, attempt.topology.pins.app))
    with attempt.phase("wait"):
        first = attempt.row.traffic.routes[0].path
        readiness = server.ask(protocol.AwaitAnswer(app.unit, port, first, ANSWER_SECONDS))
    if not readiness.ready:
        raise AppEndedError(f"the app did not start: {readiness.reason}")


def _load(attempt: Attempt, blank: Cell) -> Cell:
    """Measure a warm app, and return its cell. Raises CellError, OperationError."""
    app, server = attempt.app, attempt.topology.server
    seen: protocol.ServerLoad | None = None
    ran = protocol.Ran(True, {}, 0)

    if attempt.database:
        with attempt.phase("count"):
            attempt.before = attempt.database.read(attempt.row.traffic.stores, ended=False)
    attempt.say(f"measuring {attempt.plan.duration_seconds:g} s")
    if attempt.is_ours:
        with attempt.phase("sample"):
            before = server.ask(protocol.StartSampling(app.unit))
        if warmed_up := attempt.warmed_up:
            traffic, both_ends = attempt.row.traffic, attempt.load_on_server
            attempt.meter.calibrate(warmed_up, before, attempt.plan.generator, traffic, both_ends=both_ends)
    with attempt.phase("measure"), watched(attempt.beside) as beside, attempt.meter.reading(attempt.loaded):
        begin_counting(attempt)
        output = attempt.output = _run(attempt, attempt.shape)
    with attempt.phase("connections"):
        connections = counted(attempt)
    if attempt.is_ours:
        with attempt.phase("look"):
            seen = server.ask(protocol.StopSampling())
            look = protocol.FindWhatRuns(app.name, app.unit, attempt.port, app.file.versions, probes(app.file.runtime))
            ran = server.ask(look)
    if not ran.alive:
        memory = killed_for_memory(seen) if seen else ""
        raise AppEndedError(f"the app died under the load ({ran.ending}){memory and f': {memory}'}")

    facts, tool = attempt.topology.generator_facts, attempt.plan.generator
    valid = validity(Trial(tool, attempt.shape, output, seen, facts.local_ports, attempt.topology.shared))
    load = valid.load
    if load:
        expected = {route.status for route in attempt.row.traffic.routes}
        load = replace(load, errors=replace(load.errors, status=unexpected(load, expected)))
    return replace(
        blank,
        status="failed" if valid.reason else "measured",
        reason=valid.reason,
        system=system(app, ran.versions),
        checks=attempt.checks,
        load=load,
        generator=_generator(attempt, output),
        server=records.server_load(seen) if seen else None,
        beside=tuple(beside),
        connections_seen=connections,
        wrong_after=None if valid.reason else _after(attempt, load),
        server_open_files=ran.open_files,
        versions=dict(ran.versions) | ({"PostgreSQL": attempt.database.facts.version} if attempt.database else {}),
    )


def _generator(attempt: Attempt, output: protocol.LoadOutput) -> Generator:
    tool = attempt.plan.generator
    return Generator(
        command=attempt.command,
        exit_code=output.exit_code,
        wall_seconds=output.wall_seconds,
        cpu_seconds=output.cpu_seconds,
        open_files=output.open_files,
        version=attempt.topology.generator_facts.versions.get(tool.name, ""),
        threads=records.load_threads(output.threads),
    )


def _after(attempt: Attempt, load: Load | None) -> str | None:
    """Make one more request after the load; return what is wrong with the answer, empty when it is right.

    None: not asked, because an app that is slower than `SOON_SECONDS` still works at requests whose connections are gone.
    """
    busy = attempt.row.connections / load.requests_per_second if load and load.requests else SOON_SECONDS
    if busy >= SOON_SECONDS:
        return None
    # The first of its bodies, with the reply to that one.
    route = filled(attempt.row.traffic.routes[0], {}, 0)
    with attempt.phase("after"):
        try:
            reply = _fetch(attempt, route, seconds=AFTER_SECONDS + 3 * busy)
        except CellError as error:
            return str(error)
    wrong = mistake(route, reply)
    return f"{route.title}: {wrong}" if wrong else ""


def _finish(attempt: Attempt, cell: Cell) -> Cell:
    """Stop the app, and return the cell with what the load did to the database. Raises CellError, OperationError."""
    if attempt.is_ours:
        with attempt.phase("stop"):
            stopped = attempt.topology.server.ask(protocol.Stop(attempt.app.unit, attempt.port))
        attempt.written = stopped.journal[-LONGEST_JOURNAL:]
        _see_free(stopped.port, attempt.port)
    if attempt.database is None:
        return cell
    with attempt.phase("count_again"):
        after = attempt.database.read(attempt.row.traffic.stores, ended=True)
    if attempt.before is None:
        return cell
    on_server = attempt.database.host is attempt.topology.server
    return replace(cell, database=difference(attempt.before, after, on_server=on_server))


def unexpected(load: Load, expected: Collection[int]) -> int:
    """Return how many of the statuses that a generator counts as errors no route expects."""
    return load.errors.status - sum(load.statuses.get(str(status), 0) for status in expected if status >= 400)


def system(app: App, versions: Mapping[str, str]) -> str:
    """Return the title of the system that really ran."""
    runtime = runtimes().get(app.file.runtime)
    return (runtime.title(versions) if runtime else "") or app.file.title


def last_words(journal: str, unit: str) -> str:
    """Return the line of a journal that best explains why an app ended: its last error, else its last line."""
    systemd = re.compile(rf"{re.escape(unit)}: |(Start|Stopp)\w+ {re.escape(unit)}")
    own = [line for line in journal.split("\n") if line.strip() and not systemd.match(line)]
    errors = [line for line in own if re.match(r"[\w.]*(Error|Exception)\b|panic: ", line)]
    return (errors or own or [""])[-1]


def _limits(attempt: Attempt) -> Limits:
    topology = attempt.topology
    return Limits(
        generator=topology.generator_name,
        generator_open_files=topology.generator_facts.open_files,
        generator_spare_files=attempt.plan.generator.spare_files,
        generator_ports=topology.generator_facts.local_ports,
        server=topology.server_name,
        server_open_files=topology.unit_open_files.get(attempt.app.name, 0) if attempt.is_ours else None,
    )


def _blank(attempt: Attempt, repeat: int) -> Cell:
    return Cell(
        name=attempt.row.name,
        app=attempt.app.name,
        system=attempt.app.file.title,
        host=attempt.topology.server_name if attempt.is_ours else urlsplit(attempt.app.file.address).netloc,
        repeat=repeat,
        connections=attempt.row.connections,
        threads=attempt.plan.threads,
        duration_seconds=attempt.plan.duration_seconds,
        timeout_seconds=attempt.plan.effective_timeout,
        status="failed",
        route=attempt.row.traffic.title,
        sleep_seconds=attempt.app.file.sleep_seconds,
        cores=attempt.topology.generator_facts.cores,
        pinned=attempt.topology.pins.named,
        load_on_server=attempt.load_on_server,
        started_at=now(),
    )


def _see_free(found: protocol.Port, port: int) -> None:
    if found.free:
        return
    who = f"by process {found.pid}: {found.command}" if found.pid else "by a connection"
    if not found.listens:
        # The kernel hands out any port that is not reserved; here the agent did so too late, or may not.
        reserve = f"sysctl net.ipv4.ip_local_reserved_ports={port}"
        who = f"{who}; a client uses it as its local port. Reserve it for servers: {reserve}"
    raise CellError(f"port {port} is taken {who}")


def _fetch(attempt: Attempt, route: Route, split: protocol.Split = "", seconds: float = VERIFY_SECONDS) -> protocol.Reply:
    """Make a request from where the load comes. Raises CellError when one in one segment gets no answer, OperationError."""
    body = route.bodies[0] if route.bodies else ""
    where = attempt.host, attempt.port, route.path, seconds
    reply = attempt.topology.generator.ask(protocol.Fetch(*where, route.method, route.headers, body, split))
    if reply.error and not split:
        at = f" at {attempt.host}:{attempt.port}{_unreached(attempt, reply.error, seconds)}"
        raise CellError(f"the load host gets no answer to {route.title}: {reply.error}{at}")
    return reply


def _unreached(attempt: Attempt, error: str, seconds: float) -> str:
    """Return a hint why the load host cannot reach an app that answers locally."""
    if not attempt.is_ours or attempt.topology.shared:
        return ""
    if "refused" in error:
        return "; does the app listen on more than 127.0.0.1?"
    return f"; is a firewall between them, or did it need more than {seconds:.0f} s?"


def _run(attempt: Attempt, shape: Shape) -> protocol.LoadOutput:
    patience = 2 * latest_end(shape) + 30.0
    command = attempt.plan.generator.command(shape, attempt.url)
    cpus = attempt.topology.pins.generator
    return attempt.topology.generator.ask(protocol.RunLoad(command, attempt.script, patience, cpus))


def _journal(attempt: Attempt) -> str:
    if not attempt.is_ours:
        return ""
    try:
        return attempt.topology.server.ask(protocol.ReadJournal(attempt.app.unit, JOURNAL_LINES)).text
    except OperationError:
        return ""


def _raw(attempt: Attempt) -> str:
    """Return the raw text of a cell: the command, the generator's unchanged output, then the app's journal."""
    text = f"$ {' '.join(attempt.command)}\n"
    if attempt.output:
        text += attempt.output.stdout
        if attempt.output.stderr:
            text += f"\n# stderr\n{attempt.output.stderr}"
    if attempt.journal:
        text += f"\n# the app's journal\n{attempt.journal}\n"
    return text
