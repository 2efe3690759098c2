"""SSH connections to hosts and to the jump hosts on the way, which the hosts of a command share.

A server takes few logins at once (sshd's MaxStartups). So a jump host is logged in to once, few logins to one server are
made at the same time, and one that the server turned away is tried again.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchrig.remote import openssh
from benchrig.remote.openssh import Route

if TYPE_CHECKING:
    import fabric

    from benchrig.remote.keys import Keys
    from benchrig.remote.transport import Transport

CONNECT_SECONDS = 10.0
"""How long a host may take to accept a connection, to name itself, or to open a channel."""

LOGINS_AT_ONCE = 8
"""To one server: below the 10 from which on sshd turns some away by default (MaxStartups)."""

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds, before a login that was turned away is tried again."""


class RefusedError(Exception):
    """A host, or a jump host on the way to it, that could not be logged in to: which one, and the error."""

    def __init__(self, route: Route, error: Exception, keys: Keys | None = None, said: str = "", *, late: str = "") -> None:
        super().__init__(str(error))
        self.route = route
        self.error = error
        self.keys = keys
        self.said = said
        """What the server said when it hung up, or the command that leads to it."""
        self.greeting = ""
        """What came from a server that is none of SSH, or is too busy: its first line."""
        self.late = late
        """What did not come in time; empty when time was not the reason."""
        self.turned_away = False
        """The server hung up before it named itself: it may let us in later."""


@dataclass(eq=False)
class Link:
    """A connection that is logged in."""

    connection: fabric.Connection
    transport: Transport
    before: _Shared | None = None
    """The jump host that it goes through."""

    def close(self) -> None:
        """Close it, and the jump host's if nothing else goes through that. This takes about a second at most."""
        self.connection.close()
        # If it was lost, there is nothing to close and the socket is left.
        self.transport.close()
        with _lock:
            # Another thread may close it too; the jump host is given back once.
            before, self.before = self.before, None
        if before:
            _release(before)


@dataclass(eq=False)
class _Shared:
    """A jump host's connection, and how many go through it or wait for it."""

    route: Route
    users: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    """It is open, or could not be opened."""
    link: Link | None = None
    refused: RefusedError | None = None

    def is_usable(self) -> bool:
        return not self.done.is_set() or bool(self.link and self.link.transport.is_connected())


_lock = threading.Lock()
_shared: dict[Route, _Shared] = {}
_gates: defaultdict[object, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(LOGINS_AT_ONCE))


def open_link(route: Route) -> Link:
    """Log in to a host, through the jump hosts before it. Raises RefusedError."""
    before = _lease(route.via) if route.via else None
    try:
        # Of commands the bastion is not known; one command for many hosts leads over one.
        with _gate(route.proxy_command or (route.via, route.address, route.port)):
            link = _patiently(route, before)
    except BaseException:
        if before:
            _release(before)
        raise
    link.before = before
    return link


def _gate(key: object) -> threading.Semaphore:
    with _lock:
        return _gates[key]


def _patiently(route: Route, before: _Shared | None) -> Link:
    """Log in, several times if the server is too busy to talk to us."""
    for pause in PAUSES:
        try:
            return _log_in(route, before)
        except RefusedError as refused:
            if not refused.turned_away:
                raise
        # Not all of those that were turned away come back at the same time.
        time.sleep(pause * random.uniform(0.5, 1.5))
    return _log_in(route, before)


def _lease(route: Route) -> _Shared:
    """Return the connection to a jump host, opened if nobody has it open. Raises RefusedError."""
    while True:
        with _lock:
            shared = _shared.get(route)
            ours = shared is None or not shared.is_usable()
            if shared is None or ours:
                shared = _shared[route] = _Shared(route)
            shared.users += 1
        try:
            if ours:
                _open(shared)
            shared.done.wait()
            if shared.refused:
                raise shared.refused
            if shared.is_usable():
                return shared
        except BaseException:
            _release(shared)
            raise
        # Whoever opened it was interrupted.
        _release(shared)


def _open(shared: _Shared) -> None:
    """Open the connection to a jump host. All who wait for it learn how that went."""
    try:
        shared.link = open_link(shared.route)
    except RefusedError as refused:
        shared.refused = refused
    finally:
        shared.done.set()


def _release(shared: _Shared) -> None:
    with _lock:
        shared.users -= 1
        last = not shared.users
        if last and _shared.get(shared.route) is shared:
            del _shared[shared.route]
    if last and shared.link:
        shared.link.close()


