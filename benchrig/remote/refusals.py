"""Why a host does not let us in, in one line for each cause, and what to do about it."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from benchrig import shell
from benchrig.agent.text import short
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.remote.channel import ConnectionLostError, NoAnswerError
from benchrig.remote.link import CONNECT_SECONDS, RefusedError
from benchrig.remote.openssh import Route

if TYPE_CHECKING:
    import paramiko


class UnreachableError(HostError):
    """A host does not answer, or hangs up; it may do better later, unlike one that does not accept us."""


def may_pass(error: HostError) -> bool:
    """Return whether a host may do better in a minute: not where it refuses us, or is another one than it was."""
    return isinstance(error, (UnreachableError, ConnectionLostError, NoAnswerError))


def error(host: Host, route: Route, refused: RefusedError) -> HostError:
    """Return the error for a host on whose route a login failed: at itself, or at a jump host before it."""
    import paramiko

    at = refused.route
    jump = at != route
    place = f"{host.name}{', its jump host' if jump else ''} ({at.user}@{at.address}:{at.port})"
    if isinstance(refused.error, paramiko.SSHException) and (known := _of_key(place, refused, jump=jump)):
        return known
    if refused.late:
        way = "its ProxyCommand is silent" if at.proxy_command else "it accepts connections, but its sshd is silent"
        hint = f"Test it by hand: ssh {at.alias}" if at.proxy_command else "Does sshd hang, or is the host overloaded?"
        return UnreachableError(
            f"{place}: cannot be reached: {way}: {refused.late} did not come in {CONNECT_SECONDS:.0f} s", hint
        )
    if at.proxy_command:
        silent = f"it ended without a word: {at.proxy_command}"
        cause = refused.said or (silent if refused.keys else f"the shell cannot be started: {reason(refused.error)}")
        return UnreachableError(f"{place}: cannot be reached: ProxyCommand: {cause}", f"Test it by hand: ssh {at.alias}")
    if at.via and isinstance(refused.error, paramiko.SSHException) and "open channel" in _text(refused.error):
        return UnreachableError(f"{place}: cannot be reached from {at.via.alias}: connect failed")
    if refused.turned_away:
        said = f": {refused.greeting}" if refused.greeting else " before it named itself"
        return UnreachableError(
            f"{place}: cannot be reached: sshd hangs up{said}",
            "It may take too few logins at once (MaxStartups in its sshd_config), or refuse this computer (hosts.deny).",
        )
    if refused.greeting:
        hint = f"What listens at port {at.port}? Check ansible_port."
        return UnreachableError(f"{place}: cannot be reached: it is no SSH server: it says {refused.greeting!a}", hint)
    return UnreachableError(f"{place}: cannot be reached: {refused.said or reason(refused.error)}", _hint(refused.error, at))


def _of_key(place: str, refused: RefusedError, *, jump: bool) -> HostError | None:
    """Return the error for a host key or a key of ours that is refused; None for another."""
    import paramiko

    from benchrig.remote.keys import MoreWantedError, SilentError, UnknownHostKeyError, fingerprint

    route, keys, cause = refused.route, refused.keys, refused.error
    if isinstance(cause, paramiko.BadHostKeyException):
        hint = f"If you know why, remove its line from {_place_of_pin(route)}."
        return HostError(f"{place}: the host key has changed: this is not the machine that was pinned", hint)
    if isinstance(cause, UnknownHostKeyError):
        hint = f"Compare its fingerprint, {fingerprint(cause.key)}, with the host's own"
        return HostError(f"{place}: the host key is not known", f"{hint}; then pin it: {_pinning(route, cause.key)}")
    if isinstance(cause, SilentError):
        return UnreachableError(f"{place}: cannot be reached: {refused.said or cause}")
    if isinstance(cause, paramiko.AuthenticationException):
        if keys and keys.locked:
            return HostError(f"{place}: our key is encrypted", f"Unlock it in an SSH agent: ssh-add {keys.locked[0]}")
        names = "its User and IdentityFile in ~/.ssh/config" if jump else "ansible_user and ansible_ssh_private_key_file"
        more = str(cause) if isinstance(cause, MoreWantedError) else refused.said
        said = f" ({more})" if more else ""
        return HostError(f"{place}: the host refused our key{said}", f"Check {names}.")
    if isinstance(cause, paramiko.ChannelException) and route.via:
        return UnreachableError(f"{place}: cannot be reached from {route.via.alias}: {cause.text.lower()}")
    return None


def _hint(cause: Exception, route: Route) -> str:
    number = cause.errno if isinstance(cause, OSError) else 0
    if number == errno.ECONNREFUSED:
        return f"The host is up, and nothing listens at port {route.port}: start sshd there, or check ansible_port."
    if isinstance(cause, TimeoutError) or number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "Is the host up, and does no firewall block the port? Check ansible_host and ansible_port."
    return ""


def _place_of_pin(route: Route) -> Path:
    """Return the file that has a host's key."""
    from benchrig.remote.keys import pinned, pinned_name

    return next(path for path in route.known_hosts if pinned(path, pinned_name(route)))


def _pinning(route: Route, key: paramiko.PKey) -> str:
    """Return the command that pins a host's key, asked for where the host can be reached from."""
    kind = key.get_name().removeprefix("ssh-").partition("-")[0]
    scan = ["ssh-keyscan", "-t", kind, "-p", str(route.port), route.address]
    if route.via:
        scan = ["ssh", route.via.alias, shell.quote(scan)]
    file = next(iter(route.known_hosts), Path.home() / ".ssh/known_hosts")
    return f"{shell.quote(scan)} >> {shell.quote([file])}"


def reason(cause: Exception) -> str:
    """Say what went wrong in the words of the system, without numbers or class names."""
    if isinstance(cause, TimeoutError):
        return f"no answer in {CONNECT_SECONDS:.0f} s"
    if isinstance(cause, EOFError):
        return "the host hung up"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror[:1].lower() + cause.strerror[1:]
    return _text(cause)


def _text(cause: Exception) -> str:
    return short(" ".join(str(cause).split()), 300) or type(cause).__name__
