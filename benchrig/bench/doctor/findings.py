"""Findings about a machine before a run: values first, by a code; the sentence is made last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from benchrig import units
from benchrig.errors import UnfitError
from benchrig.shell import quote

Value = float | str


class Severity(StrEnum):
    """What a finding does to a run."""

    STOPS = "stops"
    """The run, or some of its rows, cannot be measured."""
    SPOILS = "spoils"
    """It can, and the figures would not be the system's."""
    NOTE = "note"
    """Worth knowing."""


_STOPS, _SPOILS, _NOTE = Severity

_GOVERNOR = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
_TUNING = "./inv provision --tags tuning"


class Code(Enum):
    """Every finding: its code, severity, sentence, and what mends it: a command, or empty."""

    severity: Severity
    sentence: str
    mend: str

    def __new__(cls, code: str, severity: Severity, sentence: str, mend: str = "") -> Code:
        """Make an entry whose value is its code alone."""
        entry = object.__new__(cls)
        entry._value_ = code
        entry.severity, entry.sentence, entry.mend = severity, sentence, mend
        return entry

    NOT_RUNNING = "not_running", _STOPS, "The machine is not up: {state}.", "./inv up"
    UNREACHABLE = "unreachable", _STOPS, "The host cannot be examined: {reason}", "{hint}"
    IN_USE = "in_use", _STOPS, "The host is in use: {owner}.", "Wait for it, or end it."
    PORT_TAKEN = (
        "port_taken",
        _STOPS,
        "Port {port:plain} of an app is taken by '{program}' (process {pid:plain}).",
        "kill {pid:plain}",
    )
    DISK_FULL = (
        "disk_full",
        _STOPS,
        "The file system of {folder} has {free:bytes} and {files} free.",
        "Make room there; how full it is: df -h {folder}; df -i {folder}",
    )
    OPEN_FILES = (
        "open_files",
        _STOPS,
        "{connections:count} connections need {needed:count} open files, and a process may have {limit:count}.",
        "Raise the host's hard limit; what it is: ulimit -Hn. Virtual machines have their own: docs/large-rows.md",
    )
    APP_OPEN_FILES = (
        "app_open_files",
        _STOPS,
        "{connections:count} connections need {needed:count} open files, and the unit of '{app}' may have {limit:count}.",
        "./inv provision",
    )
    LOCAL_PORTS = (
        "local_ports",
        _STOPS,
        "{connections:count} connections need as many local ports, and there are {limit:count}.",
        _TUNING,
    )
    PROCESSES = (
        "processes",
        _STOPS,
        "There can be {limit:count} processes and threads; a run needs {needed:count}.",
        "sudo sysctl -w kernel.threads-max={needed:plain} kernel.pid_max={needed:plain}",
    )
    GOVERNOR = "governor", _SPOILS, "The CPU governor is {governor}: the clock follows the load with a delay.", _GOVERNOR
    CPU_QUOTA = (
        "cpu_quota",
        _SPOILS,
        "A control group's quota allows {quota} of {cores:plain} cores: {limit}.",
        "Remove the quota, such as a container's --cpus or a unit's CPUQuota=.",
    )
    UNIT_LIMIT = (
        "unit_limit",
        _SPOILS,
        "A unit of an app has a limit: {limit}.",
        "Remove it; where it is set: systemctl cat {unit}",
    )
    STEAL = (
        "steal",
        _SPOILS,
        "The hypervisor takes {share:percent} of the CPU time (steal).",
        "Use a machine with CPUs of its own.",
    )
    BUSY = (
        "busy",
        _SPOILS,
        "Other programs use {share:percent} of the CPU time; load average {load}{programs}.",
        "Wait until the machine is quiet, or end them: top",
    )
    MEMORY_PRESSURE = (
        "memory_pressure",
        _SPOILS,
        "Programs waited for memory in {share:percent} of the last 10 s; {available:bytes} are available.",
        "End what uses it: top -o %MEM",
    )
    MEMORY = (
        "memory",
        _SPOILS,
        "{connections:count} connections need about {needed:bytes} of memory, and {available:bytes} are available.",
        "End what uses it (top -o %MEM), or leave out large rows (--only).",
    )
    CLOCK_SOURCE = (
        "clock_source",
        _SPOILS,
        "The clock source is {source}: to read the time is a slow call into the kernel.",
        "Choose a faster one of these: cat /sys/devices/system/clocksource/clocksource0/available_clocksource",
    )
    TIMEOUT = (
        "timeout",
        _SPOILS,
        "Profile {profile} of suite {suite} has a timeout of {timeout} s and a duration of {duration} s: "
        "no reply can be counted as late.",
        "Set the timeout below the duration in configs/suites/{suite}.yml.",
    )
    BACKLOG = (
        "backlog",
        _SPOILS,
        "net.core.somaxconn is {limit:count}: of {connections:count} connections at once, some would be dropped.",
        _TUNING,
    )
    CONNTRACK = (
        "conntrack",
        _SPOILS,
        "The packet filter tracks {count:count} of at most {limit:count} connections; {connections:count} more are needed.",
        "sudo sysctl -w net.netfilter.nf_conntrack_max={wanted:plain}",
    )
    TURBO = (
        "turbo",
        _NOTE,
        "Turbo is on: the clock depends on heat and on other cores, and so repeats vary more.",
        "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo",
    )
    SMT = "smt", _NOTE, "SMT is on: two CPUs share a core, and 100 % of the CPUs is less than twice 50 %."
    SWAP = "swap", _NOTE, "{used:bytes} of swap are in use.", "sudo swapoff -a"
    MITIGATIONS = (
        "mitigations",
        _NOTE,
        "Vulnerabilities of the CPU that the kernel mitigates: {count:plain}. That costs time in system calls.",
    )
    NOT_DEPLOYED = (
        "not_deployed",
        _NOTE,
        "Not deployed yet, or changed since: {names}. A bench deploys it.",
        "./inv provision",
    )
    NO_PYTHON = "no_python", _NOTE, "The host has no python3, and was not examined. A bench installs it.", "./inv provision"
    CLOCK_OFFSET = (
        "clock_offset",
        _NOTE,
        "Its clock is {offset:seconds} {direction} the controller's.",
        "timedatectl set-ntp true",
    )
    NOT_SYNCHRONIZED = "not_synchronized", _NOTE, "No time service keeps its clock right.", "timedatectl set-ntp true"


