"""Help works wherever it is asked for, and only flags that do something are offered."""

from __future__ import annotations

import re
import tomllib

import pytest

from benchrig import __version__
from tests.support import ROOT
from tests.support.cli import inv


@pytest.mark.parametrize(
    "line",
    [
        "compare --help",
        "compare -h",
        "compare latest --help",
        "--help compare",
        "-h compare",
        "up compare -h",
        "compare --help nonsense --nonsense",
        "--help compare nonsense",
    ],
)
def test_help_of_a_task_is_shown_wherever_it_is_asked_for(line: str) -> None:
    done = inv(*line.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: ./inv compare A B ")


def test_help_is_shown_where_a_flag_awaits_its_value() -> None:
    assert inv("bench", "--suite", "--help").stdout.startswith("Usage: ./inv bench ")


@pytest.mark.parametrize("line", ["", "--help", "-h"])
def test_without_a_task_every_task_is_shown_in_one_line_with_the_flags_that_do_something(line: str) -> None:
    done = inv(*line.split())
    tasks, options = done.stdout.split("Options:")
    assert re.findall(r"^  (\S+) {3,}\S", tasks, re.MULTILINE)[:5] == ["up", "provision", "bench", "doctor", "report"]
    assert not re.search(r"^ {4}", tasks, re.MULTILINE), "a description takes a second line"
    assert re.findall(r"--[a-z-]+(?==|\[|   )", options) == ["--config", "--help", "--list", "--version"]


@pytest.mark.parametrize("flag", ["-R", "--dry", "--echo", "-e", "--hide=x", "--pty", "-w", "--debug", "--no-dedupe"])
@pytest.mark.parametrize("place", ["{} destroy -i lab", "destroy {} -i lab"])
def test_flags_of_invoke_that_do_nothing_here_are_unknown(flag: str, place: str) -> None:
    done = inv(*place.format(flag).split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: unknown flag '{flag.partition('=')[0]}'")


def test_an_unknown_letter_is_told_with_the_long_flags() -> None:
    assert inv("-R", "destroy").stderr == "error: unknown flag '-R'; known: --config, --help, --list, --version\n"


def test_a_flag_of_no_task_says_where_it_stands() -> None:
    assert inv("bench", "--version").stderr == "error: flag '--version' belongs before the tasks: ./inv --version\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("provision --check=yes", "flag '--check' takes no value\n"),
        ("provision -cx", "unknown flag '-x' of task 'provision'; "),
        ("compare --foo latest", "unknown flag '--foo' of task 'compare'; "),
        ("--config", "No value for flag"),
    ],
)
def test_other_mistakes_with_flags_are_one_line(line: str, said: str) -> None:
    done = inv(*line.split())
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert done.stderr.startswith(f"error: {said}") or line == "--config"


def test_an_empty_word_is_no_run() -> None:
    done = inv("report", "")
    assert (done.returncode, done.stderr) == (2, "error: RUN of task 'report' is empty\n")


def test_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    assert inv("--version").stdout == f"benchrig {__version__}\n"
