"""Helpers for tests that disturb a real bench on a lab machine: the bench, its agent, its link, and what is left of it."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines.lab.folder import lab_of
from benchrig.remote import ssh
from benchrig.results.model import Cell
from benchrig.results.store import find_run, read
from tests.support.clone import Clone
from tests.support.waiting import until

ROW = "flask-sync"
LOAD = "^wrk -t4 "
"""The load; the warm-up has one thread."""

RELAY = "^python3 -c .*Starts the agent.* bench$"
LEFT = """
systemctl list-units --no-legend --plain 'benchrig*.service' | cut -d' ' -f1
ss -Htln 'sport = :8080'
pgrep -a 'wrk|python3' | grep -E 'wrk|-m agent| bench$|gunicorn'
ls -d /run/benchrigd /tmp/benchrig-* 2>/dev/null
true
"""


@dataclass(frozen=True)
class Ended:
    """A bench that has ended: its exit code, what it wrote on stderr, and how many seconds it took to end."""

    code: int
    stderr: str
    seconds: float


class Bench:
    """A bench that runs."""

    def __init__(self, clone: Clone, *options: str, seconds: int = 8) -> None:
        self.clone = clone
        self._log = Path(tempfile.mkdtemp()) / "log"
        argv = ["./inv", "bench", "--only", ROW, "--connections", "40", "--duration", f"{seconds}s", *options]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(argv, cwd=clone.root, stdout=log, stderr=log)

    def await_load(self, host: Host) -> None:
        """Wait until the load runs on the host."""
        until(lambda: self.process.poll() is not None or not run(host, f"pgrep -f '{LOAD}'")[0], 60)
        assert self.process.poll() is None, self.text()
        time.sleep(0.5)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, seconds: float = 120.0) -> Ended:
        """Wait until it has ended."""
        began = time.monotonic()
        code = self.process.wait(seconds)
        took = time.monotonic() - began
        return Ended(code, self.text(), took)

    def text(self) -> str:
        """Return what it has written so far."""
        return self._log.read_text()

    def cells(self) -> tuple[Cell, ...]:
        """Return the cells of the last run."""
        return tuple(read(find_run(self.clone.root / "reports"))[1])

    def kill(self) -> None:
        """Kill it, if it still runs."""
        self.process.kill()
        self.process.wait()


def line_with(stream: IO[str], text: str) -> str:
    """Read up to the line with a text, and return it; before it are how long it takes, and warnings of a busy machine."""
    while text not in (line := stream.readline()):
        assert line.startswith(("to measure: ", "warning: ")), line
    return line


@contextmanager
def bench_under_load(clone: Clone, host: Host, *options: str, seconds: int = 8) -> Iterator[Bench]:
    """Yield a bench whose load runs."""
    bench = Bench(clone, *options, seconds=seconds)
    try:
        bench.await_load(host)
        yield bench
    finally:
        bench.kill()


def run(host: Host, command: str) -> tuple[int, str]:
    """Run a shell command on a host; return its exit code and what it printed."""
    with ssh.connect(host) as remote:
        done = remote.run(["sh", "-c", command])
    return done.code, (done.stdout + done.stderr).decode().strip()


def power_off(clone: Clone, host: Host) -> None:
    """Switch a lab machine off from within: `./inv down` is refused during a bench."""
    run(host, "systemctl --no-block poweroff")
    until(lambda: "running" not in clone.inv("status").stdout, seconds=30)


def left(host: Host) -> str:
    """Return what is left of a bench on a host: units, listeners, processes, folders."""
    return run(host, LEFT)[1]


def signal_agent(host: Host, sign: str) -> None:
    """Send a signal to the agent's main process."""
    code, text = run(host, f"kill -{sign} $(systemctl show --property=MainPID --value benchrigd)")
    assert code == 0, text


def session_of_relay(host: Host) -> int:
    """Return the process of sshd that serves the controller's connection: the parent of the newest relay."""
    code, parent = run(host, f"ps -o ppid= -p $(pgrep -nf '{RELAY}')")
    assert code == 0, parent
    assert run(host, f"ps -o comm= -p {parent}")[1] == "sshd"
    return int(parent)


@contextmanager
def link_down(clone: Clone, name: str = "lab1") -> Iterator[None]:
    """Drop every packet to and from a lab machine, silently, as a cable that is pulled far away does."""
    lab = lab_of(inventory.read("lab", clone.root), clone.root)
    ends = (
        (lab.namespace, f"port{lab.state().numbers[name]}"),
        (lab.machine(name).namespace, "host0"),
    )
    for namespace, link in ends:
        _queue(namespace, "replace", link, "root", "pfifo", "limit", "0")
    try:
        yield
    finally:
        for namespace, link in ends:
            _queue(namespace, "delete", link, "root")


def in_network(clone: Clone, *argv: str, name: str = "lab1") -> None:
    """Run a command in the network namespace of a lab machine."""
    namespace = lab_of(inventory.read("lab", clone.root), clone.root).machine(name).namespace
    subprocess.run(["nsenter", f"--net={namespace}", *argv], check=True)


def _queue(namespace: Path, verb: str, link: str, *words: str) -> None:
    subprocess.run(["nsenter", f"--net={namespace}", "tc", "qdisc", verb, "dev", link, *words], check=True)
