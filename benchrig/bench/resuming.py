"""Resumes a run that was interrupted: which one is meant, what it lacks, and whether the conditions are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig import console, yamlfile
from benchrig.bench import until
from benchrig.bench.goal import Repeat, repeat_of
from benchrig.bench.order import Key
from benchrig.bench.suite import LARGEST_COUNT, LARGEST_SEED, BenchRequest, Expected, Plan, wrong_seconds
from benchrig.errors import Hint, InputError, Inv, unknown
from benchrig.inventory import Inventory
from benchrig.results import store
from benchrig.results.lock import RunLock
from benchrig.results.model import Machine, Part, Run, Settings, Status

CLOSE = 0.01
"""Two sizes of memory that differ by less than this share are the same: a kernel takes more or less of it at each boot."""

OWN = "net.ipv4.ip_local_reserved_ports"
"""A kernel setting that no difference is told of: a bench reserves the app's port itself, for its first cell."""


@dataclass(frozen=True)
class Begun:
    """A run that has begun: its folder, its record, and which of its cells are measured."""

    folder: Path
    run: Run
    measured: Mapping[Key, Status]
    despite_changes: bool = False
    """The user said to go on although conditions have changed."""
    lock: RunLock | None = None
    """Held since before the cells were read, so that no other process adds one; None of a complete run."""
    repeats: tuple[Repeat, ...] = ()
    """What was measured, as far as the goal of a run needs it to which rounds are added."""

    @property
    def is_complete(self) -> bool:
        """Nothing is left to do: it came to its end, and all its cells can be read."""
        return bool(self.run.finished_at) and not self.run.goes_on and not _lacks_cells(self.run, self.measured)

    @property
    def said(self) -> str:
        """What it has, in words: `1 measured cell`."""
        return "1 measured cell" if len(self.measured) == 1 else f"{len(self.measured)} measured cells"

    @property
    def inventory(self) -> str:
        """The inventory, as it is named on the command line."""
        return self.run.inventory_file or self.run.inventory

    def request(self, given: BenchRequest) -> BenchRequest:
        """Return what was asked for when the run began. Raises InputError for a flag that contradicts it."""
        run, settings = self.run, self.run.settings
        duration = None
        with suppress(ValueError):
            duration = yamlfile.seconds(given.duration)
        goal, at_most = _asked(settings)
        self._check("suite", given.suite, given.suite == run.suite, run.suite)
        self._check("profile", given.profile, given.profile == run.profile, run.profile)
        self._check("only", ",".join(given.only), set(given.only) == set(run.rows), ",".join(run.rows))
        self._check("duration", given.duration, duration == settings.duration_seconds, f"{settings.duration_seconds:g}s")
        if given.pin and not settings.pin:
            wrong = f"--pin contradicts the run {self.folder.name}, which was begun without it"
            raise InputError(wrong, Hint("Leave out --pin, or begin a new run without --resume."))
        for flag, none in {"connections": "each row's own", "threads": "", "repeats": "", "seed": "none"}.items():
            value, stored = getattr(given, flag), getattr(settings, flag)
            self._check(flag, value, value == stored, none if stored is None else stored)
        self._check("until", given.until, _same_goal(given.until, "", settings), goal or "a fixed number of repeats")
        self._check("at-most", given.at_most, _same_goal(goal, given.at_most, settings), at_most or "no such limit")
        return BenchRequest(
            suite=run.suite,
            profile=run.profile,
            only=run.rows,
            duration=f"{settings.duration_seconds:.0f}s",
            connections=settings.connections,
            threads=settings.threads,
            repeats=settings.repeats,
            seed=settings.seed,
            until=goal,
            at_most=at_most,
            pin=settings.pin,
        )

    def check_inventory(self, given: Inventory) -> None:
        """Raise InputError for another inventory than the run's."""
        same = given.name == self.run.inventory and self.run.inventory_file in ("", str(given.path.resolve()))
        self._check("inventory", given.name, same, self.inventory)

    def _check(self, flag: str, given: object, same: bool, stored: object) -> None:
        if given not in ("", None) and not same:
            wrong = f"--{flag} {given} contradicts the run {self.folder.name}, which has {stored}"
            raise InputError(wrong, Hint(f"Leave out --{flag}, or begin a new run without --resume."))

    def planned(self, plan: Plan) -> Plan:
        """Return the plan with the rows of the run in their order, and its settings; a suite may have others by now.

        Raises InputError for a row that the suite does not have.
        """
        settings = self.run.settings
        rows = {row.name: row for row in plan.rows}
        if gone := [name for name in self.run.rows if name not in rows]:
            raise unknown("row", gone[0], rows)
        own_timeout = plan.effective_timeout == settings.timeout_seconds
        return replace(
            plan,
            rows=tuple(rows[name] for name in self.run.rows),
            seed=settings.seed,
            warm_up_seconds=settings.warm_up_seconds,
            timeout_seconds=plan.timeout_seconds if own_timeout else settings.timeout_seconds,
            expect=tuple(Expected(text, yamlfile.shown(self.folder / store.RUN)) for text in self.run.expect),
        )

    def check(self, differences: Sequence[str]) -> None:
        """Raise InputError when conditions have changed, unless the user said to go on all the same."""
        if differences and not self.despite_changes:
            go_on = Inv("bench", "--resume", self.folder.name, "--despite-changes")
            raise InputError(
                f"{yamlfile.shown(self.folder)} cannot be resumed: {'; '.join(differences)}",
                Hint("Undo these changes. To go on all the same, and have each row marked: ", go_on),
            )

    def resumed(self, now: Run) -> Run:
        """Return the run's record with a new part under the conditions of `now`. Raises InputError as `check` does."""
        changed = (*digest_differences(self.run, now), *differences(self.run, now))
        self.check(changed)
        console.line(f"resuming {yamlfile.shown(self.folder)}, which has {self.said}")
        if not self.run.digests:
            console.warn("the run does not say which rows and apps it measured, as it is of an earlier version")
        if now.git_commit != self.run.git_commit:
            console.line(f"the commit was {self.run.git_commit or 'unknown'}, and is {now.git_commit or 'unknown'}")
        part = Part(now.started_at, now.machines, now.git_commit, now.benchrig_version, changed)
        return replace(self.run, finished_at="", ended=None, parts=(*self.run.parts, part))


