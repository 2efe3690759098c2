"""Fabric connections to hosts, with pinned host keys, over which programs are started.

OpenSSH's client says how a host is reached, and Fabric connects; bytes go over channels of our own, because Invoke's
runners read standard input a byte at a time. A Remote belongs to one thread; only `close` may be called from another.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from types import TracebackType

from benchrig import reading, shell
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote import channel as channels
from benchrig.remote import link as links
from benchrig.remote import openssh, refusals
from benchrig.remote.channel import Channel, Completed
from benchrig.remote.link import CONNECT_SECONDS, Link


class Remote:
    """One connection to a host."""

    def __init__(self, host: Host, link: Link) -> None:
        self.host = host
        self.execs = 0
        """How many programs were started over this connection so far."""
        self._link = link

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def open(
        self, argv: Sequence[str], *, timeout: float | None = None, longest_line: int = channels.LONGEST_LINE
    ) -> Channel:
        """Start a program and return the stream to it.

        `timeout` bounds each wait for its output, in seconds; `longest_line` a line of its output, in bytes.
        Raises HostError.
        """
        try:
            channel = self._link.transport.open_session(timeout=CONNECT_SECONDS)
            channel.exec_command(shell.quote(argv))
        except Exception as error:
            if not self._link.transport.is_connected():
                raise channels.lost(self.host, self._link.transport.reason) from None
            raise HostError(f"{self.host.name}: cannot start a program: {refusals.reason(error)}") from None
        self.execs += 1
        return Channel(self.host, channel, timeout, longest_line)

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Completed:
        """Run a program to its end. Raises HostError when the connection is lost or it is silent for `timeout` seconds."""
        with self.open(argv, timeout=timeout) as channel:
            return channel.complete(stdin)

    def close(self) -> None:
        """Close the connection, and those to the jump hosts that nothing else goes through. It takes a second at most."""
        self._link.close()


def connect(host: Host) -> Remote:
    """Connect to a host, through its jump hosts if it has any, and log in.

    Raises HostError, one line for each cause: not reachable, key refused, host key changed, host key not known.
    """
    # paramiko's threads log what we report ourselves, with tracebacks.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    for kind, path in (("ansible_ssh_private_key_file", host.key_file), ("benchrig_known_hosts", host.known_hosts)):
        if path and not reading.is_file(path):
            raise HostError(f"{host.name}: the file {path} of {kind} does not exist")
    route = openssh.resolve(host)
    try:
        return Remote(host, links.open_link(route))
    except links.RefusedError as refused:
        raise refusals.error(host, route, refused) from None
