"""A machine's host key: read at the first contact, over the provider's network on this computer, and compared later."""

from __future__ import annotations

import logging
import socket

from benchrig.errors import Hint, HostError, Inv, MachineError
from benchrig.machines.sshd import wait_for_ssh

ANSWER_SECONDS = 60.0
"""How long the SSH server may take after Vagrant says that the machine is up."""


def host_key(address: str, port: int, seconds: float, pinned: str) -> str:
    """Return kind and key that an SSH server shows, in the format of known_hosts; empty when it shows none in that time.

    A server has keys of several kinds and shows one of them: if it can, one of the same kind as the key that is `pinned`.
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


def wait_for_host_key(name: str, address: str, port: int, pinned: str) -> str:
    """Wait for a machine's SSH server and return the host key that it shows. Raises MachineError when it does not answer."""
    keys: list[str] = []

    def read() -> None:
        keys.append(host_key(address, port, ANSWER_SECONDS / 2, pinned))
        if not keys[-1]:
            raise HostError("its SSH server shows no host key")

    if reason := wait_for_ssh(address, port, ANSWER_SECONDS, login=read):
        raise MachineError(f"{name}: runs, but {reason} at {address}:{port}", Hint("Start it anew: ", Inv("down", "up")))
    return keys[-1]


def _shows(kind: str, pinned: str) -> bool:
    """Return whether negotiating `kind` makes a server show a key of the pinned kind. RSA keys have several signatures."""
    pinned_kind = pinned.partition(" ")[0]
    return kind == pinned_kind or (pinned_kind == "ssh-rsa" and kind.startswith("rsa-sha2-"))
