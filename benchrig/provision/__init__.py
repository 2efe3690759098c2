"""Provisioning: Ansible's own files, read and checked here, run by the agent on each host, told as it happens."""

from benchrig.provision.extra import parse_extra_vars
from benchrig.provision.run import HostRecap, provision

__all__ = ["HostRecap", "parse_extra_vars", "provision"]
