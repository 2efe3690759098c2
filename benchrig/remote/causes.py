"""Causes of failures on a host, found in what programs there wrote, and what to do about each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchrig.agent import causes
from benchrig.agent.text import last_line
from benchrig.errors import HostError

_PERMIT = "Permit sudo without a password for its user, use --ask-become-pass, or log in as root."

_SUDO = (
    causes.Known(r"a (password|terminal) is required|incorrect password", _PERMIT),
    causes.Known(
        r"not in the sudoers file|is not allowed to (execute|run)", "Permit sudo for this user, or log in as root."
    ),
    causes.Known(
        r"must have a tty",
        "Its sudoers file wants a terminal: add `Defaults:USER !requiretty` for this user, or log in as root.",
    ),
    causes.Known(r"no new privileges", "Programs cannot become root on this host; log in as root."),
    causes.Known(
        r"sudo: (command )?not found|exec: sudo", "Install sudo on the host, or log in as root without ansible_become."
    ),
)
"""What keeps us from being root. What else may fail on a host is in `agent/causes.py`."""


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
    for known in (*_SUDO, *causes.KNOWN):
        for line in lines:
            if known.cure and re.search(known.pattern, line, re.IGNORECASE):
                return Cause(causes.plain(line), known.cure)
    last = last_line(output)
    if re.search(r"[Pp]ermission denied|are you root", last) and not become:
        return Cause(causes.plain(last), "Log in as root, or set ansible_become: true for a user with sudo.")
    return Cause(causes.plain(last), "") if last else None
