"""What Vagrant and we log in to in place of a virtual machine: a real SSH server in a thread, with no system behind it.

It lets every key in, says yes to every command and runs none; what was asked of it is kept.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import paramiko

MARKER = "41e57d38-b4f7-4e46-9c38-13873d338b86-vagrant-ssh"
"""What Vagrant has the guest's shell print before what it wants to know (plugins/communicators/ssh/communicator.rb)."""


class Guest:
    """The SSH server, as long as it is open."""

    def __init__(self, port: int = 0, after: Path | None = None) -> None:
        """Listen on a port of the loopback, a free one if it is 0; while the file `after` exists, if one is named."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
        self.host_key = paramiko.RSAKey.generate(2048)
        self.other_host_keys: list[paramiko.PKey] = []
        """Of kinds that a client may ask for as well."""
        self.keys: list[str] = []
        """The public keys that logged in, in their order."""
        self.commands: list[str] = []
        self._closed = threading.Event()
        self._after = after
        self.port = port
        first = None if after else self._listening()
        threading.Thread(target=self._serve, args=(first,), daemon=True).start()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()

    def _listening(self) -> socket.socket:
        made = socket.create_server(("127.0.0.1", self.port))
        made.settimeout(0.05)
        self.port = made.getsockname()[1]
        return made

    def _is_open(self) -> bool:
        return not self._closed.is_set() and (self._after is None or self._after.exists())

    def _serve(self, listening: socket.socket | None) -> None:
        while not self._closed.wait(0.05):
            if self._is_open():
                with listening or self._listening() as server:
                    while self._is_open():
                        with suppress(TimeoutError):
                            self._welcome(server.accept()[0])

    def _welcome(self, connection: socket.socket) -> None:
        connection.settimeout(None)
        transport = paramiko.Transport(connection)
        for key in (self.host_key, *self.other_host_keys):
            transport.add_server_key(key)
        with suppress(EOFError, paramiko.SSHException):
            transport.start_server(event=threading.Event(), server=_Session(self, transport))

    def run(self, channel: paramiko.Channel, command: str) -> None:
        """Take what is asked on a channel, once that is open, and say yes, but to being another Linux than Debian."""
        time.sleep(0.05)
        script = ""
        if command.startswith("scp -t"):
            # One yes each to being there, to the file's name, and to its content.
            channel.sendall(b"\0\0\0")
        if command.startswith("scp -t") or command.endswith(("bash -l", "sh", "bash")):
            with suppress(OSError):
                while data := channel.recv(1 << 16):
                    script += data.decode()
        self.commands.append(script or command)
        if not command.startswith("scp -t"):
            channel.sendall(MARKER.encode())
            channel.sendall_stderr(MARKER.encode())
        # Systems other than Debian may have themselves restarted for a new name.
        asked = script.rpartition(MARKER)[2]
        channel.send_exit_status(1 if "os-release" in asked and "debian" not in asked else 0)
        channel.close()

    def forward(self, transport: paramiko.Transport, destination: tuple[str, int]) -> None:
        """Be a jump host: carry bytes between a channel that is about to open and a port of this computer."""
        channel = transport.accept(10)
        assert channel
        with socket.create_connection(destination) as connection:
            threading.Thread(target=_carry, args=(channel, connection.sendall), daemon=True).start()
            _carry(connection, channel.sendall)
        with suppress(EOFError, OSError):
            channel.close()


def _carry(source: paramiko.Channel | socket.socket, sink: Callable[[bytes], None]) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            sink(data)


class _Session(paramiko.ServerInterface):
    def __init__(self, guest: Guest, transport: paramiko.Transport) -> None:
        self.guest = guest
        self.transport = transport

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - paramiko's signature
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self.guest.keys.append(f"{key.get_name()} {key.get_base64()}")
        return paramiko.AUTH_SUCCESSFUL if username == "vagrant" else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - likewise
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self.guest.run, args=(channel, command.decode()), daemon=True).start()
        return True

    def check_channel_direct_tcpip_request(self, chanid: int, _origin: tuple[str, int], destination: tuple[str, int]) -> int:  # noqa: ARG002
        threading.Thread(target=self.guest.forward, args=(self.transport, destination), daemon=True).start()
        return paramiko.OPEN_SUCCEEDED
