"""What Vagrant and we log in to in place of a virtual machine: a real SSH server in a thread, with no system behind it.

It lets every key in, says yes to every command and runs none; what was asked of it is kept.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import paramiko

MARKER = "41e57d38-b4f7-4e46-9c38-13873d338b86-vagrant-ssh"
"""What Vagrant has the guest's shell print before what it wants to know (plugins/communicators/ssh/communicator.rb)."""


class Guest:
    """The SSH server, as long as it is open."""

    def __init__(self, port: int = 0, after: Path | None = None) -> None:
        """Listen on a port of the loopback, a free one if it is 0; once the file `after` exists, if one is named."""
        logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
        self.host_key = paramiko.RSAKey.generate(2048)
        self.keys: list[str] = []
        """The public keys that logged in, in their order."""
        self.commands: list[str] = []
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._closed = threading.Event()
        self._after = after
        self.port = port
        if after is None:
            self._listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closed.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        self._socket.bind(("127.0.0.1", self.port))
        self._socket.listen()
        self.port = self._socket.getsockname()[1]

    def _serve(self) -> None:
        if self._after:
            while not self._after.exists():
                if self._closed.wait(0.05):
                    return
            self._listen()
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                transport = paramiko.Transport(connection)
                transport.add_server_key(self.host_key)
                with suppress(EOFError, paramiko.SSHException):
                    transport.start_server(event=threading.Event(), server=_Session(self))

    def run(self, channel: paramiko.Channel, command: str) -> None:
        """Take what is asked on a channel, and say yes; a little later, for the channel's own answer goes first."""
        time.sleep(0.05)
        script = ""
        if command.endswith(("bash -l", "sh", "bash")):
            with suppress(OSError):
                while data := channel.recv(1 << 16):
                    script += data.decode()
        self.commands.append(script or command)
        channel.sendall(MARKER.encode())
        channel.sendall_stderr(MARKER.encode())
        channel.send_exit_status(0)
        channel.close()


class _Session(paramiko.ServerInterface):
    def __init__(self, guest: Guest) -> None:
        self.guest = guest

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
