"""A metric: its name, unit, heading, kind, and how it is read from a result."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from benchrig.language import say_data
from benchrig.results.spoils import Spoils
from benchrig.units import MILLISECONDS, Unit

if TYPE_CHECKING:
    from benchrig.bench.generators.base import Printed
    from benchrig.results.model import Cell

Kind = Literal["higher is better", "lower is better", "count"]
Combined = Literal["median", "max", "min"]

FILES_ONLY = 0.0
"""The priority of a column that a terminal never shows."""

ALWAYS = math.inf
"""The priority of a column that a terminal always shows."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric: what was measured of a row, and how every report shows it."""

    name: str
    """Its key in CSV, JSON, published figures and headings; it ends with the unit."""
    heading: str
    """Heads its column on the terminal, in Markdown and in HTML; `\\n` is where the line may break."""
    meaning: str
    """What it is, in one line of docs/metrics.md."""
    unit: Unit
    kind: Kind
    """A claim about a count is judged by every repeat; one about another metric, by the interval of its median."""
    read: Callable[[Cell], float | None]
    """Returns its value in one measured repeat; None where the repeat has none."""
    read_otherwise: Callable[[Cell], float | None] = lambda _: None
    """Returns its value in a repeat that has none, where another repeat of the row has one: all repeats count, or none."""
    read_text: Callable[[Printed], float | None] = lambda _: None
    """Returns its value in the load generator's own text, which a document may print."""
    priority: float = FILES_ONLY
    """A terminal that is too narrow drops the column with the lowest priority first."""
    compared: bool = False
    """`./inv compare` compares by it: it has a direction, of which one end is the better."""
    published: bool = False
    """The table of a document may give it: it is a key of `configs/published/NAME.yml`."""
    instead_of: str = ""
    """The metric that it stands in for: a terminal and `./inv compare` show it only beside rows without that one."""
    combined: Combined = "median"
    """How the repeats become one value. The median of a count is the lower of the middle two, which was really counted. Of
    faults and extremes it is the most, or the least, of all repeats: a median would hide a fault that some repeats had."""
    grows: bool = False
    """It grows with the duration: a claim compares it only with a value over the same duration."""
    rises: bool = False
    """A longer load can raise it and never lowers it: in a load shorter than the article's, it is a lower bound."""
    function: str = ""
    """Its function in the language of claims; without one, its name without the unit."""

    @property
    def claimed(self) -> str:
        """The function that reads it in the language of claims: `latency_p99`."""
        return self.function or self.name.removesuffix(self.unit.ending)

    @property
    def higher_is_better(self) -> bool:
        """More of it is better, as of throughput. Of the counts that are compared, which are of errors, less is."""
        return self.kind == "higher is better"

    @property
    def by_repeat(self) -> bool:
        """A claim is judged by its value in every repeat, and not by the interval of its median."""
        return self.kind == "count" or self.combined != "median"

    @property
    def spoiled_by(self) -> Spoils:
        """What a warning must spoil to make it invalid: latencies, counts, or rates, among them use of CPU and memory."""
        if self.kind == "count":
            return Spoils.COUNTS
        return Spoils.LATENCY if self.unit is MILLISECONDS else Spoils.RATE

    @property
    def value_type(self) -> Any:
        """The type of its values: `int` for a count, else `float`."""
        return int if self.kind == "count" else float

    @property
    def label(self) -> str:
        """Its heading in one line, in the language in use."""
        return say_data(self.heading.replace("\n", " "))
