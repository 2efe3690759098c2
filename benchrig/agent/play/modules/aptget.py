"""apt-get and dpkg run with time limits: another one's lock is waited for, and what a power cut interrupted is completed."""

from __future__ import annotations

import re
import time
from pathlib import Path

from ... import causes
from .base import Completed, Context, ModuleError, environment

LOCK_SECONDS = 120
"""How long another program may hold dpkg's or apt's lock."""

_ASK_AGAIN_SECONDS = 2.0

_FORCED = ("--force-confdef", "--force-confold")

_SETTINGS = (
    f"DPkg::Lock::Timeout={LOCK_SECONDS}",
    *(f"Dpkg::Options::={option}" for option in _FORCED),
    "Acquire::Retries=3",
    # A mirror that is silent for so long is dead.
    "Acquire::http::Timeout=30",
    "Acquire::https::Timeout=30",
)

_JOURNAL = Path("/var/lib/dpkg/updates")
"""dpkg's own journal: numbered files that a run which ends removes."""

_LOCK = re.compile(r"Could not get lock \S+|frontend lock was locked")

_VAGUE = ("Sub-process", "Unable to correct problems", "Some ", "Unable to lock directory")
"""How errors begin that only say that there was another one."""

_HOLDER = re.compile(r"held by process (\d+ \([^)]*\))|another process with pid (\d+)")


def change(context: Context, *argv: str, failure: str) -> Completed:
    """Run an apt-get that changes something. Raises ModuleError with its reason when it fails."""
    context.changing()
    done = _patiently(context, ["apt-get", *_arguments(), *argv])
    context.forget()
    if done.rc:
        raise ModuleError(f"{failure}: {reason(done)}", rc=done.rc, stdout=done.stdout, stderr=done.stderr)
    return done


def simulate(context: Context, *argv: str) -> Completed:
    """Run an apt-get that changes nothing."""
    return _run(context, ["apt-get", *_arguments(), *argv])


def is_interrupted() -> bool:
    """Return whether a run of dpkg was cut off, by a power cut or a kill, and must be completed before the next one."""
    try:
        return any(path.name.isdigit() for path in _JOURNAL.iterdir())
    except OSError:
        return False


def complete(context: Context) -> str:
    """Complete an interrupted run of dpkg, and return what was done. Raises ModuleError when that fails."""
    context.changing()
    done = _patiently(context, ["dpkg", *_FORCED, "--configure", "-a"])
    context.forget()
    if done.rc:
        message = f"an interrupted installation could not be completed by `dpkg --configure -a`: {reason(done)}"
        raise ModuleError(message, rc=done.rc, stdout=done.stdout, stderr=done.stderr)
    return "an interrupted installation was completed (dpkg --configure -a)"


def reason(done: Completed) -> str:
    """Return why apt-get failed: the last error that it named, and the process that holds a lock."""
    errors = [line[2:].strip() for line in done.stderr.splitlines() if line.startswith("E:")]
    specific = [error for error in errors if not error.startswith(_VAGUE)]
    said = (specific or errors or [causes.line(done.stderr, done.stdout) or f"exit code {done.rc}"])[-1]
    holder = _HOLDER.search(done.stderr) or _HOLDER.search(done.stdout)
    if holder is None or not re.search("lock", said, re.IGNORECASE):
        return said
    said = re.sub(r", is another process using it\?|: dpkg.*|[. ]*It is held by .*", "", said)
    return f"{said}; it was held for {LOCK_SECONDS} s by process {holder[1] or holder[2]}"


def _patiently(context: Context, argv: list[str]) -> Completed:
    """Run a program, again and again while another one has its lock: apt-get itself waits for dpkg's lock alone."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        done = _run(context, argv)
        if not done.rc or not _LOCK.search(done.stderr) or time.monotonic() > deadline:
            return done
        time.sleep(_ASK_AGAIN_SECONDS)


def _arguments() -> list[str]:
    return ["-q", "-y", *(part for setting in _SETTINGS for part in ("-o", setting))]


def _run(context: Context, argv: list[str]) -> Completed:
    with environment({"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}):
        return context.run(argv)
