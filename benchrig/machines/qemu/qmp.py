"""Client of QEMU's monitor: QMP, one JSON object on each line, over a socket in the machine's folder."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from benchrig.agent.text import short
from benchrig.errors import MachineError

SOCKET = "qmp"
"""Name of the socket in a machine's folder. QEMU runs in that folder, so the path is never too long for a socket."""

ANSWER_SECONDS = 300.0
"""QEMU does not answer while it writes a snapshot."""

JOB_SECONDS = 600.0


class Qmp:
    """A connection to the QEMU of one machine. Methods raise MachineError when the connection is lost or QEMU refuses."""

    def __init__(self, name: str, folder: Path) -> None:
        """Connect to the QEMU that listens in a machine's folder."""
        self._name = name
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(ANSWER_SECONDS)
        self._lines = self._socket.makefile("rb")
        try:
            _connect(self._socket, folder)
            self._read()
            self.execute("qmp_capabilities")
        except OSError as error:
            self.close()
            raise self._lost(error) from None
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Qmp:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. QEMU serves one at a time, and others wait."""
        self._lines.close()
        self._socket.close()

    def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """Run a command and return QEMU's answer."""
        try:
            self._socket.sendall(json.dumps({"execute": command, "arguments": arguments or {}}).encode() + b"\n")
            while True:
                message = self._read()
                if "return" in message:
                    return message["return"]
                if "error" in message:
                    raise MachineError(f"{self._name}: QEMU refuses {command}: {message['error']['desc']}")
        except OSError as error:
            raise self._lost(error) from None

    def run_job(self, command: str, arguments: Mapping[str, object]) -> None:
        """Run a command that starts a job, and wait until the job is done."""
        self.execute(command, {"job-id": command, **arguments})
        job = self._ended(command)
        if "error" in job:
            raise MachineError(f"{self._name}: {command} failed: {job['error']}")

    def finish_jobs(self) -> None:
        """Wait for jobs whose starter was killed, and dismiss them: QEMU starts no second job of the same name."""
        for job in self.execute("query-jobs"):
            self._ended(job["id"])

    def _ended(self, name: str) -> dict[str, Any]:
        """Wait for the end of a job, dismiss it, and return QEMU's last report on it."""
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            jobs: list[dict[str, Any]] = self.execute("query-jobs")
            job = next((job for job in jobs if job["id"] == name), None)
            if job and job["status"] == "concluded":
                self.execute("job-dismiss", {"id": name})
                return job
            time.sleep(0.05)
        raise MachineError(f"{self._name}: {name} did not end within {JOB_SECONDS:.0f} s")

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError(0, "it has ended")
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            raise MachineError(f"{self._name}: QEMU's monitor did not answer in QMP: {short(repr(line), 60)}")
        return message

    def _lost(self, error: OSError) -> MachineError:
        reason = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        return MachineError(f"{self._name}: QEMU's monitor cannot be reached: {reason}")


def _connect(sock: socket.socket, folder: Path) -> None:
    if sys.platform != "linux":
        sock.connect(str(folder / SOCKET))
        return
    # Through the folder's descriptor, because the path of a socket may have 107 bytes at most.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        sock.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
    finally:
        os.close(descriptor)
