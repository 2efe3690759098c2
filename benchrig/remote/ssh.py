"""Fabric connections to hosts, with pinned host keys, and byte streams to the programs that run there.

OpenSSH's client says how a host is reached, and Fabric connects; bytes go over channels of our own, because Invoke's
runners read standard input a byte at a time. A Remote belongs to one thread.
"""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from benchrig import shell
from benchrig.agent.text import last_line
from benchrig.errors import Hint, HostError, Inv
from benchrig.inventory import Host
from benchrig.remote import openssh
from benchrig.remote.openssh import Route

if TYPE_CHECKING:
    import fabric
    import paramiko

    from benchrig.remote import keys as ssh_keys

CONNECT_SECONDS = 10.0
"""How long a host may take to accept a connection, or to open a channel on one."""

LOST_AFTER_MS = 30_000
"""A peer that acknowledges nothing for this long is taken for dead."""


@dataclass(frozen=True)
class Completed:
    """A program that has ended on a host: its exit code and all it wrote."""

    code: int
    stdout: bytes
    stderr: bytes


class Channel:
    """A byte stream to a program on a host. Closing it closes the program's standard input and output."""

    def __init__(self, host: Host, channel: paramiko.Channel) -> None:
        self._host = host
        self._channel = channel
        self._buffer = b""
        self._complaints = b""
        """Standard error that was read before the end."""

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes to the program's standard input. Raises HostError when the connection is lost."""
        try:
            self._channel.sendall(data)
        except OSError:
            raise self._lost() from None

    def end_input(self) -> None:
        """Let the program see the end of its standard input."""
        self._channel.shutdown_write()

    def read(self) -> bytes:
        """Return some of the program's standard output as it arrives, or nothing at its end.

        Raises HostError when the connection is lost or nothing came for the time allowed.
        """
        try:
            data = self._channel.recv(1 << 16)
        except TimeoutError:
            raise HostError(f"{self._host.name}: no answer for {self._channel.gettimeout():.0f} s") from None
        transport = self._channel.get_transport()
        if not data and not (transport and transport.is_active()):
            raise self._lost()
        return data

    def read_line(self) -> bytes | None:
        """Return the next line of standard output without its newline; None at the end. Raises HostError as `read` does."""
        while b"\n" not in self._buffer:
            data = self.read()
            if not data:
                rest, self._buffer = self._buffer, b""
                return rest or None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of standard output as they arrive. Raises HostError as `read` does."""
        while (line := self.read_line()) is not None:
            yield line

    def expect(self, line: bytes, prompt: bytes, seconds: float) -> bool:
        """Wait until `line` comes on standard output, or `prompt` on standard error; it and all before it is taken away.

        What a shell's start files write comes before it. Returns whether it was the prompt. Raises HostError when neither
        came within `seconds`, or the program ended.
        """
        deadline = time.monotonic() + seconds
        while True:
            ended = self._channel.exit_status_ready()
            while self._channel.recv_stderr_ready():
                self._complaints += self._channel.recv_stderr(1 << 16)
            while self._channel.recv_ready():
                self._buffer += self._channel.recv(1 << 16)
            _, found, rest = self._buffer.partition(line)
            if found:
                self._buffer = rest
                return False
            before, found, self._complaints = self._complaints.partition(prompt)
            if found:
                return True
            self._complaints = before
            if ended:
                reason = last_line(before)
                raise HostError(f"{self._host.name}: {reason or 'the program ended before it started'}")
            if self._channel.closed:
                raise self._lost()
            if time.monotonic() > deadline:
                raise HostError(f"{self._host.name}: no answer for {seconds:.0f} s")
            time.sleep(0.005)

    def complete(self, stdin: bytes) -> Completed:
        """Give the program its whole input and wait for its end. Raises HostError as `read` does."""
        self.send(stdin)
        self.end_input()
        stdout = self._buffer + b"".join(iter(self.read, b""))
        self._buffer = b""
        code, stderr = self.finish()
        return Completed(code, stdout, stderr)

    def wait_for(self, seconds: float | None) -> None:
        """Bound each wait for the program's output from now on; None waits as long as the connection lives."""
        self._channel.settimeout(seconds)

    def finish(self) -> tuple[int, bytes]:
        """Return the exit code and standard error, once standard output has ended. A code of -1 is death by signal."""
        stderr = self._complaints + b"".join(iter(lambda: self._channel.recv_stderr(1 << 16), b""))
        return self._channel.recv_exit_status(), stderr

    def close(self) -> None:
        """Close the stream; a program that still runs sees the end of its input."""
        self._channel.close()

    def _lost(self) -> HostError:
        return HostError(
            f"{self._host.name}: the connection was lost", Hint("Is the machine still up? See ", Inv("status"), ".")
        )


