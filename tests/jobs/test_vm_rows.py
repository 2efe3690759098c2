"""The two rows that no lab can run, on virtual machines. Emulated, each kind of machine takes a quarter of an hour."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.machines.vagrant import libvirt
from benchrig.results.store import find_run, read
from tests.support import ROOT
from tests.support.clone import Clone, copy_project

HAS_VAGRANT = bool(shutil.which("vagrant")) and any(map(os.path.exists, libvirt.SOCKETS))

ROWS = {"go-20000": 20_000, "openresty-25000": 25_000}

COMMAND = "./inv bench -i vagrant --only go-20000,openresty-25000 --duration 60s report"
"""As docs/large-rows.md shows it."""


@pytest.fixture(
    params=[
        "qemu",
        pytest.param("vagrant", marks=pytest.mark.skipif(not HAS_VAGRANT, reason="needs Vagrant and a running libvirt")),
    ]
)
def inventory(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def clone(tmp_path: Path, inventory: str) -> Iterator[Clone]:
    copied = copy_project(tmp_path)
    yield copied
    destroyed = copied.inv("destroy", "-i", inventory)
    assert destroyed.code == 0, destroyed.stderr


def test_the_command_is_the_one_that_is_documented() -> None:
    assert f"\n```sh\n{COMMAND}\n```\n" in (ROOT / "docs" / "large-rows.md").read_text()


@pytest.mark.vm
def test_twenty_and_twenty_five_thousand_connections_hold_without_a_socket_error(clone: Clone, inventory: str) -> None:
    done = clone.run(COMMAND.replace("vagrant", inventory).split(), timeout=3600)
    assert done.code == 0, done.stderr
    _, cells = read(find_run(clone.root / "reports"))
    assert {cell.name: cell.connections for cell in cells} == ROWS
    for cell in cells:
        assert cell.load is not None, cell
        errors = cell.load.errors
        # Emulated, some replies come later than wrk waits (timeout); the machine must lose none of the connections.
        assert (errors.connect, errors.read, errors.write, errors.status) == (0, 0, 0, 0), cell
        assert cell.load.requests > ROWS[cell.name]
