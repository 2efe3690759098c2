"""The design of a session: how many boots, how they are made, in which order A and B are measured, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from benchrig.bench.suite import Plan
from benchrig.errors import InputError
from benchrig.machines.base import Lifecycle, Machines, Snapshots
from benchrig.results.model.session import BootBy, Session
from benchrig.units import about

BOOTS = 8
"""Unless the user says otherwise: the interval is 2.4 standard errors wide to each side, and more boots gain little."""

PAIRS = 2
"""In each boot: one begins with A, one with B, and their spread is known."""

MOST_BOOTS = 1_000
MOST_PAIRS = 100

CONNECT_SECONDS = 3.0
"""To connect to the hosts and look at them before each measurement. An estimate."""

PROVISION_SECONDS = 4.0
"""To set a role variable before a measurement, likewise."""

BOOT_SECONDS: Mapping[BootBy, float] = {"restore": 6.0, "reboot": 30.0, "restart": 0.0}
"""Until the machines answer."""

IN_WORDS: Mapping[BootBy, str] = {
    "restore": "the machine returns to a snapshot",
    "reboot": "the machine is stopped and started",
    "restart": "the app is started anew; the machine is not, for benchrig did not make it",
}


def check(boots: int | None, pairs: int | None) -> tuple[int, int]:
    """Return how many boots and pairs in each there are: the defaults for None. Raises InputError for one out of range."""
    for name, value, most in (("boots", boots, MOST_BOOTS), ("repeats", pairs, MOST_PAIRS)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"--{name}: {value} is not between 1 and {most:,}")
    return BOOTS if boots is None else boots, PAIRS if pairs is None else pairs


def order(boots: int, pairs: int, seed: int) -> tuple[str, ...]:
    """Return the order of A and B in each boot, such as `ABBA`: random, and the same for the same seed.

    Of the pairs of a boot, as many begin with A as with B, or one more: a drift within a boot then touches both alike.
    """
    rng = Random(seed)
    orders = []
    for _ in range(boots):
        firsts = ["AB", "BA"] * (pairs // 2) + rng.sample(["AB", "BA"], pairs % 2)
        rng.shuffle(firsts)
        orders.append("".join(firsts))
    return tuple(orders)


def boot_by(machines: Machines) -> BootBy:
    """Return how boots are made of machines of a kind: by the most that it can."""
    if isinstance(machines, Snapshots):
        return "restore"
    return "reboot" if isinstance(machines, Lifecycle) else "restart"


def seconds(session: Session, plan: Plan, boots_left: int) -> float:
    """Return about how long the boots that are left take."""
    each = plan.cell_seconds + CONNECT_SECONDS
    each += PROVISION_SECONDS if session.a.variable else 0.0
    return boots_left * (2 * session.settings.repeats * each + BOOT_SECONDS[session.boot_by])


def counted(number: int, what: str) -> str:
    """Return a number of things in words: `1 boot`, `8 boots`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def announced(session: Session, plan: Plan, boots_left: int) -> str:
    """Return the line before a session: how many measurements it makes, and how long they take."""
    pairs = session.settings.repeats
    cost = f", and each sets {session.a.variable} first" if session.a.variable else ""
    return (
        f"{counted(boots_left, 'boot')} ({IN_WORDS[session.boot_by]}) of {counted(pairs, 'pair')}: "
        f"{2 * pairs * boots_left} measurements of {plan.duration_seconds:g} s{cost}; "
        f"about {about(seconds(session, plan, boots_left))}, beside the start of machines and deployment"
    )
