"""Limits on the number of connections: descriptors and ports of load host and server, checked before a cell starts."""

from __future__ import annotations

from dataclasses import dataclass

SERVER_SPARE_FILES = 64
"""Descriptors that a server needs beside its connections."""


@dataclass(frozen=True)
class Limits:
    """The limits on connections between a load host and a server."""

    generator: str
    """The load host's name."""
    generator_open_files: int
    generator_spare_files: int
    """How many of them the load generator needs beside its connections."""
    generator_ports: int
    server: str
    server_open_files: int | None
    """Descriptor limit of the app's unit, as far as the server lets it be raised; None when it is not ours to know."""


def obstacle(limits: Limits, connections: int) -> str:
    """Return why so many connections are not possible, and what raises the limit; empty when they are."""
    return (
        _files(
            limits.generator, "the load generator", connections, limits.generator_spare_files, limits.generator_open_files
        )
        or _files(limits.server, "the app's process", connections, SERVER_SPARE_FILES, limits.server_open_files)
        or _ports(limits, connections)
    )


def _files(host: str, who: str, connections: int, spare: int, limit: int | None) -> str:
    if limit is None or connections + spare <= limit:
        return ""
    return (
        f"{connections} connections need {connections + spare} file descriptors; {who} on {host} may have {limit} "
        "(RLIMIT_NOFILE, which even root cannot raise there); a virtual machine, or a controller with a higher hard "
        "limit, can run this row"
    )


def _ports(limits: Limits, connections: int) -> str:
    if connections <= limits.generator_ports:
        return ""
    return (
        f"{connections} connections to one address need {connections} local ports; {limits.generator} has "
        f"{limits.generator_ports} (net.ipv4.ip_local_port_range); the role 'tuning' sets it to 1024 65535"
    )
