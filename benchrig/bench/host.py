"""A host during a bench: an agent runs on it, and does one operation after the other.

A lost connection is made anew: the agent goes on meanwhile, and answers the request again.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeVar

from benchrig import console, inventory
from benchrig.agent import spec
from benchrig.agent.bench.lines import BYE, HELLO, WAIT, Envelope, Hello, read_envelope, read_news, request_line
from benchrig.agent.bench.protocol import (
    FindDatabase,
    FindDeployed,
    FindMachineFacts,
    FreePort,
    News,
    Operation,
    ResetData,
)
from benchrig.agent.text import short
from benchrig.bench import answers
from benchrig.bench.link import Link, LostError
from benchrig.bench.patience import RECONNECT_SECONDS, SPARE_SECONDS, limit
from benchrig.errors import BenchrigError, Hint, HostError, Inv
from benchrig.remote import refusals
from benchrig.remote.channel import ConnectionLostError
from benchrig.remote.session import session, who

A = TypeVar("A")

GREETING_SECONDS = 90.0
"""How long a host may take to start its agent."""

CLOSE_SECONDS = 20.0
INTERRUPTED_SECONDS = 0.8
"""How long agents may take to end when the user has pressed Ctrl-C. They go on ending after it."""

_BEGINNINGS = (FindDatabase, FindDeployed, FindMachineFacts, FreePort, ResetData)
"""Requests that rest on nothing that an agent began before: if it is gone, a new one answers them as well."""

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0

_MOST_LOSSES = 20
"""A host whose connection is lost more often than that within one request is given up."""


class OperationError(BenchrigError):
    """A host could not do an operation; the text is the host's own reason."""

    section = "cells"


class Host(Protocol):
    """Anything that does operations: an agent, or a test's stand-in."""

    def ask(self, operation: Operation[A]) -> A:
        """Do an operation and return its answer. Raises OperationError, or HostError when the host is lost."""

    def news(self) -> tuple[float, News] | None:
        """Return what the host's sampler told last, and when (time.monotonic); None where nothing is known."""


