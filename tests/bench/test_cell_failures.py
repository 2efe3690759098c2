"""A cell in which something goes wrong: it has failed, with the reason and what the app wrote."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent.bench import protocol
from benchrig.bench.cell import last_words, measure
from benchrig.bench.generators.registry import DEFAULT
from benchrig.bench.generators.wrk.output import MARKER
from benchrig.bench.host import OperationError
from benchrig.bench.progress import outcome
from benchrig.bench.sandbox import suspicion
from benchrig.errors import HostError
from benchrig.report import texts
from tests.support.cell import ALL_STEPS, FACTS, FILMS, OUTPUT, PLAN, ROW, SEEN, RecordingHost, topology, tried
from tests.support.wrk import EXACT, TEXT

NOT_STARTED = protocol.Readiness(False, "it ended by itself (exit status 1)")


@pytest.mark.parametrize(
    ("instead", "last_step", "reason"),
    [
        (
            {"FreePort": protocol.Port(False, 4711, "nc -l 8080", listens=True)},
            1,
            "port 8080 is taken by process 4711: nc -l 8080",
        ),
        ({"Start": OperationError("server: Unit not found.")}, 2, "server: Unit not found."),
        ({"AwaitAnswer": NOT_STARTED}, 3, "the app did not start: it ended by itself (exit status 1)"),
        (
            {"Fetch": protocol.Reply(error="Connection refused")},
            5,
            "the load host gets no answer to GET /health: Connection refused at 10.0.0.1:8080; "
            "does the app listen on more than 127.0.0.1?",
        ),
        (
            {"Fetch": protocol.Reply(404, "Not Found")},
            5,
            "it answers wrongly: GET /health: status 404 and 'Not Found', not 200",
        ),
        ({"Fetch": protocol.Reply(200, "no")}, 5, "it answers wrongly: GET /health: the body is 'no', not 'ok'"),
        ({"FindWhatRuns": protocol.Ran(False, {}, 0, "signal 9")}, 16, "the app died under the load (signal 9)"),
    ],
)
def test_a_step_that_fails_ends_the_cell_with_its_reason_the_journal_and_a_stop(
    instead: dict[str, Any], last_step: int, reason: str, tmp_path: Path
) -> None:
    cell, raw, asked = tried(**instead)
    told = f"{reason}; its last output: Traceback: it was the cable" if reason.startswith("the app d") else reason
    assert (cell.status, cell.reason) == ("failed", told)
    # A wrong reply is asked for again in one TCP segment, to see whether the two were the cause.
    steps = [*ALL_STEPS[:4], "loadgen Fetch"] if "Fetch" in instead else ALL_STEPS
    assert asked == [*steps[:last_step], "server ReadJournal", "server Stop"]
    assert "it was the cable" in raw
    # `audit raw/*` has nothing to say of a cell that had no load.
    (tmp_path / "raw.txt").write_text(raw)
    assert bool(texts.read(str(tmp_path / "raw.txt"), DEFAULT).skipped) == ("under the load" not in reason)


def test_what_more_there_is_to_a_failure_is_named_by_its_file() -> None:
    cell, _, _ = tried(FindWhatRuns=protocol.Ran(False, {}, 0, "exit status 3"))
    said = outcome(replace(cell, raw="raw/sanic-1.txt"), "20260101-web")
    assert said.startswith("failed: the app died under the load (exit status 3); its last output: ")
    assert said.endswith("; more in reports/20260101-web/raw/sanic-1.txt")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exit_code": 1, "stderr": "unable to connect"}, "wrk ended with exit code 1: unable to connect"),
        ({"stderr": "script:3: unexpected symbol"}, "wrk printed an error and continued: script:3: unexpected symbol"),
        ({"stdout": TEXT}, "wrk printed no figures"),
        ({"killed": True, "wall_seconds": 40.0}, "wrk did not end: killed 40 s after the start of a run of 10 s"),
        (
            {"wall_seconds": 24.0},
            "wrk took 24.0 s for a run of 10 s: it was too slow to open 2000 connections; a longer run (--duration) "
            "gives it more time",
        ),
    ],
)
def test_what_wrk_leaves_unsaid_fails_the_cell(changes: dict[str, Any], reason: str) -> None:
    cell, _, _ = tried(RunLoad=replace(OUTPUT, **changes))
    assert (cell.status, cell.reason) == ("failed", reason)


def with_figures(**changes: tuple[str, str]) -> protocol.LoadOutput:
    text = f"{TEXT}{MARKER}{EXACT}\n"
    for there, instead in changes.values():
        assert there in text
        text = text.replace(there, instead)
    return replace(OUTPUT, stdout=text)


def test_wrong_replies_fail_the_cell_with_an_example() -> None:
    output = with_figures(
        wrong=('"replies_wrong": 0', '"replies_wrong": 12'),
        example=('"wrong_example": ""', '"wrong_example": "500 Internal Server Error"'),
    )
    cell, _, _ = tried(RunLoad=output)
    assert cell.reason == "12 of 3427 replies were wrong; the first began: 500 Internal Server Error"
    assert cell.load is not None


CONNECT_983 = with_figures(hook=('"connect": 0', '"connect": 983'), text=("connect 0", "connect 983"))


def test_a_generator_out_of_descriptors_is_named_with_the_counters_that_prove_it() -> None:
    cell, _, _ = tried(RunLoad=replace(CONNECT_983, open_files=1024))
    assert cell.reason == (
        "the load generator ran out of file descriptors: 2000 connections need 2032, the limit is 1024 (connect 983); "
        "raise RLIMIT_NOFILE"
    )


def test_connections_that_fail_otherwise_are_told_with_the_ports_in_use_where_those_are_the_load_hosts() -> None:
    many = {"RunLoad": CONNECT_983, "StopSampling": replace(SEEN, time_wait_peak=28_000)}
    host = RecordingHost("both", [], **many)
    cell = measure(topology(ROW, host, host, None), PLAN, ROW, 1, lambda _: None).cell
    assert "(connect 983; 28000 sockets in TIME_WAIT" in cell.reason
    elsewhere, _, _ = tried(**many)
    assert elsewhere.reason.endswith("(connect 983)")


ENDED = "a worker of the app ended during the measurement"
ADVICE = "the journal of the app may say why; one that ends after a number of requests needs a larger number"
KILLED = "the kernel killed 1 for lack of memory (OOM): the app may use 60 MiB; the most seen before was 38.1 MiB"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"ended": 1, "replaced": 1}, f"{ENDED}, and was replaced: {ADVICE}"),
        ({"ended": 1}, f"{ENDED}: {ADVICE}"),
        (
            {"ended": 3, "replaced": 2},
            f"3 processes of the app ended during the measurement, and 2 were started anew: {ADVICE}",
        ),
        (
            {"ended": 1, "replaced": 1, "oom_kills": 1, "memory_limit_bytes": 60 << 20},
            f"{ENDED}, and was replaced: {KILLED}",
        ),
    ],
)
def test_a_cell_whose_workers_ended_is_not_valid(changes: dict[str, Any], reason: str) -> None:
    cell, _, _ = tried(StopSampling=replace(SEEN, **changes))
    assert (cell.status, cell.reason) == ("failed", reason)


def test_lack_of_memory_is_named_where_the_app_died_of_it() -> None:
    cell, _, _ = tried(
        FindWhatRuns=protocol.Ran(False, {}, 0, "signal 9"),
        StopSampling=replace(SEEN, ended=1, oom_kills=1, memory_limit_bytes=60 << 20),
    )
    assert cell.reason.startswith(f"the app died under the load (signal 9): {KILLED}; its last output: ")


def test_oom_kills_that_may_be_those_of_others_are_told_as_the_machines() -> None:
    seen = replace(SEEN, ended=1, oom_kills=1, oom_on_machine=True)
    cell, _, _ = tried(FindWhatRuns=protocol.Ran(False, {}, 0, "signal 9"), StopSampling=seen)
    assert "the kernel killed 1 on this machine for lack of memory (OOM)" in cell.reason


def test_oom_kills_of_others_in_the_same_group_are_not_the_apps() -> None:
    cell, _, _ = tried(StopSampling=replace(SEEN, oom_kills=2))
    assert cell.status == "measured"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"open_files": 2031}, "2000 connections need 2032 file descriptors; the load generator on loadgen may have 2031"),
        ({"local_ports": 1999}, "2000 connections to one address need 2000 local ports; loadgen has 1999"),
    ],
)
def test_a_cell_that_the_host_cannot_hold_is_not_started(limits: dict[str, int], reason: str) -> None:
    cell, raw, asked = tried(facts=replace(FACTS, **limits))
    assert cell.status == "not_possible"
    assert reason in cell.reason
    assert ("can run this row" if "open_files" in limits else "sets it to") in cell.reason
    assert (raw, asked) == ("", [])


def test_slow_connecting_is_put_down_to_the_port_range_where_it_is_narrow() -> None:
    cell, _, _ = tried(facts=replace(FACTS, local_ports=3999), RunLoad=replace(OUTPUT, wall_seconds=24.0))
    assert "connecting was slow, because 2000 connections need more than half of the 3999 local ports" in cell.reason


def test_a_load_host_that_cannot_tell_of_its_cpus_fails_the_cell() -> None:
    cell, _, asked = tried(FindCpuTimes=OperationError("loadgen: No such file or directory"))
    assert (cell.status, cell.reason) == ("failed", "loadgen: No such file or directory")
    assert asked[-2:] == ["server ReadJournal", "server Stop"]


def test_a_lost_host_is_not_a_failed_cell() -> None:
    with pytest.raises(HostError, match="the connection was lost"):
        tried(AwaitAnswer=HostError("server: the connection was lost"))


def test_an_app_that_cannot_be_stopped_fails_the_cell() -> None:
    cell, _, _ = tried(Stop=protocol.Stopped(protocol.Port(False, 12, "python app.py", listens=True)))
    assert (cell.status, cell.reason) == ("failed", "port 8080 is taken by process 12: python app.py")


JOURNAL = """\
Started benchrig-mine.service - benchrig: Mine.
Traceback (most recent call last):
  File "app.py", line 10, in <module>