class Remote:
    """One connection to a host."""

    def __init__(self, host: Host, connection: fabric.Connection) -> None:
        self.host = host
        self.execs = 0
        """How many programs were started over this connection so far."""
        self._connection = connection

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def open(self, argv: Sequence[str], *, timeout: float | None = None) -> Channel:
        """Start a program and return the stream to it; `timeout` bounds each wait for its output, in seconds."""
        transport = self._connection.transport
        try:
            channel = transport.open_session(timeout=CONNECT_SECONDS)
            channel.settimeout(timeout)
            channel.exec_command(shell.quote(argv))
        except Exception as error:
            raise HostError(f"{self.host.name}: cannot start a program: {_reason(error)}") from None
        self.execs += 1
        return Channel(self.host, channel)

    def run(self, argv: Sequence[str], *, stdin: bytes = b"", timeout: float = 60.0) -> Completed:
        """Run a program to its end. Raises HostError when the connection is lost or it is silent for `timeout` seconds."""
        with self.open(argv, timeout=timeout) as channel:
            return channel.complete(stdin)

    def close(self) -> None:
        """Close the connection, and those to the jump hosts that it goes through."""
        way: list[fabric.Connection] = [self._connection]
        while (before := way[0].gateway) and not isinstance(before, str):
            way.insert(0, before)
        _close(way)


def connect(host: Host) -> Remote:
    """Connect to a host, through its jump hosts if it has any, and log in.

    Raises HostError, one line for each cause: not reachable, key refused, host key changed, host key not known.
    """
    # paramiko's threads log what we report ourselves, with tracebacks.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)
    for kind, path in (("ansible_ssh_private_key_file", host.key_file), ("benchrig_known_hosts", host.known_hosts)):
        if path and not path.is_file():
            raise HostError(f"{host.name}: the file {path} of {kind} does not exist")
    opened: list[fabric.Connection] = []
    try:
        return Remote(host, _open(host, openssh.resolve(host), opened))
    except BaseException:
        _close(opened)
        raise


def _open(host: Host, route: Route, opened: list[fabric.Connection], *, jump: bool = False) -> fabric.Connection:
    """Log in to a host, or to a jump host on the way to it, and add the connections to `opened`, the jump hosts' first."""
    import fabric
    import paramiko

    from benchrig.remote import keys as ssh_keys

    gateway = _open(host, route.via, opened, jump=True) if route.via else route.proxy_command or None
    keys = ssh_keys.Keys(route)
    connection = fabric.Connection(
        route.address,
        user=route.user,
        port=route.port,
        gateway=gateway,
        connect_kwargs={"timeout": CONNECT_SECONDS, "banner_timeout": CONNECT_SECONDS, "auth_strategy": keys},
        # What ~/.ssh/config says is in the route; what Fabric's own configuration files say is for other programs.
        config=fabric.Config(lazy=True, ssh_config=paramiko.SSHConfig()),
    )
    opened.append(connection)
    # Fabric accepts any host key by default; here only a pinned one will do.
    connection.client.set_missing_host_key_policy(ssh_keys.Refuse())
    try:
        _pin(connection, route)
        if gateway is None:
            connection.connect_kwargs["sock"] = _socket(route.address, route.port)
        connection.open()
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise _refusal(host, route, keys, error, jump=jump) from None
    # Without a limit, a jump host that gets no connection would block us for an hour.
    connection.transport.channel_timeout = CONNECT_SECONDS
    return connection


