"""Programs are kept on CPUs of their own: how cores are shared out, and that all of it is undone."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.agent.bench import daemon, pinning
from benchrig.agent.bench.cpus import cpu_list, cpu_set, divide, share
from benchrig.agent.bench.load import LoadRunner

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")
several = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")

PLAIN = [frozenset({cpu}) for cpu in range(8)]
SIBLINGS = [frozenset({cpu, cpu + 4}) for cpu in range(4)]


@pytest.mark.parametrize(
    ("cores", "parts", "expected"),
    [
        (PLAIN[:2], ("app", "load"), {"app": "0", "load": "1"}),
        (PLAIN[:3], ("app", "db", "load"), {"app": "0", "db": "1", "load": "2"}),
        (PLAIN[:4], ("app", "db", "load"), {"app": "0-1", "db": "2", "load": "3"}),
        (PLAIN[:5], ("app", "db", "load"), {"app": "0-2", "db": "3", "load": "4"}),
        (PLAIN, ("app", "db", "load"), {"app": "0-3", "db": "4-5", "load": "6-7"}),
        (SIBLINGS, ("app", "load"), {"app": "0-1,4-5", "load": "2-3,6-7"}),
        (PLAIN[:2], ("app", "db", "load"), {}),
        (SIBLINGS[:1], ("app", "load"), {}),
        (PLAIN, ("app",), {}),
    ],
)
def test_each_program_gets_whole_cores_or_none_gets_any(
    cores: list[frozenset[int]], parts: tuple[str, ...], expected: dict[str, str]
) -> None:
    assert divide(cores, parts) == expected


def test_the_cpus_of_this_machine_are_shared_out_without_overlap() -> None:
    cpus = [cpu_set(text) for text in share(("app", "load")).cpus.values()]
    assert not cpus or not cpus[0] & cpus[1]
    assert set().union(*cpus) in (set(), os.sched_getaffinity(0))


@pytest.mark.parametrize("text", ["", "0", "0-3", "0-1,4-5", "1,3,5"])
def test_a_list_of_cpus_is_read_as_it_is_written(text: str) -> None:
    assert cpu_list(cpu_set(text)) == text


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Have pinning write below a folder of the test, and return the commands that it runs."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(pinning, "DROP_IN", tmp_path / "units" / "pin.conf")
    monkeypatch.setattr(pinning, "DATABASE", tmp_path / "run" / "database")
    monkeypatch.setattr(pinning.subprocess, "run", lambda argv, **_: commands.append(argv))
    return commands


@pytest.fixture
def sleepers() -> Iterator[list[int]]:
    """Return two processes."""
    processes = [subprocess.Popen(["sleep", "60"]) for _ in range(2)]
    yield [process.pid for process in processes]
    for process in processes:
        process.kill()
        process.wait()


def test_systemd_is_told_only_when_something_changes(marks: list[tuple[str, ...]]) -> None:
    pinning.pin_apps("")
    assert marks == []
    pinning.pin_apps("0-1")
    pinning.pin_apps("0-1")
    assert marks == [("systemctl", "daemon-reload")]
    assert pinning.DROP_IN.read_text().startswith("[Service]\nCPUAffinity=0-1\n")
    pinning.undo()
    assert not pinning.DROP_IN.exists()
    assert len(marks) == 2


@several
@pytest.mark.usefixtures("marks")
def test_processes_get_back_what_they_had_and_newer_ones_too(sleepers: list[int]) -> None:
    before = os.sched_getaffinity(0)
    first = min(before)
    pinning.pin_database(sleepers[:1], str(first))
    pinning.pin_database(sleepers[:1], str(first))
    assert os.sched_getaffinity(sleepers[0]) == {first}
    # As a process that the pinned one has begun.
    os.sched_setaffinity(sleepers[1], {first})
    pinning.undo(sleepers)
    assert [os.sched_getaffinity(pid) for pid in sleepers] == [before, before]
    assert not pinning.DATABASE.exists()


@as_root
@several
def test_a_load_generator_is_kept_on_its_cpus_and_the_agent_is_not(tmp_path: Path) -> None:
    before = os.sched_getaffinity(0)
    last = str(max(before))
    output = LoadRunner(tmp_path).run(("grep", "Cpus_allowed_list", "/proc/self/status"), "", 10.0, last)
    assert output.stdout.split() == ["Cpus_allowed_list:", last]
    assert os.sched_getaffinity(0) == before


def test_the_agents_unit_has_no_variable_that_a_daemon_reload_would_break() -> None:
    assert [item for item in daemon._PROPERTIES if "$" in item] == []
