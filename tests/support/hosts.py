"""Several hosts in one run without SSH: each host's agent is a process of this machine, with a state folder of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from benchrig.errors import HostError
from benchrig.inventory import Host, Inventory
from benchrig.provision import HostRecap, prepare, provision
from benchrig.remote.channel import ConnectionLostError, NoAnswerError
from benchrig.remote.refusals import UnreachableError
from benchrig.remote.ship import LONGEST_EVENT
from tests.support.rig import Project

AGENT = """
import sys
from pathlib import Path
from benchrig.agent.play import serve
serve.STATE = Path(sys.argv[1])
serve.LOCK = serve.STATE / "lock"
sys.exit(serve.main())
"""

GROUPS = {"databases": ["db1"], "servers": ["web1", "web2"]}

SITE = """
- name: The databases
  hosts: databases
  gather_facts: {facts}
  roles: [database]
- name: The servers
  hosts: servers
  gather_facts: false
  roles: [server]
"""

MAKE = """
- name: Make a word
  ansible.builtin.command: echo made on {{ inventory_hostname }}
  register: word
  changed_when: false
- name: Set a fact
  ansible.builtin.set_fact: {port: 5432, settings: {80: hütte}}
"""

WRITE = """
- name: Write
  ansible.builtin.copy:
    content: "{{ hostvars['db1'].word.stdout }} {{ hostvars['db1'].port }} {{ hostvars['db1'].settings[80] }}"
    dest: "{{ dir }}/{{ inventory_hostname }}"
    mode: "0644"
"""

SHOW = "- name: Show\n  ansible.builtin.debug: {msg: \"it is {{ hostvars['db1'].word.stdout | default('not there') }}\"}\n"


_KEPT_TOLD = 1 << 20


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
            raise ConnectionLostError(f"{self._host.name}: the connection was lost") from None

    def lines(self) -> Iterator[bytes]:
        """Yield the agent's lines, without their ends."""
        while line := self._line():
            if len(line) > LONGEST_EVENT:
                raise HostError(f"{self._host.name}: the program wrote a line of more than {LONGEST_EVENT >> 20} MB")
            self.told = (self.told + line)[-_KEPT_TOLD:]
            yield line.removesuffix(b"\n")
        if self.lost:
            raise ConnectionLostError(f"{self._host.name}: the connection was lost")

    def _line(self) -> bytes:
        try:
            return self._lines.readline(LONGEST_EVENT + 1)
        except TimeoutError:
            raise NoAnswerError(f"{self._host.name}: no answer") from None

    def wait_for(self, seconds: float | None) -> None:
        """Bound each wait for the agent."""
        self._ours.settimeout(seconds)

    def finish(self) -> tuple[int, bytes]:
        """Return the exit code and standard error."""
        code = self.agent.wait()
        self._stderr.seek(0)
        return code, self._stderr.read()

    def cut(self, *, noticed: bool = True) -> None:
        """Lose the connection; the agent may notice it, or wait for ever for what the controller says."""
        self.lost = True
        if noticed:
            self.close()
        else:
            self._ours.shutdown(socket.SHUT_RD)

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
        self.gone: set[str] = set()
        """Hosts that cannot be reached from now on."""
        self.refusing: set[str] = set()
        """Hosts that let nobody in from now on."""
        self._folder = folder
        monkeypatch.setattr("benchrig.provision.work.ssh.connect", self._connect)
        monkeypatch.setattr("benchrig.provision.conversation.ship.start", lambda remote, _: remote.start())

    def state(self, name: str) -> Path:
        """Return the state folder of a host."""
        return self._folder / "state" / name

    def _connect(self, host: Host) -> Remote:
        if host.name in self.refusing:
            raise HostError(f"{host.name}: no key was accepted")
        if host.variables.get("away") or host.name in self.gone:
            raise UnreachableError(f"{host.name}: cannot be reached: no route to host")
        return Remote(host, self.state(host.address), self.channels)

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


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hosts:
    """Return hosts that are this machine."""
    return Hosts(tmp_path, monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project whose database makes variables, of which its servers write a file."""
    return of_roles(Project(tmp_path), database=MAKE, server=WRITE)


def of_roles(project: Project, site: str = SITE.format(facts="false"), **roles: str) -> Project:
    """Give a project a playbook and the tasks of its roles."""
    project.write("site.yml", site)
    for name, tasks in roles.items():
        project.write(f"roles/{name}/tasks/main.yml", tasks)
    return project


def run(
    hosts: Hosts,
    project: Project,
    groups: Mapping[str, list[str]] = GROUPS,
    extra: Mapping[str, object] | None = None,
    **options: Any,
) -> dict[str, HostRecap]:
    """Run the project, within a time in which only a run that hangs does not end."""
    variables = {"dir": str(project.dir), **(extra or {})}
    future: Future[dict[str, HostRecap]] = Future()

    def work() -> None:
        try:
            future.set_result(hosts.run(project.root / "site.yml", groups, extra_vars=variables, **options))
        except BaseException as error:
            future.set_exception(error)

    # A thread that nobody waits for, unlike a pool's, so that a hang fails one test and not all.
    threading.Thread(target=work, daemon=True).start()
    return future.result(30)


def written(project: Project) -> dict[str, str]:
    """Return the files that a run has written, by name."""
    return {path.name: path.read_text(encoding="utf-8") for path in project.dir.iterdir()}