def _pin(connection: fabric.Connection, route: Route) -> None:
    """Have a connection take only the host keys that are pinned for a route; of several of a kind, the first."""
    from benchrig.remote import keys as ssh_keys

    pins = connection.client.get_host_keys()
    # Under the name that paramiko looks for, whatever name they are pinned under.
    name = _name_in_known_hosts(route.address, route.port)
    for path in reversed(route.known_hosts):
        for kind, key in ssh_keys.pinned(path, _key_name(route)).items():
            pins.add(name, kind, key)


def _close(connections: Iterable[fabric.Connection]) -> None:
    """Close connections, a host's own before those that it is reached through."""
    for connection in reversed(list(connections)):
        connection.close()


def _refusal(host: Host, route: Route, keys: ssh_keys.Keys, error: Exception, *, jump: bool) -> HostError:
    """Return why a host, or a jump host on the way to it, does not let us in, and what to do about it."""
    import paramiko

    from benchrig.remote.keys import UnknownHostKeyError, fingerprint

    at = f"{host.name}{', its jump host' if jump else ''} ({route.user}@{route.address}:{route.port})"
    if isinstance(error, paramiko.BadHostKeyException):
        hint = f"If you know why, remove its line from {_place_of_pin(route)}."
        return HostError(f"{at}: the host key has changed: this is not the machine that was pinned", hint)
    if isinstance(error, UnknownHostKeyError):
        hint = f"Compare its fingerprint, {fingerprint(error.key)}, with the host's own"
        return HostError(f"{at}: the host key is not known", f"{hint}; then pin it: {_pinning(route, error.key)}")
    if isinstance(error, paramiko.AuthenticationException):
        if keys.locked:
            return HostError(f"{at}: our key is encrypted", f"Unlock it in an SSH agent: ssh-add {keys.locked[0]}")
        names = "its User and IdentityFile in ~/.ssh/config" if jump else "ansible_user and ansible_ssh_private_key_file"
        return HostError(f"{at}: the host refused our key", f"Check {names}.")
    if isinstance(error, paramiko.ChannelException) and route.via:
        return HostError(f"{at}: cannot be reached from {route.via.alias}: {error.text.lower()}")
    return HostError(f"{at}: cannot be reached: {_reason(error)}")


def _place_of_pin(route: Route) -> Path:
    """Return the file that has a host's key."""
    from benchrig.remote import keys as ssh_keys

    return next(path for path in route.known_hosts if ssh_keys.pinned(path, _key_name(route)))


def _pinning(route: Route, key: paramiko.PKey) -> str:
    """Return the command that pins a host's key, asked for where the host can be reached from."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0]
    scan = ["ssh-keyscan", "-t", kind, "-p", str(route.port), route.address]
    if route.via:
        scan = ["ssh", route.via.alias, shell.quote(scan)]
    file = next(iter(route.known_hosts), Path.home() / ".ssh/known_hosts")
    return f"{shell.quote(scan)} >> {shell.quote([file])}"


def _key_name(route: Route) -> str:
    """Return the name under which known_hosts has a host's key."""
    return route.key_alias or _name_in_known_hosts(route.address, route.port)


def _name_in_known_hosts(address: str, port: int) -> str:
    return address if port == 22 else f"[{address}]:{port}"


def _socket(address: str, port: int) -> socket.socket:
    sock = socket.create_connection((address, port), timeout=CONNECT_SECONDS)
    # paramiko leaves Nagle's algorithm on, which costs a delayed ACK (40 ms) at every exec.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LOST_AFTER_MS)
    # A host that dies while a program there is silent is noticed by keepalive probes alone.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return sock


def _reason(error: Exception) -> str:
    """Say what went wrong in the words of the system, without numbers or class names."""
    if isinstance(error, TimeoutError):
        return f"no answer in {CONNECT_SECONDS:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or type(error).__name__
