"""The scripts of `benchmarks/`: each still fits the code that it measures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_starts_and_says_how_it_is_called(script: Path) -> None:
    done = subprocess.run([sys.executable, script, "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage:")


def test_the_call_whose_cost_is_measured_is_still_in_the_script() -> None:
    line = next(
        line for line in (ROOT / "benchmarks" / "latency_cost.py").read_text().splitlines() if line.startswith("CALL")
    )
    call = line.partition('"')[2].removesuffix('\\n"')
    assert f"{call}\n" in (ROOT / "benchrig/bench/generators/wrk/wrk.lua").read_text()
