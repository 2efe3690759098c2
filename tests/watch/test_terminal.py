"""What `./inv watch` writes: plain lines in a pipe, lines that are renewed on a terminal, the end of the bench."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.cli import watching
from benchrig.drawing import ASCII, UNICODE, Signs, bars
from benchrig.errors import InputError
from benchrig.results.running import Finished, Notice, Running, StateFile
from benchrig.watch import terminal
from benchrig.watch.view import KILLED, view
from tests.support import ROOT
from tests.support.cli import inv
from tests.support.running import STATE, another
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "STEP_SECONDS", 0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[StateFile]:
    """Yield the state file of a bench that runs in `tmp_path`."""
    file = StateFile(tmp_path)
    file.write(STATE)
    yield file
    file.close()


def followed(root: Path) -> threading.Thread:
    thread = threading.Thread(target=terminal.follow, args=(root, STATE), daemon=True)
    thread.start()
    return thread


def test_a_pipe_gets_what_is_over_what_runs_and_how_it_ended(
    tmp_path: Path, bench: StateFile, capfd: pytest.CaptureFixture[str]
) -> None:
    thread = followed(tmp_path)
    until(lambda: thread.is_alive())
    threading.Event().wait(0.1)
    go = Finished("go-2000", "2/4", "measured", "19,000 requests/s", number=2)
    bench.write(
        replace(STATE, title="", step="", rate=None, cells=2, finished=(*STATE.finished, go), ended="every row was measured")
    )
    thread.join(5)
    assert capfd.readouterr().out.splitlines() == [
        f"web-frameworks, run 20261130-120000-web-frameworks, process {STATE.pid}",
        "sanic  1/4  18,000 requests/s  INVALID: disturbed  warnings: stalled",
        "go-2000  2/4  measuring 10 s  about 19,190 requests/s  about 32 s left",
        "go-2000  2/4  measuring 10 s  listen backlog overflows: 12",
        "go-2000  2/4  19,000 requests/s",
        "every row was measured",
    ]


def test_a_bench_that_is_killed_is_told_from_one_that_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with another(tmp_path, STATE.started_at) as other:
        thread = threading.Thread(target=terminal.follow, args=(tmp_path, replace(STATE, pid=other.pid)))
        thread.start()
        os.kill(other.pid, signal.SIGKILL)
        thread.join(5)
    assert capfd.readouterr().out.splitlines()[-1] == KILLED


def said(*states: Running) -> list[list[str]]:
    plain = terminal.PlainLines()
    return [list(plain.of(view(state), 1.0 * at)) for at, state in enumerate(states)]


def test_a_load_has_a_line_when_its_rate_is_known_and_each_five_seconds() -> None:
    running = replace(STATE, finished=(), notices=())
    unknown = replace(running, rate=None)
    lines = said(unknown, unknown, running, running, running, running, running, running)
    assert [len(one) for one in lines] == [2, 0, 1, 0, 0, 0, 0, 1]


def test_a_notice_is_a_line_once_for_each_load_however_its_number_grows() -> None:
    more = replace(STATE, notices=(Notice("listen_overflows", 99), Notice("retransmits", 1)))
    first, second, third = said(STATE, more, replace(more, count="3/4"))
    assert first[-1].endswith("listen backlog overflows: 12")
    assert second == ["go-2000  2/4  measuring 10 s  retransmits: 1"]
    assert [line.rpartition("  ")[2] for line in third[1:]] == ["listen backlog overflows: 99", "retransmits: 1"]


def test_texts_of_hosts_do_not_reach_the_terminal_as_they_are() -> None:
    bad = Finished("\x1b[2Jx", "1/1", "failed", "failed: \x1b]0;title\x07", number=1)
    seen = view(replace(STATE, title="\x1b[31mgo", finished=(bad,), ended="\x1b[2J"))
    assert "\x1b" not in "".join([seen.now, seen.ended, *(line.whole for line in seen.finished)])


def test_a_course_is_a_character_for_each_second() -> None:
    def course(*rates: float | None, signs: Signs = UNICODE) -> str:
        return bars(rates, signs, from_zero=True, unknown=" ")

    assert course(None, 0.0, 50.0, 100.0) == " ▁▅█"
    assert course(None, 0.0, 50.0, 100.0, signs=ASCII) == " _+@"
    assert course() == ""
    assert course(0.0) == "▁"
    # No bench can have it, and its state may have been written by anyone.
    assert course(-5.0, 1.0, None) == "▁█ "


def test_where_no_bench_runs_it_says_so_in_one_line() -> None:
    done = inv("watch", "4711")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: no bench runs in this project\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(watching, "ROOT", tmp_path)
    return tmp_path


def test_several_are_named_and_one_is_chosen_by_process_run_or_suite(project: Path, bench: StateFile) -> None:
    assert bench
    with another(project) as other:
        with pytest.raises(InputError, match=rf"^2 benches run in this project: .*process {other.pid}$"):
            watching.chosen("")
        assert watching.chosen("mine").pid == watching.chosen(str(other.pid)).pid == other.pid
        assert watching.chosen("20261130-120000-web-frameworks").pid == STATE.pid
        with pytest.raises(InputError, match=r"^no bench 'other' runs in this project; those that run: "):
            watching.chosen("other")


WATCH = """
import sys
from pathlib import Path
from benchrig.results import running
from benchrig.watch import terminal
root = Path(sys.argv[1])
(state,) = running.running(root)
try:
    terminal.follow(root, state)
except KeyboardInterrupt:
    sys.exit(130)
"""


def watching_process(root: Path, out: int, **environ: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(ROOT), **environ}
    return subprocess.Popen([sys.executable, "-c", WATCH, str(root)], stdout=out, stderr=out, env=environment)


@pytest.mark.parametrize("environ", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}])
def test_a_terminal_shows_row_rate_and_course_and_ctrl_c_ends_the_watch_alone(
    tmp_path: Path, bench: StateFile, environ: dict[str, str]
) -> None:
    assert bench
    ours, theirs = pty.openpty()
    process = watching_process(tmp_path, theirs, **environ)
    os.close(theirs)
    seen = b""
    while b"overflows" not in seen:
        seen += os.read(ours, 65536)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    os.close(ours)
    text = seen.decode(errors="replace")
    for part in ("go-2000  2/4  measuring 10 s", "about 19,190 requests/s", "INVALID: disturbed"):
        assert part in text
    assert ("█" in text) == (not environ)
    assert look_again(tmp_path) == STATE


def look_again(root: Path) -> Running:
    from benchrig.results import running

    (state,) = running.running(root)
    return state


def test_a_watch_ends_when_its_reader_has(tmp_path: Path, bench: StateFile) -> None:
    reading, writing = os.pipe()
    process = watching_process(tmp_path, writing)
    os.close(writing)
    assert os.read(reading, 10)
    os.close(reading)
    bench.write(replace(STATE, step="stopping"))
    assert process.wait(20) == 0
