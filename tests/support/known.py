"""The server of known behaviour on loopback, wrk against it, and the counts that it printed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.support import ROOT

SERVER = ROOT / "benchrig/selftest/server.py"


class KnownServer:
    """A running server of known behaviour."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, str(SERVER), "--host=127.0.0.1", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.port = int(json.loads(self.process.stdout.readline())["port"])

    def counts(self) -> dict[str, Any]:
        """End it, and return what it counted."""
        self.process.send_signal(signal.SIGTERM)
        lines = self.process.communicate(timeout=30)[0].splitlines()
        counts: dict[str, Any] = json.loads(lines[-1])["counts"]
        return counts


@contextmanager
def known_server(*options: str) -> Iterator[KnownServer]:
    """Run a server of known behaviour with these options of its command line."""
    server = KnownServer(*options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def wrk(port: int, *options: str, path: str = "/") -> str:
    """Return what wrk prints about a load on loopback."""
    command = ["wrk", *options, "--latency", f"http://127.0.0.1:{port}{path}"]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True).stdout