class AgentHost:
    """A host with an agent. Its agent lives until `end`, or until the connection was lost for too long."""

    def __init__(self, host: inventory.Host, cell_seconds: float) -> None:
        """Connect to a host and have it start an agent, which the first request waits for. Raises HostError.

        When the connection is lost, both ends wait for `cell_seconds` and a minute more.
        """
        self.name = host.name
        self.ended = False
        """The agent is gone, or has said that it has stopped all that it started."""
        self._host = host
        self._patience = cell_seconds + RECONNECT_SECONDS
        self._client = os.urandom(8).hex()
        self._number = 0
        """The id of the last request."""
        self._greeted = False
        self._boot = ""
        """Which start of the machine the agent was begun in."""
        try:
            self._link = Link(host)
        except ConnectionLostError as error:
            self._reconnect(LostError(str(error)), time.monotonic() + self._patience, resume=False)
            return
        with contextlib.suppress(LostError):
            self._link.send(self._hello(resume=False))

    def ask(self, operation: Operation[A]) -> A:
        """Do an operation on the host. Raises OperationError with the host's reason, HostError when it is lost."""
        self._number += 1
        envelope = self._answer(operation, request_line(operation, self._number))
        if envelope.error:
            raise OperationError(f"{self.name}: {short(envelope.error, answers.LONGEST_REASON)}")
        try:
            return answers.read(operation, envelope.value)
        except spec.SpecError as error:
            raise self._nonsense(error) from None

    def news(self) -> tuple[float, News] | None:
        """Return what the host's sampler told last, and when (time.monotonic); None where it is nothing, or nonsense."""
        # Another thread may begin a new connection meanwhile.
        if (last := self._link.news) is None:
            return None
        heard, line = last
        try:
            return heard, read_news(line)
        except ValueError:
            return None

    def end(self) -> None:
        """Say goodbye, and wait until the agent has stopped all that it started. It may wait long on a dead connection."""
        if self.ended:
            return
        with contextlib.suppress(LostError):
            # An interrupted request may have left half a line.
            self._link.send(b"\n" + BYE)
            while (line := self._link.receive(CLOSE_SECONDS)) not in (None, BYE):
                pass
            self.ended = line is not None

    def drop(self) -> None:
        """Close the connection, whatever the agent does."""
        self._link.drop()

    def _answer(self, operation: Operation[A], line: bytes) -> Envelope:
        """Send a request, again after each lost connection, and return its answer. Raises HostError."""
        seconds = limit(operation)
        deadline = time.monotonic() + seconds
        asked: Link | None = None
        losses = 0
        given_up = 0.0
        while True:
            try:
                self._await_greeting()
                if asked is not self._link:
                    self._link.send(line)
                    asked = self._link
                answer = self._link.receive(deadline - time.monotonic())
            except LostError as lost:
                losses += 1
                given_up = given_up or time.monotonic() + seconds + self._patience
                if losses > _MOST_LOSSES or time.monotonic() > given_up:
                    raise HostError(f"{self.name}: the connection was lost {losses} times: {lost}") from None
                self._link.drop()
                self._reconnect(lost, given_up, resume=self._greeted and not isinstance(operation, _BEGINNINGS))
                deadline = max(deadline, time.monotonic() + SPARE_SECONDS)
                continue
            if answer is None or time.monotonic() > deadline:
                what = type(operation).__name__
                raise HostError(
                    f"{self.name}: {what} was not done within {seconds:.0f} s; the agent lives, but something hangs"
                )
            envelope = self._read(answer)
            if envelope.id == self._number:
                return envelope
            if not envelope.id and envelope.operation == "":
                raise self._nonsense(ValueError(envelope.error or "an answer to nothing"))

    def _read(self, line: bytes) -> Envelope:
        try:
            return read_envelope(line)
        except ValueError as error:
            raise self._nonsense(error) from None

    def _nonsense(self, error: Exception) -> HostError:
        return HostError(f"{self.name}: the agent answers nonsense: {short(str(error), 200)}")

    def _hello(self, *, resume: bool) -> bytes:
        # The agent waits a little longer, for the one who comes in the last moment.
        return Hello(session(), self._client, who(), self._patience + SPARE_SECONDS, resume).line()

    def _await_greeting(self) -> None:
        """Wait until the agent has started. Raises HostError when it refuses us or does not start, LostError."""
        if self._greeted:
            return
        try:
            self._see_welcome(self._link)
        except LostError as lost:
            if lost.of_program:
                raise HostError(f"{self.name}: the agent does not start: {lost}") from None
            raise

    def _see_welcome(self, link: Link) -> None:
        """Read the answer to our greeting. Raises HostError when it is a refusal or comes after a reboot, LostError."""
        welcome = self._receive_welcome(link)
        if welcome.operation == WAIT:
            console.line(f"{self.name}: {short(welcome.error, 500)}", "warning")
            welcome = self._receive_welcome(link)
        self._see_boot(str(welcome.value.get("boot", "")))
        if welcome.error:
            self.ended = True
            raise HostError(f"{self.name}: {welcome.error}")
        if welcome.operation != HELLO:
            raise self._nonsense(ValueError("it does not greet"))
        self._greeted = True

    def _receive_welcome(self, link: Link) -> Envelope:
        line = link.receive(GREETING_SECONDS)
        if line is None:
            raise LostError(f"no answer for {GREETING_SECONDS:.0f} s", of_program=True)
        return self._read(line)

    def _see_boot(self, boot: str) -> None:
        """Raise HostError when the machine is not in the start that the agent was begun in: its state is another one."""
        if self._boot and boot != self._boot:
            self.ended = True
            hint = Hint("To go on: ", Inv("bench", "--resume"), ". It compares the conditions first.")
            raise HostError(f"{self.name} was rebooted during the bench", hint)
        self._boot = boot

    def _reconnect(self, lost: LostError, given_up: float, *, resume: bool) -> None:
        """Connect to the agent again. Raises HostError when that takes too long, or when `resume` and it is gone.

        It takes the time that both ends wait, at most until `given_up` (time.monotonic). What waiting cannot mend is raised
        at once, such as a key that is refused.
        """
        if lost.fatal:
            raise HostError(f"{self.name}: {lost}")
        console.line(f"{self.name}: connection lost; reconnecting", "warning")
        began = time.monotonic()
        deadline = min(began + self._patience, given_up)
        pause = _FIRST_PAUSE
        while True:
            try:
                self._link = self._connect_again(resume=resume)
                break
            except LostError as error:
                if time.monotonic() > deadline:
                    hint = Hint("Is the machine still up? See ", Inv("status"), ".")
                    waited = time.monotonic() - began
                    gone = f"{self.name}: the connection was lost, and did not come back within {waited:.0f} s"
                    raise HostError(f"{gone}: {error}", hint) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        console.line(f"{self.name}: connected again")

    def _connect_again(self, *, resume: bool) -> Link:
        """Return a new link to the agent. Raises LostError when none can be had yet, HostError when none ever will."""
        try:
            link = Link(self._host)
        except HostError as error:
            if not refusals.may_pass(error):
                raise
            raise LostError(str(error)) from None
        try:
            link.send(self._hello(resume=resume))
            self._see_welcome(link)
        except BaseException:
            link.drop()
            raise
        return link


class Agents:
    """The agents of a bench. Leaving it ends them all, at once when the user has pressed Ctrl-C."""

    def __init__(self, cell_seconds: float) -> None:
        self._cell_seconds = cell_seconds
        self._agents: list[AgentHost] = []

    def __enter__(self) -> Agents:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        interrupted = kind is not None and not issubclass(kind, Exception)
        self._end(INTERRUPTED_SECONDS if interrupted else CLOSE_SECONDS)

    def start(self, host: inventory.Host) -> AgentHost:
        """Connect to a host and have it start an agent. Raises HostError."""
        agent = AgentHost(host, self._cell_seconds)
        self._agents.append(agent)
        return agent

    def _end(self, seconds: float) -> None:
        """Have all agents end at the same time, and wait for that."""
        endings = [(agent, threading.Thread(target=agent.end, daemon=True)) for agent in self._agents]
        for _, ending in endings:
            ending.start()
        deadline = time.monotonic() + seconds
        for agent, ending in endings:
            ending.join(max(0.0, deadline - time.monotonic()))
            if not agent.ended:
                console.line(
                    f"{agent.name}: cannot be told to end; its agent stops app and load generator by itself", "warning"
                )
            agent.drop()


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
