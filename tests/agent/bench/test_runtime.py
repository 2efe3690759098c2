"""The versions of a running app are those that the probes find in its processes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from benchrig.agent.bench import runtime
from benchrig.agent.bench.probe import VersionProbe
from benchrig.agent.bench.runtime import versions

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="the agent runs as root")


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have probes run as a user that each machine has."""
    monkeypatch.setattr(runtime, "USER", "nobody")


def found(*probes: VersionProbe, installed: dict[str, str] | None = None, names: tuple[str, ...] = ()) -> dict[str, str]:
    return versions(probes, os.getpid(), [os.getpid()], installed or {}, names)


@as_root
def test_the_main_program_states_its_version() -> None:
    sleep = VersionProbe("sleep", program="sleep|coreutils", command=("{exe}", "--version"), pattern=r"coreutils\) (\S+)")
    told = subprocess.run(["sleep", "--version"], capture_output=True, text=True, check=True).stdout
    with subprocess.Popen(["sleep", "60"]) as app:
        try:
            assert versions([sleep], app.pid, [app.pid], {}, ()) == {"sleep": told.split()[3]}
        finally:
            app.kill()


def test_a_probe_for_another_program_or_without_a_version_finds_nothing() -> None:
    other = VersionProbe("Go", program="no-such-program", command=("echo", "go1.22"), pattern=r"go(\S+)")
    silent = VersionProbe("Go", program=".*", command=("echo", "nothing"), pattern=r"go(\S+)")
    assert found(other, silent) == {}


def test_the_first_probe_of_a_name_that_fits_counts() -> None:
    installed = {"uvicorn": "0.32.0", "uvloop": "0.21.0"}
    libc = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().split("\n") if "libc" in line)
    probes = (
        VersionProbe("event loop", label="gevent", loaded="/no-such-library/", distribution="gevent"),
        VersionProbe("event loop", label="uvloop", loaded=libc, distribution="uvloop"),
        VersionProbe("event loop", label="asyncio"),
        VersionProbe("HTTP parser", label="h11", installed="uvicorn"),
        VersionProbe("HTTP server", label="hypercorn", installed="hypercorn"),
    )
    assert found(*probes, installed=installed) == {"event loop": "uvloop 0.21.0", "HTTP parser": "h11"}


@as_root
def test_the_program_comes_first_then_the_distributions_then_what_is_loaded() -> None:
    program = VersionProbe("Program", program=".*", command=("echo", "version 7"), pattern=r"version (\d+)")
    part = VersionProbe("part", label="inside")
    installed = {"flask": "3.0.3"}
    assert list(found(part, program, installed=installed, names=("Flask", "absent")).items()) == [
        ("Program", "7"),
        ("Flask", "3.0.3"),
        ("part", "inside"),
    ]


@as_root
def test_a_probe_that_hangs_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "PROBE_SECONDS", 0.2)
    assert found(VersionProbe("Go", command=("sleep", "60"), pattern="(.*)")) == {}
