"""The tools that benchrig is tested and linted with, in an environment of their own, `.venv-dev`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from benchrig.cli.bootstrap import BootstrapError, make_environment
from benchrig.errors import BenchrigError


def run_tool(root: Path, tool: str, *arguments: str) -> None:
    """Run a tool of the development environment in the project's folder. Raises BenchrigError when it finds something."""
    try:
        programs = make_environment(root, ".venv-dev", "requirements-dev.lock") / "bin"
    except BootstrapError as error:
        raise BenchrigError(str(error)) from None
    environ = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    code = subprocess.run([programs / tool, *arguments], cwd=root, env=environ, check=False).returncode
    if code:
        raise BenchrigError(f"{tool} ended with exit code {code}")
