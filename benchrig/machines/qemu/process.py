"""The QEMU process of one machine: start it in the background, find it by the pid file in the machine's folder, kill it.

Another process may have the number in an old pid file. So a process counts as ours only if its command line names that pid
file.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from benchrig.errors import MachineError
from benchrig.machines.command import run, search_path
from benchrig.machines.qemu.qmp import SOCKET, Qmp

START_SECONDS = 60.0
"""How long QEMU may take until its monitor answers."""


def pid_file(folder: Path) -> Path:
    """Return the path of QEMU's pid file. QEMU removes the file when it ends by itself."""
    return folder / "pid"


def find(folder: Path) -> int | None:
    """Return the process of the QEMU that runs a machine, or None."""
    pid = _pid(folder)
    return pid if pid is not None and str(pid_file(folder)) in _command_line(pid) else None


def start(name: str, folder: Path, argv: Sequence[str]) -> None:
    """Start QEMU in a machine's folder, and wait until its monitor answers. Raises MachineError with QEMU's message."""
    log = folder / "qemu.log"
    (folder / SOCKET).unlink(missing_ok=True)
    pid_file(folder).unlink(missing_ok=True)
    environ = {**os.environ, "PATH": search_path()}
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                [*argv, "-pidfile", str(pid_file(folder)), "-qmp", f"unix:{SOCKET},server=on,wait=off"],
                cwd=folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            raise MachineError(f"{name}: {argv[0]}: {(error.strerror or str(error)).lower()}") from None
    deadline = time.monotonic() + START_SECONDS
    while not _answers(name, folder):
        if process.poll() is not None:
            first = log.read_text(encoding="utf-8", errors="replace").strip().partition("\n")[0]
            reason = first.removeprefix(f"{argv[0]}: ") or f"exit code {process.returncode}"
            raise MachineError(f"{name}: QEMU ended at once: {reason}")
        if time.monotonic() > deadline:
            process.kill()
            raise MachineError(f"{name}: QEMU did not start within {START_SECONDS:.0f} s")
        time.sleep(0.02)


def _answers(name: str, folder: Path) -> bool:
    """Return whether QEMU runs the machine. Before that, as while it loads a snapshot, its monitor does not answer."""
    if not (folder / SOCKET).exists() or not pid_file(folder).exists():
        return False
    with suppress(MachineError), Qmp(name, folder):
        return True
    return False


def wait(folder: Path, seconds: float) -> bool:
    """Wait until a machine's QEMU has ended and released its disk. Return whether it has."""
    deadline = time.monotonic() + seconds
    while find(folder) is not None or _is_ending(_pid(folder)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def kill(folder: Path) -> None:
    """Kill a machine's QEMU. Raises MachineError when it still runs."""
    pid = find(folder)
    if pid is None:
        return
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    if not wait(folder, 10.0):
        raise MachineError(f"{folder.name}: QEMU (process {pid}) cannot be killed")


def _pid(folder: Path) -> int | None:
    try:
        return int(pid_file(folder).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _is_ending(pid: int | None) -> bool:
    """Return whether a process was killed but is not gone: it has no command line, but its threads still have its files."""
    process = Path(f"/proc/{pid}")
    try:
        state = (process / "stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2][:1]
        threads = len(list((process / "task").iterdir()))
        return not (process / "cmdline").read_bytes() and (threads > 1 or state not in "ZX")
    except OSError:
        return False


def _command_line(pid: int) -> list[str]:
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return []
    try:
        output = run(["ps", "-ww", "-o", "args=", "-p", str(pid)], "processes cannot be listed")
    except MachineError:
        return []
    # ps does not show where a word ends, and a path may contain spaces.
    return [output.partition(" -pidfile ")[2].partition(" -qmp ")[0]]
