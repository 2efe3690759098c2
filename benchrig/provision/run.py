"""Runs plays on hosts: each host in its own thread, over one connection and, if the host has the bundle, one exec."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchrig import console
from benchrig.agent.nearest import close, nearest
from benchrig.agent.play import wire
from benchrig.agent.play.events import Recap, Request
from benchrig.agent.play.plan import Play
from benchrig.agent.play.redact import is_secret
from benchrig.errors import BenchrigError, ExitCode, Hint, HostError, InputError
from benchrig.inventory import Host, Inventory
from benchrig.provision import bundle as bundles
from benchrig.provision.conversation import Conversation
from benchrig.provision.exchange import Exchange
from benchrig.provision.playbook import read_playbook, tags_of
from benchrig.provision.progress import Progress
from benchrig.remote import ssh

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


@dataclass
class _Work:
    """The work for one host, and its result."""

    talk: Conversation
    recap: HostRecap
    remote: ssh.Remote | None = None
    stopped: bool = False
    """The user ended it."""

    def stop(self) -> None:
        """End it, from another thread: its connection is closed, whereupon the agent stops before its next task."""
        self.stopped = True
        if self.remote is not None:
            self.remote.close()


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


def _work(inventory: Inventory, prepared: Prepared, name: str, exchange: Exchange) -> _Work:
    request = replace(
        prepared.request,
        plays=prepared.plays_by_host[name],
        host=name,
        hostvars=_hostvars({**prepared.inventory.hosts, **inventory.hosts}, name),
        peers=_peers(inventory, prepared, name),
    )
    progress = Progress(name, name_host=len(prepared.plays_by_host) > 1, check=request.check)
    return _Work(Conversation(inventory.hosts[name], request, prepared.bundle, progress, exchange), HostRecap(name))


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


def _run_all(works: Sequence[_Work]) -> None:
    """Run all hosts at the same time, until they are done or the user presses Ctrl-C."""
    threads = [threading.Thread(target=_run_one, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        for work in works:
            work.stop()
        raise
    finally:
        console.status("")


def _run_one(work: _Work) -> None:
    started = time.monotonic()
    host = work.talk.host
    try:
        with ssh.connect(host) as remote:
            work.remote = remote
            recap = _recap(work.talk, work.talk.hold(remote))
            work.recap = replace(recap, execs=remote.execs, seconds=time.monotonic() - started)
    except HostError as error:
        if work.stopped:
            return
        work.recap = HostRecap(host.name, unreachable=1, failure=str(error), hint=error.hint)
    except Exception as error:
        # An error in a thread is lost unless it is recorded here.
        work.recap = HostRecap(host.name, failed=1, failure=f"{host.name}: {type(error).__name__}: {error}")
        raise
    finally:
        work.talk.exchange.end(host.name)


def _recap(talk: Conversation, recap: Recap | None) -> HostRecap:
    """Return the result of a host from its agent's recap, which is None when the agent broke."""
    name = talk.host.name
    if recap is None:
        return HostRecap(name, failed=1, failure=f"{name}: {talk.broken}")
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
        failure=talk.progress.failure,
    )


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
