"""Provisioning: Ansible's own files, read and checked here, run by the agent on each host, told as it happens."""

from benchrig.provision.extra import parse_extra_vars
from benchrig.provision.run import HostRecap, Prepared, prepare, provision

__all__ = ["HostRecap", "Prepared", "parse_extra_vars", "prepare", "provision"]
