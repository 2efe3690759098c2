"""The program that puts the agent on a host, run here: which agents of other versions it removes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchrig.remote import ship


def old(folder: Path) -> Path:
    """Make the folder of an agent that was started long ago."""
    folder.mkdir(parents=True)
    (folder / "module.pyc").touch()
    for path in (folder, folder.parent):
        os.utime(path, (time.time() - 90_000,) * 2)
    return folder


def test_an_agent_that_runs_is_kept_however_long_ago_it_was_started(tmp_path: Path) -> None:
    root = tmp_path / "agent"
    running, replaced, unused = old(root / "running"), old(root / ".old.x" / "replaced"), old(root / "unused")
    processes = [subprocess.Popen(["sleep", "60"], cwd=folder) for folder in (running, replaced)]
    try:
        argv = [sys.executable, "-c", ship._program("install"), str(root), "new"]
        subprocess.run(argv, input=ship.agent_archive(), check=True)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [folder.is_dir() for folder in (running, replaced, unused, root / "new")] == [True, True, False, True]


def test_an_agent_with_a_fifo_in_it_is_damaged_and_not_waited_for(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", ship._program("install"), str(tmp_path), "new"], input=ship.agent_archive(), check=True
    )
    folder = tmp_path / "new"
    argv = [sys.executable, "-c", ship._program("start"), "play"]
    module = folder / "agent" / "spec.pyc"
    module.unlink()
    os.mkfifo(module)
    assert subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, timeout=10, check=False).returncode == 97
