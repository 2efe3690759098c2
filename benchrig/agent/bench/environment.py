"""The environment of this machine: what of its hardware and kernel decides figures, and what it is doing.

What cannot be read here, as much in a container, is not known. `root` is another root folder for tests.
"""

from __future__ import annotations

import os
import re
import resource
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .. import secret
from . import cgroups, facts
from .facts import read
from .protocol import Activity, Environment, MachineFacts, Process

TICKS = os.sysconf("SC_CLK_TCK")

RESOURCES = ("cpu", "memory", "io")

MOST_PROCESSES = 5

LEAST_PROCESS_PERCENT = 2.0
"""CPU of a program that is worth a name; 100 is one core fully used."""

LEAST_SECONDS = 0.2
"""How long what the machine does is looked at. To find the versions of programs takes longer, as a rule."""

ROOT = Path("/")


def machine_facts(version_commands: Mapping[str, Sequence[str]], seconds: float = LEAST_SECONDS) -> MachineFacts:
    """Return the facts of this machine with its environment, after looking at what it does for `seconds` at least."""
    watch = Watch()
    found = facts.facts(version_commands)
    watch.wait(seconds)
    return replace(found, environment=environment(watch))


def environment(watch: Watch, root: Path = ROOT) -> Environment:
    """Return the environment of this machine; `watch` has been looking at what it does."""
    cpus = root / "sys/devices/system/cpu"
    flaws = cpus / "vulnerabilities"
    governors = {read(path) for path in cpus.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return Environment(
        cpu_governor=", ".join(sorted(filter(None, governors))),
        turbo=_turbo(cpus),
        smt=read(cpus / "smt/control"),
        numa_nodes=_count(read(root / "sys/devices/system/node/online")),
        transparent_hugepages=_chosen(read(root / "sys/kernel/mm/transparent_hugepage/enabled")),
        mitigations={path.name: text for path in sorted(flaws.glob("*")) if (text := read(path))},
        kernel_command_line=secret.without_secrets(read(root / "proc/cmdline")),
        clock_source=read(root / "sys/devices/system/clocksource/clocksource0/current_clocksource"),
        microcode=_field(read(root / "proc/cpuinfo"), "microcode"),
        congestion_control=read(root / "proc/sys/net/ipv4/tcp_congestion_control"),
        default_qdisc=read(root / "proc/sys/net/core/default_qdisc"),
        cgroup_limits=cgroups.limits(),
        activity=watch.activity(),
    )


def _turbo(cpus: Path) -> str:
    """Return whether CPUs may clock higher than their base frequency: `on`, `off`, or nothing."""
    intel, others = read(cpus / "intel_pstate/no_turbo"), read(cpus / "cpufreq/boost")
    return {"0": "on", "1": "off"}.get(intel, "") or {"1": "on", "0": "off"}.get(others, "")


def _count(ranges: str) -> int | None:
    """Return how many numbers a list such as `0-1,4` has."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", ranges):
        return None
    pairs = [part.partition("-")[::2] for part in ranges.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, last in pairs)


def _chosen(options: str) -> str:
    """Return the option in brackets: `always [madvise] never`."""
    match = re.search(r"\[(\w+)\]", options)
    return match[1] if match else ""


def _field(text: str, name: str) -> str:
    match = re.search(rf"^{name}\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1].strip() if match else ""


def pressure() -> dict[str, tuple[float, float]]:
    """Return for `cpu`, `memory` and `io` how long a program has waited for it: percent of the last 10 s, seconds in all."""
    found = {}
    for name in RESOURCES:
        match = re.search(r"^some avg10=([\d.]+) .*total=(\d+)", read(f"/proc/pressure/{name}"), re.MULTILINE)
        if match:
            found[name] = (float(match[1]), int(match[2]) / 1e6)
    return found


class Watch:
    """Looks at what the machine does, from its making on. What the agent and its children use is not counted."""

    def __init__(self) -> None:
        self._at = time.monotonic()
        self._cpu = _cpu()
        self._own = _own_seconds()
        self._ticks = _ticks()

    def wait(self, seconds: float) -> None:
        """Wait until it has looked for so long."""
        time.sleep(max(0.0, self._at + seconds - time.monotonic()))

    def activity(self) -> Activity:
        """Return what the machine has done since."""
        seconds = time.monotonic() - self._at
        foreign, steal = self._shares()
        memory = _memory()
        return Activity(
            seconds=round(seconds, 3),
            load_average=_load_average(),
            foreign_percent=foreign,
            steal_percent=steal,
            processes=self._processes(seconds),
            pressure={name: percent for name, (percent, _) in pressure().items()},
            memory_available_bytes=memory.get("MemAvailable"),
            swap_used_bytes=memory["SwapTotal"] - memory["SwapFree"] if {"SwapTotal", "SwapFree"} <= memory.keys() else None,
        )

    def _shares(self) -> tuple[float | None, float | None]:
        """Return in percent what others used of the CPUs' time, and what the hypervisor took."""
        now = _cpu()
        if now is None or self._cpu is None:
            return None, None
        total, idle, steal = (after - before for after, before in zip(now, self._cpu, strict=True))
        total = max(total, 0.01)
        foreign = total - idle - steal - (_own_seconds() - self._own)
        return round(min(100.0, max(0.0, 100 * foreign / total)), 1), round(100 * steal / total, 1)

    def _processes(self, seconds: float) -> tuple[Process, ...]:
        used: Counter[str] = Counter()
        for pid, (name, ticks, parent) in _ticks().items():
            # A program that has begun since did all of it in between.
            before = self._ticks.get(pid, (name, 0, 0))[1]
            if os.getpid() not in (pid, parent):
                used[name] += max(0, ticks - before)
        per_tick = 100 / TICKS / max(seconds, 0.01)
        found = (Process(name, round(per_tick * ticks, 1)) for name, ticks in used.most_common(MOST_PROCESSES))
        return tuple(one for one in found if one.cpu_percent >= LEAST_PROCESS_PERCENT)


def _cpu() -> tuple[float, float, float] | None:
    """Return the seconds that all CPUs have had since the start, of them idle, of them stolen; None: not known."""
    words = read("/proc/stat").partition("\n")[0].split()[1:9]
    if len(words) < 8:
        return None
    times = [int(word) / TICKS for word in words]
    return sum(times), times[3] + times[4], times[7]


def _own_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _ticks() -> dict[int, tuple[str, int, int]]:
    """Return name, CPU time in ticks and parent of each process that lives."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            head, _, tail = (process / "stat").read_text(errors="replace").rpartition(")")
            words = tail.split()
            found[int(process.name)] = (head.partition("(")[2], int(words[11]) + int(words[12]), int(words[1]))
    return found


def _load_average() -> float | None:
    words = read("/proc/loadavg").split()
    return float(words[0]) if words else None


def _memory() -> dict[str, int]:
    """Return the entries of /proc/meminfo in bytes."""
    lines = (line.split() for line in read("/proc/meminfo").splitlines())
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) == 3}
