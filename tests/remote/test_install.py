"""Installing the agent's folder: the program that a host runs, on this machine."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from benchrig.remote import ship


def test_controllers_that_send_the_agent_at_once_all_succeed(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    archive.write_bytes(ship.agent_archive())
    root = tmp_path / "agents"
    root.mkdir()
    argv = [sys.executable, "-c", ship._program("install"), str(root), "name"]
    another = os.open(root, os.O_RDONLY)
    fcntl.flock(another, fcntl.LOCK_EX)
    with archive.open("rb") as first, archive.open("rb") as second:
        running = [subprocess.Popen(argv, stdin=each, stderr=subprocess.PIPE) for each in (first, second)]
    time.sleep(1)
    assert not list(root.iterdir()), "they wait for another one"
    os.close(another)
    said = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    argv = [sys.executable, "-c", ship._program("start"), "play"]
    started = subprocess.run(argv, cwd=root / "name", stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert started.stdout == b"ready\n"
