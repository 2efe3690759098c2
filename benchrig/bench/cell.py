"""One cell: an app started afresh, waited for, verified from where the load comes, warmed up, loaded, sampled, stopped.

The steps stand in `_steps`, in their order. What goes wrong in any of them makes the cell a failed one, with the reason and
what the app wrote; only a lost host goes up to the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from benchrig.agent import bench_protocol as ask
from benchrig.bench import verdict, wrk
from benchrig.bench.app import App
from benchrig.bench.host import Host, OperationError
from benchrig.bench.limits import Limits, obstacle
from benchrig.bench.suite import Plan, Row
from benchrig.results import wrk_output
from benchrig.results.model import Cell, Generator
from benchrig.results.store import now

ANSWER_SECONDS = 30.0
"""How long an app may take from its start until it answers."""

VERIFY_SECONDS = 10.0
JOURNAL_LINES = 30
WARM_UP_CONNECTIONS = 4
"""Light on purpose: a server that handles one request at a time would still be busy with a heavier warm-up's remains."""


@dataclass(frozen=True)
class Ends:
    """The two ends of a measurement: the server, the host that loads it, and what is known of them."""

    server: Host
    generator: Host
    server_name: str
    address: str
    """Where the load host finds the server."""
    shared: bool
    """Both are one machine."""
    generator_facts: ask.Facts
    unit_open_files: Mapping[str, int]
    """Descriptor limit of each app's unit."""
    generator_name: str


@dataclass
class Notes:
    """What a cell has come to know so far, kept also when it fails."""

    phases: dict[str, float] = field(default_factory=dict)
    output: ask.LoadOutput | None = None
    journal: str = ""

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time a step."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] = round(time.monotonic() - began, 3)


class CellError(Exception):
    """The cell cannot be measured; the text says why."""


def measure(ends: Ends, plan: Plan, row: Row, repeat: int, say: Callable[[str], None]) -> tuple[Cell, str]:
    """Measure one cell and return it with the generator's raw output; `say` hears what is being done.

    Raises HostError when a host is lost.
    """
    blank = _blank(ends, plan, row, repeat)
    limits = Limits(
        generator=ends.generator_name,
        generator_open_files=ends.generator_facts.open_files,
        generator_ports=ends.generator_facts.local_ports,
        server=ends.server_name,
        server_open_files=ends.unit_open_files.get(row.app.name, 0),
    )
    if reason := obstacle(limits, row.connections):
        return replace(blank, status="not_possible", reason=reason), ""
    notes = Notes()
    try:
        cell = _steps(ends, plan, row, notes, say, blank)
    except (CellError, OperationError) as error:
        cell = replace(blank, status="failed", reason=str(error))
        notes.journal = _journal(ends, row.app)
    try:
        with notes.phase("stop"):
            _see_free(ends.server.ask(ask.Stop(row.app.unit, row.app.file.port)), row.app.file.port)
    except (CellError, OperationError) as error:
        cell = replace(cell, status="failed", reason=cell.reason or str(error))
    shape = _shape(plan, row)
    return replace(cell, phases=notes.phases), _raw(shown_command(shape, ends.address, row), notes)


def _steps(ends: Ends, plan: Plan, row: Row, notes: Notes, say: Callable[[str], None], blank: Cell) -> Cell:
    app, server, generator = row.app, ends.server, ends.generator
    check, port = app.file.check, app.file.port
    shape, url = _shape(plan, row), _url(ends.address, app)

    say("starting")
    with notes.phase("free_port"):
        _see_free(server.ask(ask.FreePort(port)), port)
    with notes.phase("start"):
        server.ask(ask.Start(app.unit))
    with notes.phase("wait"):
        readiness = server.ask(ask.AwaitAnswer(app.unit, port, check.path, ANSWER_SECONDS))
    if not readiness.ready:
        raise CellError(f"the app did not start: {readiness.reason}")
    with notes.phase("verify"):
        _verify(generator.ask(ask.Fetch(ends.address, port, check.path, VERIFY_SECONDS)), app, ends)

    say(f"warming up {plan.warm_up_seconds:g} s")
    with notes.phase("warm_up"):
        warm_up = replace(shape, threads=1, connections=WARM_UP_CONNECTIONS, duration_seconds=plan.warm_up_seconds)
        _run(generator, warm_up, url, app)

    say(f"measuring {plan.duration_seconds:g} s")
    with notes.phase("sample"):
        server.ask(ask.StartSampling(app.unit))
    with notes.phase("measure"):
        output = notes.output = _run(generator, shape, url, app)
    with notes.phase("look"):
        server_load = server.ask(ask.StopSampling())
        ran = server.ask(ask.FindWhatRuns(app.name, app.unit, app.file.versions))

    if not ran.alive:
        raise CellError("the app died under the load")
    if reason := verdict.not_run(output, shape):
        raise CellError(reason)
    try:
        load = wrk_output.read_load(output.stdout)
    except wrk_output.OutputError as error:
        raise CellError(str(error)) from None
    reason = verdict.invalid(output, load, shape, server_load, ends.generator_facts.local_ports)
    return replace(
        blank,
        status="failed" if reason else "measured",
        reason=reason,
        system=system(app, ran.versions),
        load=load,
        generator=Generator(
            command=shown_command(shape, ends.address, row),
            exit_code=output.exit_code,
            wall_seconds=output.wall_seconds,
            cpu_seconds=output.cpu_seconds,
            open_files=output.open_files,
            version=ends.generator_facts.versions.get(wrk.PROGRAM, ""),
        ),
        server=server_load,
        server_open_files=ran.open_files,
        versions=ran.versions,
    )


