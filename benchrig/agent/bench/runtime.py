"""The versions of what a running app is made of: its interpreter, its packages, its event loop and HTTP parser.

An app chooses its main program's name and file. So that file is run only where nobody but root can have written it, and
every probe runs as the apps' user.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .facts import read
from .probe import VersionProbe

USER = "benchrig"
"""The unprivileged user that every app runs as, and every probe."""

PROBE_SECONDS = 10.0

_EXE = "{exe}"


def installed_distributions(programs: Path) -> dict[str, str]:
    """Return the versions of the Python packages installed beside an environment's folder of programs."""
    folders = programs.resolve().parent.glob("lib/python3*/site-packages/*.dist-info")
    pairs = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in folders)
    return {name.replace("_", "-").lower(): version for name, _, version in pairs}


def versions(
    probes: Sequence[VersionProbe],
    main: int,
    pids: Iterable[int],
    installed: Mapping[str, str],
    distributions: Sequence[str],
) -> dict[str, str]:
    """Return the versions of an app's parts by name: its main program, its distributions, then what it has loaded.

    `main` is its main process, `pids` are all its processes; `installed` are the distributions of its environment.
    """
    loaded = "\n".join(read(f"/proc/{pid}/maps") for pid in pids)
    programs: dict[str, str] = {}
    parts: dict[str, str] = {}
    with _main_program(main) as (name, program):
        for probe in probes:
            found = programs if probe.program else parts
            if probe.name not in found and _applies(probe, name, loaded, installed):
                version = _version(probe, program, installed)
                if version:
                    found[probe.name] = version
    named = {name: installed[name.lower()] for name in distributions if name.lower() in installed}
    return programs | named | parts


@contextlib.contextmanager
def _main_program(pid: int) -> Iterator[tuple[str, int]]:
    """Open a process's program; yield its file name, and the descriptor of the file itself, whatever its path is then.

    Yield an empty name and -1 when the process has ended.
    """
    path = Path(f"/proc/{pid}/exe")
    try:
        name, program = path.readlink().name, os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        yield "", -1
        return
    try:
        yield name, program
    finally:
        os.close(program)


def _is_roots(program: int) -> bool:
    """Tell whether only root can have written an open file."""
    found = os.fstat(program)
    return found.st_uid == 0 and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _applies(probe: VersionProbe, name: str, loaded: str, installed: Mapping[str, str]) -> bool:
    return (
        (not probe.program or re.fullmatch(probe.program, name) is not None)
        and probe.loaded in loaded
        and (not probe.installed or probe.installed in installed)
    )


def _version(probe: VersionProbe, program: int, installed: Mapping[str, str]) -> str:
    """Return a probe's label and version; empty when its command prints none."""
    version = installed.get(probe.distribution, "")
    if probe.command:
        match = re.search(probe.pattern, _output(probe.command, program))
        if not match:
            return ""
        version = match[1]
    return f"{probe.label} {version}".strip()


def _output(command: Sequence[str], program: int) -> str:
    """Return what a probe's command writes as the apps' user; empty when it fails, or others can write what it runs."""
    if any(_EXE in word for word in command) and (program < 0 or (command[0] == _EXE and not _is_roots(program))):
        return ""
    user = pwd.getpwnam(USER)
    argv = [word.replace(_EXE, f"/proc/self/fd/{program}") for word in command]
    try:
        done = subprocess.run(
            ("setpriv", "--no-new-privs", "--", *argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
            pass_fds=(program,) if program >= 0 else (),
            timeout=PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()
