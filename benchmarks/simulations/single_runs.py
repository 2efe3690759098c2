"""Two single runs: how often the same system is called different, because boots of the machine differ."""

from __future__ import annotations

from benchmarks.simulations.cases import markdown, percent, spread_out
from benchmarks.simulations.errors import boots

COUNTS = (3, 6, 10, 20)
TIMES = (0.0, 0.25, 0.5, 1.0, 2.0)


def table(rounds: int = 2000) -> list[str]:
    """Return the share of false differences of one row, for each number of repeats and size of the boots' spread."""
    jobs = [(n, times, rounds) for n in COUNTS for times in TIMES]
    found = dict(zip([(n, times) for n in COUNTS for times in TIMES], spread_out(boots, jobs), strict=True))
    rows = [[str(n), *(percent(found[n, times]) for times in TIMES)] for n in COUNTS]
    return markdown(["repeats", *(f"{times:g} ×" for times in TIMES)], rows)
