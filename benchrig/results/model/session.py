"""The record of a session of `./inv ab`: two variants, measured in turn over several boots of their machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from benchrig.results.model.machine import Machine
from benchrig.results.model.run import Settings

BootBy = Literal["restore", "reboot", "restart"]
"""How a boot is made: the machines return to a snapshot, are stopped and started, or only the app is started anew."""

Side = Literal["A", "B"]


@dataclass(frozen=True)
class Variant:
    """One side of a comparison: a row, and what is particular about it."""

    suite: str
    row: str
    host: str
    """The server."""
    named: str = ""
    """As the user wrote it: `go-2000@HEAD~1`."""
    commit: str = ""
    """The commit whose `apps/` is deployed, in full; empty: the files as they are."""
    variable: str = ""
    """The role variable that is set before each measurement; empty: none is."""
    value: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of what is measured, as in a run: `row go-2000`, `app go`."""


@dataclass(frozen=True)
class MetricSpread:
    """The spread of one metric of one system: standard deviations of logarithms, 0.01 is 1 %."""

    metric: str
    """Its name, `requests_per_second`."""
    within: float
    """Of measurements in one boot."""
    between: float
    """Of the levels of boots, without the part that the measurements in them explain."""
    boots: int
    means: float = 0.0
    """Of the means of boots, with that part: what comparisons of single runs rest on. 0: not known."""


@dataclass(frozen=True)
class Session:
    """A session of `./inv ab`. Its measurements are runs of their own in the folders `boot-1`, `boot-2` and so on."""

    name: str
    """The session's folder name under `reports/`."""
    a: Variant
    b: Variant
    profile: str
    inventory: str
    settings: Settings
    """Of each measurement; `repeats` is the number of pairs in each boot."""
    boots: int
    boot_by: BootBy
    seed: int
    order: tuple[str, ...]
    """For each boot the order of its measurements: `ABBA` is a pair with A first, and one with B first."""
    started_at: str
    finished_at: str = ""
    inventory_file: str = ""
    """The absolute path of an inventory that is not a file of `inventory/`."""
    prepared: bool = False
    """The machines have all that both variants need, and a snapshot where boots are restores."""
    machines: tuple[Machine, ...] = ()
    """As they were before the first boot."""
    git_commit: str = ""
    benchrig_version: str = ""
    spreads: tuple[MetricSpread, ...] = ()
    """Of an A/A session that `tells_boots`: how far measurements of the same system differ."""

    @property
    def is_same(self) -> bool:
        """A and B are the same: an A/A session, which shows what the machine can tell apart."""
        return self._key(self.a) == self._key(self.b)

    @property
    def tells_boots(self) -> bool:
        """It shows how far boots of a machine differ: a complete A/A session whose machines were booted.

        Without a boot, only the app starts anew. A varied setting is none of the conditions that a run states.
        """
        return bool(self.finished_at) and self.is_same and self.boot_by != "restart" and not self.a.variable

    @staticmethod
    def _key(variant: Variant) -> tuple[object, ...]:
        digests = tuple(sorted(variant.digests.items()))
        return variant.suite, variant.row, variant.host, variant.variable, variant.value, digests
