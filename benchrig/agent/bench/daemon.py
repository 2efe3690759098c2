"""The bench agent as a service of systemd: its unit, its socket, and what cleans up after it.

The service is transient. The agent and the load generator are in its control group, their temporary files in its folder.
So whatever ends the agent (a goodbye, kill -9, the watchdog) ends them too, and `ExecStopPost` stops the app.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path

from .pinning import MARKS

UNIT = "benchrigd.service"
"""Not `benchrig-…`: so are the apps called, which a bench stops."""

FOLDER = Path("/run/benchrigd")
SOCKET = "socket"

WATCHDOG_SECONDS = 30.0

_STOP_APP = f"/usr/bin/xargs --no-run-if-empty --arg-file={FOLDER}/app systemctl stop --"
"""Without a variable: systemd writes `$` into the file of a transient unit as it does not read it after a daemon-reload."""

_UNPIN = f"test {' -o '.join(f'-e {mark}' for mark in MARKS)} && exec {sys.executable} -m agent unpin"
"""Undoes what is pinned. Without a mark of it, no Python is started."""

_PROPERTIES = (
    "Description=benchrig's agent of a bench",
    "Type=notify",
    "NotifyAccess=main",
    # An agent that hangs is killed. A load generator that is killed for want of memory is a failed cell, and no more.
    f"WatchdogSec={WATCHDOG_SECONDS:.0f}",
    "WatchdogSignal=SIGKILL",
    "OOMPolicy=continue",
    # Ends an agent and all that it has started at once.
    "KillMode=control-group",
    "KillSignal=SIGKILL",
    "TimeoutStopSec=20",
    # A backstop, which `extend` puts off.
    "RuntimeMaxSec=1d",
    # Not system.slice, where the apps are: on a busy machine app and load generator get as much as two slices at the top do.
    "Slice=benchrig.slice",
    f"ExecStopPost=-{_STOP_APP}",
    f"ExecStopPost=-/bin/sh -c '{_UNPIN}'",
    # The load generator's user must reach its script below.
    f"RuntimeDirectory={FOLDER.name}",
    "RuntimeDirectoryMode=0711",
    # The folder is in memory, and a load generator that writes without end is not to fill it.
    "LimitFSIZE=64M",
    "LimitNOFILE=infinity",
    "TasksMax=infinity",
)

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL")
"""Variables of the SSH session that programs of an operation get, such as those that print versions."""

_ENDINGS = ("Watchdog timeout", "Stopping", "Main process exited", "Failed")
"""How systemd's lines begin that say why a service ended, the most telling first."""


def start(program_folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Start the service, and return when it listens."""
    settings = [f"--property={item}" for item in (*_PROPERTIES, f"WorkingDirectory={program_folder}")]
    variables = [f"--setenv={name}" for name in _KEPT if name in os.environ]
    options = ("--collect", "--quiet", "--no-ask-password", f"--unit={UNIT}")
    argv = ("systemd-run", *options, *settings, *variables, "--", sys.executable, "-m", "agent", "serve")
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)


def stop() -> None:
    """Stop the service, if there is one, and wait until it has cleaned up."""
    subprocess.run(("systemctl", "stop", UNIT), stdin=subprocess.DEVNULL, capture_output=True, check=False)


def is_active() -> bool:
    """Return whether the service runs, whether or not it can be reached."""
    argv = ("systemctl", "is-active", "--quiet", UNIT)
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def ending() -> str:
    """Return why there is no service any more, as systemd knows it."""
    return _ending(
        _output(("journalctl", f"--unit={UNIT}", "--boot", "--lines=20", "--output=cat", "--quiet", "--no-pager"))
    )


def _ending(journal: str) -> str:
    backwards = [line.removeprefix(f"{UNIT}: ").rstrip(".!") for line in reversed(journal.split("\n"))]
    # Before its start are the lines of the service before it.
    lines = list(itertools.takewhile(lambda line: not line.startswith("Started "), backwards))
    return next((line for sign in _ENDINGS for line in lines if line.startswith(sign)), "it is not there any more")


def _output(argv: tuple[str, ...]) -> str:
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False).stdout.decode(errors="replace")


def folder() -> Path:
    """Return the folder that systemd made for this service; it removes it with the service."""
    return Path(os.environ["RUNTIME_DIRECTORY"])


def listen(folder: Path) -> socket.socket:
    """Listen on the service's socket, which only root may use."""
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(folder / SOCKET))
    finally:
        os.umask(before)
    listener.listen(8)
    return listener


def connect(folder: Path = FOLDER) -> socket.socket | None:
    """Connect to the service; None when it does not run."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.connect(str(folder / SOCKET))
    except OSError:
        sock.close()
        return None
    return sock


def extend(seconds: float) -> None:
    """Let the service run for so much longer at least. That puts off the watchdog too, until the next sign of life."""
    notify(f"EXTEND_TIMEOUT_USEC={1e6 * seconds:.0f}")


def notify(state: str) -> None:
    """Tell systemd something, as sd_notify(3) does; nothing when it does not listen."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
