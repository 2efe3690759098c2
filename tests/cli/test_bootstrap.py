"""`./inv` makes its environment once, remakes it when the lock changes, and two that start at once do not collide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPT = ROOT / "benchrig" / "cli" / "bootstrap.py"
LOCK = next(
    part
    for part in (ROOT / "requirements.lock").read_text().replace("\\\n", " ").splitlines()
    if part.startswith("tabulate==")
)


def start(root: Path) -> subprocess.Popen[str]:
    argv = ["/usr/bin/python3", str(SCRIPT), str(root), ".venv", "requirements.lock"]
    return subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "requirements.lock").write_text(LOCK + "\n")
    return tmp_path


def test_two_that_start_at_once_make_one_environment(root: Path) -> None:
    both = [start(root), start(root)]
    messages = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("making .venv" in message for message in messages) == 1
    subprocess.run([root / ".venv/bin/python", "-c", "import tabulate"], check=True)


def test_changed_lock_remakes_the_environment_and_an_unchanged_one_does_not(root: Path) -> None:
    for change, made in [("", True), ("", False), ("# changed\n", True)]:
        with (root / "requirements.lock").open("a") as lock:
            lock.write(change)
        process = start(root)
        assert ("making .venv" in process.communicate()[1]) is made
        assert process.returncode == 0


def test_package_that_does_not_have_its_hash_is_refused(root: Path) -> None:
    (root / "requirements.lock").write_text("tabulate==0.9.0 --hash=sha256:" + "0" * 64 + "\n")
    process = start(root)
    assert "failed" in process.communicate()[1]
    assert process.returncode == 1
    assert not (root / ".venv" / "requirements.lock").exists()


def test_missing_venv_module_is_answered_with_the_command_that_mends_it(root: Path) -> None:
    """A Python without ensurepip, as Debian ships it; not being root, it may only say what to do."""
    program = (
        "import importlib.util as u, os, runpy, sys; find = u.find_spec; os.geteuid = lambda: 1000\n"
        "u.find_spec = lambda name, *a: None if name == 'ensurepip' else find(name, *a)\n"
        f"import shutil; shutil.which = lambda name: None if name == 'uv' else '/usr/bin/' + name\n"
        f"sys.argv = ['bootstrap', {str(root)!r}, '.venv', 'requirements.lock']\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "sudo apt-get install python3.11-venv" in done.stderr
    assert done.returncode == 1
