"""One cell: an app started afresh, waited for, verified from where the load comes, warmed up, loaded, sampled, stopped.

The steps stand in `_bring_up` and `_load`, in their order. What goes wrong in any of them makes the cell a failed one, with
the reason and what the app wrote; only a lost host goes up to the caller.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from benchrig.agent import bench_protocol as ask
from benchrig.bench.app import App
from benchrig.bench.generators import Shape
from benchrig.bench.host import Host, OperationError
from benchrig.bench.limits import Limits, obstacle
from benchrig.bench.suite import Plan, Row
from benchrig.bench.verdict import Trial, judge, latest_end
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
    """The two ends of a measurement, which may be one machine, and what is known of them."""

    server: Host
    generator: Host
    server_name: str
    generator_name: str
    address: str
    """Where the load host finds the server."""
    generator_facts: ask.Facts
    unit_open_files: Mapping[str, int]
    """Descriptor limit of each app's unit."""

    @property
    def shared(self) -> bool:
        """Load generator and server are on one machine."""
        return self.server is self.generator


@dataclass
class Attempt:
    """A cell that is being measured, and what has come of it so far; kept also when it fails."""

    ends: Ends
    plan: Plan
    row: Row
    say: Callable[[str], None]
    """Hears what is being done."""
    phases: dict[str, float] = field(default_factory=dict)
    output: ask.LoadOutput | None = None
    journal: str = ""

    @property
    def app(self) -> App:
        """The app under test."""
        return self.row.app

    @property
    def url(self) -> str:
        """What is requested."""
        return f"http://{self.ends.address}:{self.app.file.port}{self.app.file.check.path}"

    @property
    def shape(self) -> Shape:
        """The load that is asked for."""
        return Shape(self.plan.threads, self.row.connections, self.plan.duration_seconds, self.plan.timeout_seconds)

    @property
    def command(self) -> tuple[str, ...]:
        """The load generator's command as it can be repeated in the run's folder, where its script is kept."""
        words = self.plan.generator.command(self.shape, self.url)
        return tuple(word.replace("{script}", script_name(self.row)) for word in words)

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


class AppEndedError(CellError):
    """The app is not there to be measured; the last it wrote says why."""


def measure(ends: Ends, plan: Plan, row: Row, repeat: int, say: Callable[[str], None]) -> tuple[Cell, str]:
    """Measure one cell and return it with the generator's raw output; `say` hears what is being done.

    Raises HostError when a host is lost.
    """
    attempt = Attempt(ends, plan, row, say)
    blank = _blank(attempt, repeat)
    if reason := obstacle(_limits(attempt), row.connections):
        return replace(blank, status="not_possible", reason=reason), ""
    try:
        _bring_up(attempt)
        cell = _load(attempt, blank)
    except (CellError, OperationError) as error:
        attempt.journal = _journal(attempt)
        last = attempt.journal.strip().rpartition("\n")[2] if isinstance(error, AppEndedError) else ""
        cell = replace(blank, status="failed", reason=f"{error}; the last it wrote: {last}" if last else str(error))
    else:
        attempt.journal = _journal(attempt) if cell.status == "failed" else ""
    try:
        with attempt.phase("stop"):
            _see_free(ends.server.ask(ask.Stop(row.app.unit, row.app.file.port)), row.app.file.port)
    except (CellError, OperationError) as error:
        cell = replace(cell, status="failed", reason=cell.reason or str(error))
    return replace(cell, phases=attempt.phases), _raw(attempt)


def _bring_up(attempt: Attempt) -> None:
    """Take the app from nothing to warmed up. Raises CellError, OperationError."""
    app, server, generator = attempt.app, attempt.ends.server, attempt.ends.generator
    check, port = app.file.check, app.file.port

    attempt.say("starting")
    with attempt.phase("free_port"):
        _see_free(server.ask(ask.FreePort(port)), port)
    with attempt.phase("start"):
        server.ask(ask.Start(app.unit))
    with attempt.phase("wait"):
        readiness = server.ask(ask.AwaitAnswer(app.unit, port, check.path, ANSWER_SECONDS))
    if not readiness.ready:
        raise AppEndedError(f"the app did not start: {readiness.reason}")
    with attempt.phase("verify"):
        _verify(generator.ask(ask.Fetch(attempt.ends.address, port, check.path, VERIFY_SECONDS)), attempt)

    attempt.say(f"warming up {attempt.plan.warm_up_seconds:g} s")
    light = replace(attempt.shape, threads=1, connections=WARM_UP_CONNECTIONS, duration_seconds=attempt.plan.warm_up_seconds)
    with attempt.phase("warm_up"):
        _run(attempt, light)


