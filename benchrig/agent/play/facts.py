"""What is known of a host without asking any program: Ansible's facts, the part of them that roles use.

The names and values are Ansible's; everything is read from files and from the kernel.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

_FAMILIES = {"debian": "Debian", "ubuntu": "Debian", "raspbian": "Debian"}


def _os_release() -> dict[str, str]:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return {}
    return {key: value.strip("\"'") for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)}


def _distribution() -> str:
    release = _os_release()
    return release.get("NAME", "Linux").split()[0]


def _distribution_version() -> str:
    # Debian's point release stands only in this file; Ansible takes it from there too.
    try:
        version = Path("/etc/debian_version").read_text(encoding="utf-8").strip()
    except OSError:
        version = ""
    release = _os_release()
    return version if release.get("ID") == "debian" and re.match(r"\d", version) else release.get("VERSION_ID", "NA")


def _service_mgr() -> str:
    return "systemd" if Path("/run/systemd/system").is_dir() else Path("/proc/1/comm").read_text(encoding="utf-8").strip()


def _memory_mb(key: str) -> int:
    match = re.search(rf"^{key}:\s+(\d+)", Path("/proc/meminfo").read_text(encoding="utf-8"), re.MULTILINE)
    return int(match[1]) // 1024 if match else 0


def _python() -> dict[str, object]:
    version = sys.version_info
    return {
        "version": {"major": version.major, "minor": version.minor, "micro": version.micro},
        "executable": sys.executable,
    }


FACTS: dict[str, Callable[[], object]] = {
    "architecture": lambda: os.uname().machine,
    "distribution": _distribution,
    "distribution_major_version": lambda: _distribution_version().partition(".")[0],
    "distribution_release": lambda: _os_release().get("VERSION_CODENAME", "NA"),
    "distribution_version": _distribution_version,
    "hostname": lambda: os.uname().nodename.partition(".")[0],
    "kernel": lambda: os.uname().release,
    "memtotal_mb": lambda: _memory_mb("MemTotal"),
    "nodename": lambda: os.uname().nodename,
    "os_family": lambda: _FAMILIES.get(_os_release().get("ID", ""), _distribution()),
    "pkg_mgr": lambda: "apt" if Path("/usr/bin/apt-get").exists() else "unknown",
    "processor_nproc": lambda: len(os.sched_getaffinity(0)),
    "processor_vcpus": lambda: os.cpu_count() or 1,
    "python": _python,
    "python_version": lambda: ".".join(map(str, sys.version_info[:3])),
    "service_mgr": _service_mgr,
    "swaptotal_mb": lambda: _memory_mb("SwapTotal"),
    "system": lambda: os.uname().sysname,
}
"""Every fact there is, by name; docs and the reader of roles take the names from here."""


class Facts(Mapping[str, object]):
    """The facts of this host; each is read when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[str, object] = {}

    def __getitem__(self, name: str) -> object:
        if name not in self._known:
            self._known[name] = FACTS[name]()
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(FACTS)

    def __len__(self) -> int:
        return len(FACTS)
