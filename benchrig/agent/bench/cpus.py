"""The CPUs of this machine, and how they are shared out to the programs of a measurement.

A core is a set of CPUs: two of them with hyper-threading, which are never given to two programs.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence

from .facts import read
from .protocol import CpuParts

_SYSTEM = "/sys/devices/system"


def share(parts: Sequence[str]) -> CpuParts:
    """Return which CPUs of this machine each program gets; none where it has fewer cores than there are programs."""
    return CpuParts(divide(_cores(), parts))


def divide(cores: Sequence[frozenset[int]], parts: Sequence[str]) -> Mapping[str, str]:
    """Return lists of CPUs such as `0-3,8` by part: half of the cores for the first, the rest in equal shares.

    `cores` are in the order of their places, so that a part has neighbours.
    """
    if len(parts) < 2 or len(cores) < len(parts):
        return {}
    others = len(parts) - 1
    first = max(1, min((len(cores) + 1) // 2, len(cores) - others))
    rest, more = divmod(len(cores) - first, others)
    sizes = [first, *(rest + (number < more) for number in range(others))]
    found: dict[str, str] = {}
    at = 0
    for part, size in zip(parts, sizes, strict=True):
        found[part] = cpu_list(frozenset().union(*cores[at : at + size]))
        at += size
    return found


def cpu_list(cpus: Collection[int]) -> str:
    """Return CPUs as the kernel writes them: `0-3,8`."""
    spans: list[list[int]] = []
    for cpu in sorted(cpus):
        if spans and cpu == spans[-1][-1] + 1:
            spans[-1][1:] = [cpu]
        else:
            spans.append([cpu])
    return ",".join("-".join(map(str, span)) for span in spans)


def cpu_set(text: str) -> set[int]:
    """Return the CPUs of a list such as `0-3,8`. Raises ValueError."""
    cpus: set[int] = set()
    for span in filter(None, text.split(",")):
        first, _, last = span.partition("-")
        cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def _cores() -> list[frozenset[int]]:
    """Return the cores that this process may use, by NUMA node and then by number."""
    allowed = os.sched_getaffinity(0)
    cores = {frozenset(cpu_set(_siblings(cpu))) & allowed for cpu in allowed}
    return sorted(cores, key=lambda core: (_node(min(core)), min(core)))


def _siblings(cpu: int) -> str:
    return read(f"{_SYSTEM}/cpu/cpu{cpu}/topology/thread_siblings_list") or str(cpu)


def _node(cpu: int) -> int:
    nodes = cpu_set(read(f"{_SYSTEM}/node/online") or "0")
    return next((node for node in sorted(nodes) if cpu in cpu_set(read(f"{_SYSTEM}/node/node{node}/cpulist"))), 0)
