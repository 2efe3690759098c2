"""Begins a session: from the words of a command line, or from the record of one that was interrupted."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import benchrig
from benchrig import console, yamlfile
from benchrig.ab import design, varying
from benchrig.ab.commits import Projects
from benchrig.ab.variants import Choice, choose, of_session, parse_two, setting_of
from benchrig.ab.varying import Setting
from benchrig.bench import records
from benchrig.bench.commit import commit
from benchrig.bench.run import data_set
from benchrig.bench.suite import LARGEST_SEED, BenchRequest
from benchrig.errors import InputError
from benchrig.inventory import Inventory
from benchrig.machines.base import Machines
from benchrig.results import sessions
from benchrig.results.model.session import Session, Side


@dataclass(frozen=True)
class Words:
    """What a command line names."""

    variants: tuple[str, ...] = ()
    vary: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.variants or self.vary)


@dataclass(frozen=True)
class Numbers:
    """The numbers of a design that the user chose; None: the default."""

    boots: int | None = None
    pairs: int | None = None
    seed: int | None = None

    def __bool__(self) -> bool:
        return (self.boots, self.pairs, self.seed) != (None, None, None)


Begun = tuple[Mapping[Side, Choice], Setting | None]
"""Both variants, and the setting that differs between them, if any."""


def choices(root: Path, inventory: Inventory, words: Words, request: BenchRequest, projects: Projects) -> Begun:
    """Return the variants that a command line names. Raises InputError for whatever is wrong with them."""
    asked = parse_two(words.variants, words.vary)
    setting = varying.parse(root, words.vary[0]) if words.vary else None
    return choose(root, inventory, asked, request, setting, projects), setting


def again(root: Path, inventory: Inventory, session: Session, projects: Projects) -> Begun:
    """Return the variants of a stored session. Raises InputError when files have changed, or the inventory is another."""
    settings = session.settings
    if inventory.name != session.inventory:
        raise InputError(f"--inventory {inventory.name} contradicts the session, which has {session.inventory}")
    request = BenchRequest(
        profile=session.profile,
        duration=f"{settings.duration_seconds:g}s",
        connections=settings.connections,
        threads=settings.threads,
    )
    setting = setting_of(root, session.a, session.b)
    found = choose(root, inventory, (of_session(session.a), of_session(session.b)), request, setting, projects)
    for side, then in (("A", session.a), ("B", session.b)):
        now = found["A" if side == "A" else "B"].variant
        changed = sorted(name for name in {**then.digests, **now.digests} if then.digests.get(name) != now.digests.get(name))
        if changed:
            raise InputError(
                f"{side} is not what it was when {session.name} began; changed: {', '.join(changed[:10])}",
                "Undo the change, or begin a new session.",
            )
    return found, setting


def begin(root: Path, inventory: Inventory, machines: Machines, choices: Mapping[Side, Choice], numbers: Numbers) -> Session:
    """Return the record of a new session, which has no name yet. Raises InputError for a number out of range."""
    boots, pairs = design.check(numbers.boots, numbers.pairs)
    if numbers.seed is not None and numbers.seed > LARGEST_SEED:
        raise InputError(f"--seed: {numbers.seed} is more than {LARGEST_SEED:,}")
    seed = secrets.randbelow(LARGEST_SEED) if numbers.seed is None else numbers.seed
    first = choices["A"]
    is_projects = inventory.path.resolve().parent == (root / "inventory").resolve()
    return Session(
        name="",
        a=first.variant,
        b=choices["B"].variant,
        profile=first.plan.profile,
        inventory=inventory.name,
        inventory_file="" if is_projects else os.fspath(inventory.path.resolve()),
        settings=replace(records.settings(first.plan), repeats=pairs),
        boots=boots,
        boot_by=design.boot_by(machines),
        seed=seed,
        order=design.order(boots, pairs, seed),
        started_at="",
        git_commit=commit(root, first.plan, data_set(root, first.plan), inventory.path),
        benchrig_version=benchrig.__version__,
    )


def announce(folder: Path | None, session: Session, choices: Mapping[Side, Choice]) -> None:
    """Say what is measured, and about how long that takes."""
    left = session.boots
    if folder:
        complete = [boot for boot in range(1, session.boots + 1) if sessions.is_complete(folder, session, boot)]
        left -= len(complete)
        console.line(f"{yamlfile.shown(folder)} has {len(complete)} of {design.counted(session.boots, 'boot')}")
    console.line(design.announced(session, choices["A"].plan, left))
    if session.is_same:
        console.line("A and B are the same: an A/A session, which shows what the machine can tell apart")
