"""How the tests are started: what is installed for them, on how many workers, and what is said before and after."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchrig.cli import development
from benchrig.errors import MachineError
from tests.support import ROOT

Ran = list[tuple[str, ...]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Return what is run, instead of running it: nothing is installed, and there are two cores."""
    commands: Ran = []
    monkeypatch.setattr(development, "run_tool", lambda _, *words: commands.append(words))
    monkeypatch.setattr(development.packages, "ensure", lambda programs, *_: commands.append(tuple(programs.values())))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    return commands


def test_programs_are_installed_and_the_tests_run_on_all_cores(ran: Ran, capsys: pytest.CaptureFixture[str]) -> None:
    development.run_tests(Path(), "", lab=True, vm=False, faults=False, long=False)
    assert {"postgresql-15", "wrk", "zsh", "fish", "qemu-utils"} <= {*ran[0]}
    assert "vagrant" not in ran[0]
    assert ran[1] == ("pytest", "-n", "2", "--dist", "loadgroup", "-m", "not vm and not long and not (faults and lab)")
    before, after = capsys.readouterr().err.splitlines()
    assert before.startswith("running the tests with 2 workers: about ")
    assert after == "the tests took 0.0 minutes"


def test_virtual_machines_need_vagrant(ran: Ran) -> None:
    development.run_tests(Path(), "socket_error and vagrant", lab=False, vm=True, faults=False, long=False)
    assert {"vagrant", "vagrant-libvirt"} <= {*ran[0]}
    assert ran[1] == (
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-k",
        "socket_error and vagrant",
        "-m",
        "not lab and not long",
    )


def test_who_may_not_install_is_told_what_is_missing(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise MachineError("the test suite needs these packages: wrk", "sudo apt-get install wrk")

    monkeypatch.setattr(development.packages, "ensure", refuse)
    development.run_tests(Path(), "", lab=False, vm=False, faults=False, long=False)
    assert capsys.readouterr().err.splitlines()[0] == (
        "warning: the test suite needs these packages: wrk. Tests that need them are skipped. sudo apt-get install wrk"
    )
    assert [words[0] for words in ran] == ["pytest"]


@pytest.mark.parametrize(
    ("lab", "long", "chosen"),
    [
        (True, False, "not vm and not long and faults"),
        (True, True, "not vm and faults"),
        (False, False, "not lab and not vm and not long and faults"),
    ],
)
def test_faults_alone(ran: Ran, lab: bool, long: bool, chosen: str) -> None:
    development.run_tests(Path(), "", lab=lab, vm=False, faults=True, long=long)
    assert ran[1][-2:] == ("-m", chosen)


def test_tests_of_one_file_share_a_worker() -> None:
    """pytest-xdist has read the marks that tests/conftest.py sets: their group is part of each test's id."""
    run = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", "tests/test_files.py"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    ran = [line for line in done.stdout.splitlines() if " PASSED " in line]
    assert len(ran) > 3, done.stdout
    assert all(line.rstrip().endswith("@tests/test_files.py") for line in ran)
