"""Every module does what its cases say (`cases/modules/`): add a case, get a test. Each only looks, then runs twice."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.support.modules import MODULES, prepare
from tests.support.rig import Project, Ran

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return every file below a folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


@needs_root
@pytest.mark.parametrize("case", MODULES, ids=[case["case"] for case in MODULES])
def test_module(case: dict[str, Any], tmp_path: Path) -> None:
    project = Project(tmp_path)
    prepare(project, case)
    before = state(project.dir)
    looked = project.run(check=True)
    assert state(project.dir) == before, "a run that only looks changed something"
    done = project.run()
    if "failed" in case:
        _failed(case, done)
    else:
        assert not done.items("failed"), done.messages("failed")
        assert done.recap.changed == case["changed"]
        _foretold(case, looked, done)
        again = project.run()
        assert (again.recap.changed, again.messages("failed")) == (case.get("second", 0), [])
    _left(case, project.dir)


def _failed(case: dict[str, Any], done: Ran) -> None:
    (failed,) = done.items("failed")
    assert case["failed"] in failed.message
    assert case.get("stderr", "") in failed.stderr
    assert case.get("rc", failed.rc) == failed.rc


def _foretold(case: dict[str, Any], looked: Ran, done: Ran) -> None:
    """What a run that only looks says of single files is what then happens."""
    for status, messages in case.get("messages", {}).items():
        assert done.messages(status) == looked.messages(status) == messages


def _left(case: dict[str, Any], folder: Path) -> None:
    for name, text in case.get("files", {}).items():
        assert (folder / name).read_text(encoding="utf-8") == text
    for name, mode in case.get("modes", {}).items():
        assert f"{stat.S_IMODE((folder / name).stat().st_mode):04o}" == mode
    for name in case.get("absent", []):
        assert not (folder / name).exists()
    assert not list(folder.rglob(".*.new")), "a temporary file was left"
