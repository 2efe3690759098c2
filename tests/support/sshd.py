"""For tests of connections: a lab machine with a real sshd, servers that are none, and a program that is interrupted."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchrig import inventory
from benchrig.inventory import Host
from benchrig.machines.lab.kind import LabMachines
from tests.support import ROOT
from tests.support.lab import write_inventory

CONNECT = """
import json, sys
from benchrig.inventory import Host
from benchrig.remote import ssh
host = Host("web", (), json.loads(sys.argv[1]))
"""
"""The start of a program that gets a host's variables as its argument."""


@contextmanager
def machine(root: Path) -> Iterator[Host]:
    """Run a lab with one machine, lab1."""
    write_inventory(root, ["lab1"])
    lab = LabMachines(inventory.read("lab", root), root)
    try:
        yield lab.up().hosts["lab1"]
    finally:
        lab.destroy()


def configure(folder: Path, host: Host, text: str) -> str:
    """Write an ssh_config, in which a host's key and login count for all; return the argument that names it."""
    assert host.known_hosts
    key = " ".join(host.known_hosts.read_text().split()[1:3])
    (folder / "pinned").write_text(f"* {key}\n{host.address} {key}\n[{host.address}]:2205 {key}\nlab1 {key}\n")
    (folder / "config").write_text(
        f"{text}\nHost *\n  User root\n  IdentityFile {host.key_file}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {folder}/pinned\n  StrictHostKeyChecking yes\n"
    )
    return f"-F {folder}/config"


@contextmanager
def server(*answers: bytes, hold: bool = True) -> Iterator[int]:
    """Accept connections on a port of the loopback and send answers; then be silent, or with `hold` off, hang up."""
    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with suppress(OSError):
                        for answer in answers:
                            connection.sendall(answer)
                    kept.append(connection)
                    if not hold:
                        connection.close()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            for connection in kept:
                connection.close()


def seconds_until_interrupted(
    program: str, variables: Mapping[str, Any], wait: float = 1.5, before: tuple[str, ...] = ()
) -> float:
    """Run a program that begins as CONNECT does, press Ctrl-C after a while, and return how long it took to end then.

    It must say that it waits, and end as Python does after Ctrl-C.
    """
    argv = [*before, sys.executable, "-c", CONNECT + program, json.dumps(variables)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "waiting\n", process.communicate()[1]
            time.sleep(wait)
            assert process.poll() is None, process.communicate()[1]
            process.send_signal(signal.SIGINT)
            started = time.monotonic()
            _, stderr = process.communicate(timeout=30)
            assert "KeyboardInterrupt" in stderr
            return time.monotonic() - started
        finally:
            process.kill()