@dataclass(frozen=True)
class Finding:
    """Something that was found about a machine."""

    code: Code
    host: str
    values: Mapping[str, Value] = field(default_factory=dict)
    """What it rests on, by the names in its sentence."""

    @property
    def severity(self) -> Severity:
        """What it does to a run."""
        return self.code.severity

    @property
    def sentence(self) -> str:
        """The finding in words."""
        return self._said(self.code.sentence)

    def mend(self, inventory: str = "") -> str:
        """Return what mends it, a command as a rule; empty where nothing is to be mended.

        A command of benchrig's own names `inventory`, unless that is empty.
        """
        said = self._said(self.code.mend)
        return f"{said} -i {quote([inventory])}" if inventory and said.startswith("./inv ") else said

    def _said(self, template: str) -> str:
        return template.format_map({name: _Text(value) for name, value in self.values.items()})


class _Text:
    """A value in a sentence; its format is its unit."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def __format__(self, unit: str) -> str:
        if isinstance(self.value, str):
            return self.value
        match unit:
            case "bytes":
                return units.size(self.value)
            case "percent":
                return f"{self.value:.0f} %"
            case "seconds":
                return f"{self.value:.1f} s"
            case "plain":
                return f"{self.value:.0f}"
            case "count":
                return f"{self.value:,.0f}"
            case _:
                return f"{self.value:g}"


MOST_NAMED = 4
"""Apps and programs that a finding names."""


def few(names: Sequence[str]) -> str:
    """Return names in one text; of many, the first ones and how many more there are."""
    rest = len(names) - MOST_NAMED
    return f"{', '.join(names[:MOST_NAMED])} and {rest} more" if rest > 1 else ", ".join(names)


def failure(findings: Sequence[Finding]) -> UnfitError | None:
    """Return the error that ends the doctor; None when nothing stops or spoils a run."""
    bad = [one for one in findings if one.severity is not Severity.NOTE]
    stopping = sum(one.severity is Severity.STOPS for one in bad)
    counts = [(stopping, "stops", "stop"), (len(bad) - stopping, "spoils", "spoil")]
    told = [f"{count} {f'finding {one}' if count == 1 else f'findings {many}'} it" for count, one, many in counts if count]
    return UnfitError(f"not fit for a run: {', '.join(told)}") if bad else None
