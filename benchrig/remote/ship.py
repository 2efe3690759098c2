"""Puts the agent on a host, once, and starts it.

The agent is `benchrig/agent/` with the pure-Python parts of Jinja2 and MarkupSafe from our own environment. It lies on the
host in a folder named by its hash, so that it is sent only when it has changed, and keeps only its compiled files. Each
start verifies them, within the same exec, and a damaged agent is sent anew. To read and hash them takes 3 ms (84 files,
1.2 MB, in a lab machine).
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchrig import console
from benchrig.errors import HostError
from benchrig.remote import become, causes
from benchrig.remote.channel import Channel, NoAnswerError
from benchrig.remote.ssh import Remote

AGENT_ROOT = "/var/lib/benchrig/agent"
NO_AGENT = 97
"""There is no agent, or it is damaged: see onhost/start.py."""

START_SECONDS = 30.0

LONGEST_EVENT = 32 << 20
"""Bytes of a line of the agent's: what a task printed, or the reply to a request."""

# One exec when the agent is there; otherwise the exit code says that it is not. The words after the program are for `ps`.
_START = f"""
cd {AGENT_ROOT}/"$1" 2>/dev/null && command -v python3 >/dev/null || exit {NO_AGENT}
exec python3 -c "$2" python3 -m agent "$3"
"""

# Not only Python itself: python3-minimal lacks most of the standard library.
_HAS_PYTHON = "python3 -c 'import hashlib, shutil, tarfile, urllib.request' 2>/dev/null"

# A mirror that is dead or silent is given up within a minute or two, and with its reason: `update` alone only warns of it.
_APT_OPTIONS = (
    "APT::Update::Error-Mode=any",
    "Acquire::Retries=1",
    "Acquire::http::Timeout=20",
    "Acquire::https::Timeout=20",
    "DPkg::Lock::Timeout=60",
)
_APT = " ".join(["apt-get -qy", *(f"-o {option}" for option in _APT_OPTIONS)])
_INSTALL_PYTHON = f"""
command -v apt-get >/dev/null || {{ echo "this is no Debian: it has no apt-get" >&2; exit 1; }}
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# An earlier installation may have been cut off.
[ -z "$(ls /var/lib/dpkg/updates 2>/dev/null)" ] || dpkg --configure -a >&2 || exit 1
{_APT} update && {_APT} install --no-install-recommends python3
"""

_SILENT_SECONDS = 300.0
"""How long an installation may print nothing."""


def start(remote: Remote, verb: str) -> Channel:
    """Start the agent on a host, as root, with the work it is to do (`play` or `bench`), and return the stream to it.

    An unchanged host costs one exec. Raises HostError when the host has no Python and none can be installed, when sudo
    is refused, when the agent does not answer in time, or when the connection is lost.
    """
    argv = ["sh", "-c", _START, "sh", agent_hash(), _program("start"), verb]
    for _ in range(2):
        channel = become.start(remote, argv, timeout=START_SECONDS, longest_line=LONGEST_EVENT)
        if _is_ready(remote, channel):
            return channel
        channel.close()
        _install(remote)
    raise HostError(
        f"{remote.host.name}: the agent does not start: it was sent, and is damaged again",
        f"Check the disk of that host, where {AGENT_ROOT} is.",
    )


def _is_ready(remote: Remote, channel: Channel) -> bool:
    """Wait for the agent's `ready`; return False when there is no agent yet. Raises HostError when it does not come."""
    deadline = time.monotonic() + START_SECONDS
    said = b""
    # A shell's start files may write something first.
    for line in channel.lines():
        if line == b"ready":
            channel.wait_for(None)
            return True
        said = line or said
        if time.monotonic() > deadline:
            raise NoAnswerError(f"{remote.host.name}: the agent cannot be started: no answer for {START_SECONDS:.0f} s")
    code, stderr = channel.finish()
    if code == NO_AGENT:
        return False
    # A login that is not permitted says so on standard output.
    reason = causes.find(stderr, become=remote.host.become) or causes.find(said, become=remote.host.become)
    message = f"{remote.host.name}: the agent cannot be started"
    raise reason.error(message) if reason else HostError(f"{message}: exit code {code}")


def _install(remote: Remote) -> None:
    """Put the agent on a host, and Python first where it is missing."""
    if become.run(remote, ["sh", "-c", _HAS_PYTHON]).code:
        console.line(f"{remote.host.name}: installing python3, which the agent needs")
        _must(remote, ["sh", "-c", _INSTALL_PYTHON], b"", "python3 could not be installed")
    console.status(f"{remote.host.name}: sending the agent")
    argv = ["python3", "-c", _program("install"), AGENT_ROOT, agent_hash()]
    _must(remote, argv, agent_archive(), "the agent could not be installed")


def _must(remote: Remote, argv: list[str], stdin: bytes, failure: str) -> None:
    completed = become.run(remote, argv, stdin=stdin, timeout=_SILENT_SECONDS)
    if completed.code:
        message = f"{remote.host.name}: {failure}"
        reason = causes.find(completed.stderr, become=remote.host.become)
        raise reason.error(message) if reason else HostError(f"{message}: exit code {completed.code}")


@cache
def _program(name: str) -> str:
    """Return the text of a program that runs on the host."""
    return (Path(__file__).parent / "onhost" / f"{name}.py").read_text(encoding="utf-8")


def _files() -> Iterator[tuple[str, Path]]:
    """Yield every file of the agent with its name in the archive, sorted."""
    here = Path(__file__).parents[1]
    sources = {"agent": here / "agent"}
    for package in ("jinja2", "markupsafe"):
        found = importlib.util.find_spec(package)
        if found and found.origin:
            sources[package] = Path(found.origin).parent
    for package, folder in sorted(sources.items()):
        for path in sorted(folder.rglob("*.py")):
            yield f"{package}/{path.relative_to(folder)}", path


@cache
def agent_hash() -> str:
    """Return the name of this agent's folder on a host: a hash over its files and how they are stored."""
    digest = hashlib.sha256(_program("install").encode())
    for name, path in _files():
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def agent_archive() -> bytes:
    """Return the agent as a gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=6) as archive:
        for name, path in _files():
            info = tarfile.TarInfo(name)
            data = path.read_bytes()
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
