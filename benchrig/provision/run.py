"""Runs plays on hosts: each host in its own thread, over one connection and, if the host has the bundle, one exec."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchrig import console
from benchrig.agent.nearest import close, nearest
from benchrig.agent.play import wire
from benchrig.agent.play.events import Request
from benchrig.agent.play.plan import Play
from benchrig.agent.secret import is_secret
from benchrig.errors import BenchrigError, ExitCode, Hint, InputError
from benchrig.inventory import Host, Inventory
from benchrig.provision import bundle as bundles
from benchrig.provision.conversation import Conversation
from benchrig.provision.exchange import Exchange
from benchrig.provision.playbook import read_playbook, tags_of
from benchrig.provision.progress import Progress
from benchrig.provision.work import HostRecap, Work
from benchrig.remote import session

_STOP_SECONDS = 0.5
"""How long closing the connections may take after Ctrl-C."""

_SPECIAL_TAGS = ("all", "always", "never", "tagged", "untagged")


class ProvisionError(BenchrigError):
    """A task failed on a host, or a host was not reached; `recaps` has the result of each host."""

    section = "provisioning"

    def __init__(self, message: str, recaps: tuple[HostRecap, ...], hint: str | Hint = "") -> None:
        super().__init__(message, hint)
        self.recaps = recaps
        if not any(recap.failed for recap in recaps):
            self.exit_code = ExitCode.UNREACHABLE
            self.section = "hosts"


@dataclass(frozen=True)
class Prepared:
    """A playbook read and checked for an inventory: what can still go wrong lies on the hosts."""

    inventory: Inventory
    """All of it, also the hosts that this run leaves alone: templates may name them."""
    request: Request
    """What every host is asked; `host`, `plays` and `hostvars` are filled in for each."""
    bundle: bundles.Bundle
    plays_by_host: Mapping[str, Sequence[int]]
    exchanges: bool
    """Templates may ask for what tasks of other hosts found out: `hostvars` stands somewhere in what is sent."""
    skipped: Sequence[str]
    """Lines shown before the run: plays that match no host."""
    warnings: Sequence[str]
    """Warnings shown before the run: names in plays that match nothing, and groups that look like such a name misspelt."""


def prepare(
    inventory: Inventory,
    playbook: Path,
    *,
    limit: Sequence[str] | None = None,
    check: bool = False,
    diff: bool = False,
    tags: Sequence[str] = (),
    skip_tags: Sequence[str] = (),
    extra_vars: Mapping[str, Any] | None = None,
) -> Prepared:
    """Read a playbook and its roles, and check them for an inventory whose machines need not be up yet.

    With `limit` only the hosts of these names are run on. With `check` the run will change nothing. Raises InputError with
    every mistake in the files, for an unknown tag, and when no play is for any of the hosts.
    """
    plays = read_playbook(playbook)
    _known_tags(plays, (*tags, *skip_tags))
    chosen = {name: indexes for name, indexes in _plays_by_host(inventory, plays).items() if limit is None or name in limit}
    if not chosen:
        raise InputError(f"no play of {playbook.name} matches a host of inventory '{inventory.name}'")
    bundle = bundles.make(playbook.parent, plays)
    request = Request(bundle.sha, (), "", inventory.groups, {}, extra_vars or {}, check, diff, tuple(tags), tuple(skip_tags))
    exchanges = _exchanges(inventory, request, bundle)
    return Prepared(
        inventory, request, bundle, chosen, exchanges, (*_skipped(inventory, plays),), (*_warnings(inventory, plays),)
    )


def provision(inventory: Inventory, prepared: Prepared) -> tuple[HostRecap, ...]:
    """Run a prepared playbook and print what happens; return how each host fared.

    `inventory` says how the hosts that are run on are reached. Raises ProvisionError when a task failed or a host could
    not be reached.
    """
    for line in prepared.skipped:
        console.line(line, "faint")
    for warning in prepared.warnings:
        console.warn(warning)
    exchange = Exchange(prepared.plays_by_host)
    works = [_work(inventory, prepared, name, exchange) for name in prepared.plays_by_host]
    _run_all(works)
    recaps = tuple(work.recap for work in works)
    _tell(recaps, check=prepared.request.check)
    return recaps


def _work(inventory: Inventory, prepared: Prepared, name: str, exchange: Exchange) -> Work:
    request = replace(
        prepared.request,
        plays=prepared.plays_by_host[name],
        host=name,
        hostvars=_hostvars({**prepared.inventory.hosts, **inventory.hosts}, name),
        peers=_peers(inventory, prepared, name),
        session=session.session(),
        who=session.who(),
        run=os.urandom(8).hex(),
    )
    progress = Progress(name, name_host=len(prepared.plays_by_host) > 1, check=request.check)
    return Work(Conversation(inventory.hosts[name], request, prepared.bundle, progress, exchange))


def _exchanges(inventory: Inventory, request: Request, bundle: bundles.Bundle) -> bool:
    """Return whether anything that a template may be in mentions `hostvars`."""
    variables = wire.dumps([request.extra, *(host.variables for host in inventory.hosts.values())])
    return "hostvars" in variables or any(b"hostvars" in data for data in bundle.content.values())


def _peers(inventory: Inventory, prepared: Prepared, name: str) -> tuple[str, ...]:
    """Return the hosts of the run that a host may ask for what their tasks found out."""
    if not prepared.exchanges:
        return ()
    own = inventory.hosts[name]
    # Two names of one machine are run one after the other: the first would wait for the second for ever.
    return tuple(
        other
        for other in prepared.plays_by_host
        if (inventory.hosts[other].address, inventory.hosts[other].port) != (own.address, own.port)
    )


def _known_tags(plays: Sequence[Play], asked: Sequence[str]) -> None:
    known = tags_of(plays)
    for tag in asked:
        if tag not in known and tag not in _SPECIAL_TAGS:
            raise InputError(f"no task has the tag '{tag}'; {nearest(tag, known)}")


def _plays_by_host(inventory: Inventory, plays: Sequence[Play]) -> dict[str, list[int]]:
    """Return for each host the plays that are for it."""
    chosen: dict[str, list[int]] = {}
    for index, play in enumerate(plays):
        for host in inventory.matching(play.hosts):
            chosen.setdefault(host.name, []).append(index)
    return chosen


def _skipped(inventory: Inventory, plays: Sequence[Play]) -> Iterator[str]:
    """Yield a line for each play that matches no host, as Ansible does."""
    for play in plays:
        if not inventory.matching(play.hosts):
            yield f"skipped: {play.name}: inventory '{inventory.name}' has no host in '{play.hosts}'"


def _warnings(inventory: Inventory, plays: Sequence[Play]) -> Iterator[str]:
    """Yield warnings for names in the plays' patterns that the inventory does not have, or has under a similar name.

    A play that matches no host warns only of a similar name: an inventory need not have all groups.
    """
    known = [*inventory.groups, *inventory.hosts]
    named = [[part.strip().lstrip("!") for part in play.hosts.replace(":", ",").split(",")] for play in plays]
    idle = sorted(inventory.groups.keys() - {"all"} - {name for names in named for name in names})
    for play, names in zip(plays, named, strict=True):
        for name in names:
            if name in known or "*" in name:
                continue
            if inventory.matching(play.hosts):
                yield f"{play.where}: no group or host '{name}' in inventory '{inventory.name}'; {nearest(name, known)}"
            elif meant := close(name, idle, cutoff=0.75):
                where = inventory.group_places.get(meant[0], inventory.path)
                yield f"{where}: no play matches group '{meant[0]}'; did you mean '{name}'?"


def _hostvars(hosts: Mapping[str, Host], name: str) -> dict[str, dict[str, Any]]:
    """Return the variables of every host, without the secrets of other hosts."""
    return {
        host.name: dict(host.variables) if host.name == name else _without_secrets(host.variables) for host in hosts.values()
    }


def _without_secrets(value: Any) -> Any:
    """Return a value without the secrets in it, however deep they lie."""
    if isinstance(value, Mapping):
        return {key: _without_secrets(inner) for key, inner in value.items() if not is_secret(str(key))}
    if isinstance(value, (list, tuple)):
        return [_without_secrets(inner) for inner in value]
    return value


def _run_all(works: Sequence[Work]) -> None:
    """Run all hosts at the same time, until they are done or the user presses Ctrl-C; a second one ends at once."""
    threads = _started([work.run for work in works])
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        console.status("")
        if running := [f"{work.talk.host.name}: '{task}'" for work in works if (task := work.running())]:
            console.warn(f"interrupted; a host finishes its running task and stops: {', '.join(running)}")
        # A connection to a host that hangs may take long to close.
        deadline = time.monotonic() + _STOP_SECONDS
        for thread in _started([work.stop for work in works]):
            thread.join(max(0.0, deadline - time.monotonic()))
        raise
    finally:
        console.status("")


def _started(calls: Sequence[Callable[[], None]]) -> list[threading.Thread]:
    """Return threads that make calls, and that the end of the program does not wait for."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    return threads


def _tell(recaps: Sequence[HostRecap], *, check: bool) -> None:
    """Print the recap; raise ProvisionError unless all went well."""
    for recap in recaps:
        style = "bad" if recap.failed or recap.unreachable else "changed" if recap.changed else "good"
        console.line(recap.line() if recap.unreachable else f"{recap.line()} ({recap.cost()})", style)
    if any(recap.failed or recap.unreachable for recap in recaps):
        raise _error(recaps)
    if not any(recap.changed for recap in recaps):
        console.line("nothing would change" if check else "nothing changed", "good")


def _error(recaps: Sequence[HostRecap]) -> ProvisionError:
    """Return the run's error: why hosts were not reached, and on which a task failed; the task itself was shown before."""
    unreachable = [recap for recap in recaps if recap.unreachable]
    failed = [recap.host for recap in recaps if recap.failed]
    reasons = [recap.failure for recap in unreachable] + ([f"provisioning failed on {', '.join(failed)}"] if failed else [])
    return ProvisionError("; ".join(reasons), tuple(recaps), unreachable[0].hint if unreachable else "")