def _log_in(route: Route, before: _Shared | None) -> Link:
    """Connect to a host and log in, once. Raises RefusedError."""
    import fabric

    from benchrig.remote import keys as ssh_keys
    from benchrig.remote.transport import Transport

    keys = ssh_keys.Keys(route)
    connection = fabric.Connection(
        route.address,
        user=route.user,
        port=route.port,
        connect_kwargs={
            "timeout": CONNECT_SECONDS,
            "banner_timeout": CONNECT_SECONDS,
            "auth_strategy": keys,
            "transport_factory": Transport,
        },
        # What ~/.ssh/config says is in the route; what Fabric's own configuration files say is for other programs.
        config=fabric.Config(lazy=True, ssh_config=ssh_keys.NoConfig()),
    )
    # Fabric accepts any host key by default; here only a pinned one will do.
    connection.client.set_missing_host_key_policy(ssh_keys.Refuse())
    ssh_keys.pin(connection.client, route)
    started = time.monotonic()
    sock = connection.connect_kwargs["sock"] = _way(route, before)
    try:
        connection.open()
    except BaseException as error:
        transport: Transport | None = connection.client.get_transport()
        late = time.monotonic() - started > CONNECT_SECONDS
        refused = _refused(route, error, keys, transport, sock, late=late) if isinstance(error, Exception) else None
        if transport:
            transport.cut()
            transport.close()
        sock.close()
        raise (refused or error) from None
    # Without a limit, a jump host that gets no connection would block us for an hour.
    connection.transport.channel_timeout = CONNECT_SECONDS
    connection.transport.watch()
    return Link(connection, connection.transport)


def _way(route: Route, before: _Shared | None) -> Any:
    """Return what leads to a host: a socket, a channel over the jump host before it, or its ProxyCommand."""
    import paramiko

    try:
        if before and before.link:
            transport = before.link.transport
            return transport.open_channel("direct-tcpip", (route.address, route.port), ("", 0), timeout=CONNECT_SECONDS)
        if route.proxy_command:
            from benchrig.remote.proxy import ProxyCommand

            return ProxyCommand(openssh.proxy_command(route))
        return _socket(route.address, route.port)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise RefusedError(route, error) from None


def _refused(
    route: Route, error: Exception, keys: Keys, transport: Transport | None, sock: Any, *, late: bool
) -> RefusedError:
    """Return why a login failed, with what the other side said; where nothing came in time, with what did not."""
    from benchrig.remote.proxy import ProxyCommand

    if transport is None:
        return RefusedError(route, error, keys)
    refused = RefusedError(route, error, keys, transport.reason)
    refused.greeting = transport.greeting()
    named = bool(transport.remote_version)
    cut_off = not named and (transport.packets.cut_off or isinstance(error, (EOFError, ConnectionError)))
    if isinstance(sock, ProxyCommand):
        # It may have ended just now, and its last words are on the way.
        ended = sock.has_ended(0.5 if cut_off else 0)
        refused.said = sock.complaint() or refused.said
        cut_off = cut_off and ended and openssh.is_turned_away(refused.said)
    refused.turned_away = cut_off and (not refused.greeting or openssh.is_turned_away(refused.greeting))
    if late and not cut_off and not transport.initial_kex_done:
        refused.late = "the key exchange" if named else "a greeting"
    return refused


def _socket(address: str, port: int) -> socket.socket:
    """Connect to the first address of a name that answers. Raises OSError, of the last."""
    failure = OSError("the name has no address")
    for family, kind, protocol, _, place in _addresses(address, port):
        sock = socket.socket(family, kind, protocol)
        try:
            # paramiko leaves Nagle's algorithm on, which costs a delayed ACK (40 ms) at every exec.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(CONNECT_SECONDS)
            sock.connect(place)
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError):
                raise
            failure = error
        else:
            return sock
    raise failure


def _addresses(name: str, port: int) -> list[Any]:
    """Return the addresses of a name as getaddrinfo does. Raises OSError, also when no name server answers in time."""
    with suppress(OSError, ValueError):
        # The common case, without a thread.
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    answer: list[Any] = []

    def ask() -> None:
        try:
            answer.append(socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answer.append(error)

    # A name server that is silent cannot be interrupted.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(CONNECT_SECONDS)
    if not answer:
        raise OSError(None, f"no name server answers for '{name}'")
    if isinstance(answer[0], ValueError):
        raise OSError(None, f"'{name}' is not a name of a host")
    if isinstance(answer[0], OSError):
        raise answer[0]
    return list(answer[0])
