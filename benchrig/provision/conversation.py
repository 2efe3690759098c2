"""The run of one host over one exec: sends the request and, if it is missing, the bundle; receives events."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchrig import console
from benchrig.agent.play import events
from benchrig.agent.play.redact import Redactor
from benchrig.agent.text import last_line
from benchrig.inventory import Host
from benchrig.provision.bundle import Bundle
from benchrig.provision.exchange import Exchange
from benchrig.provision.progress import Progress
from benchrig.remote import ship, ssh


@dataclass
class Conversation:
    """The conversation with the agent of one host. Raises HostError when the connection is lost."""

    host: Host
    request: events.Request
    bundle: Bundle
    progress: Progress
    exchange: Exchange
    broken: str = ""
    """Why the agent ended before its time; empty while all is well."""
    _redactor: Redactor = field(default_factory=Redactor)
    """Keeps secrets that were sent out of what an agent that broke has to say."""

    def hold(self, remote: ssh.Remote) -> events.Recap | None:
        """Talk to the host until it is done; return its recap, None when the agent broke."""
        for name, value in [*self.request.hostvars[self.host.name].items(), *self.request.extra.items()]:
            self._redactor.learn(name, value)
        recap: events.Recap | None = None
        with ship.start(remote, "play") as channel:
            channel.send(events.encode_request(self.request))
            for line in channel.lines():
                event = self._read(line)
                if isinstance(event, events.Recap):
                    recap = event
                elif event is not None and (answer := self._heed(event)):
                    channel.send(answer)
            self.progress.end_task()
            _, stderr = channel.finish()
        if recap is None:
            self._tell_broken(stderr)
        return recap

    def _read(self, line: bytes) -> events.Event | None:
        try:
            return events.decode(line)
        except ValueError:
            # A line that was cut off when the agent died may contain a secret.
            if not line.startswith(b'{"event":'):
                console.warn(f"{self.host.name}: unexpected output of the agent: {line.decode(errors='replace')}")
            return None

    def _heed(self, event: events.Event) -> bytes:
        """Do what an event asks for; return the answer to it, if it wants one."""
        if isinstance(event, events.NeedBundle):
            return f"{len(self.bundle.archive)}\n".encode() + self.bundle.archive
        if isinstance(event, events.NeedFound):
            return self._answer(event)
        if isinstance(event, events.Reached):
            self.exchange.reach(self.host.name, event.at)
        elif isinstance(event, events.Found):
            self._redactor.learn(event.name, event.value, no_log=event.secret)
            self.exchange.keep(self.host.name, event)
        else:
            self.progress.show(event)
        return b""

    def _answer(self, need: events.NeedFound) -> bytes:
        if self.exchange.waits(need):
            console.status(f"{self.host.name}: waiting for {need.host}, whose '{need.name}' is needed here")
        found = self.exchange.answer(need)
        if found is not None:
            self._redactor.learn(found.name, found.value, no_log=found.secret)
        return events.encode_found(found)

    def _tell_broken(self, stderr: bytes) -> None:
        text = self._redactor(stderr.decode(errors="replace").strip())
        reason = last_line(text) or "it was killed"
        self.broken = f"the agent ended early: {reason}"
        console.line(f"{self.host.name}: {self.broken}", "bad")
        for line in text.splitlines()[-20:-1]:
            console.line(f"  {line}", "faint")
