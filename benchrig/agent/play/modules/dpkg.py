"""Which Debian packages are installed, read from dpkg's own status file rather than asked of a process a package."""

from __future__ import annotations

import re
from pathlib import Path

STATUS = Path("/var/lib/dpkg/status")


class Packages:
    """The packages of this host, as they are when the object is made."""

    def __init__(self, status: Path = STATUS) -> None:
        try:
            self._data = b"\n" + status.read_bytes()
        except OSError:
            self._data = b""

    def version(self, name: str) -> str | None:
        """Return the installed version of a package (`name` or `name:architecture`); None when it is not installed."""
        name, _, architecture = name.partition(":")
        at = -1
        while (at := self._data.find(b"\nPackage: %s\n" % name.encode(), at + 1)) >= 0:
            record = self._data[at : self._data.find(b"\n\n", at)]
            if b"\nStatus: install ok installed\n" not in record and b"\nStatus: hold ok installed\n" not in record:
                continue
            if architecture and b"\nArchitecture: %s\n" % architecture.encode() not in record + b"\n":
                continue
            found = re.search(rb"\nVersion: (\S+)", record)
            return found[1].decode() if found else ""
        return None

    def provided(self, name: str) -> bool:
        """Return whether an installed package provides a virtual one of this name."""
        pattern = rb"\nProvides:[^\n]*\b" + re.escape(name.encode()) + rb"(?![\w.+-])"
        for found in re.finditer(pattern, self._data):
            start = self._data.rfind(b"\n\n", 0, found.start())
            if b" ok installed\n" in self._data[start : found.start()]:
                return True
        return False
