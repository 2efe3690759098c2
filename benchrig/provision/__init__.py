"""Provisioning: reads and checks Ansible's files, runs them by an agent on each host, and shows events as they come."""

from benchrig.provision.extra import parse_extra_vars
from benchrig.provision.run import Prepared, prepare, provision
from benchrig.provision.work import HostRecap

__all__ = ["HostRecap", "Prepared", "parse_extra_vars", "prepare", "provision"]
