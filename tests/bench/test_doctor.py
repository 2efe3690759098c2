"""What is found about machines before a run, from values: for hardware and limits that this machine does not have.

What can be caused for real is in tests/agent/bench/test_doctor.py.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchrig import inventory
from benchrig.agent.bench import protocol
from benchrig.bench import run as running
from benchrig.bench.app import read_apps
from benchrig.bench.doctor import examine
from benchrig.bench.doctor.checks import Needs, needs_of, of_examination, quick
from benchrig.bench.doctor.findings import Code, Finding, Severity, Value
from benchrig.bench.doctor.table import render
from benchrig.bench.suite import BenchRequest, plan
from benchrig.machines import machines_of
from benchrig.remote.channel import Completed
from tests.support import ROOT
from tests.support.cell import FACTS
from tests.support.cli import inv
from tests.support.sshd import server

GIB = 1 << 30
QUIET = protocol.Activity(
    1.0,
    0.1,
    foreign_percent=1.0,
    steal_percent=0.0,
    pressure={"memory": 0.0},
    memory_available_bytes=8 * GIB,
    swap_used_bytes=0,
)
SOUND = protocol.Environment("performance", "off", "off", 1, clock_source="tsc", cgroup_limits={}, activity=QUIET)
FIT = protocol.Examination(
    facts=replace(FACTS, environment=SOUND, sysctls={"net.core.somaxconn": "65535"}),
    deployed=protocol.Deployed({"go": protocol.DeployedApp({}, 1 << 20)}, {}, ("wrk",)),
    clock=0.0,
    synchronized=True,
    rooms=(protocol.Room("/", 9 * GIB, 1 << 20), protocol.Room("/tmp", GIB)),
    holders=(),
    used_by="",
    tracked_connections=10,
    tracked_most=262_144,
    most_processes=32_768,
)
NEEDS = Needs(20_000, spare_files=100)


def in_environment(**changes: object) -> protocol.Examination:
    return replace(FIT, facts=replace(FIT.facts, environment=replace(SOUND, **changes)))


def doing(**changes: object) -> protocol.Examination:
    return in_environment(activity=replace(QUIET, **changes))


def with_facts(**changes: object) -> protocol.Examination:
    return replace(FIT, facts=replace(FIT.facts, **changes))


def found(examination: protocol.Examination, needs: Needs = NEEDS, offset: float = 0.0) -> dict[Code, Finding]:
    return {one.code: one for one in of_examination("web1", examination, needs, offset)}


BUSY = (protocol.Process("make", 90.0), protocol.Process("cc1", 40.0))
CAUSES: Mapping[Code, tuple[protocol.Examination, str]] = {
    Code.IN_USE: (replace(FIT, used_by="a bench by ann"), "The host is in use: a bench by ann."),
    Code.PORT_TAKEN: (
        replace(FIT, holders=(protocol.Holder(8080, 12345, "nginx"),)),
        "Port 8080 of an app is taken by 'nginx' (process 12345).",
    ),
    Code.DISK_FULL: (
        replace(FIT, rooms=(protocol.Room("/tmp", 1 << 20),)),
        "The file system of /tmp has 1 MiB and any number of files free.",
    ),
    Code.OPEN_FILES: (
        with_facts(open_files=20_000),
        "20,000 connections need 20,100 open files, and a process may have 20,000.",
    ),
    Code.APP_OPEN_FILES: (
        replace(FIT, deployed=protocol.Deployed({"go": protocol.DeployedApp({}, 1024)}, {}, ())),
        "20,000 connections need 20,064 open files, and the unit of 'go' may have 1,024.",
    ),
    Code.LOCAL_PORTS: (
        with_facts(local_ports=16_000),
        "20,000 connections need as many local ports, and there are 16,000.",
    ),
    Code.PROCESSES: (
        replace(FIT, most_processes=100),
        "There can be 100 processes and threads; a run needs 513.",
    ),
    Code.GOVERNOR: (
        in_environment(cpu_governor="powersave"),
        "The CPU governor is powersave: the clock follows the load with a delay.",
    ),
    Code.CPU_QUOTA: (
        in_environment(cgroup_limits={"cpu.max of /": "150000 100000", "cpu.max of /system.slice": "300000 100000"}),
        "A control group's quota allows 1.5 of 2 cores: cpu.max of /: 150000 100000.",
    ),
    Code.UNIT_LIMIT: (
        replace(FIT, unit_limits={"MemoryMax of benchrig-go.service": "1048576"}),
        "A unit of an app has a limit: MemoryMax of benchrig-go.service: 1048576.",
    ),
    Code.STEAL: (doing(steal_percent=2.4), "The hypervisor takes 2 % of the CPU time (steal)."),
    Code.BUSY: (
        doing(foreign_percent=65.0, load_average=1.5, processes=BUSY),
        "Other programs use 65 % of the CPU time; load average 1.5; seen, in percent of a core: make 90 %, cc1 40 %.",
    ),
    Code.MEMORY_PRESSURE: (
        doing(pressure={"memory": 12.0}),
        "Programs waited for memory in 12 % of the last 10 s; 8 GiB are available.",
    ),
    Code.MEMORY: (
        doing(memory_available_bytes=GIB),
        "20,000 connections need about 2.69 GiB of memory, and 1 GiB are available.",
    ),
    Code.CLOCK_SOURCE: (
        in_environment(clock_source="hpet"),
        "The clock source is hpet: to read the time is a slow call into the kernel.",
    ),
    Code.BACKLOG: (
        with_facts(sysctls={"net.core.somaxconn": "4096"}),
        "net.core.somaxconn is 4,096: of 20,000 connections at once, some would be dropped.",
    ),
    Code.CONNTRACK: (
        replace(FIT, tracked_connections=30_000, tracked_most=65_536),
        "The packet filter tracks 30,000 of at most 65,536 connections; 40,000 more are needed.",
    ),
    Code.TURBO: (
        in_environment(turbo="on"),
        "Turbo is on: the clock depends on heat and on other cores, and so repeats vary more.",
    ),
    Code.SMT: (
        in_environment(smt="on"),
        "SMT is on: two CPUs share a core, and 100 % of the CPUs is less than twice 50 %.",
    ),
    Code.SWAP: (doing(swap_used_bytes=GIB), "1 GiB of swap are in use."),
    Code.MITIGATIONS: (
        in_environment(mitigations={"meltdown": "Mitigation: PTI", "mds": "Not affected"}),
        "Vulnerabilities of the CPU that the kernel mitigates: 1. That costs time in system calls.",
    ),
    Code.NOT_SYNCHRONIZED: (replace(FIT, synchronized=False), "No time service keeps its clock right."),
}
"""An examination in which each is found, and what is said of it."""

ELSEWHERE = {Code.NOT_RUNNING, Code.UNREACHABLE, Code.NOT_DEPLOYED, Code.NO_PYTHON, Code.CLOCK_OFFSET, Code.TIMEOUT}


def test_nothing_is_found_about_a_fit_machine() -> None:
    assert found(FIT) == {}


def test_nothing_is_found_where_nothing_is_known() -> None:
    unknown = replace(FIT, synchronized=None, tracked_connections=None, tracked_most=None, most_processes=None, rooms=())
    bare = replace(FIT.facts, environment=protocol.Environment(), sysctls={})
    assert found(replace(unknown, facts=bare)) == {}


def test_every_finding_is_caused_by_a_test() -> None:
    assert set(CAUSES) | ELSEWHERE == set(Code)


@pytest.mark.parametrize("code", CAUSES, ids=lambda code: code.value)
def test_each_finding_is_found_alone_and_has_its_sentence(code: Code) -> None:
    examination, sentence = CAUSES[code]
    findings = found(examination)
    assert {*findings} == {code}
    assert findings[code].sentence == sentence
    assert not set("{}") & set(findings[code].mend())
    assert findings[code].mend() or findings[code].severity is Severity.NOTE


def test_a_command_of_ours_names_the_inventory() -> None:
    (finding,) = found(CAUSES[Code.BACKLOG][0]).values()
    assert finding.mend() == "./inv provision --tags tuning"
    assert finding.mend("my lab") == "./inv provision --tags tuning -i 'my lab'"
    assert "./inv provision --tags tuning -i mine" in render([finding], 80, "mine")
    assert found(CAUSES[Code.PORT_TAKEN][0])[Code.PORT_TAKEN].mend("mine") == "kill 12345"


def test_what_mends_a_finding_is_a_command_with_its_values() -> None:
    assert found(CAUSES[Code.PORT_TAKEN][0])[Code.PORT_TAKEN].mend() == "kill 12345"
    wanted = found(CAUSES[Code.CONNTRACK][0])[Code.CONNTRACK].mend()
    assert wanted == "sudo sysctl -w net.netfilter.nf_conntrack_max=140000"


@pytest.mark.parametrize(("offset", "said"), [(0.9, ""), (2.0, "2.0 s before"), (-90.0, "90.0 s behind")])
def test_a_clock_that_is_off_is_found(offset: float, said: str) -> None:
    finding = found(FIT, offset=offset).get(Code.CLOCK_OFFSET)
    assert (finding.sentence if finding else "") == (f"Its clock is {said} the controller's." if said else "")


def test_a_load_host_needs_no_backlog_and_a_server_no_local_ports() -> None:
    small = with_facts(local_ports=100, sysctls={"net.core.somaxconn": "128"})
    assert set(found(small, replace(NEEDS, is_server=False))) == {Code.LOCAL_PORTS}
    assert set(found(small, replace(NEEDS, is_generator=False))) == {Code.BACKLOG}


def test_a_bench_tells_what_spoils_its_rows_and_nothing_else() -> None:
    facts = {
        "sound": FIT.facts,
        "noted": in_environment(turbo="on").facts,
        "stopped": with_facts(open_files=100).facts,
        # In a fifth of a second a timer or a login looks like this.
        "short": doing(foreign_percent=20.0).facts,
        "spoiled": in_environment(cpu_governor="powersave").facts,
    }
    findings = quick(facts, dict.fromkeys(facts, NEEDS))
    assert [(one.host, one.code) for one in findings] == [("spoiled", Code.GOVERNOR)]


PLAN = plan(ROOT, read_apps(ROOT), BenchRequest(only=("go-2000",)))


def test_a_program_that_is_a_small_part_of_it_is_named_all_the_same() -> None:
    finding = found(doing(foreign_percent=65.0, load_average=1.5, processes=(protocol.Process("systemd", 5.0),)))[Code.BUSY]
    assert (
        finding.sentence
        == "Other programs use 65 % of the CPU time; load average 1.5; seen, in percent of a core: systemd 5 %."
    )


def test_every_finding_is_on_its_page() -> None:
    page = (ROOT / "docs" / "doctor.md").read_text()
    names = [code.value.replace("_", " ") for code in Code if code is not Code.APP_OPEN_FILES]
    assert [name for name in names if name not in page] == []


def test_a_bench_warns_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    lab = inventory.read("lab", ROOT)
    running.warn_of(lab, PLAN, {"lab1": FIT.facts})
    assert capsys.readouterr().err == ""
    running.warn_of(lab, PLAN, {"lab1": CAUSES[Code.CLOCK_SOURCE][0].facts})
    said = "warning: lab1: The clock source is hpet: to read the time is a slow call into the kernel. What fixes it: Choose"
    assert capsys.readouterr().err.startswith(said)


def test_a_hosts_needs_are_those_of_its_parts_in_the_run() -> None:
    three = inventory.read("lab-three", ROOT)
    needs = {name: needs_of(three, PLAN, name) for name in three.hosts}
    parts = {(one.is_server, one.is_generator) for one in needs.values()}
    assert parts == {(True, False), (False, True), (False, False)}
    assert {one.connections for one in needs.values()} == {2_000}


MINE = """\
all:
  hosts: {{web1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}
  children:
    servers: {{hosts: {{web1: {{}}}}}}
    loadgens: {{hosts: {{web1: {{}}}}}}
"""


def test_a_host_that_cannot_be_reached_is_found_with_its_reason(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    path = tmp_path / "mine.yml"
    path.write_text(MINE.format(port=port))
    machines = machines_of(inventory.read(str(path), ROOT), ROOT)
    (finding,) = examine.findings(machines, ROOT, PLAN, None)
    assert (finding.code, finding.host) == (Code.UNREACHABLE, "web1")
    assert "refused" in finding.sentence


@pytest.mark.parametrize(
    "answer", [None, [], {"clock": "now"}, {**asdict(FIT), "clock": "soon"}, {**asdict(FIT), "holders": [[]] * 1000}]
)
def test_a_host_that_answers_nonsense_is_found(answer: object, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = answered(answer, monkeypatch)
    assert isinstance(finding, Finding)
    assert finding.code is Code.UNREACHABLE
    assert "it answers nonsense" in finding.sentence
    assert len(finding.sentence) < 400


@pytest.mark.parametrize("text", ["", "0 0", "1 0", "x y", "²", "9" * 900, "1 2 3", "-5 100000"])
def test_a_host_whose_values_are_no_numbers_says_nothing(text: str) -> None:
    limits = {"cpu.max of /": text, "pids.max of /": text}
    facts = with_facts(sysctls={"net.core.somaxconn": text}).facts
    assert found(replace(FIT, facts=replace(facts, environment=replace(SOUND, cgroup_limits=limits)))) == {}


def test_a_host_that_answers_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {**asdict(FIT), "used_by": "x" * 10_000, "holders": [asdict(protocol.Holder(80, 1, "x" * 9999))] * 5000}
    examined = answered(answer, monkeypatch)
    assert isinstance(examined, examine.Examined)
    assert len(examined.found.used_by) <= 1001
    assert len(examined.found.holders) == 100


@pytest.mark.parametrize(
    ("done", "code", "said"),
    [
        (Completed(127, b"", b"sh: 1: python3: not found"), Code.NO_PYTHON, "The host has no python3"),
        (Completed(1, b"", b"Traceback\nMemoryError"), Code.UNREACHABLE, "lab1: it cannot be examined: MemoryError"),
        (Completed(0, b"Welcome!\n{", b""), Code.UNREACHABLE, "it answers nonsense instead of JSON"),
    ],
)
def test_a_host_that_cannot_be_examined_is_found(
    done: Completed, code: Code, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab1 = inventory.read("lab", ROOT).hosts["lab1"]
    monkeypatch.setattr("benchrig.remote.ssh.connect", lambda _: nullcontext(SimpleNamespace(host=lab1)))
    monkeypatch.setattr("benchrig.remote.become.run", lambda *_, **__: done)
    finding = examine.look_at(lab1, protocol.Examine(0.0, (), (), ()))
    assert isinstance(finding, Finding)
    assert finding.code is code
    assert said in finding.sentence


def answered(answer: object, monkeypatch: pytest.MonkeyPatch) -> examine.Examined | Finding:
    """Return what is made of a host's answer."""
    monkeypatch.setattr("benchrig.remote.ssh.connect", lambda _: nullcontext())
    monkeypatch.setattr("benchrig.remote.visit.ask", lambda *_: json.loads(json.dumps(answer)))
    return examine.look_at(inventory.read("lab", ROOT).hosts["lab1"], protocol.Examine(0.0, (), (), ()))


def test_ctrl_c_ends_the_doctor_at_once_also_while_a_host_hangs(tmp_path: Path) -> None:
    with server(b"", hold=True) as port:
        path = tmp_path / "mine.yml"
        path.write_text(MINE.format(port=port))
        argv = [sys.executable, "-P", "-m", "benchrig.cli", "--search-root", str(ROOT), "doctor", "-i", str(path)]
        process = subprocess.Popen(argv, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        time.sleep(2.5)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert time.monotonic() - began < 2
    assert (process.returncode, stderr) == (130, "interrupted\n")


def test_machines_that_are_not_up_are_found_with_the_way_to_start_them(tmp_path: Path) -> None:
    lab = inventory.read("lab", ROOT)
    (finding,) = examine.findings(machines_of(lab, tmp_path), tmp_path, PLAN, None)
    assert (finding.code, finding.host, finding.mend()) == (Code.NOT_RUNNING, "lab1", "./inv up")
    assert finding.sentence == "The machine is not up: absent."


def test_the_table_has_the_worst_first_and_fits_the_terminal() -> None:
    values: Mapping[str, Value] = {"state": "absent"}
    findings = [Finding(Code.TURBO, "a"), found(CAUSES[Code.BUSY][0])[Code.BUSY], Finding(Code.NOT_RUNNING, "b", values)]
    lines = render(findings, None).splitlines()
    assert [line.split()[1] for line in lines[2::2]] == ["stops", "spoils", "note"]
    assert lines[3].strip() == "./inv up"
    narrow = render(findings, 60).splitlines()
    assert max(len(line) for line in narrow[2:] if not line.startswith(" " * 18)) <= 60
    # A command can be copied.
    assert Code.TURBO.mend in [line.strip() for line in narrow]
    assert render([], 80) == "nothing was found that would spoil a run"


def test_findings_that_spoil_a_run_end_with_a_code_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(MINE.format(port=1))
    done = inv("doctor", "-i", str(path), "--only", "go-2000", "report")
    assert done.returncode == 7
    assert done.stdout.startswith("host ")
    assert done.stderr.startswith("error: not fit for a run: 1 finding stops it\n")


def test_a_suite_that_there_is_not_is_bad_input() -> None:
    assert inv("doctor", "--suite", "nosuch").returncode == 2
