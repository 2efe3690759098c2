"""The self-test: the server of known behaviour is deployed and measured as any app is, and what comes out is judged.

It works in a project of its own, a temporary folder with this project's playbook and roles, so that `apps/` and
`reports/` stay as they are.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchrig.agent.text import short
from benchrig.bench.app import App, read_app
from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.rows import Row
from benchrig.bench.run import bench
from benchrig.bench.suite import Plan
from benchrig.bench.traffic import Traffic
from benchrig.errors import BenchrigError
from benchrig.inventory import Host, Inventory
from benchrig.remote import become, ssh
from benchrig.results import audit, store
from benchrig.results.codes import Code
from benchrig.results.model import Cell, Run
from benchrig.selftest.cases import CASES, CONNECTIONS, COURSE, MACHINE, SECONDS, TIMEOUT_SECONDS, Case, Figure, Truth

NAME = "selftest"

SERVER = Path(__file__).with_name("server.py")

LOAD_CONNECTIONS = 8
"""The server's load begins with so many: more than the warm-up has, fewer than any case."""

COMMAND = f"{{bin}}/python3 server.py --port 8080 --from-query --from-connections {LOAD_CONNECTIONS}"

COPIED = ("roles", "configs")

UNIT = f"benchrig-{NAME}.service"

LINES = 1000
"""Of the server's journal: a case writes a few."""


@dataclass(frozen=True)
class Judged:
    """A case, and what came out of it."""

    case: Case
    host: str
    expected: str
    seen: str
    wrong: tuple[str, ...]
    """What is not as it must be; empty when all is."""
    machine: frozenset[Code]
    """Warnings about the machine: they may explain what is wrong."""
    excused: frozenset[Code] = frozenset()
    """Warnings that would be false, had the machine not been disturbed."""


def self_test(inventory: Inventory, root: Path) -> tuple[Judged, ...]:
    """Measure all cases on the machines of an inventory, and judge them.

    Raises what `bench` raises, but for cells that fail.
    """
    project = Path(tempfile.mkdtemp(prefix="benchrig-selftest-"))
    try:
        shutil.copy(root / "site.yml", project)
        for name in COPIED:
            shutil.copytree(root / name, project / name)
        outcome = bench(inventory, project, plan(write_app(project / "apps" / NAME)))
        run, cells = store.read(outcome.folder)
    finally:
        shutil.rmtree(project, ignore_errors=True)
    return judge(run, cells, {name: read_truth(inventory.hosts[name]) for name in run.servers})


def read_truth(host: Host) -> Mapping[str, Truth]:
    """Return what the server counted on a host, by the options of each case: the last time of each. Raises HostError."""
    with ssh.connect(host) as remote:
        journal = become.run(
            remote, ["journalctl", "--boot", "--quiet", "--output=cat", f"--lines={LINES}", f"--unit={UNIT}"]
        )
    found: dict[str, Truth] = {}
    for line in journal.stdout.decode(errors="replace").splitlines():
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            found[str(told["asked"])] = told["counts"]
    return found


def write_app(folder: Path) -> App:
    """Write the server as an app with a route for each case, and read it."""
    folder.mkdir(parents=True)
    shutil.copy(SERVER, folder)
    routes = {case.name: {"path": f"/?{case.options}", "expect": case.expect or {}} for case in CASES}
    app = {"title": "Server of known behaviour", "runtime": "system", "source": [SERVER.name], "command": COMMAND}
    (folder / "app.yml").write_text(json.dumps({**app, "routes": routes}), encoding="utf-8")
    return read_app(folder)


def plan(app: App) -> Plan:
    """Return the plan of the bench: a row for each case."""
    return Plan(
        suite=NAME,
        title="Self-test",
        published="",
        profile=NAME,
        rows=tuple(Row(case.name, app, CONNECTIONS, Traffic((app.routes[case.name],))) for case in CASES),
        generator=DEFAULT,
        duration_seconds=SECONDS,
        warm_up_seconds=1.0,
        timeout_seconds=TIMEOUT_SECONDS,
        threads=1,
        repeats=1,
        kept=False,
    )


def judge(run: Run, cells: Sequence[Cell], truths: Mapping[str, Mapping[str, Truth]]) -> tuple[Judged, ...]:
    """Judge the cells of a self-test on each of its servers, whose counts are `truths`, by the server and the options."""
    cases = {case.name: case for case in CASES}
    return tuple(_judge(case := cases[cell.name], cell, run, truths[cell.host].get(case.options, {})) for cell in cells)


