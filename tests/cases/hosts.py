"""Several hosts in one run without SSH: each host's agent is a process of this machine, with a state folder of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host, Inventory
from benchrig.provision import HostRecap, prepare, provision

AGENT = """
import sys
from pathlib import Path
from benchrig.agent import play
play.STATE = Path(sys.argv[1])
sys.exit(play.main())
"""


class Channel:
    """What `ssh.Channel` is, over a pair of sockets."""

    def __init__(self, host: Host, state: Path) -> None:
        self._host = host
        self._ours, theirs = socket.socketpair()
        self._lines = self._ours.makefile("rb")
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the channel
        self.lost = False
        self.told = b""
        """All that came from the agent."""
        with theirs:
            self.agent = subprocess.Popen(
                [sys.executable, "-c", AGENT, state], stdin=theirs, stdout=theirs, stderr=self._stderr
            )

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes to the agent."""
        try:
            self._ours.sendall(data)
        except OSError:
            raise HostError(f"{self._host.name}: the connection was lost") from None

    def lines(self) -> Iterator[bytes]:
        """Yield the agent's lines, without their ends."""
        for line in self._lines:
            self.told += line
            yield line.removesuffix(b"\n")
        if self.lost:
            raise HostError(f"{self._host.name}: the connection was lost")

    def finish(self) -> tuple[int, bytes]:
        """Return the exit code and standard error."""
        code = self.agent.wait()
        self._stderr.seek(0)
        return code, self._stderr.read()

    def cut(self) -> None:
        """Lose the connection."""
        self.lost = True
        self.close()

    def close(self) -> None:
        """Close the stream."""
        try:
            self._ours.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class Remote:
    """What `ssh.Remote` is, as far as provisioning uses it."""

    def __init__(self, host: Host, state: Path, opened: dict[str, Channel]) -> None:
        self.host = host
        self.execs = 0
        self._state = state
        self._opened = opened

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Channel:
        """Start the agent."""
        self.execs += 1
        channel = self._opened[self.host.name] = Channel(self.host, self._state)
        return channel

    def close(self) -> None:
        """Close the connection."""
        if self.host.name in self._opened:
            self._opened[self.host.name].close()


class Hosts:
    """Hosts on this machine. A host with the variable `away` cannot be reached."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.channels: dict[str, Channel] = {}
        self._folder = folder
        monkeypatch.setattr("benchrig.provision.run.ssh.connect", self._connect)
        monkeypatch.setattr("benchrig.provision.conversation.ship.start", lambda remote, _: remote.start())

    def _connect(self, host: Host) -> Remote:
        if host.variables.get("away"):
            raise HostError(f"{host.name}: cannot be reached: no route to host")
        return Remote(host, self._folder / "state" / host.address, self.channels)

    def run(
        self,
        site: Path,
        groups: Mapping[str, Sequence[str]],
        variables: Mapping[str, Mapping[str, Any]] | None = None,
        *,
        limit: str = "",
        **options: Any,
    ) -> dict[str, HostRecap]:
        """Run a playbook on the hosts of all groups, which have these variables; return how each fared."""
        names = tuple(dict.fromkeys(name for members in groups.values() for name in members))
        hosts = {name: Host(name, (), (variables or {}).get(name, {})) for name in names}
        members = {"all": names, **{group: tuple(hosts_of) for group, hosts_of in groups.items()}}
        everything = Inventory("test", Path("test.yml"), "existing", hosts, members)
        chosen = everything.limit(limit) if limit else everything
        recaps = provision(chosen, prepare(everything, site, limit=tuple(chosen.hosts), **options))
        return {recap.host: recap for recap in recaps}
