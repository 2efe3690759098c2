"""Fixtures: a clean clone of this project, and one real lab machine in it that the tests share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines import machines_of
from tests.support import ROOT

if TYPE_CHECKING:
    from tests.support.guest import Guest
    from tests.support.vagrant_clone import Clone as VagrantClone


@dataclass(frozen=True)
class Done:
    """A command of a user, ended: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Clone:
    """A copy of the project as git would clone it, with the uncommitted changes."""

    root: Path

    def inv(self, *arguments: str, timeout: float = 600, **environ: str) -> Done:
        """Run `./inv` there as a user would, and return how it ended."""
        return self.run(["./inv", *arguments], timeout=timeout, **environ)

    def run(self, argv: Sequence[str], timeout: float = 600, **environ: str) -> Done:
        """Run any command there; the tools of the development environment are found."""
        env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", **environ}
        done = subprocess.run(argv, cwd=self.root, env=env, capture_output=True, text=True, timeout=timeout, check=False)
        return Done(done.returncode, done.stdout, done.stderr)


def copy_project(target: Path) -> Clone:
    """Copy the files that git knows, or would take, to `target`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return Clone(target)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests share a worker of pytest-xdist (`--dist loadgroup`).

    All that bring up machines share one: they share the clone's machine, and what they count on this computer. The others
    stay with their file, whose fixtures may bind a port.
    """
    for item in items:
        if item.get_closest_marker("xdist_group"):
            continue
        shared = next((mark for mark in ("lab", "vm") if item.get_closest_marker(mark)), "")
        item.add_marker(pytest.mark.xdist_group(shared or item.path.relative_to(ROOT).as_posix()))


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Yield a clean clone; its machines are destroyed in the end."""
    copied = copy_project(tmp_path_factory.mktemp("clone"))
    yield copied
    if (copied.root / ".venv").exists():
        copied.inv("destroy")


@pytest.fixture(scope="session")
def main_job(clone: Clone) -> Done:
    """Run the main job once, as the README has it, and return how it ended."""
    return clone.inv("provision", "bench", "report", timeout=1500)


@pytest.fixture(scope="session")
def lab1(clone: Clone) -> Host:
    """Return the clone's lab machine, up, and how it is reached."""
    assert clone.inv("up").code == 0
    return machines_of(inventory.read("lab", clone.root), clone.root).reach().hosts["lab1"]


@pytest.fixture
def vagrant_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VagrantClone:
    """Return a clone where Vagrant is played back, on a machine with libvirt, KVM and no VirtualBox."""
    from benchrig.machines.accelerator import Accelerator
    from tests.support import vagrant_clone

    made = vagrant_clone.Clone(tmp_path, monkeypatch)
    made.program("libvirtd")
    monkeypatch.setattr("benchrig.machines.accelerator.probe", lambda: Accelerator("kvm"))
    return made


@pytest.fixture
def guest(vagrant_clone: VagrantClone) -> Iterator[Guest]:
    """Yield what Vagrant's machine is, as long as one logs in to it."""
    from tests.support.guest import Guest

    with Guest() as one:
        (vagrant_clone.player / "port").write_text(str(one.port))
        yield one