def _judge(case: Case, cell: Cell, run: Run, truth: Truth) -> Judged:
    found = frozenset(warning.code for warning in audit.warnings(cell, run))
    if case.fails or cell.status != "measured":
        seen = f"{cell.status}: {short(cell.reason, 100)}" if cell.reason else cell.status
        right = case.fails and cell.status == "failed" and case.fails in cell.reason
        expected = f"failed: …{case.fails}…" if case.fails else "measured"
        return Judged(case, cell.host, expected, seen, () if right else (seen,), found & MACHINE)
    pairs = [(figure, figure.read(cell), figure.truth(truth) if truth.get("replies") else None) for figure in case.figures]
    wrong = (*filter(None, (_wrong(*pair) for pair in pairs)), *_wrong_warnings(case, found))
    wanted = [f"{figure.name} {_shown(true)}" for figure, _, true in pairs]
    came = [f"{figure.name} {_shown(value)}" for figure, value, _ in pairs]
    return Judged(
        case,
        cell.host,
        ", ".join([*wanted, *_names(case.warnings)]) or "no warning",
        ", ".join([*came, *_names(found)]) or "no warning",
        wrong,
        found & MACHINE,
        excused(case, found),
    )


def _wrong(figure: Figure, value: float | None, true: float | None) -> str:
    """Return in what a figure is wrong; empty when it is right."""
    if value is not None and true is not None and abs(value - true) <= figure.share * true + figure.absolute:
        return ""
    return f"{figure.name} is {_shown(value)}, and the server counted {_shown(true)}"


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f}"


def _wrong_warnings(case: Case, found: frozenset[Code]) -> Iterator[str]:
    yield from (f"no warning '{name}'" for name in _names(case.warnings - found))
    false = found - case.warnings - case.may - MACHINE - excused(case, found)
    yield from (f"false warning '{name}'" for name in _names(false))


def excused(case: Case, found: frozenset[Code]) -> frozenset[Code]:
    """Return the warnings that are no fault of the rig: on a disturbed machine, a steady server is not steady."""
    return (found & COURSE) - case.warnings - case.may if Code.DISTURBED in found else frozenset()


def _names(codes: frozenset[Code]) -> list[str]:
    return sorted(code.label for code in codes)


def render(judged: Sequence[Judged]) -> str:
    """Return the table of a self-test, below it what is not as it must be, and in the last line how many cases are."""
    from tabulate import tabulate

    several = len({one.host for one in judged}) > 1
    names = [f"{one.case.name} on {one.host}" if several else one.case.name for one in judged]
    rows = [
        (name, one.case.does, one.expected, one.seen, "WRONG" if one.wrong else "ok")
        for name, one in zip(names, judged, strict=True)
    ]
    table = tabulate(
        rows, headers=["case", "the server", "expected", "seen", "result"], maxcolwidths=[None, 30, 40, 40, None]
    )
    lines = [f"{one.case.name} on {one.host}: {'; '.join(one.wrong)}{_machine(one)}" for one in judged if one.wrong]
    return "\n".join([table, *lines, _summary(judged)])


def _summary(judged: Sequence[Judged]) -> str:
    """Return the line with the number of cases that are right, and what was excused."""
    text = f"{sum(not one.wrong for one in judged)} of {len(judged)} ok"
    names = [f"{name} in {one.case.name}" for one in judged for name in _names(one.excused)]
    if not names:
        return text
    count = "1 warning" if len(names) == 1 else f"{len(names)} warnings"
    return f"{text}; {count} excused, because the machine was disturbed: {', '.join(names)}"


def _machine(one: Judged) -> str:
    names = ", ".join(_names(one.machine))
    return f" (the machine: {names}; measure again when it is quiet)" if names else ""


def failure(judged: Sequence[Judged]) -> BenchrigError | None:
    """Return the error that names the cases that came out wrong; None when none did."""
    names = [one.case.name for one in judged if one.wrong]
    missing = len(CASES) - len({one.case.name for one in judged})
    if names or missing:
        left = f"; {missing} were not measured" if missing else ""
        return BenchrigError(f"{len(names)} of {len(CASES)} cases came out wrong: {', '.join(names)}{left}")
    return None
