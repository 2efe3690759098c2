"""Causes of failures on a host, found in what programs and the system said, and what to do about each."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from . import disks
from .text import last_line, short

_MOST_LINES = 400
"""How many lines, the last ones, are looked at."""


def line(*outputs: str) -> str:
    """Return the line that tells why a program failed: one that names a known cause, else the last one."""
    lines = [text.strip() for output in outputs for text in output.splitlines()[-_MOST_LINES:] if text.strip()]
    for known in KNOWN:
        for text in lines:
            if re.search(known.pattern, text, re.IGNORECASE):
                return plain(text)
    return plain(next((last_line(output) for output in outputs if output.strip()), ""))


def cure(*texts: str) -> str:
    """Return what to do here about the cause that texts name; empty when they name none that is known."""
    for known in KNOWN:
        for text in texts:
            if found := re.search(known.pattern, text, re.IGNORECASE):
                return (known.here and known.here(found)) or known.cure
    return ""


def plain(text: str) -> str:
    """Return a line without apt's mark, and not endless."""
    return short(re.sub(r"^[EWN]: ", "", text), 300)


def _full(_: re.Match[str]) -> str:
    full = ", ".join(disks.full(disks.mounted()))
    return f"Make room on this host; full: {full}." if full else ""


def _no_program(found: re.Match[str]) -> str:
    return f"Install {Path(found[1]).name} on this host, or let a role install it."


def _clock(_: re.Match[str]) -> str:
    return f"Set the clock of this host, which says {time.strftime('%Y-%m-%d %H:%M:%S %Z')}."


def _denied(found: re.Match[str]) -> str:
    path = found[1]
    if is_noexec(path):
        return f"The file system of {path} is mounted noexec: mount it with exec, or put the file elsewhere."
    return ""


def is_noexec(path: str) -> bool:
    """Return whether a path is on a file system that permits no programs."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


class Known(NamedTuple):
    """A cause that is known by a pattern, and what to do about it on the host; `here` knows more of the host it runs on."""

    pattern: str
    cure: str
    here: Callable[[re.Match[str]], str] | None = None


_MIRROR = "Check the package mirror of this host: /etc/apt/sources.list*, its network, a proxy. Then run it again."

_ROOM = "Make room on this host: see `df -h` and `df -i` there."

_CLOCK = "Set the clock of this host: compare `date` there and here."

KNOWN = (
    # What the others may follow from comes first.
    Known("no space left on device|disk quota exceeded|don't have enough free space", _ROOM, _full),
    Known("read-only file system", "The disk of this host is read-only, often after errors on it: see `dmesg` there."),
    Known("input/output error", "The disk of this host has errors: see `dmesg` there."),
    Known("is not valid yet|not yet valid|release file .* is expired|certificate has expired", _CLOCK, _clock),
    Known(
        "could not get lock|unable to (?:acquire|lock)|frontend lock was locked",
        "Another program installs packages on this host. Wait for its end, then run it again.",
    ),
    Known("dpkg was interrupted", "Run `dpkg --configure -a` on the host, and see why it fails."),
    Known(
        "package lists or status file could not be parsed|encountered a section with no package: header",
        "The package lists of this host are damaged: remove /var/lib/apt/lists/*, then run it again.",
    ),
    Known("failed to fetch|could not resolve '|temporary failure resolving|hash sum mismatch|unexpected size", _MIRROR),
    Known("does not have a release file|unable to locate package|no installation candidate", _MIRROR),
    Known(
        "cannot be fetched|the server answered|the connection ended after",
        "Check the address, the network of this host and its proxy. Then run it again.",
    ),
    Known("failed to map segment from shared object", "The folder of that file is mounted noexec: mount it with exec."),
    Known(r"(?:^|[\s:'\"])(/[^\s:'\"]+)['\"]?: (?:cannot be started: )?permission denied", "", _denied),
    Known(r"(\S+): (?:cannot be started: no such file or directory|(?:command )?not found)", "", _no_program),
    Known("cannot allocate memory|out of memory", "This host has too little memory for that."),
)
"""The most telling first. Patterns are compiled only when something has failed."""
