"""Exchange of variables between hosts during a run: what tasks of one host set, for the templates of the others.

In Ansible all hosts finish a task before any begins the next, so a template sees what other hosts found out before it. Ours
run each on its own; they are answered as of the same moment of the plan, and wait only where an answer needs it. They cannot
wait for each other in a circle: whoever asks has told all that it did before, and needs of others only what comes before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchrig.agent.play.events import Found, Moment, NeedFound


@dataclass
class _Told:
    """What one host has reported: its position in the plan, and the variables that it set at each position."""

    at: tuple[int, ...] = ()
    """The furthest position; after a lost connection, the host comes to earlier ones again."""
    now: tuple[int, ...] = ()
    found: dict[tuple[tuple[int, ...], str], Found] = field(default_factory=dict)
    """By position and name: after a lost connection, the host sets the same again."""
    ended: bool = False


class Exchange:
    """Takes variables from hosts and answers their questions, each host in its own thread."""

    def __init__(self, hosts: Iterable[str]) -> None:
        self._told = {host: _Told() for host in hosts}
        self._news = threading.Condition()

    def reach(self, host: str, at: Moment) -> None:
        """Record that a host has finished and reported everything before a moment."""
        with self._news:
            told = self._told[host]
            told.now = tuple(at)
            told.at = max(told.at, told.now)
            self._news.notify_all()

    def keep(self, host: str, found: Found) -> None:
        """Keep a variable that a task of a host made at the moment it reached last."""
        with self._news:
            told = self._told[host]
            told.found[told.now, found.name] = found

    def end(self, host: str) -> None:
        """Note that nothing more comes of a host, whether it is done, has failed or was lost."""
        with self._news:
            self._told[host].ended = True
            self._news.notify_all()

    def waits(self, need: NeedFound) -> bool:
        """Return whether the answer to a need must wait for the host that is asked about."""
        told = self._told[need.host]
        return not told.ended and told.at < tuple(need.at)

    def answer(self, need: NeedFound) -> Found | None:
        """Return a host's variable as it was at a moment, None if there was none; waits for the host to get there."""
        with self._news:
            self._news.wait_for(lambda: not self.waits(need))
            found = self._told[need.host].found
            before = [at for at, name in found if at < tuple(need.at) and name == need.name]
            return found[max(before), need.name] if before else None
