"""Asks a host one question with modules of the agent that travel with it, so that nothing is written to the host."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path

from benchrig.agent.bench import protocol
from benchrig.errors import HostError
from benchrig.remote import become, causes
from benchrig.remote.ssh import Remote

NO_PYTHON = 127
"""The shell's exit code for a program that there is not."""

SECONDS = 60.0
"""How long a host may say nothing."""

_PROGRAM = Path(__file__).parent / "onhost" / "visit.py"


class NoPythonError(HostError):
    """The host has no Python that could answer; a bench or a provision installs it."""


def ask(remote: Remote, asked: protocol.Examine) -> object:
    """Have a host examine itself; return its answer, a value of JSON, unchecked.

    Raises NoPythonError, or HostError when it cannot answer or the connection is lost.
    """
    value = dataclasses.asdict(asked)
    sent = {"files": files(), "module": "agent.bench.doctor", "function": "examine", "asked": "Examine", "value": value}
    argv = ["python3", "-c", _PROGRAM.read_text(encoding="utf-8")]
    done = become.run(remote, argv, stdin=json.dumps(sent).encode(), timeout=SECONDS)
    if done.code == NO_PYTHON:
        raise NoPythonError(f"{remote.host.name}: it has no python3")
    if done.code:
        reason = causes.find(done.stderr, become=remote.host.become)
        message = f"{remote.host.name}: it cannot be examined"
        raise reason.error(message) if reason else HostError(f"{message}: exit code {done.code}")
    try:
        answer: object = json.loads(done.stdout.rstrip().rpartition(b"\n")[2])
    except (ValueError, RecursionError):
        raise HostError(f"{remote.host.name}: it answers nonsense instead of JSON") from None
    return answer


@cache
def files() -> dict[str, str]:
    """Return the agent's modules that a bench uses, by name; those of a provision need Jinja2."""
    agent = Path(__file__).parents[1] / "agent"
    paths = [*agent.glob("*.py"), *(agent / "bench").rglob("*.py")]
    return {f"agent/{path.relative_to(agent)}": path.read_text(encoding="utf-8") for path in sorted(paths)}
