"""Makes a virtual environment from a lock file with hashes: what `./inv` runs in. Standard library only.

Run by the system's own Python as `python3 benchrig/cli/bootstrap.py ROOT ENVIRONMENT LOCK`. Two at once are safe: the second
waits for the first and finds the work done. A copy of the lock inside the environment says that it is complete.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NEEDED = (3, 11)


class BootstrapError(Exception):
    """The environment cannot be made; the text says why and what to do."""


def make_environment(root: Path, environment: str, lock: str) -> Path:
    """Make `root/environment` from `root/lock` unless it is there already, and return its path.

    uv is used where it is found, else venv and pip. Raises BootstrapError.
    """
    target, source = root / environment, root / lock
    with _locked(root):
        if _is_current(target, source):
            return target
        print(f"inv: making {environment} from {lock} (once; again when the lock changes)", file=sys.stderr, flush=True)
        if sys.version_info < NEEDED:
            raise BootstrapError(f"Python {NEEDED[0]}.{NEEDED[1]} or newer is needed; this is {sys.version.split()[0]}")
        if not _with_uv(target, source):
            _with_pip(target, source)
        packages = target / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
        # Relative, so that a clone that is copied or moved runs its own code.
        (packages / "benchrig.pth").write_text("../../../..\n")
        shutil.copyfile(source, target / "lock.new")
        (target / "lock.new").replace(target / "requirements.lock")
    return target


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Hold a lock on the project's folder itself, so that no lock file is left behind."""
    handle = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _is_current(target: Path, source: Path) -> bool:
    stamp = target / "requirements.lock"
    return stamp.is_file() and stamp.read_bytes() == source.read_bytes()


def _with_uv(target: Path, source: Path) -> bool:
    """Make the environment with uv; return False where there is no uv, or where it fails (pip may know a mirror)."""
    uv = shutil.which("uv")
    if uv is None:
        return False
    install = ["pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode", "--python", str(target / "bin/python")]
    steps = [["venv", "--quiet", "--clear", "--python", sys.executable, str(target)], [*install, str(source)]]
    return all(subprocess.run([uv, *step], check=False).returncode == 0 for step in steps)


def _with_pip(target: Path, source: Path) -> None:
    _need_venv()
    _run([sys.executable, "-m", "venv", "--clear", str(target)])
    pip = [str(target / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(source)])


def _need_venv() -> None:
    """See that Python can make environments. Debian keeps that in a package of its own; root gets it installed."""
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise BootstrapError(f"Python's venv module is missing; install it with: sudo apt-get install {package}")
    print(f"inv: installing {package}, which Python needs to make environments", file=sys.stderr, flush=True)
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run(["apt-get", "-qq", "update"], environ)
    _run(["apt-get", "-qqy", "install", "--no-install-recommends", package], environ)


def _run(argv: list[str], environ: dict[str, str] | None = None) -> None:
    """Run a command; what it says is shown only when it fails. Raises BootstrapError then."""
    done = subprocess.run(argv, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        said = done.stdout.strip()
        raise BootstrapError(f"'{' '.join(argv[:4])} …' failed with exit code {done.returncode}:\n{said}")


def main() -> int:
    """Make the environment that the command line names; return the exit code."""
    root, environment, lock = sys.argv[1:4]
    try:
        make_environment(Path(root), environment, lock)
    except BootstrapError as error:
        print(f"inv: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
