"""Completion in real shells, and what it offers."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from tests.support import ROOT
from tests.support.cli import inv

CASES = [
    ("./inv prov", "provision"),
    ("./inv bench --suite quart", "quart-vs-flask"),
    ("./inv bench --ask", "--ask-become-pass"),
    ("./inv up -i lab-", "lab-three"),
    ("./inv provision --playbook README", "README.md"),
]
"""What is typed, and what its last word becomes; the last one is a file, which the shell completes by itself."""


def offered(*words: str) -> list[str]:
    return inv("--complete", "--", *words).stdout.split()


def test_tasks_come_in_the_order_of_their_story() -> None:
    assert offered("")[:3] == ["up", "provision", "bench"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bench", "--suite", "web"], ["web-frameworks"]),
        (["bench", "--suite=web"], ["--suite=web-frameworks"]),
        (["bench", "--suite", "=", "web"], ["web-frameworks"]),
        (["bench", "--suite", "="], ["quart-vs-flask", "web-frameworks"]),
        (["report", "web"], ["web-frameworks"]),
        (["compare", "latest", "web"], ["web-frameworks"]),
        (["compare", "up", "up", "pro"], ["provision"]),
        (["ssh", "--run", ""], []),
        (["bench", "--duration", ""], []),
        (["bench", "report", "--la"], ["--lang"]),
        (["bench", "report", "--inv"], ["--inventory"]),
        (["nonsense", "--nonsense", "prov"], ["provision"]),
        (["history", "--metric", "latency_p99"], ["latency_p99", "latency_p99_9"]),
        (["history", "--suite", "web"], ["web-frameworks"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["--ver"], ["--version"]),
    ],
)
def test_last_word_is_completed_by_what_stands_before_it(words: list[str], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_flags_that_hold_for_the_chain_are_offered_behind_every_task() -> None:
    assert {"--inventory", "--suite", "--lang", "--help"} <= set(offered("report", "--"))


def test_an_unknown_shell_is_told_with_the_known_ones() -> None:
    done = inv("completion", "tcsh")
    assert (done.returncode, done.stderr) == (2, "error: unknown shell 'tcsh'; known: bash, fish, zsh\n")


def test_completion_makes_no_environment(tmp_path: os.PathLike[str]) -> None:
    shutil.copy(ROOT / "inv", tmp_path)
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    done = subprocess.run(["./inv", "--complete", "--", ""], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("typed", "expected"), CASES)
@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_tab_completes(shell: str, typed: str, expected: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"needs {shell}")
    argv = ["bash", "--norc", "--noprofile", "-i"] if shell == "bash" else ["zsh", "-f", "-i"]
    with Terminal(argv) as terminal:
        terminal.type(f"source <(./inv completion {shell}); echo rea''dy\n")
        terminal.await_text("ready\r")
        terminal.type(f"{typed}\t")
        terminal.await_text(expected)


@pytest.mark.parametrize(("typed", "expected"), CASES)
def test_fish_completes(typed: str, expected: str) -> None:
    if not shutil.which("fish"):
        pytest.skip("needs fish")
    script = f"./inv completion fish | source; complete -C '{typed}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == [expected]


class Terminal:
    """A shell at a terminal of its own, in the project's folder."""

    def __init__(self, argv: list[str]) -> None:
        self.pid, self.handle = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(argv[0], argv, {**os.environ, "TERM": "vt100", "PS1": "$ ", "COLUMNS": "200"})
        self.seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.handle)
        os.waitpid(self.pid, 0)

    def type(self, text: str) -> None:
        """Send keys; what was shown before is forgotten."""
        self.seen = ""
        os.write(self.handle, text.encode())

    def await_text(self, text: str, seconds: float = 30.0) -> None:
        """Wait until the terminal shows a text, without the codes that move the cursor."""
        deadline = time.monotonic() + seconds
        while text not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x07|\x08", "", self.seen):
            ready, _, _ = select.select([self.handle], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"the terminal never shows {text!r}: {self.seen!r}"
            self.seen += os.read(self.handle, 4096).decode(errors="replace")
