"""Causes of failures on a host, found in what programs there wrote, and what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchrig.agent.text import last_line
from benchrig.errors import HostError

_SUDO = "Permit sudo without a password for its user, use --ask-become-pass, or log in as root."
_CLOCK = "Set the clock of the host: compare `date` there and here."
_MIRROR = "Check the package mirror of the host (/etc/apt/sources.list*, the network, a proxy), or install python3 by hand."

_KNOWN = (
    # What the others may follow from comes first.
    (r"No space left on device|Disk quota exceeded", "Make room on that disk of the host: see `df -h /var /tmp` there."),
    (r"Read-only file system", "The host's disk is read-only, often after errors on it: see `dmesg` there."),
    (r"a (password|terminal) is required|incorrect password", _SUDO),
    (r"not in the sudoers file|is not allowed to (execute|run)", "Permit sudo for this user, or log in as root."),
    (
        r"must have a tty",
        "Its sudoers file wants a terminal: add `Defaults:USER !requiretty` for this user, or log in as root.",
    ),
    (r"no new privileges", "Programs cannot become root on this host; log in as root."),
    (r"sudo: (command )?not found|exec: sudo", "Install sudo on the host, or log in as root without ansible_become."),
    (r"not valid yet|not yet valid|is expired|has expired", _CLOCK),
    (r"dpkg was interrupted|error processing package", "Run `dpkg --configure -a` on the host, and see why it was cut off."),
    (r"Could not get lock|Unable to (acquire|lock)", "Another program installs packages on the host: wait for its end."),
    (
        r"Failed to fetch|Could not (connect|resolve)|Temporary failure resolving|does not have a Release file"
        r"|Hash Sum mismatch|unexpected size|Connection (timed out|failed)|^E: .*(404|500|503)",
        _MIRROR,
    ),
    (r"Unable to locate package|has no installation candidate", _MIRROR),
)
"""Patterns of lines that name a cause, the most telling first, and what to do then."""


@dataclass(frozen=True)
class Cause:
    """Why something failed on a host: a line that a program there wrote, and what to do about it."""

    line: str
    hint: str

    def error(self, message: str) -> HostError:
        """Return the error that says what could not be done, and the cause."""
        return HostError(f"{message}: {self.line}", self.hint)


def find(output: bytes, *, become: bool) -> Cause | None:
    """Return the cause in a program's output: the line that names one, else the last. None when there is no output.

    `become` says whether it ran through sudo.
    """
    lines = [line.strip() for line in output.decode(errors="replace").splitlines() if line.strip()]
    for pattern, hint in _KNOWN:
        for line in lines:
            if re.search(pattern, line):
                return Cause(_plain(line), hint)
    last = last_line(output)
    if re.search(r"[Pp]ermission denied|are you root", last) and not become:
        return Cause(_plain(last), "Log in as root, or set ansible_become: true for a user with sudo.")
    return Cause(_plain(last), "") if last else None


def _plain(line: str) -> str:
    """Return a line without the mark that apt gives it, and not endless."""
    return re.sub(r"^[EW]: ", "", line)[:300]
