"""A bench on a real lab machine is seen from a second terminal while it runs, and what its app wrote is kept."""

from __future__ import annotations

import re

import pytest

from benchrig.inventory import Host
from benchrig.results.store import find_run
from tests.support.benching import ROW, bench_under_load
from tests.support.clone import Clone

pytestmark = pytest.mark.lab


def test_a_bench_that_runs_is_seen_from_a_second_terminal(clone: Clone, lab1: Host) -> None:
    # Deployed before, which takes long.
    first = clone.inv("bench", "--only", ROW, "--duration", "1s", "--connections", "40", timeout=900)
    assert first.code == 0, first.stderr
    with bench_under_load(clone, lab1) as bench:
        watched = clone.inv("watch", timeout=60)
        ended = bench.wait(30)
    assert (ended.code, watched.code, watched.stderr) == (0, 0, "")
    (cell,) = bench.cells()
    assert cell.load
    rates = [float(rate.replace(",", "")) for rate in re.findall(r"about ([\d,.]+) requests/s", watched.stdout)]
    assert rates
    assert 0.5 < rates[-1] / cell.load.requests_per_second < 2
    heading, *_, finished, outcome = watched.stdout.splitlines()
    assert heading.startswith("web-frameworks, process ")
    assert finished.startswith(f"{ROW}  1/1  ")
    folder = find_run(clone.root / "reports")
    assert outcome == f"every row was measured, or is not possible here; results are in reports/{folder.name}"
    assert "GET /health" in (folder / cell.journal).read_text()
    none = clone.inv("watch")
    assert (none.code, none.stderr) == (1, "error: no bench runs in this project\n")
