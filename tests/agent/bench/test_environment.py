"""The environment of a machine is read as it is; what cannot be read is not known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.agent.bench import cgroups, environment, sampler
from benchrig.agent.bench.environment import Watch
from benchrig.agent.bench.protocol import Activity, CpuTimes, Environment, Throttle

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

TREE = {
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "powersave\n",
    "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "performance\n",
    "sys/devices/system/cpu/intel_pstate/no_turbo": "1\n",
    "sys/devices/system/cpu/smt/control": "on\n",
    "sys/devices/system/cpu/vulnerabilities/meltdown": "Mitigation: PTI\n",
    "sys/devices/system/node/online": "0-1,4\n",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never\n",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
    "proc/cmdline": "quiet mitigations=off luks_password=hunter22 root=/dev/sda1\n",
    "proc/cpuinfo": "processor : 0\nmicrocode : 0xf4\n",
    "proc/sys/net/ipv4/tcp_congestion_control": "cubic\n",
    "proc/sys/net/core/default_qdisc": "fq_codel\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a root folder with the files of hardware that this machine does not have."""
    for name, text in TREE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@contextmanager
def busy() -> Iterator[int]:
    """Yield the number of a process that uses a core, and does so already."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.1)
        yield process.pid
    finally:
        process.kill()
        process.wait()


def test_hardware_is_read_from_the_files_that_the_kernel_has_for_it(tree: Path) -> None:
    found = environment.environment(Watch(), tree)
    assert (found.cpu_governor, found.turbo, found.smt, found.numa_nodes) == ("performance, powersave", "off", "on", 3)
    assert (found.transparent_hugepages, found.clock_source, found.microcode) == ("madvise", "hpet", "0xf4")
    assert (found.congestion_control, found.default_qdisc) == ("cubic", "fq_codel")
    assert found.mitigations == {"meltdown": "Mitigation: PTI"}


def test_a_secret_on_the_kernels_command_line_is_not_shown(tree: Path) -> None:
    found = environment.environment(Watch(), tree)
    assert found.kernel_command_line == "quiet mitigations=off luks_password=******** root=/dev/sda1"


@pytest.mark.parametrize(
    ("name", "text", "turbo"), [("cpufreq/boost", "1", "on"), ("cpufreq/boost", "0", "off"), ("x", "", "")]
)
def test_turbo_is_that_of_the_driver_there_is(tmp_path: Path, name: str, text: str, turbo: str) -> None:
    path = tmp_path / "sys/devices/system/cpu" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert environment.environment(Watch(), tmp_path).turbo == turbo


def test_what_cannot_be_read_is_not_known(tmp_path: Path) -> None:
    found = environment.environment(Watch(), tmp_path)
    known = {name for name, value in vars(found).items() if value != vars(Environment())[name]}
    assert known <= {"activity", "cgroup_limits"}


def test_a_machine_that_shows_nothing_of_itself_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As a container with an empty /proc and /sys: here, all reading fails."""
    monkeypatch.setattr(environment, "read", lambda _: "")
    monkeypatch.setattr(cgroups, "read", lambda _: "")
    monkeypatch.setattr(environment, "_ticks", dict)
    found = environment.environment(Watch(), tmp_path)
    assert found == Environment(activity=Activity(found.activity.seconds))


def test_this_machine_is_known() -> None:
    found = environment.machine_facts({}).environment
    assert found.kernel_command_line
    assert found.congestion_control
    assert found.activity.load_average is not None
    assert found.activity.memory_available_bytes is not None
    assert found.activity.seconds >= environment.LEAST_SECONDS


def test_a_program_that_uses_cpu_is_named_without_its_arguments() -> None:
    watch = Watch()
    # Another's child, as the agent's own programs are not counted.
    program = "import os, time; os.fork() and time.sleep(1)\nend = time.time() + 1\nwhile time.time() < end: pass"
    process = subprocess.Popen([sys.executable, "-c", program, "--password=hunter22"])
    watch.wait(0.6)
    found = watch.activity()
    process.wait()
    assert any(one.name.startswith("python") and one.cpu_percent > 10 for one in found.processes)
    assert "hunter22" not in str(found)
    assert found.foreign_percent is not None
    assert found.foreign_percent > 5


