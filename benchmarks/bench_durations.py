"""What a short load leaves out: 5 s beside 30 s for each app of both suites, measured in turns.

A round measures each row once for 5 s and once for 30 s, one after the other; the next round begins with the other one. A
long load's series also says what the load would have measured if it had ended after 5 s or 10 s, free of what differs
between two loads. Each cell is kept in FILE at once: stop at any time, and run it again to go on. The table is printed at
the end, after Ctrl-C, and alone with `--rounds 0`.

    python benchmarks/bench_durations.py [--rounds 3] [--short 5] [--long 30] [--file FILE] [ROW ...]
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchrig import inventory
from benchrig.bench.app import read_apps
from benchrig.bench.run import bench
from benchrig.bench.suite import BenchRequest, plan
from benchrig.errors import BenchrigError
from benchrig.inventory import Inventory
from benchrig.machines import machines_of
from benchrig.results import audit, store
from benchrig.results.model import Cell
from benchrig.results.steadiness import of_cell

ROOT = Path(__file__).parent.parent
ROWS = {
    "web-frameworks": ("*", "!go-20000", "!openresty-25000"),
    "quart-vs-flask": ("film",),
}
"""Which rows of each suite: those that fit into a lab, and of the second suite one route of each app."""

PREFIXES = (5.0, 10.0, 20.0)


@dataclass(frozen=True)
class Kept:
    """What is kept of a cell."""

    row: str
    duration: int
    requests_per_second: float
    steady_requests_per_second: float | None
    p99_ms: float
    max_ms: float
    late: int
    prefixes: dict[str, float]
    """The throughput of the load's first seconds over that of the whole load."""
    warnings: list[str]
    """The codes of all warnings, to count false alarms on a quiet machine."""


def prefixes(cell: Cell) -> dict[str, float]:
    """Return what a load's first seconds would have measured, as shares of the whole load's throughput."""
    if not (cell.load and cell.server):
        return {}
    series, seconds = cell.server.series, cell.load.duration_us / 1e6
    whole = sent(series.end_seconds, series.segments, seconds)
    shares = {
        f"{first:g}": sent(series.end_seconds, series.segments, first) / first for first in PREFIXES if first < seconds
    }
    return {first: share / (whole / seconds) for first, share in shares.items()} if whole else {}


def sent(ends: Sequence[float], segments: Sequence[int], until: float) -> float:
    """Return how many segments were sent until then, the interval that it falls into by its share."""
    total, start = 0.0, 0.0
    for end, count in zip(ends, segments, strict=True):
        total += count * min(1.0, max(0.0, (until - start) / (end - start)))
        start = end
    return total


def measure(hosts: Inventory, suite: str, row: str, duration: int) -> Kept | None:
    """Measure one row once; None if that was not possible."""
    wanted = plan(ROOT, read_apps(ROOT), BenchRequest(suite=suite, only=(row,), duration=f"{duration}s", repeats=1))
    outcome = bench(hosts, ROOT, wanted)
    run, (cell,) = store.read(ROOT / outcome.shown)
    if cell.status != "measured" or cell.load is None:
        return None
    judged = of_cell(cell)
    latency = cell.load.latency
    return Kept(
        row=row,
        duration=duration,
        requests_per_second=cell.load.requests_per_second,
        steady_requests_per_second=judged.steady_requests_per_second if judged else None,
        p99_ms=latency.percentiles_us.get("99", 0.0) / 1e3,
        max_ms=latency.max_us / 1e3,
        late=cell.load.errors.timeout,
        prefixes=prefixes(cell),
        warnings=[warning.code.value for warning in audit.warnings(cell, run)],
    )


def rows(asked: Sequence[str]) -> list[tuple[str, str]]:
    """Return suite and name of each row."""
    apps = read_apps(ROOT)
    found = [
        (suite, row.name) for suite, only in ROWS.items() for row in plan(ROOT, apps, BenchRequest(suite, only=only)).rows
    ]
    return [(suite, row) for suite, row in found if not asked or row in asked]


def missing(kept: Sequence[Kept], asked: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield suite, row and duration of each cell that is still to be measured, in turns."""
    for number in range(asked.rounds):
        for suite, row in rows(asked.rows):
            for duration in (asked.short, asked.long) if number % 2 == 0 else (asked.long, asked.short):
                if sum(one.row == row and one.duration == duration for one in kept) <= number:
                    yield suite, row, duration


def table(kept: Sequence[Kept], short: int, long: int) -> str:
    """Return the table in Markdown: a line for each row that has a pair."""
    both = f"{short} s / {long} s"
    lines = [
        f"| row | pairs | {both} | by pair | first 5 s, 10 s, 20 s of a load | p99 {both} | late | warnings |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in dict.fromkeys(one.row for one in kept):
        few = [one for one in kept if (one.row, one.duration) == (row, short)]
        many = [one for one in kept if (one.row, one.duration) == (row, long)]
        pairs = list(zip(few, many, strict=False))
        if not pairs:
            continue
        biases = [one.requests_per_second / other.requests_per_second - 1 for one, other in pairs]
        within = [
            f"{statistics.median(one.prefixes[first] for one in many) - 1:+.1%}"
            for first in many[0].prefixes
            if all(first in one.prefixes for one in many)
        ]
        p99 = [one.p99_ms / other.p99_ms for one, other in pairs if other.p99_ms]
        cells = (
            row,
            str(len(pairs)),
            f"{statistics.median(biases):+.1%}",
            ", ".join(f"{bias:+.1%}" for bias in biases),
            ", ".join(within) or "–",
            f"{statistics.median(p99):.2f}" if p99 else "–",
            f"{'/'.join(str(one.late) for one, _ in pairs)} against {'/'.join(str(other.late) for _, other in pairs)}",
            counted(few + many),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def counted(cells: Sequence[Kept]) -> str:
    """Return how many of these cells have each warning."""
    codes = Counter(code for cell in cells for code in set(cell.warnings))
    return ", ".join(f"{code} {count}" for code, count in codes.most_common()) or "–"


def read(path: Path) -> list[Kept]:
    """Return what earlier runs have kept."""
    return [Kept(**json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def main() -> None:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*")
    parser.add_argument("--inventory", default="lab")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--short", type=int, default=5, help="seconds")
    parser.add_argument("--long", type=int, default=30, help="seconds")
    parser.add_argument("--file", type=Path, default=Path("durations.jsonl"))
    asked = parser.parse_args()
    kept = read(asked.file)
    todo = list(missing(kept, asked))
    try:
        hosts = machines_of(inventory.read(asked.inventory, ROOT), ROOT).up() if todo else None
        for suite, row, duration in todo:
            assert hosts
            if (one := measure(hosts, suite, row, duration)) is None:
                continue
            kept.append(one)
            with asked.file.open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")
    except (KeyboardInterrupt, BenchrigError) as error:
        print(f"\nstopped: {error or 'Ctrl-C'}; run it again to go on")
    print(table(kept, asked.short, asked.long))


if __name__ == "__main__":
    main()
