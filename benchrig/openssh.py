"""How OpenSSH's own programs (ssh, scp, Ansible) reach the hosts that we reach: the same user, key and pinned host key."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from benchrig.errors import HostError
from benchrig.inventory import Host

LOST = 255
"""What ssh ends with when the connection fails (ssh(1), exit status)."""


def options(host: Host) -> dict[str, str]:
    """Return OpenSSH's options for a host, by the names they have in ssh_config(5)."""
    found = {"HostName": host.address}
    if host.port:
        found["Port"] = str(host.port)
    if host.user:
        found["User"] = host.user
    if host.key_file:
        found |= {"IdentityFile": str(host.key_file), "IdentitiesOnly": "yes"}
    if host.known_hosts:
        found |= {"UserKnownHostsFile": str(host.known_hosts), "GlobalKnownHostsFile": "/dev/null"}
    return {**found, "StrictHostKeyChecking": "yes"}


def arguments(host: Host) -> list[str]:
    """Return the arguments that make `ssh` log in to a host."""
    return [word for name, value in options(host).items() for word in ("-o", f"{name}={_quoted(value)}")] + [host.name]


def login(host: Host, command: str = "") -> int:
    """Run `ssh` on the user's terminal, with a command line for the host if there is one; return the exit code.

    Raises HostError when ssh could not connect or lost the connection.
    """
    code = subprocess.run(["ssh", *arguments(host), *([command] if command else [])], check=False).returncode
    if code == LOST:
        raise HostError(f"{host.name}: ssh ended with {LOST}: there was no connection, or it was lost")
    return code


def config(hosts: Iterable[Host]) -> str:
    """Return an ssh_config for the hosts, to be used with `ssh -F`."""
    blocks = [
        "\n".join([f"Host {host.name}", *(f"  {name} {_quoted(value)}" for name, value in options(host).items())])
        for host in hosts
    ]
    return "\n\n".join(blocks)


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
