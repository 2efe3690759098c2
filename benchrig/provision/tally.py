"""The counts of one host's tasks over all connections of a run: after a lost one, its plays run again from their start."""

from __future__ import annotations

from dataclasses import replace

from benchrig.agent.play.events import Earlier, Event, ItemDone, Recap, TaskStarted

_Task = int
"""A hash of role, place in the files, and whether it is a handler: a host may send any texts, and many."""


class Tally:
    """What the tasks of a host did, as their results come."""

    def __init__(self) -> None:
        self.heard = 0
        """How many results came that the host keeps in its journal."""
        self.losses = 0
        """How many connections were lost."""
        self._task: _Task = 0
        self._changed: dict[_Task, None] = {}
        """Tasks that changed something over an earlier connection."""
        self._now: dict[_Task, bool] = {}
        """Tasks that ran over this connection, and whether they changed something."""

    def take(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, TaskStarted):
            self._task = _key(event)
        elif isinstance(event, ItemDone):
            self.heard += event.status in ("changed", "failed")
            if event.status in ("ok", "changed"):
                self._now[self._task] = self._now.get(self._task, False) or event.status == "changed"
        elif isinstance(event, Earlier):
            self.heard += 1
            if not event.who and event.status == "changed":
                self._changed[_key(event)] = None

    def again(self) -> None:
        """Begin anew, over another connection."""
        self._changed |= dict.fromkeys(task for task, changed in self._now.items() if changed)
        self._now.clear()
        self.losses += 1

    def whole(self, last: Recap) -> Recap:
        """Return the recap of the last connection with what was done over the earlier ones."""
        before = [task for task in self._changed if not self._now.get(task, False)]
        unseen = [task for task in before if task not in self._now]
        return replace(last, ok=last.ok + len(unseen), changed=last.changed + len(before))

    def so_far(self) -> Recap:
        """Return the counts of a host that never came to its recap."""
        return self.whole(Recap(ok=len(self._now), changed=sum(self._now.values())))


def _key(event: TaskStarted | Earlier) -> _Task:
    return hash((event.role, event.where, event.handler))
