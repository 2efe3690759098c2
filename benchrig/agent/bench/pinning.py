"""Keeps the programs of a measurement on CPUs of their own, and undoes that.

An app's unit gets a drop-in below `/run`, for all of our apps at once. It names the CPUs, and refuses the app to choose
others: nginx, for one, would bind its workers to all. This holds with every version of control groups, and most apps count
their CPUs by what they may use. PostgreSQL runs already, so the affinity of its processes is changed, and new ones inherit
it; a file says that. Both are undone when the agent ends, however it does (`daemon.py`), and before the next one begins.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from .cpus import cpu_list, cpu_set
from .facts import read

DROP_IN = Path("/run/systemd/system/benchrig-.service.d/pin.conf")
DATABASE = Path("/run/benchrig/pinned-database")
"""The processes of PostgreSQL that were pinned, with the CPUs that they had before: `123 0-3`."""

MARKS = (DROP_IN, DATABASE)
"""Files that say what is to be undone."""


def pin_apps(cpus: str) -> None:
    """Have apps start on these CPUs from now on; on all of them where none is given. Raises OSError."""
    text = (
        f"[Service]\nCPUAffinity={cpus}\nSystemCallFilter=~sched_setaffinity\nSystemCallErrorNumber=EPERM\n" if cpus else ""
    )
    if read(DROP_IN) == text.strip():
        return
    if text:
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text(text, encoding="utf-8")
    else:
        DROP_IN.unlink(missing_ok=True)
    subprocess.run(("systemctl", "daemon-reload"), capture_output=True, check=False)


def pin_database(pids: Iterable[int], cpus: str) -> None:
    """Keep processes on these CPUs, and note what they had. Raises OSError."""
    wanted = cpu_set(cpus)
    before = {line.partition(" ")[0] for line in read(DATABASE).splitlines()}
    DATABASE.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            had = os.sched_getaffinity(pid)
            if had == wanted:
                continue
            if str(pid) not in before:
                # Before the change: the agent may be killed at any moment.
                with DATABASE.open("a", encoding="utf-8") as file:
                    file.write(f"{pid} {cpu_list(had)}\n")
            os.sched_setaffinity(pid, wanted)


def undo(pids: Iterable[int] = ()) -> None:
    """Undo all that was pinned here. `pids` are processes of PostgreSQL now: those that began since get what others had."""
    if DROP_IN.exists():
        pin_apps("")
    noted = dict(line.split(" ") for line in read(DATABASE).splitlines() if line.count(" ") == 1)
    usual = next(iter(noted.values()), "")
    for pid in dict.fromkeys([*map(int, noted), *pids]) if usual else ():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, cpu_set(noted.get(str(pid), usual)))
    DATABASE.unlink(missing_ok=True)


def main() -> int:
    """Undo what an agent that has ended has left."""
    from .database import pids

    undo(pids() if DATABASE.exists() else ())
    return 0
