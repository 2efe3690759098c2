"""The run of one host: sends the request and, if it is missing, the bundle; receives events.

A host may send anything, by a fault or on purpose. So events are checked, and bounded in number and size: what is wrong
ends the run of that host alone.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from benchrig import console
from benchrig.agent.play import events
from benchrig.agent.redact import Redactor
from benchrig.agent.text import last_line, short
from benchrig.errors import HostError
from benchrig.inventory import Host
from benchrig.provision.bundle import Bundle
from benchrig.provision.exchange import Exchange
from benchrig.provision.progress import Progress
from benchrig.provision.tally import Tally
from benchrig.remote import ship, ssh
from benchrig.remote.channel import Channel, NoAnswerError

MOST_EVENTS = 100_000
"""Events of one host over one connection. A task of a role makes two, and one more for each item of a loop."""

MOST_SAID_BYTES = 32 << 20
"""What one host may say over one connection, of which much is shown."""

MOST_FOUND_BYTES = 32 << 20
"""What one host may tell of its variables over one connection, which stays in memory for the other hosts."""

_LONGEST_TEXTS = {"diff": 256_000, "output": 256_000, "stdout": 16_000, "stderr": 16_000}
_LONGEST_TEXT = 2000
"""Characters of any other text of an event: a name, a message, a place."""

_MOST_PENDING = 20
"""Pending handlers that are named."""

_MOST_BUNDLES = 2

_MOST_STRANGE_LINES = 5

SILENT_SECONDS = 30.0
"""How long an agent may send nothing, not even a sign of life (agent/play/beat.py)."""

_CONFIRM_SECONDS = 10.0


class _LyingError(Exception):
    """A host sent what no agent sends."""


@dataclass
class Conversation:
    """The conversation with the agent of one host. Raises HostError when the connection is lost."""

    host: Host
    request: events.Request
    bundle: Bundle
    progress: Progress
    exchange: Exchange
    begun: bool = False
    """Over this connection, an agent has begun to work."""
    broken: str = ""
    """Why the agent ended before its time; empty while all is well."""
    tally: Tally = field(default_factory=Tally)
    _redactor: Redactor = field(default_factory=Redactor)
    """Keeps secrets that were sent out of what an agent that broke has to say."""
    _ended: events.Ended | None = None
    _bundles_sent: int = 0
    _said_bytes: int = 0
    _found_bytes: int = 0
    _strange_lines: int = 0

    def hold(self, remote: ssh.Remote, lost_at: float = 0.0) -> events.Recap | None:
        """Talk to the host until it is done; return its recap, None when the agent broke.

        `lost_at` is when the connection before this one was lost, by the monotonic clock; 0 for the first one.
        """
        for name, value in [*self.request.hostvars[self.host.name].items(), *self.request.extra.items()]:
            self._redactor.learn(name, value)
        with ship.start(remote, "play") as channel:
            self.begun = True
            if lost_at:
                seconds = time.monotonic() - lost_at
                console.line(f"{self.host.name}: reconnected after {seconds:.0f} s; its plays run again from their start")
            channel.wait_for(SILENT_SECONDS)
            try:
                channel.send(events.encode_request(replace(self.request, heard=self.tally.heard)))
                recap = self._listen(channel)
            except NoAnswerError:
                hint = "If the host is up, see there what hangs, and end the agent: `pkill -KILL -f 'agent play$'`."
                raise HostError(
                    f"{self.host.name}: the agent shows no sign of life for {SILENT_SECONDS:.0f} s", hint
                ) from None
            except _LyingError as error:
                self._break(f"{error}; nothing more is read from it", ())
                return None
            self.progress.end_task()
            if recap is not None:
                return recap
            _, stderr = channel.finish()
        self._tell_broken(stderr)
        return None

    def again(self) -> None:
        """Begin anew, over another connection."""
        self.begun = False
        self._bundles_sent = self._said_bytes = self._found_bytes = self._strange_lines = 0
        self.progress.end_task()
        self.tally.again()

    def _listen(self, channel: Channel) -> events.Recap | None:
        """Heed the agent's events until its recap; return that, None when there was none."""
        for number, line in enumerate(channel.lines()):
            if number >= MOST_EVENTS:
                raise _LyingError(f"the agent sent more than {MOST_EVENTS} events")
            event = self._read(line)
            self._count(event, len(line))
            if isinstance(event, events.Recap):
                if event.confirm:
                    self._confirm(channel)
                return event
            if event is not None and (answer := self._heed(event)):
                channel.send(answer)
        return None

    def _count(self, event: events.Event | None, size: int) -> None:
        """Count what the host sends. Raises _LyingError when it is too much."""
        if isinstance(event, events.Found):
            self._found_bytes += size
        else:
            self._said_bytes += size
        for sent, most, what in (
            (self._found_bytes, MOST_FOUND_BYTES, " of variables"),
            (self._said_bytes, MOST_SAID_BYTES, ""),
        ):
            if sent > most:
                raise _LyingError(f"the agent told more than {most >> 20} MB{what}")

    def _confirm(self, channel: Channel) -> None:
        try:
            channel.send(events.HEARD)
            # Its end says that it has read that. What else it may say is not heeded.
            channel.wait_for(_CONFIRM_SECONDS)
            for _ in zip(range(_MOST_STRANGE_LINES), channel.lines(), strict=False):
                pass
        except HostError:
            # The recap is here. The next run hears of some of it again.
            return

    def _read(self, line: bytes) -> events.Event | None:
        try:
            event = events.decode(line)
            return _shortened(event) if len(line) > _LONGEST_TEXT else event
        except ValueError:
            self._strange_lines += 1
            if self._strange_lines > _MOST_STRANGE_LINES:
                raise _LyingError("the agent sent lines that are no events") from None
            # A line that was cut off when the agent died may contain a secret.
            if not line.startswith(b'{"event":'):
                text = line[:200].decode(errors="replace")
                console.warn(f"{self.host.name}: unexpected output of the agent: {text}")
            return None

    def _heed(self, event: events.Event) -> bytes:
        """Do what an event asks for; return the answer to it, if it wants one."""
        if isinstance(event, events.NeedBundle):
            return self._bundle()
        if isinstance(event, events.NeedFound):
            return self._answer(event)
        if isinstance(event, events.Reached):
            self.exchange.reach(self.host.name, event.at)
        elif isinstance(event, events.Found):
            self._keep(event)
        elif isinstance(event, events.Beat):
            pass
        elif isinstance(event, events.Ended):
            if event.in_use:
                raise HostError(f"{self.host.name}: {event.reason}", event.hint)
            self._ended = event
        else:
            self.tally.take(event)
            self.progress.show(event)
        return b""

    def _bundle(self) -> bytes:
        self._bundles_sent += 1
        if self._bundles_sent > _MOST_BUNDLES:
            raise _LyingError("the agent asked for the same bundle again and again")
        return f"{len(self.bundle.archive)}\n".encode() + self.bundle.archive

    def _keep(self, found: events.Found) -> None:
        self._redactor.learn(found.name, found.value, no_log=found.secret)
        self.exchange.keep(self.host.name, found)

    def _answer(self, need: events.NeedFound) -> bytes:
        if need.host not in self.request.peers:
            raise _LyingError(f"the agent asked for a variable of '{short(need.host)}', which it has no need of")
        if self.exchange.waits(need):
            console.status(f"{self.host.name}: waiting for {need.host}, whose '{short(need.name)}' is needed here")
        found = self.exchange.answer(need)
        if found is not None:
            self._redactor.learn(found.name, found.value, no_log=found.secret)
        return events.encode_found(found)

    def _tell_broken(self, stderr: bytes) -> None:
        if self._ended is not None:
            self._break(self._ended.reason, [self._ended.hint] if self._ended.hint else [])
            return
        text = self._redactor(stderr.decode(errors="replace").strip())
        self._break(f"the agent ended early: {last_line(text) or 'it was killed'}", text.splitlines()[-20:-1])

    def _break(self, reason: str, more: Sequence[str]) -> None:
        self.broken = reason
        console.line(f"{self.host.name}: {self.broken}", "bad")
        for line in more:
            console.line(f"  {line}", "faint")


def _shortened(event: events.Event) -> events.Event:
    """Return an event of which no text is longer than what is shown of it."""
    if not isinstance(event, events.Shown):
        return event
    texts: dict[str, Any] = {
        name: short(value, most)
        for name, value in ((item.name, getattr(event, item.name)) for item in fields(event))
        if isinstance(value, str) and len(value) > (most := _LONGEST_TEXTS.get(name, _LONGEST_TEXT))
    }
    if isinstance(event, events.Recap):
        texts["pending"] = tuple(short(name) for name in event.pending[:_MOST_PENDING])
    return replace(event, **texts) if texts else event
