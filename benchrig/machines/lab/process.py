"""The lab's background programs: start them so that they outlive us, find them in the process list, stop them.

One word of a program's command line identifies it: a path below the lab's folder, which no other process has. Nothing about
a program is written to a file, so nothing can be stale.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchrig.machines.command import run

SYSTEMD = Path("/run/systemd/system")
"""Exists where systemd is PID 1 of the controller."""

GROUP_SECONDS = 2.0
"""How long the kernel may take to release the control group of an ended process."""

# Enters the control groups given before `--`, then runs the program, with its output in the file given first.
_ENTER = 'exec >"$1" 2>&1; shift; while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"'


@dataclass(frozen=True)
class Program:
    """A background program: its name for systemd and control groups, its command line, the file for its output."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environ: Mapping[str, str]


def start(program: Program) -> None:
    """Start a program that goes on when we end. Raises MachineError when it cannot be started.

    On a controller with systemd it becomes a transient unit; elsewhere it gets a session and control groups of its own.
    """
    if SYSTEMD.is_dir():
        run(_unit(program), f"{program.name} cannot be started", timeout=30)
        return
    groups = [str(group) for group in make_groups(program.name)]
    argv = ["setsid", "--fork", "sh", "-c", _ENTER, "sh", str(program.log), *groups, "--", *program.argv]
    run(argv, f"{program.name} cannot be started", timeout=30, environ=program.environ)


def _unit(program: Program) -> list[str]:
    settings = {
        "Type": "exec",
        "Delegate": "yes",
        "KillMode": "mixed",
        "TasksMax": "infinity",
        "StandardOutput": f"truncate:{program.log}",
        "StandardError": f"append:{program.log}",
    }
    options = [f"--property={name}={value}" for name, value in settings.items()]
    environ = [f"--setenv={name}={value}" for name, value in program.environ.items()]
    return ["systemd-run", "--quiet", "--collect", f"--unit={program.name}", *options, *environ, "--", *program.argv]


def words() -> set[str]:
    """Return every word of every process's command line."""
    return {word for pid in _processes() for word in _command_line(pid)}


def find(program: str, word: str) -> list[int]:
    """Return the processes of a program (with or without its folder) that have a word in their command line."""
    return [pid for pid in _processes() if word in (argv := _command_line(pid)) and _names(argv, program)]


def inside(root: Path) -> list[int]:
    """Return the processes whose root file system is the one mounted at `root`."""
    device = root.stat().st_dev
    if device == root.parent.stat().st_dev:
        return []
    return [pid for pid in _processes() if _root_device(pid) == device]


def stop(which: Callable[[], list[int]], sign: int, seconds: float) -> bool:
    """Send a signal to the processes that `which` returns, and wait until they are gone. Return whether they are."""
    for pid in which():
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(pid)
            try:
                # The descriptor refers to one process: if that is still one of ours, its number was not reused.
                if pid in which():
                    signal.pidfd_send_signal(descriptor, sign)
            finally:
                os.close(descriptor)
    deadline = time.monotonic() + seconds
    while which():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def make_groups(name: str) -> list[Path]:
    """Make a control group in each hierarchy that systemd uses. Two machines in one group would disturb each other."""
    made = []
    for group in _groups(name):
        with suppress(OSError):
            group.mkdir(exist_ok=True)
            made.append(group)
    return made


def remove_groups(name: str) -> None:
    """Remove the groups of `make_groups` and all groups below them. No process may be in them."""
    deadline = time.monotonic() + GROUP_SECONDS
    for group in _groups(name):
        while group.exists():
            for folder, _, _ in os.walk(group, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)


def _groups(name: str) -> list[Path]:
    groups = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, options, *_ = line.split()
        if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
            groups.append(Path(place) / name)
    return groups


def _processes() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _command_line(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _names(argv: list[str], program: str) -> bool:
    return any(word.rpartition("/")[2] == program for word in argv)


def _root_device(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}/root").stat().st_dev
    except OSError:
        return -1
