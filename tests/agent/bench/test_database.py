"""The agent's side of PostgreSQL: a server of our own, started for these tests, with a small data set."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent.bench import database
from benchrig.agent.bench.database import DatabaseError

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0 or not PROGRAMS.is_dir(), reason="needs root and PostgreSQL 15"),
    pytest.mark.usefixtures("films"),
]

LOAD = """\
\\set films `cat films.json`
BEGIN;
CREATE TABLE IF NOT EXISTS film (film_id int PRIMARY KEY, title text NOT NULL);
CREATE TABLE IF NOT EXISTS review (film_id int NOT NULL, rating int NOT NULL);
TRUNCATE film, review;
INSERT INTO film SELECT key::int, value FROM json_each_text(:'films');
COMMIT;
"""
FINGERPRINT = """\
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
  SELECT 'film ' || film_id || ' ' || title AS line FROM film
  UNION ALL SELECT 'review ' || film_id || ' ' || rating FROM review) AS lines;
"""
INSERT = "INSERT INTO review VALUES (1, 4);"

with socket.socket() as _free:
    _free.bind(("", 0))
    PORT = _free.getsockname()[1]
    """A free port for PostgreSQL."""


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own."""

    folder: Path

    def control(self, *words: str) -> None:
        options = f"-p {PORT} -k {self.folder} -c listen_addresses='*' -c max_connections=25 -c fsync=off"
        argv = (
            PROGRAMS / "pg_ctl",
            "-s",
            "-w",
            "-D",
            self.folder / "data",
            "-l",
            self.folder / "log",
            "-o",
            options,
            *words,
        )
        subprocess.run(("runuser", "-u", "postgres", "--", *map(str, argv)), check=True, cwd="/")

    def session(self, sql: str) -> subprocess.Popen[bytes]:
        """Start a program that does `sql` and then keeps its session, as an app's pool does."""
        process = subprocess.Popen(
            ("runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-d", "films"),
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{sql}\n\\echo done\n".encode())
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
        return process


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="benchrig-test-"))
    shutil.chown(folder, "postgres")
    folder.chmod(0o755)
    made = Server(folder)
    initdb = (str(PROGRAMS / "initdb"), "-D", str(folder / "data"), "-A", "trust")
    subprocess.run(("runuser", "-u", "postgres", "--", *initdb), check=True, stdout=subprocess.DEVNULL, cwd="/")
    made.control("start")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGHOST", str(folder))
        patch.setenv("PGPORT", str(PORT))
        subprocess.run(("runuser", "-u", "postgres", "--", "createdb", "films"), check=True, cwd="/")
        yield made
    made.control("stop", "-m", "immediate")
    shutil.rmtree(folder)


@pytest.fixture
def films(server: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a data set on the server's machine."""
    folder = server.folder / "sets" / "films"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "films.json").write_text('{"1": "It\'s a \\"quoted\\" title", "2": "Second"}')
    (folder / "load.sql").write_text(LOAD)
    (folder / "fingerprint.sql").write_text(FINGERPRINT)
    monkeypatch.setattr(database, "DATA", folder.parent)
    return folder


def test_a_data_set_is_put_back_into_the_same_state_whatever_was_done_to_it(server: Server) -> None:
    first = database.reset("films").fingerprint
    assert len(first) == 32
    server.session(INSERT + "DELETE FROM film WHERE film_id = 2;").communicate()
    assert database.find("films").fingerprint != first
    assert database.reset("films").fingerprint == first


def test_other_data_have_another_fingerprint(films: Path) -> None:
    first = database.reset("films").fingerprint
    (films / "films.json").write_text('{"1": "Another title"}')
    assert database.reset("films").fingerprint != first


def test_facts_are_those_of_the_server() -> None:
    loaded = database.reset("films")
    found = database.find("films")
    assert found.version.startswith("15.")
    assert (found.max_connections, found.reserved_connections) == (25, 3)
    assert found.settings["fsync"] == "off"
    assert found.settings["shared_buffers"] == "128MB"
    assert found.fingerprint == loaded.fingerprint


def test_before_the_tables_are_there_the_fingerprint_is_empty(server: Server) -> None:
    database.reset("films")
    server.session("DROP TABLE film, review;").communicate()
    assert database.find("films").fingerprint == ""
    assert database.reset("films").fingerprint


def test_rows_sessions_and_transactions_of_the_load_alone_are_in_the_difference(server: Server) -> None:
    database.reset("films")
    server.session(INSERT).communicate()
    before = database.counters("films", "review", ended=False)
    sessions = [server.session(INSERT), server.session(f"BEGIN; {INSERT} ROLLBACK;"), server.session(f"BEGIN; {INSERT}")]
    for session in sessions:
        session.communicate()
    after = database.counters("films", "review", ended=True)
    assert (before.rows, after.rows) == (1, 2)
    assert after.sessions - before.sessions == 3
    # A session's own start is a transaction too.
    assert after.commits - before.commits == 3 + 1
    assert after.rollbacks - before.rollbacks == 2
    assert after.cpu_seconds >= before.cpu_seconds


