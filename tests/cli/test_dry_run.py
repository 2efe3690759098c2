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


def test_of_an_open_run_the_first_round_is_printed_with_the_least_time_and_the_limit() -> None:
    flags = ("--duration", "5s", "--until", "5%", "--at-most", "10m", "--seed", "3")
    done = inv("bench", "--dry-run", "-i", "lab", "--only", "go-2000,sanic", *flags)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split()[:3] for line in done.stdout.splitlines() if line[:1].isdigit()]
    assert [row[1] for row in rows] == ["1", "1"]
    goal = "then until each row is within ±5 %, for 10 min at most"
    assert f"at least 6 rounds of 2 cells, about 1 min 30 s; {goal}\n" in done.stdout
    assert "has an order of its own, drawn from a seed; to repeat it: --seed 3\n" in done.stdout


def test_a_seed_prints_the_same_order_again_and_several_rounds_have_one() -> None:
    flags = ("bench", "--dry-run", "-i", "lab", "--only", "go-2000,sanic,flask-sync", "--repeats", "3")
    first = inv(*flags)
    seed = first.stdout.rpartition("--seed ")[2].strip()
    assert inv(*flags, "--seed", seed).stdout == first.stdout
    assert "seed" not in inv(*flags[:-1], "1").stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--until 0%", "--until: 0% is not between 0.1% and 50%"),
        ("--until 2", "--until: '2' is no percentage; write for example 2% or 0.5%"),
        ("--until 2% --at-most 0s", "--at-most: 0s is less than a second"),
        ("--until 2% --at-most 10s", "--at-most 10s is too short: 6 rounds of "),
        ("--at-most 10m", "--at-most needs --until, such as --until 2%"),
        ("--seed x", "--seed takes a whole number, not 'x'"),
        ("--seed 1000000001", "--seed: 1000000001 is more than 1,000,000,000"),
        ("--until 2% --repeats 200000", "200,000 repeats of "),
    ],
)
def test_a_goal_or_a_seed_that_cannot_be_is_one_line(flags: str, said: str) -> None:
    done = inv("bench", "--dry-run", "-i", "lab", *flags.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0].startswith(f"error: {said}")
