"""A clean clone of this project, in which tests run commands as a user would."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT


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
            (target / name).unlink(missing_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return Clone(target)
