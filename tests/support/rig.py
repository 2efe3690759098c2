"""A project with one role, made for a test and run on this machine by the agent itself, without SSH in between."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchrig.agent.play import events, pipes
from benchrig.agent.play.session import Session
from benchrig.agent.play.store import Store
from benchrig.agent.redact import Redactor
from benchrig.provision import bundle
from benchrig.provision.playbook import read_playbook

SITE = """\
- name: Test
  hosts: all
  gather_facts: {facts}
  roles:
    - role: one
"""


@dataclass(frozen=True)
class Ran:
    """What a run told."""

    told: tuple[events.Event, ...]

    @property
    def recap(self) -> events.Recap:
        """The run's end."""
        last = self.told[-1]
        assert isinstance(last, events.Recap), f"no recap, but {last}"
        return last

    def items(self, status: str = "") -> list[events.ItemDone]:
        """Return the results of that status, or all."""
        return [event for event in self.told if isinstance(event, events.ItemDone) and status in ("", event.status)]

    def messages(self, status: str) -> list[str]:
        """Return the messages of the results of that status."""
        return [item.message for item in self.items(status)]

    def notices(self) -> list[str]:
        """Return what the user was told beside."""
        return [event.text for event in self.told if isinstance(event, events.Notice)]

    def text(self) -> str:
        """Return all that left the host."""
        return b"".join(map(events.encode, self.told)).decode()


class Project:
    """A playbook with one role, `one`, in a folder of its own; `{{ dir }}` is a folder its tasks may write to."""

    def __init__(self, folder: Path, *, facts: bool = False) -> None:
        self.root = folder / "project"
        self.state = folder / "state"
        self.dir = folder / "dir"
        self.dir.mkdir(parents=True)
        self.state.mkdir()
        self.write("site.yml", SITE.format(facts=str(facts).lower()))
        self.write("roles/one/tasks/main.yml", "[]")

    def write(self, name: str, text: str) -> Path:
        """Write one of the project's files."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def tasks(self, text: str) -> None:
        """Give the role its tasks."""
        self.write("roles/one/tasks/main.yml", text)

    def handlers(self, text: str) -> None:
        """Give the role its handlers."""
        self.write("roles/one/handlers/main.yml", text)

    def log(self) -> list[str]:
        """Return the words that tasks and handlers wrote to `{{ dir }}/log`."""
        path = self.dir / "log"
        return path.read_text(encoding="utf-8").split() if path.exists() else []

    def run(
        self,
        *,
        check: bool = False,
        diff: bool = False,
        tags: Sequence[str] = (),
        skip_tags: Sequence[str] = (),
        extra: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        stop_after: int = 0,
    ) -> Ran:
        """Run the playbook; `variables` are the host's; the controller goes away after so many tasks, if any."""
        plays = read_playbook(self.root / "site.yml")
        content = bundle.make(self.root, plays)
        store = Store(self.state / "bundles")
        folder = store.find(content.sha) or store.add(content.sha, content.archive)
        request = events.Request(
            bundle=content.sha,
            plays=list(range(len(plays))),
            host="host1",
            groups={"all": ["host1"]},
            hostvars={"host1": dict(variables or {})},
            extra={"dir": str(self.dir), **(extra or {})},
            check=check,
            diff=diff,
            tags=tags,
            skip_tags=skip_tags,
        )
        asked_for = events.decode_request(events.encode_request(request))
        inbox = _Leaving(stop_after)
        with tempfile.TemporaryFile() as out:
            redactor = Redactor()
            outbox = pipes.Outbox(out.fileno(), redactor)
            with contextlib.suppress(pipes.Gone):
                outbox.send(Session(asked_for, folder, self.state, inbox, outbox, redactor).run())
            outbox.flush()
            os.lseek(out.fileno(), 0, os.SEEK_SET)
            return Ran(tuple(events.decode(line) for line in out.read().split(b"\n") if line))


class _Leaving(pipes.Inbox):
    """A controller that goes away after so many tasks, if any, and says nothing."""

    def __init__(self, tasks: int) -> None:
        super().__init__(io.BytesIO())
        self._left = tasks or float("inf")

    def still_there(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise pipes.Gone
