"""The play on the host: runs the request's plays, task by task, with their handlers, and reports events."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..redact import Redactor
from . import events, plan, templating
from .facts import Facts
from .handlers import Handler, Notifications, Pending, of_play
from .hostvars import FACTS, HostVars, Peers
from .lookups import PLAN, Bundle
from .modules.base import Context
from .pipes import Inbox, Outbox
from .tasks import Outcome, Runner
from .templating import TemplateError, Templates
from .variables import Variables

_MOST_TOLD = 20
"""Pending handlers of other playbooks that are named; of more only the number is told."""


@dataclass
class _Counts:
    ok: int = 0
    changed: int = 0
    failed: int = 0
    skipped: int = 0
    ignored: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count a task as Ansible does: changed and ignored ones are ok as well."""
        self.skipped += outcome.skipped
        self.failed += outcome.failed
        self.ignored += outcome.ignored
        done = not outcome.skipped and not outcome.failed
        self.ok += done
        self.changed += done and outcome.changed


class Session:
    """One run on this host, from its first play to its recap."""

    def __init__(
        self,
        request: events.Request,
        folder: Path,
        state: Path,
        inbox: Inbox,
        outbox: Outbox,
        redactor: Redactor,
    ) -> None:
        self._request = request
        self._inbox = inbox
        self._outbox = outbox
        self._redactor = redactor
        self._bundle = Bundle(folder)
        self._plan = (folder / PLAN).read_text(encoding="utf-8")
        self._plays = plan.from_json(self._plan)
        self._templates = Templates(self._bundle.functions(), self._bundle.filters(), folder / templating.cache_name())
        self._facts: dict[str, Any] = {}
        self._variables = Variables(self._templates, self._facts, request.extra, redactor.learn)
        self._hostvars = HostVars(request.hostvars.keys(), self._variables_of)
        self._peers = Peers(request.peers, self._plays, outbox, inbox, redactor)
        self._pending = Pending(state / "pending.json", keep=not request.check)
        self._notifications = Notifications(self._pending)
        self._context = Context(self._bundle, self._variables, outbox.flush, self._notifications.before_change)
        self._context.diff = request.diff
        self._runner = Runner(self._context, request.check, outbox.send, self._made, self._notifications)
        self._counts = _Counts()

    def run(self) -> events.Recap:
        """Run the request's plays, until one fails."""
        self._take_up_pending()
        for index in self._request.plays:
            if not self._play(index, self._plays[index]):
                break
        self._templates.save(lambda: plan.texts(self._plan))
        left = tuple(name for role, name in self._pending if (role, name) in self._known_handlers)
        return events.Recap(
            **vars(self._counts), pending=() if self._request.check else left, seconds=_seconds_since_start()
        )

    def _play(self, index: int, play: plan.Play) -> bool:
        """Run one play; return whether it went well."""
        self._outbox.send(events.PlayStarted(play.name))
        self._notifications.enter(play)
        if play.gather_facts:
            self._reach(index, 0)
            self._gather()
        self._enter(play, play.roles[0] if play.roles else plan.Role(""))
        self._learn_secrets(play)
        self._announce_pending(play)
        number = 0
        for role in play.roles:
            self._enter(play, role)
            for task in role.tasks:
                number += 1
                if not self._chosen(task):
                    continue
                if task.module == "ansible.builtin.meta":
                    if not self._flush(play, (index, number)):
                        return False
                    self._enter(play, role)
                elif not self._task(role, task, (index, number), handler=False):
                    return False
        return self._end(play, (index, number + 1))

    def _reach(self, *at: int) -> None:
        """Come to the next moment: what other hosts have found out by then may be more than before."""
        if self._peers:
            self._peers.reach(*at)
            self._variables.forget_hostvars()

    def _made(self, name: str, value: Any, secret: bool) -> None:
        """Take in a variable that a task made, for the redactor and for the other hosts."""
        if secret:
            self._redactor.hide(value)
        self._peers.tell(name, value, secret=secret)

    def _gather(self) -> None:
        self._outbox.send(events.TaskStarted("Gathering Facts", "", ""))
        self._facts[FACTS] = Facts()
        self._peers.tell(FACTS, self._facts[FACTS], secret=False)
        self._counts.add(Outcome())
        self._outbox.send(events.ItemDone("ok"))

    def _task(self, role: plan.Role, task: plan.Task, at: events.Moment, *, handler: bool) -> bool:
        """Run one task; return whether the play goes on."""
        self._inbox.still_there()
        self._reach(*at)
        outcome = self._runner.run(task, role.name, handler=handler)
        self._counts.add(outcome)
        return not outcome.failed

    def _flush(self, play: plan.Play, at: events.Moment) -> bool:
        """Run the notified handlers, each once, in the order they are written in; return whether all went well."""
        for number, (role, handler) in enumerate(of_play(play), 1):
            if (role.name, handler.name) in self._pending:
                self._enter(play, role)
                if not self._task(role, handler, (*at, number), handler=True):
                    return False
                self._pending.done((role.name, handler.name))
        return True

    def _end(self, play: plan.Play, at: events.Moment) -> bool:
        """Run the notified handlers, and once more those notified by later ones; return whether all went well.

        As in Ansible, what is notified even then (by handlers that notify each other) does not run.
        """
        index, number = at
        if not (self._flush(play, at) and self._flush(play, (index, number + 1))):
            return False
        self._pending.done(*((role.name, handler.name) for role, handler in of_play(play)))
        return True

    @cached_property
    def _known_handlers(self) -> dict[Handler, None]:
        """The handlers of the plays that this host runs."""
        plays = [self._plays[index] for index in self._request.plays]
        return {(role.name, handler.name): None for play in plays for role, handler in of_play(play)}

    def _take_up_pending(self) -> None:
        """Take in what an administrator asked for, and say which handlers of earlier runs stay pending after this one."""
        if self._pending.all:
            self._pending.add_all(tuple(self._known_handlers))
        stay = sorted(self._pending.earlier - self._known_handlers.keys())
        for role, name in stay[:_MOST_TOLD]:
            text = f"handler '{name}' of role {role} stays pending: no play of this run has it (in {self._pending.path})"
            self._outbox.send(events.Notice(text))
        if len(stay) > _MOST_TOLD:
            more = len(stay) - _MOST_TOLD
            text = f"{more:,} more handlers stay pending: no play of this run has them (in {self._pending.path})"
            self._outbox.send(events.Notice(text))

    def _announce_pending(self, play: plan.Play) -> None:
        for role, handler in of_play(play):
            if (role.name, handler.name) in self._pending.earlier:
                text = f"handler '{handler.name}' of role {role.name} is pending from a failed run; it runs now"
                self._outbox.send(events.Notice(text))

    def _enter(self, play: plan.Play, role: plan.Role) -> None:
        """Make the variables of a role current; those of the play's other roles are below its own, as in Ansible."""
        self._bundle.role = role.name
        below: dict[str, Any] = {}
        above: dict[str, Any] = dict(play.vars)
        for other in (*play.roles, role):
            below.update(other.defaults)
            above.update(other.vars)
        below.update(self._request.hostvars.get(self._request.host, {}))
        magic = {**self._magic(self._request.host), "role_name": role.name, "role_path": str(self._bundle.role_path())}
        self._variables.enter(magic, below, above)

    def _variables_of(self, host: str) -> Variables:
        magic, below = self._magic(host), self._request.hostvars[host]
        if host == self._request.host:
            return self._variables.as_hostvars(magic, below)
        return self._variables.of_host(magic, below, self._peers.found(host), self._peers.facts(host))

    def _magic(self, host: str) -> dict[str, Any]:
        """Return the variables that Ansible itself sets for a host."""
        request = self._request
        return {
            "ansible_check_mode": request.check,
            "ansible_diff_mode": request.diff,
            "ansible_managed": "Ansible managed",
            "ansible_run_tags": list(request.tags) or ["all"],
            "ansible_skip_tags": list(request.skip_tags),
            "group_names": sorted(name for name, hosts in request.groups.items() if host in hosts and name != "all"),
            "groups": request.groups,
            "hostvars": self._hostvars,
            "inventory_hostname": host,
            "inventory_hostname_short": host.partition(".")[0],
            "playbook_dir": str(self._bundle.folder),
        }

    def _chosen(self, task: plan.Task) -> bool:
        return chosen(task.tags, self._request.tags, self._request.skip_tags)

    def _learn_secrets(self, play: plan.Play) -> None:
        """Take in the secrets among the variables that are known before the first task."""
        layers = [self._request.hostvars.get(self._request.host, {}), self._request.extra, play.vars]
        layers += [layer for role in play.roles for layer in (role.defaults, role.vars)]
        for layer in layers:
            for name, value in layer.items():
                self._redactor.learn(name, value, self._known)

    def _known(self, secret: object) -> object:
        """Return a secret's value, or its template where that cannot be rendered yet."""
        try:
            return self._variables.render(secret)
        except TemplateError:
            return secret


def chosen(tags: Sequence[str], wanted: Sequence[str], unwanted: Sequence[str]) -> bool:
    """Return whether a task of these tags runs under `--tags` and `--skip-tags`, by Ansible's rules."""
    own = set(tags) or {"untagged"}
    run = "always" in own or bool(own & set(wanted))
    if not wanted or "all" in wanted:
        run = run or "never" not in own
    if "tagged" in wanted:
        run = run or (own != {"untagged"} and "never" not in own)
    if "all" in unwanted:
        return run and "always" in own and "always" not in unwanted
    left_out = own & set(unwanted) or ("tagged" in unwanted and own != {"untagged"})
    return run and not left_out


def _seconds_since_start() -> float:
    """Return how long this process has been alive."""
    started = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")
