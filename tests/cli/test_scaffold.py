"""A benchmark of one's own: what `./inv new app` writes is complete, right, and nothing when it cannot be."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchrig.bench.app import App, read_app
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.cli import scaffold
from benchrig.errors import InputError
from benchrig.report.gate import check_expected
from tests.support import ROOT
from tests.support.clone import Clone, Done

LUA = "function delay() return 5 end\n"


def made(root: Path, name: str = "mine", address: str = "") -> tuple[App, Plan]:
    """Make an app and read it and its suite."""
    app, *_, suite = scaffold.new_app(root, name, address)
    found = read_app(app.parent)
    return found, plan(root, {name: found}, BenchRequest(suite=suite.stem))


def uncommented(path: Path) -> None:
    """Take the `#` from every example; prose has a space behind it, and only one."""
    path.write_text(re.sub(r"^#(?=\S|  )", "", path.read_text(), flags=re.MULTILINE))


def test_app_works_with_what_the_machine_has(tmp_path: Path) -> None:
    app, planned = made(tmp_path)
    assert (app.file.runtime, app.file.source, app.file.port) == ("system", ("server.py",), 8080)
    assert app.file.command == "{bin}/python3 server.py"
    assert [(row.name, row.traffic.title, row.connections) for row in planned.rows] == [("mine", "GET /", 20)]


def test_service_that_runs_already_has_its_address_and_nothing_to_run(tmp_path: Path) -> None:
    app, _ = made(tmp_path, address="http://192.0.2.7:8000")
    assert (app.file.address, app.file.runtime, app.file.command) == ("http://192.0.2.7:8000", "", "")
    assert [path.name for path in app.folder.iterdir()] == ["app.yml"]


def test_server_to_begin_with_answers_as_its_route_says_in_one_piece_over_one_connection(tmp_path: Path) -> None:
    app, _ = made(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = app.folder / "server.py"
    server.write_text(server.read_text().replace("8080", str(port)))
    with running(server), connected(port) as client:
        for _ in range(20):
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            head, _, body = client.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert body.decode() == app.routes["home"].body


@contextmanager
def running(program: Path) -> Iterator[None]:
    """Run a Python program until the end of the block."""
    process = subprocess.Popen([sys.executable, str(program)])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def connected(port: int) -> socket.socket:
    """Return a connection to a server that is starting."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=20)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_every_profile_can_be_measured(tmp_path: Path) -> None:
    made(tmp_path)
    apps = {"mine": read_app(tmp_path / "apps" / "mine")}
    for profile in ("quick", "rigorous"):
        assert plan(tmp_path, apps, BenchRequest(suite="mine", profile=profile)).profile == profile


def test_examples_in_the_comments_are_right(tmp_path: Path) -> None:
    made(tmp_path)
    app, suite = tmp_path / "apps/mine/app.yml", tmp_path / "configs/suites/mine.yml"
    uncommented(app)
    uncommented(suite)
    suite.with_name("mine.lua").write_text(LUA)
    mine = read_app(app.parent)
    assert set(mine.routes) == {"home", "order"}
    assert (mine.file.environment, mine.file.sleep_seconds) == ({"LEVEL": "1"}, 0.1)
    planned = plan(tmp_path, {"mine": mine}, BenchRequest(suite="mine"))
    rows = planned.rows
    assert [row.name for row in rows] == ["mine", "mixed", "visit", "scripted"]
    check_expected(planned)
    assert [one.text for one in planned.expect] == ["latency_p99(mine) < 200 ms"]
    assert rows[1].traffic.title == "9x GET /, 1x POST /orders/"


@pytest.mark.parametrize("name", ["on", "123", "null", "1e3", "No_1"])
def test_name_that_yaml_would_read_as_something_else_stays_a_name(tmp_path: Path, name: str) -> None:
    app, planned = made(tmp_path, name)
    assert (app.name, app.file.title, planned.title, planned.rows[0].name) == (name, name, name, name)


@pytest.mark.parametrize("name", ["", "my app", "../x", "-x", "a/b", "süd", "a" * 65, "a.b"])
def test_name_that_can_be_no_folder_and_no_unit_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot name an app"):
        scaffold.new_app(tmp_path, name)
    assert not [*tmp_path.rglob("*")]


def test_files_that_exist_are_named_and_stay_as_they_are(tmp_path: Path) -> None:
    made(tmp_path)
    path = tmp_path / "apps/mine/app.yml"
    path.write_text("mine, edited")
    with pytest.raises(InputError) as caught:
        scaffold.new_app(tmp_path, "mine")
    assert [problem.where.removeprefix(f"{tmp_path}/") for problem in caught.value.problems] == [
        "apps/mine",
        "configs/suites/mine.yml",
    ]
    assert path.read_text() == "mine, edited"


def test_address_that_is_none_leaves_no_file_behind(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--address: 'localhost' is not of the form http://host:port"):
        scaffold.new_app(tmp_path, "mine", "localhost")
    assert not [*tmp_path.rglob("*")]


def test_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "README.md", tmp_path / "apps")
    with pytest.raises(InputError, match=r"apps/mine/app\.yml: cannot be written: Not a directory"):
        scaffold.new_app(tmp_path, "mine")


@pytest.mark.lab
def test_new_app_is_made_measured_and_reported_by_one_command(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    done = clone.inv("new", "app", "fresh", "bench", "--suite", "fresh", "report")
    assert done.code == 0, done.stderr
    wrote = "".join(f"wrote {name}\n" for name in ("apps/fresh/app.yml", "apps/fresh/server.py", "configs/suites/fresh.yml"))
    assert f"{wrote}next: ./inv bench --suite fresh report" in done.stderr
    (row,) = json.loads((clone.root / "reports" / "latest" / "report.json").read_text())["rows"]
    assert (row["name"], row["status"]) == ("fresh", "measured")
    # What else runs on the computer is none of the app's doing.
    invalid = {warning["code"] for warning in row["warnings"] if warning["invalid"]}
    assert invalid <= {"disturbed", "steal"}
