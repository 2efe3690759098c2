"""Fixtures of fault tests: a clone whose lab machine has two apps, wrk and a snapshot to come back to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines import machines_of
from tests.support import ROOT
from tests.support.clone import Clone, copy_project

ROWS = "flask-sync,go-2000"
"""Rows whose apps are deployed: one of Python, one of Go."""


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many damaged inputs each reader gets: many with `./inv test --faults`, and few among the other tests."""
    settings.register_profile("few", max_examples=20, deadline=None, database=None, derandomize=True)
    settings.register_profile("many", max_examples=400, deadline=None, database=None)
    settings.load_profile("many" if str(config.option.markexpr).endswith("and faults") else "few")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Return a clone for commands that need no machine; it runs in this project's environment, if that is made."""
    copied = copy_project(tmp_path_factory.mktemp("project"))
    if (ROOT / ".venv").is_dir():
        (copied.root / ".venv").symlink_to(ROOT / ".venv")
    return copied


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    """Yield a clone whose lab machine has the apps of ROWS and wrk, and a snapshot of that state."""
    copied = copy_project(tmp_path_factory.mktemp("faults"))
    done = copied.inv("bench", "--only", ROWS, "--duration", "1s", "--connections", "16", timeout=1500)
    assert done.code == 0, done.stderr
    assert copied.inv("snapshot").code == 0
    yield copied
    copied.inv("destroy")


@pytest.fixture
def restored(deployed: Clone) -> Clone:
    """Return that clone with its machine as the snapshot has it: for a test that leaves the machine changed."""
    assert deployed.inv("restore").code == 0
    return deployed


@pytest.fixture
def deployed_host(deployed: Clone) -> Host:
    """Return how the clone's machine is reached."""
    assert deployed.inv("up").code == 0
    return machines_of(inventory.read("lab", deployed.root), deployed.root).reach().hosts["lab1"]
