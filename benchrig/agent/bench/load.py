"""The runner of a load generator: an unprivileged process with a time limit, whose CPU time the kernel counts."""

from __future__ import annotations

import os
import pwd
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import BinaryIO

from .cpus import cpu_set
from .facts import raise_open_files
from .protocol import LoadOutput
from .threads import ThreadWatch

USER = "nobody"
OUTPUT_BYTES = 1 << 20


class LoadRunner:
    """Runs one load generator at a time, with its files below `folder`; `abandon` may be called from another thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, command: tuple[str, ...], script: str, kill_after_seconds: float, cpus: str = "") -> LoadOutput:
        """Run `command`, on `cpus` alone if any are given; `{script}` in it is replaced by a file with `script`.

        Raises OSError if it cannot start.
        """
        if not shutil.which(command[0]):
            raise OSError(f"the program '{command[0]}' is not on this machine; ./inv provision installs it")
        limit = raise_open_files()
        with tempfile.TemporaryDirectory(prefix="load-", dir=self._folder) as name:
            folder = Path(name)
            folder.chmod(0o755)
            path = folder / "script"
            path.write_text(script, encoding="utf-8")
            argv = [word.replace("{script}", str(path)) for word in command]
            with (folder / "out").open("w+b") as out, (folder / "err").open("w+b") as err:
                began = time.monotonic()
                self._process = process = _start(argv, out, err, cpus)
                watch = ThreadWatch(process.pid)
                watch.start()
                killed = _wait(process.pid, kill_after_seconds)
                if killed:
                    process.kill()
                threads = watch.stop()
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                wall = time.monotonic() - began
            return LoadOutput(
                exit_code=process.returncode,
                stdout=_text(folder / "out"),
                stderr=_text(folder / "err"),
                wall_seconds=round(wall, 4),
                cpu_seconds=round(usage.ru_utime + usage.ru_stime, 4),
                open_files=limit,
                killed=killed,
                threads=threads,
            )

    def abandon(self) -> None:
        """Kill the load generator that runs, if one does."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


def _start(argv: list[str], out: BinaryIO, err: BinaryIO, cpus: str) -> subprocess.Popen[bytes]:
    user = pwd.getpwnam(USER)
    before = os.sched_getaffinity(0)
    # Of this thread alone: the new process inherits it.
    os.sched_setaffinity(0, cpu_set(cpus) or before)
    try:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
    finally:
        os.sched_setaffinity(0, before)


def _wait(pid: int, seconds: float) -> bool:
    """Wait for a process to end; return True when it has not after `seconds`. It is not reaped."""
    descriptor = os.pidfd_open(pid)
    try:
        return not select.select([descriptor], [], [], seconds)[0]
    finally:
        os.close(descriptor)


def _text(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(OUTPUT_BYTES).decode(errors="replace")
