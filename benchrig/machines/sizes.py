"""CPUs and memory of a virtual machine, as the inventory says, for every kind that makes virtual machines."""

from __future__ import annotations

from benchrig.errors import InputError
from benchrig.inventory import Host

CPUS = 4
MEMORY_MB = 4096


def cpus(host: Host) -> int:
    """Return a machine's number of CPUs. Raises InputError when the inventory's value is not a number above 0."""
    return _number(host, "benchrig_cpus", CPUS)


def memory_mb(host: Host) -> int:
    """Return a machine's memory in MB. Raises InputError when the inventory's value is not a number above 0."""
    return _number(host, "benchrig_memory_mb", MEMORY_MB)


def _number(host: Host, variable: str, default: int) -> int:
    value = host.variables.get(variable, default)
    text = str(value)
    if isinstance(value, bool) or not text.isdecimal() or int(text) == 0:
        raise InputError(f"{variable} of '{host.name}' is {value!r}, not a whole number above 0")
    return int(text)