def find(reports: Path, name: str, *, despite_changes: bool = False) -> Begun:
    """Return a run by its folder's name or its path; for an empty name, the newest that was interrupted.

    Where none was interrupted, the newest run is returned, which is complete unless cells of it are damaged. Raises
    InputError when there is no run, another process measures it, or its settings are none that a suite could have.
    """
    folder = store.find_run(reports, name) if name else store.newest_begun(reports)
    try:
        lock = RunLock(folder)
    except OSError as error:
        raise InputError(f"{yamlfile.shown(folder)} cannot be read: {error.strerror}") from None
    run, cells = store.read(folder)
    repeats = tuple(map(repeat_of, cells))
    begun = Begun(folder, run, {one.key: one.status for one in repeats}, despite_changes, lock, repeats)
    if begun.is_complete:
        lock.release()
        return replace(begun, lock=None)
    if wrong := next(_wrong(run), ""):
        hint = "Undo the change of the file, or begin a new run without --resume."
        raise InputError(f"{yamlfile.shown(folder / store.RUN)} is damaged: {wrong}", hint)
    return begun


def _lacks_cells(run: Run, measured: Mapping[Key, Status]) -> bool:
    """Say whether a row of a run lacks a repeat: on one of its servers; of a service that ran already, where it ran."""
    servers = set(run.servers)
    hosts: dict[str, set[str]] = {name: set() for name in run.rows}
    for name, host, _ in measured:
        hosts.get(name, set()).add(host)

    def has_all(name: str, host: str) -> bool:
        return all((name, host, repeat) in measured for repeat in range(1, run.repeats + 1))

    return not all(
        all(has_all(name, host) for host in servers) if found & servers else any(has_all(name, host) for host in found)
        for name, found in hosts.items()
    )


def _wrong(run: Run) -> Iterator[str]:
    """Yield what no suite could have asked for, with its field in `run.json`."""
    for name in ("duration_seconds", "warm_up_seconds", "timeout_seconds"):
        value = getattr(run.settings, name)
        if wrong := wrong_seconds(value):
            yield f"settings.{name}: {value:g} is {wrong}"
    for name in ("threads", "repeats", "connections"):
        count = getattr(run.settings, name)
        if count is not None and not 1 <= count <= LARGEST_COUNT:
            yield f"settings.{name}: {count} is not between 1 and {LARGEST_COUNT:,}"
    yield from _wrong_goal(run.settings)
    if not run.rows:
        yield "rows: there is none"
    yield from (f"rows: '{name}' is there twice" for at, name in enumerate(run.rows) if name in run.rows[:at])


