"""The command line: what a user mistypes is answered in one line that names it and the nearest valid names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from invoke import Config, Context

from benchrig import command

ROOT = Path(__file__).resolve().parent.parent


def inv(*arguments: str, cwd: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run what `./inv` runs, in this environment."""
    argv = [sys.executable, "-P", "-m", "benchrig.program", "--search-root", str(ROOT), *arguments]
    return subprocess.run(
        argv,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["provsion"], "unknown task 'provsion'; did you mean provision"),
        (["provision", "--chek"], "unknown flag '--chek' of task 'provision'; did you mean --check"),
        (["status", "-i", "labb"], "unknown inventory 'labb'; did you mean lab"),
        (["bench", "--suite", "web-framework"], "unknown suite 'web-framework'; did you mean web-frameworks"),
        (["bench", "--profile", "quik"], "unknown profile 'quik'; did you mean quick"),
        (["bench", "--only", "go-200"], "unknown row 'go-200'; did you mean go-2000"),
        (["report", "--run", "no-such-run"], "unknown run 'no-such-run'"),
        (["provision", "--limit", "lab2"], "unknown host 'lab2'; did you mean lab1"),
        (["ssh", "--host", "lab2"], "unknown host 'lab2'; did you mean lab1"),
        (["provision", "--extra-vars", "nonsense"], "nonsense"),
        (["bench", "--connections", "many"], "--connections takes a whole number, not 'many'"),
    ],
)
def test_what_is_mistyped_is_named_in_one_line_with_the_nearest_names(arguments: list[str], named: str) -> None:
    done = inv(*arguments)
    assert done.returncode == 2
    assert named in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_list_tells_the_story_in_order() -> None:
    tasks = [line.split()[0] for line in inv("--list").stdout.splitlines() if line.startswith("  ") and line[2] != " "]
    assert tasks[:4] == ["up", "provision", "bench", "report"]


@pytest.mark.parametrize(
    "task", ["up", "provision", "bench", "report", "status", "ssh", "ssh-config", "down", "destroy", "test", "lint"]
)
def test_help_of_each_task_says_what_it_does_and_gives_an_example(task: str) -> None:
    text = inv("--help", task).stdout
    assert f"Example: ./inv {task}" in text


def test_help_of_each_task_explains_every_flag() -> None:
    for task in ("provision", "bench", "report"):
        options = inv("--help", task).stdout.partition("Options:")[2]
        lines = [line for line in options.splitlines() if line.startswith("  -")]
        assert lines
        assert all(len(line.split("   ")) > 1 for line in lines), task


def test_choice_of_one_task_holds_for_those_after_it_and_a_flag_wins_over_configuration() -> None:
    context = Context(Config(overrides={"benchrig": {"inventory": "lab"}}))
    assert command.choose(context, "inventory", "") == "lab"
    assert command.choose(context, "inventory", "vagrant") == "vagrant"
    assert command.choose(context, "inventory", "") == "vagrant"


def test_defaults_come_from_invokes_configuration_and_environment() -> None:
    done = inv("status", INVOKE_BENCHRIG_INVENTORY="elsewhere")
    assert "unknown inventory 'elsewhere'" in done.stderr


def test_inv_works_from_any_folder(tmp_path: Path) -> None:
    assert "provision" in inv("--list", cwd=tmp_path).stdout


def test_plain_invoke_runs_the_same_tasks() -> None:
    invoke = Path(sys.executable).with_name("invoke")
    done = subprocess.run([invoke, "status", "-i", "labb"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown inventory 'labb'; did you mean lab" in done.stderr
