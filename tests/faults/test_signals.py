"""Ctrl-C, SIGTERM and SIGHUP, at any moment: a line and an exit code, and everything is cleaned up."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.benching import line_with
from tests.support.clone import Clone
from tests.support.faults import fault

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


SLEEP = "try:\n print('ready', flush=True); time.sleep(60)\nexcept KeyboardInterrupt:\n"
"""The beginning of a program that says when it is ready, and then waits for a signal."""


def python(program: str) -> subprocess.Popen[str]:
    """Start a program that handles signals as `./inv` does, and wait until it says that it is ready."""
    before = "import os, sys, time\nfrom benchrig.cli import signals\nsignals.install()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", before + program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def inv(arguments: Sequence[str]) -> subprocess.Popen[str]:
    argv = [sys.executable, "-P", "-m", "benchrig.cli", *arguments]
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@fault(
    "Agents, cells and Ctrl-C",
    done="Ctrl-C to `./inv` at a terminal, every 4 ms while its shell, Python and its modules start",
    promised="it is never lost; the command ends without a traceback",
    seen="no traceback in 189 tries",
)
def test_ctrl_c_while_everything_starts(tmp_path: Path) -> None:
    script = tmp_path / "inv"
    text = (ROOT / "inv").read_text()
    # The environment of these tests in place of one of its own.
    lines = text[text.index("set -- ") :].replace('"$here/.venv/bin/python"', sys.executable)
    script.write_text(f"#!/bin/sh\n{lines}")
    controlling, terminal = pty.openpty()
    for number in range(40):
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(
            ["sh", script, "report", "web-frameworks"],
            env=environ,
            stdin=terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        time.sleep(number * 0.004)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert process.returncode in (130, -signal.SIGINT), (number, process.returncode, said)
        assert said in ("", "interrupted\n")
    os.close(controlling)
    os.close(terminal)


@fault(
    "Agents, cells and Ctrl-C",
    done="Ctrl-C, SIGTERM and SIGHUP at eight moments while `report` loads its modules and works",
    promised="it ends within 1 s, without a traceback, with 130, 143 or 129",
    seen="ended within 0.05 s",
)
@pytest.mark.parametrize("number", CODES, ids=lambda number: number.name)
def test_a_signal_ends_a_command_while_it_loads_and_works(number: signal.Signals) -> None:
    begun = time.monotonic()
    inv(["report", "web-frameworks"]).communicate()
    whole = time.monotonic() - begun
    for eighth in range(1, 9):
        process = inv(["report", "web-frameworks"])
        # Python itself has started when it has opened our package.
        time.sleep(0.15 + whole * eighth / 10)
        process.send_signal(number)
        sent = time.monotonic()
        _, said = process.communicate(timeout=10)
        assert time.monotonic() - sent < 1
        assert process.returncode in (0, CODES[number], -number), said
        assert "Traceback" not in said


@fault(
    "Agents, cells and Ctrl-C",
    done="a second signal while the first one's cleaning up hangs",
    promised="it ends at once, by that signal",
    seen="ended within 0.1 s",
)
def test_a_second_signal_ends_at_once() -> None:
    process = python(SLEEP + " print('cleaning', flush=True); time.sleep(60)\n")
    process.send_signal(signal.SIGTERM)
    assert process.stdout
    assert process.stdout.readline() == "cleaning\n"
    process.send_signal(signal.SIGINT)
    begun = time.monotonic()
    process.communicate(timeout=10)
    assert time.monotonic() - begun < 1
    assert process.returncode == -signal.SIGINT


@fault(
    "Agents, cells and Ctrl-C",
    done="a signal while Python runs a finalizer, where it ignores every error",
    promised="the command ends all the same",
    seen="exit code 143, and no `Exception ignored in`",
)
def test_a_signal_in_a_finalizer_is_not_lost() -> None:
    process = python(
        "class Late:\n def __del__(self): os.kill(os.getpid(), 15); time.sleep(0.1)\n"
        + SLEEP.replace("time.sleep(60)", "late = Late(); del late; time.sleep(60)")
        + " sys.exit(signals.exit_code())"
    )
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (143, "")


@fault(
    "Agents, cells and Ctrl-C",
    done="SIGHUP to a command that `nohup` started",
    promised="nothing changes; SIGTERM still ends it",
    seen="it ran on, and ended with 143",
)
def test_under_nohup_a_hangup_changes_nothing() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = python(SLEEP + " sys.exit(signals.exit_code())")
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 143


@fault(
    "Agents, cells and Ctrl-C",
    done="the terminal of a command closed, so that SIGHUP comes and nothing can be written any more",
    promised="the command ends with exit code 129",
    seen="exit code 129, within 0.2 s",
)
def test_a_terminal_that_is_closed_ends_the_command() -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        # The tests themselves may run under nohup.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.chdir(ROOT)
        words = [sys.executable, "-P", "-m", "benchrig.cli", "ssh", "--help"]
        program = (
            "import benchrig.cli.program as program, time\n"
            "program.BenchrigProgram.run = lambda self: (print('ready', flush=True), time.sleep(60))\n"
            "program.main()"
        )
        os.execve(sys.executable, [words[0], "-c", program], {**os.environ, "PYTHONPATH": str(ROOT)})
    assert b"ready" in os.read(terminal, 100)
    os.close(terminal)
    deadline = time.monotonic() + 10
    while (done := os.waitpid(pid, os.WNOHANG)) == (0, 0) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(done[1]) == 129


@pytest.mark.lab
@fault(
    "Agents, cells and Ctrl-C",
    done="SIGTERM, SIGHUP and Ctrl-C to `./inv up` while the machine boots",
    promised="it ends within 1 s, and the next `up` has the machine",
    seen="ended within 0.3 s each; the next `up` took 0.7 to 0.9 s",
)
def test_a_signal_while_a_machine_boots(deployed: Clone) -> None:
    for number, code in CODES.items():
        assert deployed.inv("down").code == 0
        process = subprocess.Popen(["./inv", "up"], cwd=deployed.root, stderr=subprocess.PIPE, text=True)
        time.sleep(0.7)
        process.send_signal(number)
        begun = time.monotonic()
        _, said = process.communicate(timeout=30)
        assert time.monotonic() - begun < 2, said
        assert process.returncode in (code, 0), said
        assert "Traceback" not in said
        again = deployed.inv("up")
        assert again.code == 0, again.stderr


@pytest.mark.lab
@fault(
    "Agents, cells and Ctrl-C",
    done="SIGTERM and SIGHUP to a bench under load",
    promised="app and load generator are stopped, the cells measured so far are kept, and a line says how to go on",
    seen="143 and 129; nothing ran on the machine; `to measure the others: ./inv bench --resume`",
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_to_a_bench(deployed: Clone, number: signal.Signals) -> None:
    argv = ["./inv", "bench", "--only", "go-2000,flask-sync", "--duration", "2s", "--connections", "12", "--repeats", "3"]
    process = subprocess.Popen(argv, cwd=deployed.root, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    line_with(process.stderr, "1/6")
    time.sleep(1.5)
    process.send_signal(number)
    begun = time.monotonic()
    said = process.communicate(timeout=30)[1]
    assert time.monotonic() - begun < 2
    assert process.returncode == CODES[number], said
    assert "cells measured; to see them: ./inv report" in said
    assert "./inv bench --resume" in said
    left = "pgrep -a '^wrk$'; systemctl list-units --no-legend 'benchrig-*'"
    assert deployed.inv("ssh", "--run", left).stdout.strip() == ""