def _wrong_goal(settings: Settings) -> Iterator[str]:
    """Yield what no one could have asked for of the order of a run and of its end."""
    if settings.seed is not None and not 0 <= settings.seed <= LARGEST_SEED:
        yield f"settings.seed: {settings.seed} is not between 0 and {LARGEST_SEED:,}"
    if settings.until_percent is None:
        return
    if wrong := until.wrong_percent(settings.until_percent):
        yield f"settings.until_percent: {settings.until_percent:g} is {wrong}"
    if wrong := until.wrong_seconds(settings.at_most_seconds or 0):
        yield f"settings.at_most_seconds: {settings.at_most_seconds or 0:g} is {wrong}"


def _asked(settings: Settings) -> tuple[str, str]:
    """Return the values of --until and --at-most that ask for what settings say; both are empty of a fixed number."""
    if settings.until_percent is None:
        return "", ""
    return f"{_digits(settings.until_percent)}%", f"{_digits(settings.at_most_seconds or 0)}s"


def _digits(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")


def _same_goal(goal: str, at_most: str, settings: Settings) -> bool:
    """Say whether values of --until and --at-most, each as far as it is given, ask for what settings say."""
    with suppress(InputError):
        found = until.read(goal, at_most)
        if found and found.percent == settings.until_percent:
            return not at_most or found.at_most_seconds == settings.at_most_seconds
    return False


def digest_differences(then: Run, now: Run) -> tuple[str, ...]:
    """Return which rows, apps and data sets are not what they were; none of a run that does not say what they were."""
    names = [name for name in {**then.digests, **now.digests} if then.digests.get(name) != now.digests.get(name)]
    # A file is named behind what it belongs to. A run of an earlier version does not name files.
    files = {name: [one.removeprefix(f"{name}: ") for one in names if one.startswith(f"{name}: ")] for name in names}
    known = {one.partition(": ")[0] for one in then.digests if ": " in one}
    changed = [
        f"{name} ({', '.join(files[name])})" if files[name] and name in known else name for name in names if ": " not in name
    ]
    return (f"changed: {', '.join(changed)}",) if then.digests and changed else ()


def differences(then: Run, now: Run) -> tuple[str, ...]:
    """Return in which conditions a run differs from what it was: servers, machines, database."""
    after = {machine.name: machine for machine in now.machines}
    found = [*_changed("", {"servers": ", ".join(then.servers)}, {"servers": ", ".join(now.servers)})]
    for machine in then.machines:
        if machine.name not in after:
            found.append(f"{machine.name} takes no part any more")
        else:
            present = after[machine.name]
            found += _changed(f"{machine.name}: ", _facts(machine), _facts(present))
            # A program that came or went is none of the rows': what they need is installed.
            both = machine.versions.keys() & present.versions.keys()
            versions = ({name: one.versions[name] for name in sorted(both)} for one in (machine, present))
            found += _changed(f"{machine.name}: ", *versions)
            # What only one of them says is not known of the other: a run of an earlier version has none.
            then_, now_ = machine.environment.conditions(), present.environment.conditions()
            known = [name for name in then_ if name in now_]
            found += _changed(f"{machine.name}: ", *({name: one[name] for name in known} for one in (then_, now_)))
    if then.database and now.database:
        before, since = ({"PostgreSQL": one.version, **one.settings} for one in (then.database, now.database))
        found += _changed(f"{now.database.host}: ", before, since)
    return tuple(found)


def _facts(machine: Machine) -> dict[str, object]:
    return {
        "CPU": machine.cpu,
        "cores": machine.cores,
        "memory": machine.memory_bytes,
        "kernel": machine.kernel,
        "system": machine.os,
        "virtualization": machine.virtualization,
        **{name: value for name, value in machine.sysctls.items() if name != OWN},
        **machine.limits,
        **{f"CPUs of the {name}": cpus for name, cpus in machine.pinned.items()},
    }


def _changed(who: str, then: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    for name in {**then, **now}:
        before, since = then.get(name, "absent"), now.get(name, "absent")
        if before != since and not _close(before, since):
            yield f"{who}{name} was {before}, is {since}"


def _close(before: object, since: object) -> bool:
    """Say whether two sizes in bytes are about the same."""
    if isinstance(before, int) and isinstance(since, int):
        return abs(before - since) < CLOSE * before and before > 1 << 20
    return False
