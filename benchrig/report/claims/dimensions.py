"""Units in expressions: which can be written, what a term's unit is, and which terms can be added and compared.

A number without a unit takes that of the figure beside it: `latency_p99(sanic) > 200` is in ms. As a factor, it has none.
Products and quotients of figures have derived units; a quotient of like figures is a plain number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchrig.units import BYTES, COUNT, MILLISECONDS, NUMBER, PERCENT_OF_A_CORE, REQUESTS_PER_SECOND

WRITTEN: Mapping[str, tuple[str, float]] = {
    "us": (MILLISECONDS.name, 0.001),
    "µs": (MILLISECONDS.name, 0.001),
    "ms": (MILLISECONDS.name, 1),
    "s": (MILLISECONDS.name, 1000),
    "requests/s": (REQUESTS_PER_SECOND.name, 1),
    "%": (PERCENT_OF_A_CORE.name, 1),
    "B": (BYTES.name, 1),
    "KiB": (BYTES.name, 1024),
    "MiB": (BYTES.name, 1024**2),
    "GiB": (BYTES.name, 1024**3),
}
"""Units that an expression can have behind a number: the unit of metrics that each is converted to, and its size in it."""


class UnitError(Exception):
    """Units that do not fit; the text says which."""


@dataclass(frozen=True)
class Dimension:
    """The unit of a term, as powers of the units of metrics."""

    powers: tuple[tuple[str, int], ...] = ()
    """Sorted by the unit's name, without powers of 0."""
    bare: bool = False
    """It is a number without a unit, which can stand for any."""
    counted: bool = False
    """It is a plain number of something, and not the quotient of two like figures."""
    written: bool = False
    """A unit is written in it."""

    @property
    def text(self) -> str:
        """The unit in words: `ms`, `requests/s * ms`, `a plain number`."""
        if not self.powers:
            return "a plain number"
        above = " * ".join(_power(name, power) for name, power in self.powers if power > 0)
        below = "".join(f" / {_power(name, -power)}" for name, power in self.powers if power < 0)
        return (above or "1") + below

    @property
    def unit(self) -> str:
        """The unit behind a number of it: that of a metric; empty where it is none."""
        return self.powers[0][0] if len(self.powers) == 1 and self.powers[0][1] == 1 else ""

    @property
    def derived(self) -> bool:
        """It is a product or quotient, whose unit no metric has."""
        return bool(self.powers) and not self.unit


BARE = Dimension(bare=True)


def of_unit(name: str) -> Dimension:
    """Return the dimension of a metric's unit."""
    return Dimension(counted=True) if name in (COUNT.name, NUMBER.name) else Dimension(((name, 1),))


def multiplied(left: Dimension, right: Dimension, sign: int = 1) -> Dimension:
    """Return the dimension of a product; with a sign of -1, of a quotient."""
    powers = dict(left.powers)
    for name, power in right.powers:
        powers[name] = powers.get(name, 0) + sign * power
    found = tuple(sorted((name, power) for name, power in powers.items() if power))
    written = left.written or right.written
    if found:
        return Dimension(found, written=written)
    kinds = (left, right)
    if all(one.bare or one.counted for one in kinds) and any(one.bare for one in kinds):
        # `50 * cores(go)` is a number of anything.
        return Dimension(bare=True, written=written)
    counted = left.counted != right.counted if sign < 0 else left.counted or right.counted
    return Dimension(counted=counted, written=written)


def joined(left: Dimension, right: Dimension, texts: tuple[str, str], verb: str) -> Dimension:
    """Return the dimension of two terms that are added or compared. Raises UnitError where they are of different kinds."""
    for bare, other, text in ((left, right, texts[1]), (right, left, texts[0])):
        if bare.bare:
            if other.derived and other.written:
                raise UnitError(f"{text} is in {other.text}: a number beside it needs units, too")
            return Dimension(other.powers, other.bare, other.counted, other.written)
    if left.powers != right.powers:
        kinds = " and ".join(f"{text} is {_in(of)}" for text, of in zip(texts, (left, right), strict=True))
        raise UnitError(f"{kinds}: they cannot be {verb}")
    return Dimension(left.powers, False, left.counted or right.counted, left.written or right.written)


def _in(of: Dimension) -> str:
    return f"in {of.text}" if of.powers else of.text


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"