def test_a_table_that_is_not_asked_for_is_not_counted() -> None:
    database.reset("films")
    assert database.counters("films", "", ended=True).rows is None


def test_a_session_that_does_not_end_is_told(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    database.reset("films")
    monkeypatch.setattr(database, "ENDED_SECONDS", 0.2)
    session = server.session(INSERT)
    with pytest.raises(DatabaseError, match=r"^1 sessions of the database 'films' did not end within 0.2 s$"):
        database.counters("films", "review", ended=True)
    session.communicate()
    assert database.counters("films", "review", ended=True).rows == 1


def test_a_lock_that_somebody_holds_is_an_error_and_not_a_wait_without_end(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.reset("films")
    monkeypatch.setattr(database, "LOCK_SECONDS", 1)
    session = server.session(f"BEGIN; {INSERT}")
    with pytest.raises(DatabaseError, match=r"^PostgreSQL refuses: psql:load.sql:\d: ERROR: .*lock timeout"):
        database.reset("films")
    session.communicate()
    assert database.reset("films")


def test_a_data_set_that_cannot_be_loaded_is_told_with_file_and_line(films: Path) -> None:
    (films / "load.sql").write_text("BEGIN;\nSELECT nonsense;\nCOMMIT;\n")
    with pytest.raises(
        DatabaseError, match=r'^PostgreSQL refuses: psql:load.sql:2: ERROR: column "nonsense" does not exist$'
    ):
        database.reset("films")


def test_a_data_set_or_a_database_that_is_not_there_is_named(films: Path) -> None:
    with pytest.raises(DatabaseError, match="the data set 'books' is not on this machine"):
        database.reset("books")
    with pytest.raises(DatabaseError, match="PostgreSQL has no database 'books'"):
        database.counters("books", "", ended=True)
    shutil.copytree(films, films.parent / "books", dirs_exist_ok=True)
    with pytest.raises(DatabaseError, match='PostgreSQL refuses: database "books" does not exist'):
        database.reset("books")


def test_a_server_that_is_down_is_one_line(server: Server) -> None:
    database.reset("films")
    server.control("stop", "-m", "fast")
    try:
        with pytest.raises(
            DatabaseError,
            match=r"^PostgreSQL does not answer: it does not run, for its socket is not there; ./inv provision --tags post",
        ):
            database.find("films")
    finally:
        server.control("start")


def test_a_machine_without_postgresql_is_told_which_role_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DatabaseError, match="PostgreSQL is not installed; the role 'postgresql' does it"):
        database.find("films")


def test_a_server_that_does_not_listen_for_apps_is_named_with_who_has_its_port(server: Server) -> None:
    """As after a restart while a client's own port is the server's: it comes back, and listens on IPv6 only."""
    server.control("stop", "-m", "fast")
    with socket.socket() as end, socket.socket() as client:
        end.bind(("127.0.0.1", 0))
        end.listen()
        client.bind(("127.0.0.1", PORT))
        client.connect(end.getsockname())
        server.control("start")
        with pytest.raises(DatabaseError, match=rf"does not listen on port {PORT}, which process {os.getpid()} has"):
            database.find("films")
        with pytest.raises(DatabaseError, match=f"does not listen on port {PORT}"):
            database.reset("films")
    server.control("restart", "-m", "fast")
    assert database.reset("films").fingerprint


@pytest.mark.parametrize("state", ["starting up", "in recovery mode", "not yet accepting connections", "shutting down"])
def test_a_server_that_starts_or_recovers_is_waited_for(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """psql's first two answers are those of a server that starts; the third is the real one."""
    real, said = subprocess.run, [f"the database system is {state}"] * 2

    def run(argv: Sequence[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        if said:
            return subprocess.CompletedProcess(argv, 2, b"", f"psql: error: FATAL:  {said.pop()}".encode())
        return real(argv, **options)

    monkeypatch.setattr(database.subprocess, "run", run)
    assert database.find("films").version.startswith("15")
    assert said == []
    said.append(f"the database system is {state}")
    monkeypatch.setattr(database, "STARTING_SECONDS", -1.0)
    with pytest.raises(DatabaseError, match=f"PostgreSQL refuses: the database system is {state}"):
        database.find("films")


def test_a_server_whose_session_was_killed_recovers_and_is_waited_for(server: Server) -> None:
    session = server.session("SET jit = off;")
    postmaster = (server.folder / "data" / "postmaster.pid").read_text().split()[0]
    pids = subprocess.run(["pgrep", "-P", postmaster, "-f", "postgres films"], capture_output=True, text=True, check=True)
    os.kill(int(pids.stdout.split()[0]), signal.SIGKILL)
    assert database.find("films").version.startswith("15")
    session.kill()
    assert "all server processes terminated; reinitializing" in (server.folder / "log").read_text()
