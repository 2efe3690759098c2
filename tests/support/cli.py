"""Runs the command line as `./inv` does, in the environment of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support import ROOT


def inv(*arguments: str, cwd: Path = ROOT, root: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run what `./inv` runs, in this environment; the tasks are those of `root`."""
    argv = [sys.executable, "-P", "-m", "benchrig.cli", "--search-root", str(root), *arguments]
    return subprocess.run(
        argv,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
