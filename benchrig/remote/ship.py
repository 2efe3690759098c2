"""Puts the agent on a host, once, and starts it.

The agent is `benchrig/agent/` with the pure-Python parts of Jinja2 and MarkupSafe from our own environment. It lies on the
host in a folder named by its hash, so that it is sent only when it has changed, and keeps its compiled files.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from benchrig import console
from benchrig.agent.text import last_line
from benchrig.errors import HostError
from benchrig.remote import become
from benchrig.remote.channel import Channel
from benchrig.remote.ssh import Remote

AGENT_ROOT = "/var/lib/benchrig/agent"
NO_AGENT = 97
START_SECONDS = 30.0

# One exec when the agent is there; otherwise the exit code says that it is not. Touched, because the unused are removed.
_START = f"""
cd {AGENT_ROOT}/"$1" 2>/dev/null && command -v python3 >/dev/null || exit {NO_AGENT}
touch .
echo ready
exec python3 -m agent "$2"
"""

# Not only Python itself: python3-minimal lacks most of the standard library.
_HAS_PYTHON = "python3 -c 'import compileall, shutil, tarfile, urllib.request' 2>/dev/null"

# Unpacked beside its place and renamed, so that a half-sent agent is never started; older agents are removed.
_INSTALL = f"""
set -e
mkdir -p {AGENT_ROOT}
cd {AGENT_ROOT}
new=$(mktemp -d .new.XXXXXX)
python3 -c 'import sys, tarfile; tarfile.open(fileobj=sys.stdin.buffer, mode="r|gz").extractall(sys.argv[1])' "$new"
python3 -m compileall -q "$new"
chmod 755 "$new"
mv -T "$new" "$1" 2>/dev/null || rm -rf "$new"
find . -mindepth 1 -maxdepth 1 -type d ! -name "$1" -mmin +1440 -exec rm -rf {{}} +
"""

_INSTALL_PYTHON = "apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -qy install --no-install-recommends python3"


def start(remote: Remote, verb: str) -> Channel:
    """Start the agent on a host, as root, with the work it is to do (`play` or `bench`), and return the stream to it.

    An unchanged host costs one exec. Raises HostError when the host has no Python and none can be installed, when sudo
    is refused, or when the connection is lost.
    """
    for _ in range(2):
        channel = become.start(remote, ["sh", "-c", _START, "sh", agent_hash(), verb], timeout=START_SECONDS)
        if _is_ready(remote, channel):
            return channel
        _install(remote)
    raise HostError(f"{remote.host.name}: the agent does not start")


def _is_ready(remote: Remote, channel: Channel) -> bool:
    """Wait for the agent's `ready`; return False when there is no agent yet. Raises HostError when it does not come."""
    # A shell's start files may write something first.
    if any(line == b"ready" for line in channel.lines()):
        channel.wait_for(None)
        return True
    code, stderr = channel.finish()
    if code == NO_AGENT:
        return False
    reason = last_line(stderr)
    hint = become.ASK_FIRST if remote.host.become else ""
    raise HostError(f"{remote.host.name}: the agent cannot be started: {reason or f'exit code {code}'}", hint)


def _install(remote: Remote) -> None:
    """Put the agent on a host, and Python first where it is missing."""
    if become.run(remote, ["sh", "-c", _HAS_PYTHON]).code:
        console.line(f"{remote.host.name}: installing python3, which the agent needs")
        _must(remote, ["sh", "-c", _INSTALL_PYTHON], b"", "python3 could not be installed")
    console.status(f"{remote.host.name}: sending the agent")
    _must(remote, ["sh", "-c", _INSTALL, "sh", agent_hash()], agent_archive(), "the agent could not be installed")


def _must(remote: Remote, argv: list[str], stdin: bytes, failure: str) -> None:
    completed = become.run(remote, argv, stdin=stdin, timeout=300.0)
    if completed.code:
        reason = last_line(completed.stderr)
        hint = "" if remote.host.become else "Log in as root, or set ansible_become: true for a user with sudo."
        raise HostError(f"{remote.host.name}: {failure}: {reason}", hint)


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
    """Return the name of this agent's folder on a host: a hash over the names and contents of its files."""
    digest = hashlib.sha256()
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
