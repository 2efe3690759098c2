"""Every reader of what programs and hosts have written, fuzzed: results, stored state, texts of wrk, Vagrant and agents."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchrig.agent.bench.lines import read_envelope, read_operation
from benchrig.agent.bench.protocol import Reply
from benchrig.agent.play import events
from benchrig.bench.app import read_app
from benchrig.bench.generators.base import OutputError
from benchrig.bench.generators.wrk.output import MARKER, read_load
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.bench.progress import outcome
from benchrig.bench.verify import mistake
from benchrig.cli import completion
from benchrig.errors import MachineError
from benchrig.machines.folder import MachineFolder
from benchrig.machines.keys import known_host
from benchrig.machines.lab.folder import LabFolder
from benchrig.machines.qemu.machine import read_state
from benchrig.machines.vagrant import output
from benchrig.machines.vagrant.folder import VagrantFolder
from benchrig.provision import parse_extra_vars
from benchrig.remote.keys import pinned
from benchrig.report import EXPORTS, Report, load, render_terminal
from benchrig.report.table import make
from benchrig.results import audit, formats, store
from benchrig.results.model import ClientEnd, ConnectionsSeen, ServerEnd
from tests.support import ROOT
from tests.support.audits import RUN, a_sound_cell
from tests.support.faults import fault
from tests.support.fuzz import damaged_texts, examined, json_files
from tests.support.series import a_cell_of, flat
from tests.support.wrk import INSIGHTFUL, TEXT

RESULTS = ROOT / "tests" / "cases" / "results"
VAGRANT = ROOT / "tests" / "cases" / "vagrant"

TODAYS = json.dumps(
    json.loads(INSIGHTFUL)
    | {"depth": 1, "statuses": {"200": 3427}, "sent": {"film": 3000, "films": 500}}
    | {
        "replies": [
            {"status": 200, "routes": ["film"], "replies": 2927},
            {"status": 200, "routes": ["films"], "replies": 500},
        ]
    }
)
"""All that the line of our script may have."""

pytestmark = pytest.mark.faults

in_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _lines(version: str) -> list[str]:
    if version != "today":
        return _text(RESULTS / version / "cells.jsonl").splitlines()
    cell = a_cell_of(flat)
    measured = read_load(f"{TEXT}{MARKER}{TODAYS}\n")
    seen = ConnectionsSeen(ClientEnd(200, 0, 0, 200, 0, 28232), ServerEnd(200, 0, 200, 0))
    cell = replace(cell, name="flask-sync", app="flask-sync", load=measured, connections_seen=seen, wrong_after="")
    return [formats.text_of(cell)]


def use_run(folder: Path) -> None:
    """Read a run, write every report of it, and the line of each cell."""
    report = load(folder, ROOT)
    render_terminal(report, 100)
    for export in EXPORTS.values():
        export(report)
    for cell in store.read(folder)[1]:
        outcome(cell, "run")


def use_load(text: str) -> None:
    """Read a text of wrk with the line of our script, and use it as a run does."""
    cell = a_sound_cell(load=read_load(text))
    outcome(cell, "run")
    audit.warnings(cell, RUN)
    EXPORTS["report.json"](Report(make(RUN, [cell])))


@fault(
    "Input",
    done="`run.json` or a line of `cells.jsonl`, of every format there was, with up to three wrong values, or any bytes",
    promised="the run is read, a damaged line is left out with a warning, or the run is refused with its file; all reports "
    "can be written",
    seen="no traceback and no wait",
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_damaged_run(tmp_path: Path, version: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(RESULTS / version, folder)

    @given(content=json_files(_text(RESULTS / version / "run.json")))
    def damage(content: bytes) -> None:
        (folder / "run.json").write_bytes(content)
        examined(lambda: use_run(folder), place="run.json")
        examined(lambda: store.entries(tmp_path))

    damage()


@pytest.mark.parametrize("version", ["v1", "v2", "today"])
def test_damaged_cells(tmp_path: Path, version: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(RESULTS / ("v2" if version == "today" else version), folder)
    lines = _lines(version)

    @given(content=json_files(*lines))
    def damage(content: bytes) -> None:
        (folder / "cells.jsonl").write_bytes("\n".join(lines[:3]).encode() + b"\n" + content + b"\n")
        examined(lambda: use_run(folder), place="cells.jsonl")

    damage()


LAB = '{"inventory": "/x/lab.yml", "subnet": "10.213.7.0/24", "numbers": {"lab1": 11, "lab2": 12}}'
QEMU = '{"port": 2222, "hardware": {"cpus": 2, "memory_mb": 2048, "accelerator": "kvm"}}'
PLAN = (
    '{"provider": "libvirt", "driver": "kvm", "unique_name": "x", "boot_seconds": 300, "machines": [{"name": "a", '
    '"vagrant_name": "k.a", "unique_name": "u", "cpus": 2, "memory_mb": 2048, "box": null, "box_url": null, '
    '"address": null}]}'
)
KNOWN = (
    '{"vm1": {"making": false, "id": "7", "host_key": "ssh-ed25519 AAAA", "address": "127.0.0.1", "port": 22, "kept": 1.5}}'
)


@fault(
    "Input",
    done="stored state of machines (`lab.json`, `machine.json`, `plan.json`, `known.json`) that is damaged likewise",
    promised="it counts as missing",
    seen="no traceback",
)
@in_folder
@given(content=json_files(LAB, QEMU, PLAN, KNOWN))
def test_damaged_state(tmp_path: Path, content: bytes) -> None:
    for name in ("lab.json", "machine.json", "plan.json", "known.json"):
        (tmp_path / name).write_bytes(content)
    state = LabFolder(tmp_path, "x").state()
    assert all(isinstance(state.address(name), str) for name in state.numbers)
    assert state.with_machines(["another"]).numbers["another"]
    assert 0 <= read_state(MachineFolder("one", tmp_path)).port < 65536
    folder = VagrantFolder(tmp_path)
    plan = folder.plan()
    assert plan is None or plan.of("a") or True
    assert all(one.known_hosts_line() and 0 < one.port < 65536 for one in folder.known().values())


@fault(
    "Input",
    done="the file that names a machine's image, or its public host key, empty, a folder or any bytes",
    promised="the command says which file is damaged and to make the machine anew; exit code 4",
    seen="one line",
)
@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"x" * 5000, None])
def test_damaged_files_of_a_machine(tmp_path: Path, content: bytes | None) -> None:
    machine = MachineFolder("lab1", tmp_path)
    for name in ("image", "host_key.pub"):
        if content is None:
            (tmp_path / name).mkdir()
        else:
            (tmp_path / name).write_bytes(content)
    with pytest.raises(MachineError, match=r"lab1: .*/image cannot be read: ."):
        machine.made_from()
    with pytest.raises(MachineError, match=r"lab1: .*/host_key.pub is damaged"):
        known_host(machine, "192.0.2.1")


@fault(
    "Input",
    done="the text of wrk, and the line of its script, cut short or with other words in it",
    promised="the cell fails with a reason",
    seen="no traceback and no wait",
)
@given(
    text=damaged_texts(
        *[_text(path) for path in sorted((RESULTS / "v2" / "raw").rglob("*.txt"))[:3]], f"{TEXT}{MARKER}{INSIGHTFUL}\n"
    )
)
def test_damaged_text_of_wrk(text: str) -> None:
    examined(lambda: read_load(text), OutputError)
    examined(lambda: read_printed(text), OutputError)


@given(content=json_files(TODAYS))
def test_damaged_figures_of_our_script(content: bytes) -> None:
    line = content.decode(errors="replace").replace("\n", " ")
    examined(lambda: use_load(f"{TEXT}{MARKER}{line}\n"), OutputError)


@given(
    text=damaged_texts(*[_text(path) for path in sorted(VAGRANT.glob("*/*.txt"))]),
    stderr=damaged_texts("a.rb:1:in `x': why"),
)
def test_damaged_output_of_vagrant(text: str, stderr: str) -> None:
    lines = [line for line in map(output.parse, text.splitlines(keepends=True)) if line]
    assert all(isinstance(line.progress, str) for line in lines)
    output.states(lines)
    assert all(0 < login.port < 65536 for login in output.logins(lines).values())
    output.failure(lines, stderr)


KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJr1x4t0GxFvuLZd3e9b4t1pTzQJmSx6l7vXb1mQk0yF"


@in_folder
@given(text=damaged_texts(f"[127.0.0.1]:2222 {KEY}\n@cert-authority * {KEY}\n|1|abc=|def= {KEY}\n# x\nhost {KEY} c\n"))
def test_damaged_known_hosts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "known_hosts"
    path.write_bytes(text.encode(errors="surrogatepass"))
    examined(lambda: pinned(path, "[127.0.0.1]:2222"))


EVENTS = [
    events.encode(event).decode()
    for event in (
        events.TaskStarted("t", "r", "w:1"),
        events.ItemDone("changed", label="x", stdout="y", rc=1, seconds=0.5),
        events.Reached((1, 2, 3)),
        events.NeedFound("h", "n", (1, 2, 3)),
        events.Recap(ok=1, pending=("h",), seconds=2.0),
    )
]
ANSWER = '{"operation": "", "value": {"text": "x"}, "error": "", "id": 3}'
REQUEST = '{"operation": "ReadJournal", "value": {"unit": "a.service", "lines": 3}, "error": "", "id": 3}'


@fault(
    "Input",
    done="a line of a provision's or a bench's agent that is damaged likewise",
    promised="it counts as no event and no answer; that host fails alone",
    seen="no traceback",
)
@given(content=json_files(*EVENTS, ANSWER, REQUEST))
def test_damaged_line_of_an_agent(content: bytes) -> None:
    examined(lambda: events.decode(content), ValueError)
    examined(lambda: read_operation(read_envelope(content)), ValueError)


@given(
    content=json_files('{"id": 3, "items": [{"title": "x", "price": 1.5}, null, true]}'),
    status=st.sampled_from([200, 0, -1]),
)
def test_damaged_answer_of_an_app(content: bytes, status: int) -> None:
    route = next(iter(read_app(ROOT / "apps" / "films-quart").routes.values()))
    route = replace(route, json={"id": 3, "items": [{"title": "x"}]}, contains="")
    assert isinstance(mistake(route, Reply(status=status, body=content.decode(errors="surrogateescape"))), str)


@given(words=st.lists(damaged_texts("bench", "--suite", "web-frameworks", "--only=x", "-i", "=", "report"), max_size=5))
def test_odd_words_on_the_command_line(words: list[str]) -> None:
    examined(lambda: command_line().read(words))
    assert isinstance(completion.candidates(command_line(), words), list)
    examined(lambda: parse_extra_vars(words))


def command_line() -> object:
    """Return the reader of the command line, with the tasks of the project."""
    from invoke.collection import Collection

    import tasks
    from benchrig.cli.command_line import CommandLine
    from benchrig.cli.program import BenchrigProgram

    program = BenchrigProgram(name="benchrig", binary="./inv", version="0")
    program.core_args()
    collection = Collection.from_module(tasks)
    words = {name: task.words for name, task in collection.tasks.items()}
    return CommandLine(program._offered(), collection.to_contexts(), words)
