"""Counts the warnings of a run's cells, to find false alarms: over cells in which nothing else disturbed the machine.

    ./inv bench --only 'go-2000,openresty-2000,sanic,fastapi-workers,flask-gunicorn' --connections 200 --repeats 40
    python benchmarks/false_alarms.py [RUN ...]

With 200 connections these apps are far from any limit: all that is right to say of them is *ceiling*. A run is a folder of
`reports/` or its path; without one, the newest is read, complete or not.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from benchrig.results import audit, store
from benchrig.results.codes import Code

OF_THE_MACHINE = {Code.DISTURBED, Code.STEAL, Code.EMULATED, Code.NO_IDLE_CPU, Code.THROTTLED, Code.MEMORY_PRESSURE}
"""What is true of the machine, whatever the app does. A cell with one of these is not counted."""


def main() -> None:
    """Print how many cells were quiet, and in how many of them each warning was detected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", metavar="RUN")
    runs = parser.parse_args().runs
    quiet, disturbed, found = 0, 0, Counter[str]()
    reports = Path("reports")
    folders = [store.find_run(reports, name) for name in runs] or [store.newest_begun(reports)]
    for run, cells in map(store.read, folders):
        for cell in cells:
            codes = {warning.code for warning in audit.warnings(cell, run)}
            if codes & OF_THE_MACHINE or cell.status != "measured":
                disturbed += 1
                continue
            quiet += 1
            found.update(code.value for code in codes)
    print(f"{quiet} quiet cells, {disturbed} left out")
    for code, count in found.most_common():
        print(f"{count:6}  {code}")


if __name__ == "__main__":
    main()