KeyError: 'POOL'
[4697] [ERROR] Shutting down
benchrig-mine.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED
benchrig-mine.service: Failed with result 'exit-code'.
"""


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (JOURNAL, "KeyError: 'POOL'"),
        (JOURNAL.replace("KeyError", "Key"), "[4697] [ERROR] Shutting down"),
        (JOURNAL.splitlines()[0] + "\n" + JOURNAL.splitlines()[-1], ""),
        (JOURNAL.replace("'POOL'", "'a\u2028b\x85c'"), "KeyError: 'a\u2028b\x85c'"),
        ("", ""),
    ],
)
def test_the_last_words_of_an_app_are_its_own_and_not_systemds(journal: str, said: str) -> None:
    assert last_words(journal, "benchrig-mine.service") == said


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("OSError: [Errno 30] Read-only file system: '/var/log/mine'", "Read-only file system"),
        ("PermissionError: [Errno 1] Operation not permitted", "Operation not permitted"),
        ("PermissionError: [Errno 13] Permission denied: '/home/me'", "Permission denied"),
        ("Error: EROFS: open '/srv/x'", "EROFS"),
        ("KeyError: 'POOL'", ""),
        ("STEPERMAN was here", ""),
    ],
)
def test_a_refusal_by_the_sandbox_is_suspected_and_what_mends_it_is_told(words: str, named: str) -> None:
    app = PLAN.rows[0].app
    said = suspicion(app, f"a line\n{words}\nits end\n")
    assert said.startswith(f"; its sandbox may be the cause ('{named}')") if named else said == ""
    assert suspicion(replace(app, file=replace(app.file, sandbox=False)), words) == ""
    assert suspicion(replace(app, file=replace(app.file, address="http://127.0.0.1:1")), words) == ""


def test_a_port_that_a_clients_connection_got_is_told_with_what_keeps_it_free() -> None:
    cell, _, _ = tried(FreePort=protocol.Port(False, 12, "wget http://example.com"))
    assert cell.reason == (
        "port 8080 is taken by process 12: wget http://example.com; a client uses it as its local port. "
        "Reserve it for servers: sysctl net.ipv4.ip_local_reserved_ports=8080"
    )


def test_a_wrong_film_is_told_by_its_first_difference() -> None:
    film = {**dict(FILMS["films-quart.film"].traffic.routes[0].json), "title": "X"}  # type: ignore[call-overload]
    cell, _, _ = tried(FILMS["films-quart.film"], Fetch=protocol.Reply(200, json.dumps(film)))
    assert cell.reason.startswith("it answers wrongly: GET /films/995/: title is 'X', not '")
