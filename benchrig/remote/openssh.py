"""Routes to hosts as OpenSSH's client computes them from the inventory, ~/.ssh/config and jump hosts; starts that client.

The client itself prints them (`ssh -G`), so that Match, Include, tokens and jump hosts mean the same here.
"""

from __future__ import annotations

import getopt
import getpass
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig import reading, shell
from benchrig.agent.text import last_line
from benchrig.errors import HostError
from benchrig.inventory import Host

LOST = 255
"""What ssh ends with when the connection fails (ssh(1), exit status)."""

MOST_JUMPS = 8
"""Jump hosts that are reached through jump hosts: more of them are a circle."""

ANSWER_SECONDS = 10.0

OPTIONS = "1246AaB:b:Cc:D:E:e:fF:GgI:i:J:KkL:l:Mm:NnO:o:P:p:Q:qR:S:sTtVvW:w:XxYy"
"""The options of ssh(1), a colon after those that take a value."""

_ARGUMENTS_HINT = "Check ansible_ssh_common_args, ansible_ssh_extra_args and ~/.ssh/config."

_BUSY = re.compile(r"kex_exchange_identification|banner exchange|[Cc]onnection (closed|reset)|MaxStartups|at this time")

_WITH_HANGUP = "\n".join(
    (
        "import os, signal, sys",
        "os.setpgid(0, 0)",
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)",
        "os.execvp(sys.argv[1], sys.argv[1:])",
    )
)
"""A program that runs another one with the default action for SIGHUP, in a process group that no terminal hangs up."""

_JUMP = re.compile(r"(?:ssh://)?(?:(?P<user>.+)@)?(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:/]+))(?::(?P<port>\d+))?/?")


@dataclass(frozen=True)
class Route:
    """How a host, or a jump host on the way to it, is reached."""

    alias: str
    """The name that ssh(1) was given for it."""
    address: str
    port: int
    user: str
    identities: tuple[Path, ...] = ()
    """Files of keys that may open it; some may not exist."""
    identities_only: bool = False
    """Of the agent's keys only those of `identities` may open it."""
    agent: str = ""
    """Socket of the SSH agent; empty when there is none."""
    known_hosts: tuple[Path, ...] = ()
    """Files with pinned host keys; some may not exist."""
    key_alias: str = ""
    """Under which name its key is pinned, where that is not its address."""
    via: Route | None = None
    """The jump host before it."""
    proxy_command: str = ""
    """In place of a jump host: a command whose input and output lead there."""


def resolve(host: Host) -> Route:
    """Return how a host is reached. Raises HostError when ssh cannot make sense of its arguments or configuration."""
    found = _route(host)
    step: Route | None = found
    while step:
        if not step.user.isprintable():
            hint = "Check ansible_user, ~/.ssh/config, and the variables LOGNAME and USER."
            raise HostError(f"{host.name}: the user name {step.user!a} is not printable text", hint)
        step = step.via
    return found


def _route(host: Host) -> Route:
    if host.known_hosts and not host.ssh_arguments:
        # A machine of ours: nothing is left to ask.
        keys = (host.key_file,) if host.key_file else ()
        user = host.user or getpass.getuser()
        agent = os.environ.get("SSH_AUTH_SOCK", "")
        return Route(host.name, host.address, host.port or 22, user, keys, bool(keys), agent, (host.known_hosts,))
    return _Resolver(host).route()


def proxy_command(route: Route) -> str:
    """Return a route's ProxyCommand as ssh gives it to the shell: with its tokens expanded (ssh_config(5), TOKENS)."""
    return _expanded(route.proxy_command, _tokens(route), f"{route.alias}: ProxyCommand")


def is_turned_away(complaint: str) -> bool:
    """Say whether a server was too busy to let us in, by what it said, or by the last line of `ssh -W`."""
    return bool(_BUSY.search(complaint))


def options(host: Host) -> list[tuple[str, str]]:
    """Return what the inventory says about a host, in OpenSSH's names (ssh_config(5))."""
    found = [("StrictHostKeyChecking", "yes")]
    if host.port:
        found.append(("Port", str(host.port)))
    if host.user:
        found.append(("User", host.user))
    if host.key_file:
        # Tokens in the path mean what they do for ssh, but in one of a machine of ours there are none.
        key = _literal(host.key_file) if host.known_hosts else _quoted(str(host.key_file))
        found += [("IdentityFile", key), ("IdentitiesOnly", "yes")]
    if host.known_hosts:
        found += [("UserKnownHostsFile", _literal(host.known_hosts)), ("GlobalKnownHostsFile", "/dev/null")]
    return found


def arguments(host: Host) -> list[str]:
    """Return the arguments that make `ssh` log in to a host, as strict with its jump hosts. Raises HostError."""
    route = resolve(host)
    if route.via is None:
        return [*_words(host), "--", host.address]
    # What ssh itself starts for ProxyJump or -J takes over none of our options, and may take any host key. Beside
    # ProxyCommand it passes over ProxyJump, but refuses -J.
    command = _way(route.via, route, _config_file(host))
    return ["-o", f"ProxyCommand={command}", *_words(host, without="-J"), "--", host.address]


