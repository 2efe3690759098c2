"""A host during a bench: an agent runs on it, and does one operation after the other over one channel."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Protocol, TypeVar, cast

from benchrig.agent import spec
from benchrig.agent.bench.lines import read_envelope, request_line
from benchrig.agent.bench.protocol import Operation
from benchrig.agent.text import last_line
from benchrig.errors import BenchrigError, HostError
from benchrig.remote import ship
from benchrig.remote.ssh import Remote

A = TypeVar("A")


class OperationError(BenchrigError):
    """A host could not do an operation; the text is the host's own reason."""

    section = "cells"


class Host(Protocol):
    """Anything that does operations: an agent, or a test's stand-in."""

    def ask(self, operation: Operation[A]) -> A:
        """Do an operation and return its answer. Raises OperationError, or HostError when the host is lost."""


class AgentHost:
    """A host with an agent. Closing it stops all that the agent has started."""

    def __init__(self, remote: Remote) -> None:
        self.name = remote.host.name
        self._channel = ship.start(remote, "bench")

    def ask(self, operation: Operation[A]) -> A:
        """Do an operation on the host. Raises OperationError with the host's reason, HostError when it is lost."""
        self._channel.send(request_line(operation))
        line = self._channel.read_line()
        if line is None:
            _, stderr = self._channel.finish()
            last = last_line(stderr)
            raise HostError(f"{self.name}: the agent ended: {last or 'no reason given'}")
        envelope = read_envelope(line)
        if envelope.error:
            raise OperationError(f"{self.name}: {envelope.error}")
        return cast(A, spec.build(operation.answer(), envelope.value))

    def close(self) -> None:
        """Let the agent stop what it started, and wait until it has ended."""
        with contextlib.suppress(BenchrigError, OSError, EOFError):
            self._channel.end_input()
            while self._channel.read_line() is not None:
                pass
        self._channel.close()


@dataclass(frozen=True)
class Pair:
    """A server and the host that loads it, which may be the same object."""

    server: AgentHost
    """The load host itself when no app is ours to start."""
    generator: AgentHost


@dataclass(frozen=True)
class Hosts:
    """The hosts of a bench. One machine in several roles is the same object in each."""

    pairs: tuple[Pair, ...]
    """One for each server, in the inventory's order."""
    database: AgentHost | None
    """None when no app has one."""

    @property
    def all(self) -> tuple[AgentHost, ...]:
        """Each host once: servers, load hosts, the database's."""
        both = [*(pair.server for pair in self.pairs), *(pair.generator for pair in self.pairs)]
        return tuple(dict.fromkeys([*both, *([self.database] if self.database else [])]))
