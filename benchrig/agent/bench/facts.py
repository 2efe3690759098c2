"""Facts of a machine: hardware, settings, limits, versions, and what is deployed on it."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import resource
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .. import disks
from .protocol import Deployed, DeployedApp, MachineFacts

APPS = Path("/opt/benchrig/apps")
DATA = Path("/opt/benchrig/data")
UNITS = Path("/etc/systemd/system")

SYSCTLS = (
    "fs.file-max",
    "fs.nr_open",
    "net.core.netdev_max_backlog",
    "net.core.somaxconn",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.tcp_max_tw_buckets",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_tw_reuse",
)

WRITTEN = ("/", "/tmp", "/var/tmp", "/var/log", "/var/lib", "/run")
"""Folders that apps, their journals and PostgreSQL write to."""

VERSION_COMMANDS: Mapping[str, Sequence[str]] = {"systemd": ("systemctl", "--version")}
"""The programs of every machine; the controller names those of runtimes and load generators."""


def output(argv: Iterable[str]) -> str:
    """Return what a command writes, stdout and stderr together; empty when it cannot be run."""
    try:
        done = subprocess.run(tuple(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace").strip()


def read(path: str | Path) -> str:
    """Return a small file's text without the newline at its end; empty when it is not there."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def shortage() -> str:
    """Return a note on file systems without space for an app's or PostgreSQL's files; empty when there is enough on all."""
    full = disks.full(WRITTEN)
    return f"; no space is left on {', '.join(full)}: free some (df -h, df -i)" if full else ""


def raise_open_files() -> int:
    """Raise this process's descriptor limit as far as the machine lets root, and return it."""
    most = int(read("/proc/sys/fs/nr_open") or 1 << 20)
    for limit in (most, resource.getrlimit(resource.RLIMIT_NOFILE)[1]):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            break
        except (OSError, ValueError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def facts(version_commands: Mapping[str, Sequence[str]]) -> MachineFacts:
    """Return the facts of this machine, with the versions that the commands print."""
    first, last = (int(word) for word in (read("/proc/sys/net/ipv4/ip_local_port_range") or "32768 60999").split())
    open_files = raise_open_files()
    return MachineFacts(
        cpu=_field("/proc/cpuinfo", "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024,
        kernel=platform.release(),
        os=platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        virtualization=_virtualization(),
        sysctls=_sysctls(),
        limits=_limits(open_files),
        versions=_versions(version_commands),
        open_files=open_files,
        local_ports=last - first + 1,
    )


def _field(path: str, name: str) -> str:
    """Return the first `name : value` of a file in /proc."""
    match = re.search(rf"^{re.escape(name)}\s*:\s*(.*)$", read(path), re.MULTILINE)
    return match[1] if match else ""


def _virtualization() -> str:
    """Name the container and the virtual machine this is in, from the inside out, or `none`."""
    layers = [output(("systemd-detect-virt", option)) for option in ("--container", "--vm")]
    return " in ".join(layer for layer in layers if layer not in ("", "none")) or "none"


def _sysctls() -> dict[str, str]:
    """Return the settings in force; one that a container does not show is left out."""
    values = {name: " ".join(read("/proc/sys/" + name.replace(".", "/")).split()) for name in SYSCTLS}
    return {name: value for name, value in values.items() if value}


def _limits(open_files: int) -> dict[str, str]:
    by_systemd = output(("systemctl", "show", "--property=DefaultLimitNOFILE", "--value"))
    return {"open files, as far as root can raise it": str(open_files), "DefaultLimitNOFILE": by_systemd}


def _versions(commands: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the version of every program of interest that is installed, as it states it."""
    known = sorted({**VERSION_COMMANDS, **commands}.items())
    found = {name: _version(output(command)) for name, command in known if shutil.which(command[0])}
    return {"python3": platform.python_version(), **found}


def _version(text: str) -> str:
    match = re.search(r"\d+\.\d[\w.+-]*|(?<=systemd )\d+", text)
    return match[0] if match else text.partition("\n")[0]


def deployed(programs: Iterable[str]) -> Deployed:
    """Return the apps and data sets on the host, and which of `programs` are installed."""
    names = [folder.name for folder in sorted(APPS.glob("*")) if (folder / "src").is_dir()]
    limits = _unit_limits([name for name in names if (UNITS / f"benchrig-{name}.service").exists()])
    apps = {name: DeployedApp(_digests(APPS / name / "src"), limits.get(name, 0)) for name in names}
    data = {folder.name: _digests(folder) for folder in DATA.glob("*") if folder.is_dir()}
    return Deployed(apps, data, tuple(program for program in programs if shutil.which(program)))


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _unit_limits(names: list[str]) -> dict[str, int]:
    """Return the descriptor limit that each app's unit will have, as far as the machine lets systemd raise it."""
    if not names:
        return {}
    units = [f"benchrig-{name}.service" for name in names]
    shown = output(("systemctl", "show", "--property=LimitNOFILE", "--value", *units)).split()
    most = raise_open_files()
    return {name: min(most, int(limit)) if limit.isdigit() else most for name, limit in zip(names, shown, strict=True)}