def login(host: Host, command: str = "") -> int:
    """Run `ssh` on the user's terminal, with a command line for the host if there is one; return the exit code.

    Raises HostError as `resolve`, and when ssh could not connect or lost the connection.
    """
    code = subprocess.run(["ssh", *arguments(host), *([command] if command else [])], check=False).returncode
    if code == LOST:
        raise HostError(f"{host.name}: ssh ended with {LOST}: the connection failed or was lost")
    return code


def config(hosts: Iterable[Host]) -> str:
    """Return an ssh_config for the hosts and the jump hosts on the way, to be used with `ssh -F`. Raises HostError."""
    blocks: dict[str, str] = {}
    for host in hosts:
        route = resolve(host)
        blocks[host.name] = _block(host.name, route)
        while route.via:
            route = route.via
            blocks.setdefault(route.alias, _block(route.alias, route))
    return "\n\n".join(blocks.values())


def _block(name: str, route: Route) -> str:
    lines = [("HostName", route.address), ("Port", str(route.port)), ("User", route.user)]
    lines += [("IdentityFile", _literal(path)) for path in route.identities]
    if route.identities_only:
        lines.append(("IdentitiesOnly", "yes"))
    if route.known_hosts:
        lines.append(("UserKnownHostsFile", " ".join(_literal(path) for path in route.known_hosts)))
        lines.append(("GlobalKnownHostsFile", "/dev/null"))
    if route.key_alias:
        lines.append(("HostKeyAlias", route.key_alias))
    if route.via:
        lines.append(("ProxyJump", route.via.alias))
    if route.proxy_command:
        lines.append(("ProxyCommand", proxy_command(route).replace("%", "%%")))
    return "\n".join([f"Host {name}", *(f"  {key} {value}" for key, value in [*lines, ("StrictHostKeyChecking", "yes")])])


def _words(host: Host, without: str = "") -> list[str]:
    """Return the inventory's options as arguments, its own arguments after them: ssh heeds the first of each."""
    named = [word for name, value in options(host) for word in ("-o", f"{name}={value}")]
    own = [word for name, *value in _parsed(host) if name not in ("-F", without) for word in (name, *value)]
    return [*_config_file(host), *named, *own]


def _config_file(host: Host) -> list[str]:
    """Return the option `-F` that counts for a host and its jump hosts; nothing where ssh's own files count."""
    named = [option for option in _parsed(host) if option[0] == "-F"]
    # Of a machine of ours the user's own configuration knows nothing.
    return named[-1] if named else ["-F", "none"] if host.known_hosts else []


def _parsed(host: Host) -> list[list[str]]:
    """Return the inventory's own arguments for ssh, each option with its value. Raises HostError for what is no option."""
    try:
        found, rest = getopt.getopt(list(host.ssh_arguments), OPTIONS)
    except getopt.GetoptError as error:
        found, rest = [], [error.msg]
    if rest:
        raise HostError(f"{host.name}: ssh refuses its options: {rest[0]}", _ARGUMENTS_HINT)
    return [[name, value] if f"{name[1]}:" in OPTIONS else [name] for name, value in found]


def _way(jump: Route, target: Route, file: Sequence[str]) -> str:
    """Return the command that leads over a jump host to a target; `file` is the option `-F` that counts for all of them."""
    words = ["ssh", *file, "-o", "StrictHostKeyChecking=yes", "-l", jump.user, "-p", str(jump.port)]
    if jump.via:
        words += ["-o", f"ProxyCommand={_way(jump.via, jump, file)}"]
    words += ["-W", f"[{target.address}]:{target.port}", "--", jump.alias]
    if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
        # Under nohup. ssh ends its ProxyCommand by SIGHUP, and a shell cannot turn on again what was ignored before it.
        words = [sys.executable, "-ISc", _WITH_HANGUP, *words]
    # ssh expands tokens in it (ssh_config(5), TOKENS).
    return shell.quote(words).replace("%", "%%")


