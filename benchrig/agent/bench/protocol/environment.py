"""The environment of a machine: what of its hardware and kernel decides figures, and what it was doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Process:
    """A program that used CPU: its name without arguments, and how much. 100 is one core fully used."""

    name: str
    cpu_percent: float


@dataclass(frozen=True)
class Activity:
    """What a machine was doing for some `seconds`. None or empty: not known."""

    seconds: float = 0.0
    load_average: float | None = None
    """Of the last minute, as the kernel computes it."""
    foreign_percent: float | None = None
    """CPU time that others than the agent used, in percent of all cores together: 0 to 100."""
    steal_percent: float | None = None
    """CPU time that the hypervisor took, likewise."""
    processes: tuple[Process, ...] = ()
    """The programs that used the most CPU, by name. A container shows its own only."""
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the last 10 s a program waited for `cpu`, `memory` or `io` (PSI's `some avg10`)."""
    memory_available_bytes: int | None = None
    swap_used_bytes: int | None = None


@dataclass(frozen=True)
class Environment:
    """What of a machine's hardware and kernel decides figures. Empty or None: not known."""

    cpu_governor: str = ""
    """Of the CPUs' frequency; several where they differ."""
    turbo: str = ""
    """`on` or `off`."""
    smt: str = ""
    """Simultaneous multithreading, as the kernel says it: `on`, `off`, `notsupported`."""
    numa_nodes: int | None = None
    transparent_hugepages: str = ""
    mitigations: Mapping[str, str] = field(default_factory=dict)
    """What the kernel does about each vulnerability of the CPU."""
    kernel_command_line: str = ""
    clock_source: str = ""
    microcode: str = ""
    congestion_control: str = ""
    default_qdisc: str = ""
    cgroup_limits: Mapping[str, str] | None = None
    """Limits of the control groups of agent and apps: `cpu.max of /system.slice`. Empty: none."""
    activity: Activity = field(default_factory=Activity)
    """Before the first cell."""
