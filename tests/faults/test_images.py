"""Root images and boxes whose making is interrupted, killed or out of space; locks of machines' folders."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.machines.folder import locked
from tests.support import ROOT
from tests.support.faults import fault

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="the lab needs root")


def make_image(cache: Path) -> subprocess.Popen[str]:
    """Begin to make the lab's root image in an empty cache, and wait until packages are being unpacked."""
    program = """
from benchrig.cli import signals
signals.install()
from benchrig.machines.controller import settings
from benchrig.machines.lab import image
try:
    image.make(settings.read())
except KeyboardInterrupt:
    raise SystemExit(signals.exit_code())
"""
    environ = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", program], env=environ, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def wait_for(what: Path) -> None:
    deadline = time.monotonic() + 120
    while not what.exists():
        assert time.monotonic() < deadline, f"{what} was not made"
        time.sleep(0.05)


def shelf(cache: Path) -> Path:
    return cache / "benchrig" / "images"


@needs_root
@pytest.mark.lab
@fault(
    "Machines and images",
    done="SIGTERM, SIGHUP, or Ctrl-C while the lab's root image is being made",
    promised="the command ends with 143, 129 or 130; no file and no process is left",
    seen="ended within 0.4 to 1.8 s, once 6.5 s while the disk was busy; no `.new`, `.new.conf`, `.new.auth`, no mmdebstrap",
)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["TERM", "HUP", "INT"]
)
def test_an_interrupted_image_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = make_image(tmp_path)
    wait_for(shelf(tmp_path) / ".new" / "usr" / "bin")
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode == code
    assert list(shelf(tmp_path).iterdir()) == []
    running = subprocess.run(["pgrep", "-f", f"mmdebstrap.*{tmp_path}"], capture_output=True, text=True, check=False)
    assert running.stdout == ""


@needs_root
@pytest.mark.lab
@fault(
    "Machines and images",
    done="`kill -9` while the lab's root image is being made",
    promised="the next command says who makes it, waits until its programs have ended, and removes what they left",
    seen="`waiting: another process makes the Debian 12 root image (root@…, process …, since …; it has ended, and a program "
    "that it started goes on)`; then the image was made anew",
)
def test_a_killed_image_is_made_anew_by_the_next(tmp_path: Path) -> None:
    process = make_image(tmp_path)
    wait_for(shelf(tmp_path) / ".new" / "usr" / "bin")
    process.kill()
    process.communicate()
    again = make_image(tmp_path)
    _, said = again.communicate(timeout=280)
    assert again.returncode == 0, said
    assert re.search(
        rf"waiting: .* root image \(\S+@\S+, process {process.pid}, since [-0-9: ]+; it has ended, and a program", said
    )
    (made,) = shelf(tmp_path).iterdir()
    assert (made / "usr" / "bin" / "dpkg").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60m", "none", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@needs_root
@pytest.mark.lab
@fault(
    "Machines and images",
    done="the disk of the cache (a tmpfs of 60 MB) full while the lab's root image is being made",
    promised="one line with the cause, and nothing is left",
    seen="`the root image cannot be made: …`; the folder was empty",
)
def test_an_image_that_finds_no_room_leaves_nothing(small_disk: Path) -> None:
    process = make_image(small_disk)
    _, said = process.communicate(timeout=200)
    assert process.returncode == 1
    assert "the root image cannot be made: " in said
    assert list(shelf(small_disk).iterdir()) == []


@fault(
    "Machines and images",
    done="a second process that needs locked machines; then the owner of the lock killed with -9",
    promised="the line says who holds the lock and since when; the lock of a process that has ended is free",
    seen="`waiting: busy (root@…, process …, since 2026-11-30 10:31:08)`; taken at once after the kill",
)
def test_a_lock_names_its_owner_and_goes_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = f"""
import time
from pathlib import Path
from benchrig.machines.folder import locked
with locked(Path({str(tmp_path)!r}), "busy"):
    print("has it", flush=True)
    time.sleep(60)
"""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    owner = subprocess.Popen([sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    assert owner.stdout.readline() == "has it\n"
    waiting = subprocess.Popen(
        [sys.executable, "-c", program], env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert waiting.stderr
    assert waiting.stdout
    said = waiting.stderr.readline()
    assert re.fullmatch(rf"waiting: busy \(\S+@\S+, process {owner.pid}, since \d+-\d+-\d+ \d+:\d+:\d+\)\n", said), said
    owner.kill()
    assert waiting.stdout.readline() == "has it\n"
    waiting.kill()
    for process in (owner, waiting):
        process.communicate()
    with locked(tmp_path, "busy"):
        assert (tmp_path / ".owner").stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().err == ""
    assert list(tmp_path.iterdir()) == []