def _load(attempt: Attempt, blank: Cell) -> Cell:
    """Load a warm app, and return the cell that comes of it. Raises CellError, OperationError."""
    app, server = attempt.app, attempt.ends.server

    attempt.say(f"measuring {attempt.plan.duration_seconds:g} s")
    with attempt.phase("sample"):
        server.ask(ask.StartSampling(app.unit))
    with attempt.phase("measure"):
        output = attempt.output = _run(attempt, attempt.shape)
    with attempt.phase("look"):
        server_load = server.ask(ask.StopSampling())
        ran = server.ask(ask.FindWhatRuns(app.name, app.unit, app.file.versions))
    if not ran.alive:
        raise AppEndedError("the app died under the load")

    facts, tool = attempt.ends.generator_facts, attempt.plan.generator
    load, reason = judge(Trial(tool, attempt.shape, output, server_load, facts.local_ports))
    return replace(
        blank,
        status="failed" if reason else "measured",
        reason=reason,
        system=system(app, ran.versions),
        load=load,
        generator=Generator(
            command=attempt.command,
            exit_code=output.exit_code,
            wall_seconds=output.wall_seconds,
            cpu_seconds=output.cpu_seconds,
            open_files=output.open_files,
            version=facts.versions.get(tool.program, ""),
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


def script_name(row: Row) -> str:
    """Return the path of a row's script in the run's folder."""
    return f"raw/{row.name}.lua"


def _limits(attempt: Attempt) -> Limits:
    ends = attempt.ends
    return Limits(
        generator=ends.generator_name,
        generator_open_files=ends.generator_facts.open_files,
        generator_spare_files=attempt.plan.generator.spare_files,
        generator_ports=ends.generator_facts.local_ports,
        server=ends.server_name,
        server_open_files=ends.unit_open_files.get(attempt.app.name, 0),
    )


def _blank(attempt: Attempt, repeat: int) -> Cell:
    return Cell(
        name=attempt.row.name,
        app=attempt.app.name,
        system=attempt.app.file.title,
        host=attempt.ends.server_name,
        repeat=repeat,
        connections=attempt.row.connections,
        threads=attempt.plan.threads,
        duration_seconds=attempt.plan.duration_seconds,
        timeout_seconds=attempt.plan.effective_timeout,
        status="failed",
        sleep_seconds=attempt.app.file.sleep_seconds,
        cores=attempt.ends.generator_facts.cores,
        load_on_server=attempt.ends.shared,
        started_at=now(),
    )


def _see_free(found: ask.Port, port: int) -> None:
    if not found.free:
        # Without a listener it is a client's: the kernel hands out any port of its local range that is not reserved.
        reserve = f"sysctl net.ipv4.ip_local_reserved_ports={port} (the role tuning does it)"
        client = f"by a connection that got it as its own port; keep it from them: {reserve}"
        who = f"by process {found.pid}: {found.command}" if found.pid else client
        raise CellError(f"port {port} is taken {who}")


def _verify(reply: ask.Reply, attempt: Attempt) -> None:
    ends, file = attempt.ends, attempt.app.file
    if reply.error:
        why = "" if ends.shared else f" at {ends.address}:{file.port}; does the app listen on more than 127.0.0.1?"
        raise CellError(f"the load host gets no answer: {reply.error}{why}")
    if reply.status != file.check.status or file.check.body not in reply.body:
        raise CellError(
            f"it answers wrongly: {file.check.path} gave status {reply.status} and {reply.body[:80]!r}, "
            f"not {file.check.status} and {file.check.body!r}"
        )


def _run(attempt: Attempt, shape: Shape) -> ask.LoadOutput:
    tool = attempt.plan.generator
    patience = 2 * latest_end(shape) + 30.0
    command, script = tool.command(shape, attempt.url), tool.script(attempt.app.file.check)
    return attempt.ends.generator.ask(ask.RunLoad(command, script, patience))


def _journal(attempt: Attempt) -> str:
    try:
        return attempt.ends.server.ask(ask.ReadJournal(attempt.app.unit, JOURNAL_LINES)).text
    except OperationError:
        return ""


def _raw(attempt: Attempt) -> str:
    """Return what the generator wrote, as it wrote it, with its command above and what else is known below."""
    text = f"$ {' '.join(attempt.command)}\n"
    if attempt.output:
        text += attempt.output.stdout
        if attempt.output.stderr:
            text += f"\n# stderr\n{attempt.output.stderr}"
    if attempt.journal:
        text += f"\n# the app's journal\n{attempt.journal}\n"
    return text