@dataclass(frozen=True)
class _Resolver:
    """Asks ssh about a host, and about the jump hosts on the way to it."""

    host: Host

    def route(self) -> Route:
        found = self.follow(_words(self.host), self.host.address, None, 0)
        if self.host.known_hosts is None:
            return found
        return replace(found, known_hosts=(self.host.known_hosts,))

    def follow(self, words: Sequence[str], alias: str, via: Route | None, depth: int) -> Route:
        """Return the route to a host; `via` is the jump host that is set for it already."""
        if depth > MOST_JUMPS:
            raise HostError(f"{self.host.name}: the jump hosts form a circle through {alias}")
        said = self.ask(words, alias)
        try:
            address, user, port = said["hostname"][0], said["user"][0], int(said["port"][0])
        except (KeyError, ValueError):
            raise HostError(f"{self.host.name}: `ssh -G {alias}` does not say host name, user and port") from None
        route = Route(
            alias=alias,
            address=address,
            port=port,
            user=user,
            identities=tuple(_path(text, address, user) for text in said.get("identityfile", [])),
            identities_only=said.get("identitiesonly") == ["yes"],
            agent=_agent(said.get("identityagent", ["SSH_AUTH_SOCK"])[0]),
            known_hosts=tuple(
                _path(text, address, user)
                for name in ("userknownhostsfile", "globalknownhostsfile")
                for text in _parted(said.get(name, [""])[0])
                if text
            ),
            key_alias=said.get("hostkeyalias", [""])[0],
            via=via,
            proxy_command=said.get("proxycommand", [""])[0] if via is None else "",
        )
        if route.proxy_command:
            _expanded(route.proxy_command, _tokens(route), f"{self.host.name}: ProxyCommand")
            if said.get("proxyusefdpass") == ["yes"]:
                raise HostError(f"{self.host.name}: ProxyUseFdpass is not supported", _ARGUMENTS_HINT)
        jumps = _expanded(said.get("proxyjump", [""])[0], _tokens(route), f"{self.host.name}: ProxyJump")
        return replace(route, via=via or self.jumps(jumps, depth))

    def jumps(self, text: str, depth: int) -> Route | None:
        """Return the last of the jump hosts in ProxyJump's words, reached through the others."""
        route = None
        for word in filter(None, text.split(",")):
            part = _JUMP.fullmatch(word)
            if part is None:
                raise HostError(f"{self.host.name}: '{word}' is not a jump host; write [user@]host[:port]")
            words = _config_file(self.host)
            words += ["-l", part["user"]] if part["user"] else []
            words += ["-p", part["port"]] if part["port"] else []
            route = self.follow(words, part["six"] or part["host"], route, depth + 1)
        return route

    def ask(self, words: Sequence[str], alias: str) -> dict[str, list[str]]:
        """Return what `ssh -G` says, by the names of its options in small letters."""
        argv = ["ssh", "-G", *words, "--", alias]
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                timeout=ANSWER_SECONDS,
                check=False,
            )
        except ValueError:
            raise HostError(f"{self.host.name}: ssh refuses its options: a bad character", _ARGUMENTS_HINT) from None
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise HostError(f"{self.host.name}: `ssh -G` cannot be started: {reason}") from None
        except subprocess.TimeoutExpired:
            raise HostError(f"{self.host.name}: `ssh -G {alias}` did not end within {ANSWER_SECONDS:.0f} s") from None
        if done.returncode:
            reason = last_line(done.stderr)
            raise HostError(f"{self.host.name}: ssh refuses its options: {reason}", _ARGUMENTS_HINT)
        said: dict[str, list[str]] = {}
        for name, _, value in (line.partition(" ") for line in done.stdout.split("\n") if line):
            said.setdefault(name, []).append(value)
        return said


def _tokens(route: Route) -> dict[str, str]:
    """Return what tokens of ProxyCommand and ProxyJump stand for."""
    name = route.alias
    return {
        "%": "%", "h": route.address, "k": route.key_alias or name, "n": name, "p": str(route.port), "r": route.user
    }  # fmt: skip


def _expanded(text: str, tokens: Mapping[str, str], where: str) -> str:
    """Return a setting with its tokens expanded. Raises HostError for one that there is not."""

    def value(token: re.Match[str]) -> str:
        if token[1] not in tokens:
            known = " ".join(f"%{name}" for name in tokens)
            raise HostError(f"{where} has '{token[0]}', which ssh does not know there", f"It knows {known}.")
        return tokens[token[1]]

    return re.sub("%(.?)", value, text, flags=re.DOTALL)


def _path(text: str, address: str, user: str) -> Path:
    """Return the path that a setting means: `~` and the tokens that ssh has for paths (ssh_config(5), TOKENS)."""
    tokens = {"%": "%", "d": str(Path.home()), "h": address, "r": user, "u": getpass.getuser()}
    return _expand_home(re.sub("%(.)", lambda token: tokens.get(token[1], token[0]), text))


def _expand_home(text: str) -> Path:
    """Return a path whose `~` is expanded, if there is such a home."""
    with suppress(RuntimeError):
        return Path(text).expanduser()
    return Path(text)


def _parted(text: str) -> Iterator[str]:
    """Yield the paths in what ssh prints of several, where a space may stand between two or be part of one."""
    words = text.split(" ")
    while words:
        names = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
        taken = next((name for name in names if reading.is_file(_expand_home(name))), words[0])
        yield taken
        del words[: taken.count(" ") + 1]


def _agent(text: str) -> str:
    """Return the agent's socket from what IdentityAgent says."""
    if text == "none":
        return ""
    if text == "SSH_AUTH_SOCK" or text.startswith("$"):
        return os.environ.get(text.lstrip("$").strip("{}"), "")
    return str(_expand_home(text))


def _literal(path: Path) -> str:
    """Return a path as ssh_config(5) has it when nothing in it is a token."""
    return _quoted(str(path).replace("%", "%%"))


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
