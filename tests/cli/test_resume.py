"""`bench --resume` on the command line: with a run, without one, in a chain, and with flags that contradict it."""

from __future__ import annotations

import pytest

from tests.support.cli import inv


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bench --resume nosuch", "error: unknown run 'nosuch'; "),
        ("bench --resume=nosuch report", "error: unknown run 'nosuch'; "),
        ("bench --resume=", "error: flag '--resume' lacks its value"),
        ("bench --despite-changes", "error: --despite-changes needs --resume"),
        ("bench --resume --repeat 3", "error: unknown flag '--repeat' of task 'bench'; did you mean --repeats or --resume?"),
        ("bench --resume tests/cases/results/v2 --repeats 4", "error: --repeats 4 contradicts the run v2, which has 2"),
        ("bench --resume tests/cases/results/v2 --repeats 0", "error: --repeats 0 contradicts the run v2, which has 2"),
        ("bench --resume tests/cases/results/v2 -i qemu", "error: --inventory qemu contradicts the run v2, which has "),
        ("bench --resume tests/cases/results/v2 x", "error: unknown task 'x'; "),
    ],
)
def test_mistakes_are_told(line: str, said: str) -> None:
    done = inv(*line.split())
    assert done.returncode == 2
    assert done.stderr.startswith(said), done.stderr


@pytest.mark.parametrize("line", ["--resume tests/cases/results/v2", "-i lab --resume=tests/cases/results/v1"])
def test_a_complete_run_needs_nothing_and_is_the_one_that_is_reported(line: str) -> None:
    done = inv("bench", *line.split(), "claims")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("is complete: nothing is left to measure\n")
    assert "suite web-frameworks" in done.stdout


def test_completion_offers_tasks_behind_a_flag_whose_value_may_be_left_out() -> None:
    assert "report" in inv("--complete", "--", "bench", "--resume", "").stdout.split()
    assert "--repeats" in inv("--complete", "--", "bench", "--resume", "--r").stdout.split()
