"""`bench --dry-run` says what would be measured, and touches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.cli import inv


def test_cells_are_printed_in_their_order_with_the_time_they_take() -> None:
    before = sorted((ROOT / "reports").iterdir())
    done = inv("bench", "--dry-run", "-i", "lab", "--only", "go-2000,sanic", "--repeats", "2", "--duration", "5s")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split()[:3] for line in done.stdout.splitlines() if "5 s" in line and line.split()[0].isdigit()]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    assert sorted(row[2] for row in rows) == ["go-2000", "go-2000", "sanic", "sanic"]
    assert "4 cells, about " in done.stdout
    assert sorted((ROOT / "reports").iterdir()) == before


def test_a_dry_run_reaches_no_host(tmp_path: Path) -> None:
    path = tmp_path / "closed.yml"
    hosts = "{servers: {hosts: {web1: {ansible_host: 127.0.0.1, ansible_port: 1}}}, loadgens: {hosts: {web1: }}}"
    host = f"  children: {hosts}\n"
    path.write_text(f"all:\n  vars: {{benchrig_machine: existing}}\n{host}")
    done = inv("bench", "--dry-run", "-i", str(path), "--only", "go-2000")
    assert (done.returncode, done.stderr) == (0, "")
    assert "web1" in done.stdout


@pytest.mark.parametrize("line", ["provision bench --dry-run report", "bench --dry-run report", "destroy bench --dry-run"])
def test_a_dry_run_stands_alone_so_that_nothing_else_works(line: str) -> None:
    done = inv(*line.split(), "-i", "lab")
    others = " ".join(word for word in line.split() if word not in ("bench", "--dry-run"))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: --dry-run touches nothing: leave out {others}, or --dry-run\n"
