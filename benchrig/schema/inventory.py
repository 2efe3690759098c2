"""The variables of an inventory that benchrig itself reads; kinds of machine have more, others are the roles' own."""

from __future__ import annotations

from dataclasses import dataclass

from benchrig.machines.sizes import CPUS, MEMORY_MB


@dataclass(frozen=True)
class HostVariables:
    """Variables of a host or a group. All are optional; those of a host come before those of its groups."""

    benchrig_machine: str = "existing"
    """Kind of the machines, for the group `all`: what makes them, or `existing` for hosts that are there already."""
    benchrig_address: str = ""
    """Where the other hosts reach this one, if not at `ansible_host`."""
    benchrig_cpus: int = CPUS
    """CPUs of a virtual machine."""
    benchrig_memory_mb: int = MEMORY_MB
    """Memory of a virtual machine in MB."""
    benchrig_box: str = ""
    """Box that a virtual machine is made from; for qemu the path of a `box.qcow2`."""
    benchrig_known_hosts: str = ""
    """File with pinned host keys; without it, the user's own `known_hosts`."""
    benchrig_emulated: bool = False
    """The machine's CPU is emulated: its figures are invalid."""
    ansible_host: str = ""
    """Address that the host is reached at; its name when it is left out."""
    ansible_port: int = 22
    """Port of its SSH server."""
    ansible_user: str = ""
    """User to log in as."""
    ansible_become: bool = False
    """The user becomes root through sudo."""
    ansible_ssh_private_key_file: str = ""
    """Key to log in with."""
    ansible_ssh_common_args: str = ""
    """Arguments for ssh, such as `-J` and a jump host."""
    ansible_ssh_extra_args: str = ""
    """More arguments for ssh."""
