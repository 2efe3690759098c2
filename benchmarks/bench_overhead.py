"""What measuring costs: throughput by `./inv bench` over wrk by hand, taken in turns, and the seconds beyond the load.

By hand is what a person would type on the machine: start the unit, wait, warm up, wrk without any script, stop. Both sides
run on the same machine, in the order A B B A, so that what drifts with time falls on both.

    python benchmarks/bench_overhead.py [--rounds 4] [--duration 5] [ROW ...]
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from benchrig import inventory
from benchrig.bench.app import read_apps
from benchrig.bench.generators.wrk.printed import read_printed
from benchrig.bench.rows import Row
from benchrig.bench.run import bench
from benchrig.bench.suite import BenchRequest, plan
from benchrig.inventory import Inventory
from benchrig.machines import machines_of
from benchrig.remote import ssh
from benchrig.results import store
from benchrig.results.model import Cell

ROOT = Path(__file__).parent.parent
ROWS = ("flask-no-sleep", "fastapi-gunicorn", "go-2000")

BY_HAND = """
set -e
systemctl start "$1"
until python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' "$2" 2>/dev/null; do sleep 0.1; done
sleep 1
wrk -t1 -c4 -d1s "$2" >/dev/null
ulimit -n "$(ulimit -Hn)"
wrk -t4 -c"$3" -d"$4"s --timeout 10s "$2"
systemctl stop "$1"
"""


@dataclass
class Side:
    """Throughput of one row, by hand and by bench, and the bench's cells."""

    by_hand: list[float] = field(default_factory=list)
    by_bench: list[float] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)


def by_hand(hosts: Inventory, row: Row, duration: int) -> float:
    """Return the requests/s that wrk prints when it is run without us."""
    url = f"http://127.0.0.1:{row.app.file.port}{row.traffic.routes[0].path}"
    argv = ["sh", "-c", BY_HAND, "sh", row.app.unit, url, str(row.connections), str(duration)]
    with ssh.connect(hosts.group("servers")[0]) as remote:
        done = remote.run(argv, timeout=duration + 60.0)
    if done.code:
        raise SystemExit(f"by hand: {done.stderr.decode()}")
    rate = read_printed(done.stdout.decode()).requests_per_second
    if rate is None:
        raise SystemExit("by hand: wrk printed no rate")
    return rate


def by_bench(hosts: Inventory, row: Row, duration: int) -> Cell:
    """Return the cell that a bench of this row alone makes."""
    wanted = plan(ROOT, read_apps(ROOT), BenchRequest(only=(row.name,), duration=f"{duration}s"))
    outcome = bench(hosts, ROOT, wanted)
    (cell,) = store.read(ROOT / outcome.shown)[1]
    if cell.load is None or outcome.failure:
        raise SystemExit(f"by bench: {cell.reason}")
    return cell


def compare(hosts: Inventory, row: Row, rounds: int, duration: int) -> Side:
    """Take turns, A B B A."""
    side = Side()
    for number in range(2 * rounds):
        if number % 4 in (0, 3):
            side.by_hand.append(by_hand(hosts, row, duration))
        else:
            side.cells.append(by_bench(hosts, row, duration))
    side.by_bench = [cell.load.requests_per_second for cell in side.cells if cell.load]
    return side


def told(row: Row, side: Side) -> str:
    """Return what was found about a row, in a few lines."""
    pairs = [bench / hand for hand, bench in zip(side.by_hand, side.by_bench, strict=True)]
    beyond = [sum(cell.phases.values()) - cell.phases["warm_up"] - cell.phases["measure"] for cell in side.cells]
    sampler = [100 * cell.server.sampler_cpu_seconds / cell.server.seconds for cell in side.cells if cell.server]
    phases = {name: statistics.median(cell.phases[name] for cell in side.cells) for name in side.cells[0].phases}
    return "\n".join(
        [
            row.name,
            f"  by hand   {spread(side.by_hand)} requests/s",
            f"  by bench  {spread(side.by_bench)} requests/s",
            f"  bench / by hand: {statistics.median(side.by_bench) / statistics.median(side.by_hand):.3f} (medians), "
            f"pairs {min(pairs):.3f} to {max(pairs):.3f}",
            f"  beyond warm-up and load: {spread(beyond, 2)} s a cell",
            "  phases: " + ", ".join(f"{name} {seconds:.2f}" for name, seconds in phases.items()),
            f"  sampler: {spread(sampler, 2)} % of a core",
        ]
    )


def spread(values: list[float], digits: int = 0) -> str:
    """Return median, minimum and maximum."""
    return f"{statistics.median(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def main() -> None:
    """Compare each row and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", default=ROWS)
    parser.add_argument("--inventory", default="lab")
    parser.add_argument("--rounds", type=int, default=4, help="of each side; an even number keeps the turns fair")
    parser.add_argument("--duration", type=int, default=5, help="of each load, in seconds")
    asked = parser.parse_args()
    hosts = machines_of(inventory.read(asked.inventory, ROOT), ROOT).up()
    for row in plan(ROOT, read_apps(ROOT), BenchRequest(only=tuple(asked.rows))).rows:
        print(told(row, compare(hosts, row, asked.rounds, asked.duration)), flush=True)


if __name__ == "__main__":
    main()