def test_what_the_agent_itself_uses_is_not_counted() -> None:
    watch = Watch()
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    activity = watch.activity()
    # Other programs may run beside this test, but the loop is a core's whole time.
    used = 100 * 0.3 / activity.seconds / (os.cpu_count() or 1)
    assert activity.foreign_percent is not None
    assert activity.foreign_percent <= 100 - used + 10


@as_root
@pytest.mark.skipif(not Path("/sys/fs/cgroup/cpu/cpu.stat").exists(), reason="needs the controller cpu of cgroup v1")
def test_a_quota_of_cpu_time_is_a_limit_and_holds_up_its_group() -> None:
    group = Path("/sys/fs/cgroup/cpu/benchrig-test-quota")
    group.mkdir()
    try:
        (group / "cpu.cfs_quota_us").write_text("20000")
        with busy() as pid:
            (group / "cgroup.procs").write_text(str(pid))
            before = sampler.read_cpu_times((pid,))
            shares = sampler.read_cpu_times((pid,)).since(before)
            deadline = time.monotonic() + 20
            while shares.throttled.get("/benchrig-test-quota", Throttle(0, 0.0)).periods < 3 and time.monotonic() < deadline:
                time.sleep(0.1)
                shares = sampler.read_cpu_times((pid,)).since(before)
            limits = cgroups.limits(pid)
        assert limits == {"cpu.cfs_quota_us of /benchrig-test-quota": "20000 100000"}
        assert cgroups.quota_cores(limits) == 0.2
        assert shares.throttled["/benchrig-test-quota"].periods >= 3
        assert shares.throttled["/benchrig-test-quota"].seconds > 0
    finally:
        for _ in range(50):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.05)


def test_limits_of_cgroup_v2_are_those_of_the_own_group_all_above_it_and_the_apps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree of files: this machine has cgroup v1."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(
        cgroups, "read", lambda path: "0::/benchrig.slice/x.service" if "/proc/" in str(path) else text(path)
    )
    files = {
        "cgroup.controllers": "cpu memory",
        "cpu.max": "150000 100000",
        "benchrig.slice/x.service/cpu.max": "max 100000",
        "benchrig.slice/x.service/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 4\nthrottled_usec 250000",
        "benchrig.slice/pids.max": "max",
        "system.slice/memory.max": "1073741824",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    limits = cgroups.limits()
    assert limits == {"cpu.max of /": "150000 100000", "memory.max of /system.slice": "1073741824"}
    assert cgroups.quota_cores(limits) == 1.5
    assert cgroups.throttled(["self"]) == {"/benchrig.slice/x.service": Throttle(4, 0.25)}


def text(path: Path) -> str:
    return path.read_text().strip() if path.is_file() else ""


def test_limits_of_a_container_that_shows_no_control_groups_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    assert cgroups.limits() is None


def test_waiting_and_being_held_up_are_told_as_the_difference_of_two_readings() -> None:
    before = CpuTimes(100.0, 400.0, 200.0, 0.0, 0.0, {"memory": 3.0}, {"/a": Throttle(2, 0.5), "/b": Throttle(1, 0.1)})
    after = CpuTimes(
        104.0, 408.0, 204.0, 0.0, 0.0, {"memory": 4.0, "io": 9.0}, {"/a": Throttle(5, 2.0), "/b": Throttle(1, 0.1)}
    )
    shares = after.since(before)
    assert shares.pressure == {"memory": 25.0}
    assert shares.throttled == {"/a": Throttle(3, 1.5)}


def test_pressure_is_that_of_the_kernels_files() -> None:
    if not Path("/proc/pressure/memory").exists():
        pytest.skip("this kernel has no PSI")
    found = environment.pressure()
    assert set(found) == {"cpu", "memory", "io"}
    assert all(0 <= percent <= 100 and seconds >= 0 for percent, seconds in found.values())
