"""Fixtures: a clean clone of this project, and one real lab machine in it that the tests share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines import machines_of
from tests.support import ROOT
from tests.support.clone import Clone, Done, copy_project

if TYPE_CHECKING:
    from tests.support.guest import Guest
    from tests.support.vagrant_clone import Clone as VagrantClone


LONGEST_ID = 200
"""Characters of a value in the id of a test."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
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


def pytest_make_parametrize_id(val: object) -> str | None:
    """Return a short id for a long value: pytest puts ids into the environment, which holds no text of over 128 KiB."""
    if not isinstance(val, (str, bytes)) or len(val) <= LONGEST_ID:
        return None
    content = val if isinstance(val, bytes) else val.encode(errors="surrogatepass")
    return f"{val[:20]!r} and {len(val) - 20} more, {hashlib.sha256(content).hexdigest()[:8]}"


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
