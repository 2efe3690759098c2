"""Records of the machines and the database as they were when the run began."""

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
    """What a machine did before the first cell, for some `seconds`. None or empty: not known."""

    seconds: float = 0.0
    load_average: float | None = None
    """Of the last minute, as the kernel computes it."""
    foreign_percent: float | None = None
    """CPU time that others than benchrig's agent used, in percent of all cores together: 0 to 100."""
    steal_percent: float | None = None
    """CPU time that the hypervisor took, likewise."""
    processes: tuple[Process, ...] = ()
    """The programs that used the most CPU. A container shows its own only."""
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the last 10 s a program waited for `cpu`, `memory` or `io`."""
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
    """Without the values of words whose names say that they are secrets."""
    clock_source: str = ""
    microcode: str = ""
    congestion_control: str = ""
    default_qdisc: str = ""
    cgroup_limits: Mapping[str, str] | None = None
    """Limits of the control groups of agent and apps: `cpu.max of /system.slice`. Empty: none."""
    activity: Activity = field(default_factory=Activity)
    """Before the first cell."""

    def conditions(self) -> Mapping[str, str]:
        """Return what lasts and is known, by name: what two runs must have in common to be compared."""
        limits = self.cgroup_limits
        known = {
            "CPU governor": self.cpu_governor,
            "turbo": self.turbo,
            "SMT": self.smt,
            "NUMA nodes": "" if self.numa_nodes is None else str(self.numa_nodes),
            "transparent hugepages": self.transparent_hugepages,
            "clock source": self.clock_source,
            "microcode": self.microcode,
            "congestion control": self.congestion_control,
            "default qdisc": self.default_qdisc,
            "kernel command line": self.kernel_command_line,
            "control group limits": "" if limits is None else ", ".join(map(" ".join, sorted(limits.items()))) or "none",
            **{f"mitigation of {name}": state for name, state in self.mitigations.items()},
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True)
class Machine:
    """A host as it was when the run began."""

    name: str
    kind: str
    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    os: str
    virtualization: str
    sysctls: Mapping[str, str]
    limits: Mapping[str, str]
    versions: Mapping[str, str]
    emulated: bool = False
    """Its CPU is emulated by a program: the computer's own could not be used."""
    made_here: bool = False
    """benchrig made it on the computer that it ran on."""
    pinned: Mapping[str, str] = field(default_factory=dict)
    """The CPUs that programs were kept on, such as `0-3`, by `app`, `database` and `load generator`."""
    shares_kernel: bool = False
    """It is a container on the kernel of that computer: the CPU figures that it sees are those of the whole computer."""
    environment: Environment = field(default_factory=Environment)


@dataclass(frozen=True)
class Database:
    """PostgreSQL and its data set as they were when the run began."""

    host: str
    data: str
    """The data set's name."""
    version: str
    settings: Mapping[str, str]
    fingerprint: str
