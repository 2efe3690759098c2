"""A machine is examined as it is, by a program that brings all it needs, and nothing is left on it. Causes are real."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from benchrig.agent import lock, spec
from benchrig.agent.bench import doctor
from benchrig.agent.bench.protocol import Examination, Examine
from benchrig.bench.doctor.checks import Needs, of_examination, of_rooms
from benchrig.bench.doctor.findings import Code, Finding
from benchrig.remote import visit

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

ASKED = Examine(0.3, (8080,), ("/", "/nowhere"), ("sh", "no-such-program"))
NEEDS = Needs(connections=100)

LISTEN = "import socket, time; s = socket.create_server(('127.0.0.1', 0))"


def examined(asked: Examine = ASKED, before: Sequence[str] = (), folder: Path | None = None) -> Examination:
    """Examine this machine as a host is examined: by a program of its own, below the words of another one."""
    program = (Path(visit.__file__).parent / "onhost" / "visit.py").read_text()
    sent = {"files": visit.files(), "module": "agent.bench.doctor", "function": "examine"}
    sent |= {"asked": "Examine", "value": asdict(asked)}
    argv = [*before, "python3", "-c", program]
    done = subprocess.run(argv, input=json.dumps(sent).encode(), capture_output=True, cwd=folder or "/", check=False)
    assert done.returncode == 0, done.stderr.decode()
    return spec.build(Examination, json.loads(done.stdout.rstrip().rpartition(b"\n")[2]))


def found(examination: Examination, needs: Needs = NEEDS, offset: float = 0.0) -> dict[Code, Finding]:
    return {one.code: one for one in of_examination("web1", examination, needs, offset)}


def test_a_machine_is_examined_without_a_file_being_written(tmp_path: Path) -> None:
    before = sorted(Path("/tmp").iterdir())
    examination = examined(folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not Path("/tmp/agent").exists()
    assert len(before) <= len(sorted(Path("/tmp").iterdir())) + 5
    assert examination.facts.cores == len(os.sched_getaffinity(0))
    assert examination.facts.environment.kernel_command_line
    assert abs(examination.clock - time.time()) < 5
    assert [room.folder for room in examination.rooms] == ["/"]
    assert examination.deployed.programs == ("sh",)


@as_root
def test_a_file_system_that_is_as_good_as_full_is_found(tmp_path: Path) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=50", "none", tmp_path], check=True)
    try:
        (finding,) = of_rooms("web1", tuple(doctor.rooms([str(tmp_path), str(tmp_path)])))
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert finding.code is Code.DISK_FULL
    assert finding.sentence == f"The file system of {tmp_path} has 1 MiB and 49 files free."
    assert finding.mend().endswith(f": df -h {tmp_path}; df -i {tmp_path}")


def test_a_port_of_an_app_that_another_program_has_is_found_with_its_name_alone() -> None:
    program = f"{LISTEN}; print(s.getsockname()[1], flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program, "--token=hunter22"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        with socket.create_server(("127.0.0.1", 0)) as other:
            holders = tuple(doctor.holders([port, other.getsockname()[1], 1]))
        process.kill()
    assert (holders[0].port, holders[0].pid) == (port, process.pid)
    assert holders[0].name.startswith("python")
    assert "hunter22" not in str(holders)


def test_a_bench_that_has_the_host_is_found(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert doctor.used_by(path) == ""
    with lock.take(path, lock.Owner("bench", "s", "ann@box, process 7", os.getpid(), time.time())):
        assert doctor.used_by(path).startswith("a bench by ann@box, process 7 has had this host for")
    assert doctor.used_by(path) == ""


def test_what_a_killed_agent_wrote_into_the_lock_keeps_nobody(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text(json.dumps(asdict(lock.Owner("bench", "s", "ann@box", 1, time.time(), started=5))))
    assert doctor.used_by(path) == ""


@as_root
def test_a_machine_with_low_limits_of_its_network_is_found() -> None:
    """A network namespace has a range of local ports and a backlog of its own."""
    set_up = 'echo 20000 20050 > /proc/sys/net/ipv4/ip_local_port_range; echo 64 > /proc/sys/net/core/somaxconn; exec "$@"'
    findings = found(examined(before=("unshare", "--net", "--mount-proc", "--fork", "--pid", "sh", "-c", set_up, "sh")))
    assert findings[Code.LOCAL_PORTS].sentence == "100 connections need as many local ports, and there are 51."
    assert findings[Code.BACKLOG].values == {"connections": 100, "limit": 64}


@as_root
def test_a_limit_of_open_files_that_root_cannot_raise_is_found() -> None:
    low = ("setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource", "--")
    findings = found(examined(before=("prlimit", "--nofile=120:120", *low)))
    assert findings[Code.OPEN_FILES].sentence == "100 connections need 164 open files, and a process may have 120."


@as_root
@pytest.mark.skipif(not Path("/sys/fs/cgroup/cpu/cpu.stat").exists(), reason="needs the controller cpu of cgroup v1")
def test_a_quota_of_cpu_time_is_found() -> None:
    group = Path("/sys/fs/cgroup/cpu/benchrig-test-doctor")
    group.mkdir()
    try:
        (group / "cpu.cfs_quota_us").write_text("50000")
        findings = found(examined(before=("sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh")))
    finally:
        group.rmdir()
    finding = findings[Code.CPU_QUOTA]
    cores = len(os.sched_getaffinity(0))
    limit = "cpu.cfs_quota_us of /benchrig-test-doctor: 50000 100000"
    assert finding.sentence == f"A control group's quota allows 0.5 of {cores} cores: {limit}."


def test_a_busy_program_is_found_and_named() -> None:
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        finding = found(examined())[Code.BUSY]
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    assert float(finding.values["share"]) > 50
    assert "python" in finding.sentence


def test_whether_a_time_service_keeps_the_clock_right_is_known() -> None:
    assert doctor.is_synchronized() in (True, False)


def test_the_limit_of_open_files_of_this_process_is_no_more_than_it_may_be() -> None:
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] <= examined().facts.open_files
