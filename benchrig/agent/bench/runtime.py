"""The versions of what a running app is made of: its interpreter, its packages, its event loop and HTTP parser."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from .facts import output, read
from .probe import VersionProbe


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
    program = Path(f"/proc/{main}/exe")
    name = program.readlink().name if program.exists() else ""
    loaded = "\n".join(read(f"/proc/{pid}/maps") for pid in pids)
    programs: dict[str, str] = {}
    parts: dict[str, str] = {}
    for probe in probes:
        found = programs if probe.program else parts
        if probe.name not in found and _applies(probe, name, loaded, installed):
            version = _version(probe, str(program), installed)
            if version:
                found[probe.name] = version
    named = {name: installed[name.lower()] for name in distributions if name.lower() in installed}
    return programs | named | parts


def _applies(probe: VersionProbe, name: str, loaded: str, installed: Mapping[str, str]) -> bool:
    return (
        (not probe.program or re.fullmatch(probe.program, name) is not None)
        and probe.loaded in loaded
        and (not probe.installed or probe.installed in installed)
    )


def _version(probe: VersionProbe, program: str, installed: Mapping[str, str]) -> str:
    """Return a probe's label and version; empty when its command prints none."""
    version = installed.get(probe.distribution, "")
    if probe.command:
        match = re.search(probe.pattern, output(word.replace("{exe}", program) for word in probe.command))
        if not match:
            return ""
        version = match[1]
    return f"{probe.label} {version}".strip()
