"""The doctor on a real lab machine, and a quota of CPU time that holds up an app in the middle of a real measurement."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.inventory import Host
from benchrig.results.audit import warnings
from benchrig.results.codes import Code
from benchrig.results.store import find_run, read
from tests.support.benching import ROW, bench_under_load, run
from tests.support.clone import Clone, Done

pytestmark = pytest.mark.lab

CPU = Path("/sys/fs/cgroup/cpu")
TRACES = "find /etc /opt /var/lib/benchrig /run/benchrig /root /tmp -newer /var/lib/mark -not -type d 2>/dev/null"


@pytest.fixture(scope="module")
def deployed(clone: Clone) -> Done:
    """Deploy the app of the row by a short bench."""
    done = clone.inv("bench", "--only", ROW, "--duration", "1s", "--connections", "40", timeout=900)
    assert done.code == 0, done.stderr
    return done


def doctor(clone: Clone, *options: str) -> Done:
    done = clone.inv("doctor", "--only", ROW, *options)
    # Other programs may run on the computer of the tests.
    assert done.code in (0, 7), done.stderr
    return done


def test_doctor_leaves_no_trace_on_a_host(clone: Clone, deployed: Done, lab1: Host) -> None:
    assert deployed.code == 0
    run(lab1, "touch /var/lib/mark")
    time.sleep(1.1)
    began = time.monotonic()
    done = doctor(clone)
    assert time.monotonic() - began < 30
    assert "Not deployed yet" not in done.stdout
    assert run(lab1, TRACES)[1] == ""


def test_doctor_finds_a_bench_that_runs_and_a_port_that_is_taken(clone: Clone, deployed: Done, lab1: Host) -> None:
    assert deployed.code == 0
    with bench_under_load(clone, lab1, seconds=25) as bench:
        done = doctor(clone)
        assert "The host is in use: a bench by " in done.stdout
        # Our own app has the port, which a bench would stop.
        assert "is taken" not in done.stdout
        assert bench.wait().code == 0
    pid = run(lab1, "setsid python3 -m http.server 8080 >/dev/null 2>&1 & echo $!; sleep 1")[1]
    try:
        done = doctor(clone)
    finally:
        run(lab1, f"kill {pid}")
    assert done.code == 7
    assert f"Port 8080 of an app is taken by 'python3' (process {pid})." in done.stdout


@contextmanager
def quota(name: str, microseconds: int) -> Iterator[Path]:
    """Yield a control group of this computer that may use so much CPU time in each 100 ms."""
    group = CPU / name
    group.mkdir()
    (group / "cpu.cfs_quota_us").write_text(str(microseconds))
    try:
        yield group
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (CPU / "cgroup.procs").write_text(pid)
        group.rmdir()


@pytest.mark.skipif(not (CPU / "cpu.stat").exists() or os.geteuid(), reason="needs the controller cpu of cgroup v1")
def test_a_quota_that_holds_up_an_app_under_load_is_a_warning_with_its_values(
    clone: Clone, deployed: Done, lab1: Host
) -> None:
    assert deployed.code == 0
    with bench_under_load(clone, lab1, seconds=6) as bench, quota("benchrig-test-app", 3000) as group:
        for path in Path("/sys/fs/cgroup/unified").rglob(f"benchrig-{ROW}.service/cgroup.procs"):
            for pid in path.read_text().split():
                (group / "cgroup.procs").write_text(pid)
        assert bench.wait().code == 0
        measured, cells = read(find_run(clone.root / "reports"))
    found = {one.code: one for one in warnings(cells[0], measured)}
    warning = found[Code.THROTTLED]
    assert warning.values["group"] == "/benchrig-test-app"
    assert cells[0].server is not None
    held = cells[0].server.throttled["/benchrig-test-app"]
    assert held.periods > 10
    assert held.seconds > 0.3
