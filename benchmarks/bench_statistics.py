"""Simulates what the statistics of benchrig promise, and prints the tables of docs/statistics.md in Markdown.

Each module of benchmarks/simulations/ that has a `table()` is a topic. Seeds are fixed, so two runs print the same. All
topics together take some minutes; `--quick` takes a tenth of that, and its last digits mean less.

    python -m benchmarks.bench_statistics [--quick] [--only TOPIC ...]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import sys
import time
from types import ModuleType

from benchmarks import simulations

QUICK = 10
"""Rounds are divided by this number."""


def main() -> None:
    """Print the tables of the topics asked for, all by default."""
    known = topics()
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help=f"a {QUICK}th of the rounds")
    parser.add_argument(
        "--only", nargs="+", choices=sorted(known), default=list(known), metavar="TOPIC", help="these topics"
    )
    arguments = parser.parse_args()
    for name in arguments.only:
        started = time.monotonic()
        print("\n".join(_table(known[name], arguments.quick)), end="\n\n", flush=True)
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)


def topics() -> dict[str, ModuleType]:
    """Return the modules that have a table, by their names."""
    names = [module.name for module in pkgutil.iter_modules(simulations.__path__)]
    modules = {name: importlib.import_module(f"benchmarks.simulations.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "table")}


def _table(topic: ModuleType, quick: bool) -> list[str]:
    """Return the lines of a topic. Where its `table` takes a number of rounds, a quick run has fewer."""
    rounds = [one.default for one in inspect.signature(topic.table).parameters.values()]
    lines: list[str] = topic.table(rounds[0] // QUICK) if quick and rounds else topic.table()
    return lines


if __name__ == "__main__":
    main()
