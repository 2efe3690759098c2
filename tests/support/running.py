"""A bench that runs, as others see it: a state made up, and a process that has one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchrig.results.running import Finished, Notice, Running
from tests.support import ROOT

STATE = Running(
    pid=os.getpid(),
    suite="web-frameworks",
    started_at="2026-11-30T12:00:00Z",
    run="20261130-120000-web-frameworks",
    title="go-2000",
    count="2/4",
    step="measuring 10 s",
    seconds_left=32.5,
    rate=19_193.4,
    rates=(None, 18_000.0, 19_193.4),
    notices=(Notice("listen_overflows", 12),),
    cells=1,
    finished=(Finished("sanic", "1/4", "measured", "18,000 requests/s", ("disturbed",), ("stalled",), 1),),
)

BENCH = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
from benchrig.results.running import Running, StateFile
file = StateFile(Path(sys.argv[1]))
file.write(Running(os.getpid(), "mine", sys.argv[2]))
print("written", flush=True)
time.sleep(60)
"""


@contextmanager
def another(root: Path, started_at: str = "2026-11-30T12:00:01Z") -> Iterator[subprocess.Popen[str]]:
    """Yield the process of another bench that runs."""
    argv = [sys.executable, "-c", BENCH, str(root), started_at]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "written\n"
            yield process
        finally:
            process.kill()
