"""SSH keys for paramiko as OpenSSH's client uses them: which are tried in which order, and host keys that are not pinned."""

from __future__ import annotations

import base64
import hmac
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
from paramiko.agent import AgentKey, AgentSSH
from paramiko.auth_strategy import AuthResult, AuthSource, AuthStrategy, InMemoryPrivateKey
from paramiko.config import SSHConfigDict
from paramiko.hostkeys import HostKeyEntry

from benchrig import reading
from benchrig.errors import HostError
from benchrig.remote.openssh import Route


class UnknownHostKeyError(paramiko.SSHException):
    """A host shows a key, and none is pinned for it."""

    def __init__(self, key: paramiko.PKey) -> None:
        super().__init__("the host key is not known")
        self.key = key


class SilentError(paramiko.AuthenticationException):
    """A host did not answer a login, or hung up: that says nothing of the key."""


class MoreWantedError(paramiko.AuthenticationException):
    """A host accepted our key, and wants a password or a code as well."""


class NoConfig(paramiko.SSHConfig):
    """A configuration that says nothing. paramiko's own, though empty, asks who the user is, and fails where it cannot."""

    def lookup(self, hostname: str) -> SSHConfigDict:
        """Return nothing but the name that was asked for."""
        return SSHConfigDict(hostname=hostname)


class Refuse(paramiko.MissingHostKeyPolicy):
    """Lets in no host whose key is not pinned."""

    def missing_host_key(self, _client: paramiko.SSHClient, _hostname: str, key: paramiko.PKey) -> None:
        """Raise UnknownHostKeyError."""
        raise UnknownHostKeyError(key)


class Keys(AuthStrategy):
    """The keys that may open a host: the agent's, those that a file is named for first, and then those of files.

    That is OpenSSH's order (ssh_config(5), IdentityFile and IdentitiesOnly).
    """

    def __init__(self, route: Route) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())
        self._route = route
        self.locked: list[Path] = []
        """Files that a passphrase protects, and whose key no agent has."""

    def get_sources(self) -> Iterator[AuthSource]:
        """Yield the keys in their order."""
        agent = _agent_keys(self._route.agent)
        files = [path for path in self._route.identities if reading.is_file(path)]
        in_agent = {path: key for path in files for key in agent if key.blob == _public(path)}
        for key in in_agent.values():
            yield InMemoryPrivateKey(self._route.user, key)
        if not self._route.identities_only:
            for key in agent:
                if key not in in_agent.values():
                    yield InMemoryPrivateKey(self._route.user, key)
        for path in files:
            if path not in in_agent and (loaded := self._load(path)):
                yield InMemoryPrivateKey(self._route.user, loaded)

    def authenticate(self, transport: paramiko.Transport) -> AuthResult:
        """Log in with the first key that is accepted. Raises AuthenticationException; SilentError when the host is gone."""
        for source in self.get_sources():
            try:
                wanted = source.authenticate(transport)
            except paramiko.AuthenticationException as error:
                if not transport.is_active() and not getattr(transport, "reason", ""):
                    raise SilentError("the host hung up during the login") from None
                if "timeout" in str(error):
                    raise SilentError(f"no answer to the login in {transport.auth_timeout:.0f} s") from None
                if not transport.is_active():
                    raise
            except (paramiko.SSHException, OSError, EOFError, ValueError):
                # A key that the agent or the library cannot use.
                if not transport.is_active():
                    raise SilentError("the host hung up during the login") from None
            else:
                if not transport.is_authenticated():
                    raise MoreWantedError(f"it wants more than a key: {', '.join(wanted)}")
                return AuthResult(self)
        raise paramiko.AuthenticationException("no key was accepted")

    def _load(self, path: Path) -> paramiko.PKey | None:
        try:
            return paramiko.PKey.from_path(path)
        except (paramiko.PasswordRequiredException, TypeError):
            # TypeError is what the library beneath says of a passphrase that it was not given.
            self.locked.append(path)
        except (paramiko.SSHException, OSError, ValueError):
            # A public key alone, or a kind that only OpenSSH's own programs know.
            pass
        return None


def pinned(path: Path, name: str) -> dict[str, paramiko.PKey]:
    """Return the host keys that a known_hosts file has for a name, by their kinds: of several of a kind, the first.

    Lines that are no plain host key, such as `@cert-authority` or damaged ones, are passed over. A file that is not there
    has none. Raises ReadError for one that cannot be read.
    """
    found: dict[str, paramiko.PKey] = {}
    if not reading.is_file(path):
        return found
    for line in reading.content(path).decode(errors="replace").split("\n"):
        names, *rest = line.split(maxsplit=1) or [""]
        if rest and _is_for(names, name):
            # What the library says of damaged keys is of many kinds.
            with suppress(Exception):
                entry = HostKeyEntry.from_line(f"{name} {rest[0].strip()}")
                if entry:
                    found.setdefault(entry.key.get_name(), entry.key)
    return found


def _is_for(names: str, name: str) -> bool:
    """Say whether the names of a line, of which each may be a hash, have a name."""
    return any(_is_hash_of(one, name) if one.startswith("|1|") else one == name for one in names.split(","))


def _is_hash_of(hashed: str, name: str) -> bool:
    with suppress(ValueError):
        salt, digest = (base64.b64decode(part, validate=True) for part in hashed[3:].split("|"))
        return hmac.digest(salt, name.encode(), "sha1") == digest
    return False


def pin(client: paramiko.SSHClient, route: Route) -> None:
    """Have a client take only the host keys that are pinned for a route; of several of a kind, the first.

    Raises HostError when a file with host keys cannot be read.
    """
    pins = client.get_host_keys()
    # Under the name that paramiko looks for, whatever name they are pinned under.
    name = name_in_known_hosts(route.address, route.port)
    for path in reversed(route.known_hosts):
        try:
            found = pinned(path, pinned_name(route))
        except reading.ReadError as error:
            raise HostError(f"{route.alias}: the host keys in {path} cannot be read: {error}") from None
        for kind, key in found.items():
            pins.add(name, kind, key)


def pinned_name(route: Route) -> str:
    """Return the name under which known_hosts has a host's key."""
    return route.key_alias or name_in_known_hosts(route.address, route.port)


def name_in_known_hosts(address: str, port: int) -> str:
    """Return the name of an address and port in known_hosts."""
    return address if port == 22 else f"[{address}]:{port}"


def fingerprint(key: paramiko.PKey) -> str:
    """Return a key's kind and fingerprint as OpenSSH prints them."""
    return f"{key.get_name()} {key.fingerprint}"


def _agent_keys(path: str) -> tuple[AgentKey, ...]:
    """Return the keys of an SSH agent; none when it does not answer."""
    if not path:
        return ()
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(5.0)
        connection.connect(path)
        # The user may have to confirm that a key is used.
        connection.settimeout(60.0)
        agent: Any = AgentSSH()  # its types do not know how it is given a socket
        agent._connect(connection)
    except (OSError, paramiko.SSHException):
        connection.close()
        return ()
    return tuple(agent.get_keys())


def _public(path: Path) -> bytes:
    """Return the public half of a key file: of the file beside it, or of itself; empty when there is none."""
    for candidate in (path.with_name(f"{path.name}.pub"), path):
        try:
            words = reading.text(candidate).split()
            return base64.b64decode(words[1], validate=True)
        except (ValueError, IndexError):
            continue
    return b""