def system(app: App, versions: Mapping[str, str]) -> str:
    """Return the system's name by what really ran."""
    if app.file.runtime == "openresty" and "nginx" in versions:
        return f"nginx {versions['nginx']} + Lua module {versions.get('nginx Lua module', '')} (in OpenResty's place)"
    return app.file.title


def shown_command(shape: wrk.Shape, address: str, row: Row) -> tuple[str, ...]:
    """Return the load generator's command as it can be repeated in the run's folder, where its script is kept."""
    words = wrk.command(shape, _url(address, row.app))
    return tuple(word.replace("{script}", script_name(row)) for word in words)


def script_name(row: Row) -> str:
    """Return the path of a row's script in the run's folder."""
    return f"raw/{row.name}.lua"


def _url(address: str, app: App) -> str:
    return f"http://{address}:{app.file.port}{app.file.check.path}"


def _shape(plan: Plan, row: Row) -> wrk.Shape:
    return wrk.Shape(plan.threads, row.connections, plan.duration_seconds, plan.timeout_seconds)


def _blank(ends: Ends, plan: Plan, row: Row, repeat: int) -> Cell:
    timeout = wrk.DEFAULT_TIMEOUT_SECONDS if plan.timeout_seconds is None else plan.timeout_seconds
    return Cell(
        name=row.name,
        app=row.app.name,
        system=row.app.file.title,
        host=ends.server_name,
        repeat=repeat,
        connections=row.connections,
        threads=plan.threads,
        duration_seconds=plan.duration_seconds,
        timeout_seconds=timeout,
        status="failed",
        sleep_seconds=row.app.file.sleep_seconds,
        cores=ends.generator_facts.cores,
        load_on_server=ends.shared,
        started_at=now(),
    )


def _see_free(found: ask.Port, port: int) -> None:
    if not found.free:
        who = f"by process {found.pid}: {found.command}" if found.pid else "by a process that cannot be told"
        raise CellError(f"port {port} is taken {who}")


def _verify(reply: ask.Reply, app: App, ends: Ends) -> None:
    check = app.file.check
    if reply.error:
        why = "" if ends.shared else f" at {ends.address}:{app.file.port}; does the app listen on more than 127.0.0.1?"
        raise CellError(f"the load host gets no answer: {reply.error}{why}")
    if reply.status != check.status or check.body not in reply.body:
        raise CellError(
            f"it answers wrongly: {check.path} gave status {reply.status} and {reply.body[:80]!r}, "
            f"not {check.status} and {check.body!r}"
        )


def _run(generator: Host, shape: wrk.Shape, url: str, app: App) -> ask.LoadOutput:
    patience = 2 * verdict.latest_end(shape) + 30.0
    return generator.ask(ask.RunLoad(wrk.command(shape, url), wrk.script(app.file.check), patience))


def _journal(ends: Ends, app: App) -> str:
    try:
        return ends.server.ask(ask.ReadJournal(app.unit, JOURNAL_LINES)).text
    except OperationError:
        return ""


def _raw(command: tuple[str, ...], notes: Notes) -> str:
    """Return what the generator wrote, as it wrote it, with its command above and what else is known below."""
    text = f"$ {' '.join(command)}\n"
    if notes.output:
        text += notes.output.stdout
        if notes.output.stderr:
            text += f"\n# stderr\n{notes.output.stderr}"
    if notes.journal:
        text += f"\n# the app's journal\n{notes.journal}\n"
    return text
