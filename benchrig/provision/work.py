"""The work for one host, over as many connections as it takes: after a lost one the host is reached again, and goes on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace

from benchrig import console
from benchrig.agent.play.events import Recap
from benchrig.errors import Hint, HostError
from benchrig.provision.conversation import Conversation
from benchrig.remote import refusals, ssh
from benchrig.remote.channel import ConnectionLostError

RECONNECT_SECONDS = 180.0
"""How long a host is tried to be reached again, from the moment its connection is known to be lost."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 15.0

_MOST_LOSSES = 20
"""A host whose connection is lost more often than that is given up."""


@dataclass(frozen=True)
class HostRecap:
    """The result of a host: counts of tasks as Ansible counts them, and the time it took."""

    host: str
    ok: int = 0
    changed: int = 0
    unreachable: int = 0
    failed: int = 0
    skipped: int = 0
    rescued: int = 0
    """Always 0: blocks with `rescue` are not supported. It is part of Ansible's line."""
    ignored: int = 0
    execs: int = 0
    """Programs started over SSH."""
    seconds: float = 0.0
    """From connecting to the last byte."""
    seconds_on_host: float = 0.0
    """How long the agent ran."""
    failure: str = ""
    """What failed, or why the host was not reached."""
    hint: Hint = field(default_factory=Hint)

    def line(self) -> str:
        """Return Ansible's recap line."""
        words = ("ok", "changed", "unreachable", "failed", "skipped", "rescued", "ignored")
        return f"{self.host} : " + " ".join(f"{word}={getattr(self, word)}" for word in words)

    def cost(self) -> str:
        """Return what reaching it and the work there took, in words."""
        execs = f"{self.execs} SSH exec{'' if self.execs == 1 else 's'}"
        return f"{execs}, {self.seconds:.2f} s, {self.seconds_on_host:.2f} s of it on the host"


class Work:
    """The work for one host, and its result."""

    def __init__(self, talk: Conversation) -> None:
        self.talk = talk
        self.recap = HostRecap(talk.host.name)
        self._remote: ssh.Remote | None = None
        self._stopped = threading.Event()
        """The user ended it."""
        self._execs = 0

    def stop(self) -> None:
        """End it, from another thread: its connection is closed, whereupon the agent stops before its next task."""
        self._stopped.set()
        if self._remote is not None:
            self._remote.close()

    def running(self) -> str:
        """Return the title of the task that the host works on; empty before the first and after the last."""
        return "" if self.recap.seconds or self.recap.failure else self.talk.progress.running()

    def run(self) -> None:
        """Provision the host, and set `recap`. What goes wrong on the host is in it."""
        started = time.monotonic()
        name = self.talk.host.name
        try:
            recap = self._recap(self._hold())
            self.recap = replace(recap, execs=self._execs, seconds=time.monotonic() - started)
        except HostError as error:
            if not self._stopped.is_set():
                so_far = self.talk.tally.so_far()
                counts = {"ok": so_far.ok, "changed": so_far.changed}
                self.recap = HostRecap(name, **counts, unreachable=1, failure=str(error), hint=error.hint)
        except Exception as error:
            # An error in a thread is lost unless it is recorded here.
            self.recap = HostRecap(name, failed=1, failure=f"{name}: {type(error).__name__}: {error}")
            console.line(self.recap.failure, "bad")
        finally:
            self.talk.exchange.end(name)

    def _hold(self) -> Recap | None:
        """Talk to the host, and again when the connection is lost. Raises HostError when it is not reached (again)."""
        lost: HostError | None = None
        lost_at = 0.0
        pause = _FIRST_PAUSE_SECONDS
        losses = 0
        while True:
            try:
                return self._connect_and_talk(lost_at)
            except HostError as error:
                now = time.monotonic()
                if self.talk.begun and not isinstance(error, ConnectionLostError):
                    raise
                if self.talk.begun and losses < _MOST_LOSSES and not self._stopped.is_set():
                    lost, lost_at, pause, losses = error, now, _FIRST_PAUSE_SECONDS, losses + 1
                    self.talk.again()
                    console.warn(self._lost_line())
                elif lost is None or not self._may_wait(error, lost_at):
                    raise self._given_up(lost, error) from None
            if self._stopped.wait(pause):
                raise lost
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _may_wait(self, error: HostError, lost_at: float) -> bool:
        """Return whether to try again: not where the user ended it, it took too long, or waiting does not help."""
        late = time.monotonic() - lost_at > RECONNECT_SECONDS
        return not late and not self._stopped.is_set() and refusals.may_pass(error)

    def _connect_and_talk(self, lost_at: float) -> Recap | None:
        with ssh.connect(self.talk.host) as remote:
            self._remote = remote
            try:
                return self.talk.hold(remote, lost_at)
            finally:
                self._execs += remote.execs

    def _lost_line(self) -> str:
        running = self.talk.progress.running()
        what = f" while '{running}' ran" if running else ""
        return f"{self.talk.host.name}: the connection was lost{what}; reconnecting, for {RECONNECT_SECONDS:.0f} s"

    def _given_up(self, lost: HostError | None, error: HostError) -> HostError:
        if lost is None or lost is error:
            return error
        return HostError(f"{error}; the connection had been lost, and it was not reached again", error.hint)

    def _recap(self, last: Recap | None) -> HostRecap:
        """Return the result of a host from its agent's recap, which is None when the agent broke."""
        name = self.talk.host.name
        if last is None:
            so_far = self.talk.tally.so_far()
            failure = f"{name}: {self.talk.broken}"
            return HostRecap(name, ok=so_far.ok, changed=so_far.changed, failed=1, failure=failure)
        recap = self.talk.tally.whole(last)
        if recap.pending:
            console.warn(f"{name}: pending handlers, to run in the next run: {', '.join(recap.pending)}")
        return HostRecap(
            name,
            ok=recap.ok,
            changed=recap.changed,
            failed=recap.failed,
            skipped=recap.skipped,
            ignored=recap.ignored,
            seconds_on_host=recap.seconds,
            failure=self.talk.progress.failure,
        )
