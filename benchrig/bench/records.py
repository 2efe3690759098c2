"""Stored records made from a host's answers: the agent's classes may change at any time, those of a run have a format."""

from __future__ import annotations

from benchrig.agent.bench import protocol
from benchrig.inventory import Host
from benchrig.machines import kind
from benchrig.results.model import CpuShares, Machine, ServerLoad

EMULATED_CPU = "QEMU TCG"
"""The name of the CPU that QEMU emulates, on any machine, unless its owner chose another name."""


def machine(host: Host, kind_name: str, facts: protocol.MachineFacts) -> Machine:
    """Return the record of a machine; `kind_name` is the inventory's `benchrig_machine`."""
    registered = kind(kind_name)
    return Machine(
        name=host.name,
        kind=kind_name,
        cpu=facts.cpu,
        cores=facts.cores,
        memory_bytes=facts.memory_bytes,
        kernel=facts.kernel,
        os=facts.os,
        virtualization=facts.virtualization,
        sysctls=facts.sysctls,
        limits=facts.limits,
        versions=facts.versions,
        emulated=host.emulated or EMULATED_CPU in facts.cpu,
        made_here=registered.made_here,
        shares_kernel=registered.shares_kernel,
    )


def cpu_shares(shares: protocol.CpuShares) -> CpuShares:
    """Return the record of what a machine's CPUs did."""
    return CpuShares(
        seconds=shares.seconds,
        idle_percent=shares.idle_percent,
        steal_percent=shares.steal_percent,
        interrupt_percent=shares.interrupt_percent,
    )


def server_load(load: protocol.ServerLoad) -> ServerLoad:
    """Return the record of what the sampler saw on the server."""
    return ServerLoad(
        seconds=load.seconds,
        cpu_percent=load.cpu_percent,
        memory_peak_bytes=load.memory_peak_bytes,
        processes=load.processes,
        load_average=load.load_average,
        machine_idle_percent=load.machine_idle_percent,
        machine_steal_percent=load.machine_steal_percent,
        machine_interrupt_percent=load.machine_interrupt_percent,
        listen_overflows=load.listen_overflows,
        listen_drops=load.listen_drops,
        retransmits=load.retransmits,
        time_wait_peak=load.time_wait_peak,
        samples=load.samples,
        sampler_cpu_seconds=load.sampler_cpu_seconds,
    )
