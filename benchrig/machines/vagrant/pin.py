"""The host key of a machine: taken on the first contact, over the provider's own network on this computer; then compared."""

from __future__ import annotations

import logging
import socket
import time

from benchrig.errors import Hint, Inv, MachineError

ANSWER_SECONDS = 60.0
"""How long sshd may take once Vagrant says that the machine is up."""


def host_key(address: str, port: int, seconds: float, pinned: str) -> str:
    """Return kind and key that an SSH server shows, as known_hosts has them; empty when it shows none in that time.

    A server has keys of several kinds and shows one: of the same kind as the key that is `pinned`, where it has such a one.
    """
    import paramiko

    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    try:
        with socket.create_connection((address, port), timeout=seconds) as sock:
            transport = paramiko.Transport(sock)
            try:
                options = transport.get_security_options()
                options.key_types = sorted(options.key_types, key=lambda kind: not _shows(kind, pinned))
                transport.start_client(timeout=seconds)
                key = transport.get_remote_server_key()
                return f"{key.get_name()} {key.get_base64()}"
            finally:
                transport.close()
    except (OSError, EOFError, paramiko.SSHException):
        return ""


def awaited_host_key(name: str, address: str, port: int, pinned: str) -> str:
    """Return the key that a machine shows, waiting for its sshd. Raises MachineError when it stays silent."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if key := host_key(address, port, ANSWER_SECONDS / 2, pinned):
            return key
        time.sleep(0.5)
    raise MachineError(
        f"{name}: is running, but its sshd at {address}:{port} does not answer", Hint("Start it anew: ", Inv("down", "up"))
    )


def _shows(kind: str, pinned: str) -> bool:
    """Say whether what SSH calls a kind of host key, which for RSA is one of signature, shows a key of the pinned kind."""
    wanted = pinned.partition(" ")[0]
    return kind == wanted or (wanted == "ssh-rsa" and kind.startswith("rsa-sha2-"))
