"""Operations on a machine: its facts, what is deployed on it, its CPUs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .environment import Environment
from .operation import Operation


@dataclass(frozen=True)
class MachineFacts:
    """A machine as it is now."""

    cpu: str
    cores: int
    memory_bytes: int
    kernel: str
    os: str
    virtualization: str
    sysctls: Mapping[str, str]
    limits: Mapping[str, str]
    versions: Mapping[str, str]
    open_files: int
    """How many descriptors a process may have open here, when root raises the limit as far as it goes."""
    local_ports: int
    """How many ports there are for outgoing connections."""
    environment: Environment = field(default_factory=Environment)


@dataclass(frozen=True)
class FindMachineFacts(Operation[MachineFacts]):
    """Look at the machine; `version_commands` are commands that print the version of a program, by its name."""

    version_commands: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class DeployedApp:
    """An app on the host: the SHA-256 of its files by name, and its unit's descriptor limit (0: it has no unit)."""

    files: Mapping[str, str]
    open_files: int


@dataclass(frozen=True)
class Deployed:
    """What is on the host: apps by name, data sets by name (the SHA-256 of their files), load generators installed."""

    apps: Mapping[str, DeployedApp]
    data: Mapping[str, Mapping[str, str]]
    programs: tuple[str, ...]


@dataclass(frozen=True)
class FindDeployed(Operation[Deployed]):
    """Look at what is deployed; `programs` are the ones to look for."""

    programs: tuple[str, ...]


@dataclass(frozen=True)
class Throttle:
    """How often, and for how many seconds of CPU time, the kernel held up a control group that had used up its quota."""

    periods: int
    seconds: float


@dataclass(frozen=True)
class CpuShares:
    """What the CPUs of a machine did for some `seconds`, in percent of all cores together: 0 to 100."""

    seconds: float
    idle_percent: float
    steal_percent: float
    interrupt_percent: float
    pressure: Mapping[str, float] = field(default_factory=dict)
    """In how many percent of the time a program waited for `cpu`, `memory` or `io`; empty: not known."""
    throttled: Mapping[str, Throttle] = field(default_factory=dict)
    """The control groups of our programs that were held up, by name."""


@dataclass(frozen=True)
class CpuTimes:
    """What the CPUs of a machine have done since it started, in seconds of all of them together."""

    at: float
    """The machine's own clock, in seconds."""
    total: float
    idle: float
    steal: float
    interrupts: float
    waited: Mapping[str, float] = field(default_factory=dict)
    """For how many seconds a program waited for `cpu`, `memory` or `io`."""
    throttled: Mapping[str, Throttle] = field(default_factory=dict)
    """How often and how long each control group of our programs was held up so far."""

    def since(self, before: CpuTimes) -> CpuShares:
        """Return what they did from an earlier reading of the same machine to this one."""
        # Between two ticks of the kernel's clock there is nothing to divide by.
        total = max(self.total - before.total, 0.01)
        return CpuShares(
            seconds=round(self.at - before.at, 3),
            idle_percent=round(100 * (self.idle - before.idle) / total, 1),
            steal_percent=round(100 * (self.steal - before.steal) / total, 1),
            interrupt_percent=round(100 * (self.interrupts - before.interrupts) / total, 1),
            pressure=self._pressure(before),
            throttled=self._throttled(before),
        )

    def _pressure(self, before: CpuTimes) -> dict[str, float]:
        seconds = max(self.at - before.at, 0.01)
        both = self.waited.keys() & before.waited.keys()
        return {name: round(100 * (self.waited[name] - before.waited[name]) / seconds, 1) for name in sorted(both)}

    def _throttled(self, before: CpuTimes) -> dict[str, Throttle]:
        found = {}
        for name, now in self.throttled.items():
            then = before.throttled.get(name, Throttle(0, 0.0))
            if now.periods > then.periods:
                found[name] = Throttle(now.periods - then.periods, round(now.seconds - then.seconds, 3))
        return found


@dataclass(frozen=True)
class CpuParts:
    """The CPUs of each part, such as `0-3,8`; empty where there are not enough cores."""

    cpus: Mapping[str, str]


@dataclass(frozen=True)
class FindCpuParts(Operation[CpuParts]):
    """Share out the cores of the machine to `parts`, the first of which gets most."""

    parts: tuple[str, ...]


@dataclass(frozen=True)
class FindCpuTimes(Operation[CpuTimes]):
    """Read what the CPUs of the machine have done so far."""
