"""PostgreSQL as it is provisioned: the data set and its fingerprint, passwords, settings in force, one machine and two."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchrig import yamlfile
from tests.support import ROOT
from tests.support.clone import Clone

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
DATA = ROOT / "configs/data/films"
FINGERPRINT = yamlfile.read(DATA / "data.yml").data["fingerprint"]

needs_postgresql = pytest.mark.skipif(os.geteuid() != 0 or not PROGRAMS.is_dir(), reason="needs root and PostgreSQL 15")

as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


@dataclass(frozen=True)
class Server:
    """A PostgreSQL of our own that listens on a socket in its folder, and on a port of 127.0.0.1 for who has a password."""

    folder: Path
    data: Path
    """A copy of the data set."""
    port: int

    def psql(self, *options: str, stdin: str = "", code: int = 0) -> str:
        argv = [*as_postgres, str(PROGRAMS / "psql"), "-XqAt", "-h", str(self.folder), "-p", str(self.port), *options]
        done = subprocess.run(argv, cwd=self.data, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout + done.stderr

    def sql(self, text: str) -> str:
        return self.psql("-d", "films", "-c", text)

    def load(self, code: int = 0) -> str:
        return self.psql("-d", "films", "-f", "load.sql", code=code)

    def fingerprint(self) -> str:
        return self.psql("-d", "films", "-f", "fingerprint.sql").strip()

    def log_in(self, password: str) -> int:
        """Log in as the role films from the network, and return the exit code."""
        where = f"host=127.0.0.1 port={self.port} user=films dbname=films"
        argv = [str(PROGRAMS / "psql"), "-Xw", where, "-c", "SELECT 1"]
        environ = {**os.environ, "PGPASSWORD": password}
        return subprocess.run(argv, env=environ, capture_output=True, check=False).returncode


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    # Not below pytest's folders, which only their user may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = folder / "cluster"
        cluster.mkdir()
        shutil.chown(cluster, "postgres", "postgres")
        shutil.chown(folder, "postgres", "postgres")
        shutil.copytree(DATA, folder / "films")
        made = Server(folder, folder / "films", free_port())
        init = ("-D", str(cluster), "--auth-local=peer", "--auth-host=scram-sha-256", "--no-sync")
        subprocess.run([*as_postgres, str(PROGRAMS / "initdb"), *init], check=True, capture_output=True, cwd="/")
        control = [*as_postgres, str(PROGRAMS / "pg_ctl"), "-s", "-w", "-D", str(cluster), "-l", str(cluster / "log")]
        options = f"-p {made.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        subprocess.run([*control, "-o", options, "start"], check=True, cwd="/")
        try:
            made.psql("-d", "postgres", "-c", "CREATE ROLE films LOGIN", "-c", "CREATE DATABASE films OWNER films")
            yield made
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, cwd="/")


def test_there_are_a_thousand_films_with_titles_of_their_own_made_after_2000() -> None:
    films = json.loads((DATA / "films.json").read_text(encoding="utf-8"))
    assert list(films) == [str(number) for number in range(1, 1001)]
    assert all(set(film) == {"film_id", "title", "release_year"} for film in films.values())
    assert all(film["film_id"] == int(key) for key, film in films.items())
    assert len({film["title"] for film in films.values()}) == 1000
    assert {film["release_year"] for film in films.values()} == set(range(2001, 2021))


@needs_postgresql
def test_loading_makes_the_state_that_data_yml_names_and_does_so_again(server: Server) -> None:
    for _ in range(2):
        server.load()
        assert server.fingerprint() == FINGERPRINT
    assert server.sql("SELECT title, release_year FROM film WHERE film_id = 995") == "Thirsty Corner|2010\n"


@needs_postgresql
@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO review VALUES (995, 4)",
        "DELETE FROM film WHERE film_id = 17",
        "UPDATE film SET title = 'Another' WHERE film_id = 17",
        "UPDATE film SET release_year = 1999 WHERE film_id = 17",
        "INSERT INTO film VALUES (1001, 'One Too Many', 2001)",
    ],
)
def test_a_change_shows_in_the_fingerprint_and_loading_takes_it_back(server: Server, change: str) -> None:
    server.load()
    server.sql(change)
    assert server.fingerprint() != FINGERPRINT
    server.load()
    assert server.fingerprint() == FINGERPRINT


@needs_postgresql
def test_the_tables_belong_to_the_role_of_the_data_set_and_reviews_are_of_films(server: Server) -> None:
    server.load()
    assert server.sql("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1") == (
        "film|films\nreview|films\n"
    )
    assert "violates foreign key" in server.psql("-d", "films", "-c", "INSERT INTO review VALUES (1001, 4)", code=1)


@needs_postgresql
def test_a_load_that_fails_leaves_the_tables_as_they_were(server: Server) -> None:
    server.load()
    films = server.data / "films.json"
    whole = films.read_text()
    films.write_text(whole.replace('"film_id": 1000,', '"film_id": 999,'))
    try:
        assert "duplicate key" in server.load(code=3)
    finally:
        films.write_text(whole)
    assert server.fingerprint() == FINGERPRINT


@needs_postgresql
def test_postgresql_takes_the_verifier_for_the_password_and_no_other_password(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(ROOT / "roles/postgresql/files/new_password.py"))
    password, verifier = capsys.readouterr().out.splitlines()
    server.psql("-d", "postgres", stdin=f"ALTER ROLE films PASSWORD '{verifier}';\n")
    kept = server.psql("-d", "postgres", "-c", "SELECT rolpassword FROM pg_authid WHERE rolname = 'films'")
    assert kept.strip() == verifier
    assert server.log_in(password) == 0
    assert server.log_in(password[:-1]) != 0


# One machine, and PostgreSQL on it.


def run(clone: Clone, command: str, *, inventory: str = "lab", host: str = "") -> str:
    """Run a command on a machine and return what it printed."""
    done = clone.inv("ssh", "-i", inventory, *(["--host", host] if host else []), "--run", command)
    assert done.code == 0, done.stdout + done.stderr
    return done.stdout


def sql(clone: Clone, text: str, database: str = "films") -> str:
    return run(clone, f'cd / && {" ".join(as_postgres)} {PROGRAMS}/psql -XqAt -d {database} -c "{text}"')


def provision(clone: Clone, *options: str, code: int = 0) -> str:
    """Provision PostgreSQL on a machine, see that it ends with this exit code, and return all that it said."""
    done = clone.inv("provision", "--tags", "base,postgresql", *options)
    said = done.stdout + done.stderr
    assert done.code == code, said
    return said


@pytest.fixture(scope="module")
def provisioned(clone: Clone) -> str:
    """Provision the lab machine's PostgreSQL, and return what was said, with all that may be shown."""
    return provision(clone, "--diff")


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_the_database_has_its_data_and_the_second_run_changes_nothing(clone: Clone) -> None:
    assert sql(clone, "SELECT count(*) FROM film") == "1000\n"
    assert "changed=0 " in provision(clone)
    assert "changed=0 " in provision(clone, "--check")


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_ansible_finds_nothing_to_change(clone: Clone) -> None:
    (clone.root / "lab.conf").write_text(clone.inv("ssh-config").stdout)
    argv = ["ansible-playbook", "--check", "--tags", "base,postgresql", "site.yml"]
    done = clone.run(argv, ANSIBLE_SSH_ARGS=f"-F {clone.root}/lab.conf")
    assert re.search(r"changed=0 .*failed=0", done.stdout), done.stdout + done.stderr


@pytest.mark.lab
def test_the_password_is_in_its_file_and_nowhere_else(clone: Clone, provisioned: str) -> None:
    assert run(clone, "stat -c '%a %U' /etc/benchrig/postgresql/films") == "600 root\n"
    password, verifier = run(clone, "cat /etc/benchrig/postgresql/films").splitlines()
    assert password not in provisioned
    assert verifier not in provisioned
    found = run(clone, f"grep -rlF -e '{password}' -e '{verifier}' /etc /opt /root /tmp /var/lib/benchrig /var/log || true")
    assert set(found.split()) <= {"/etc/benchrig/postgresql/films", "/etc/benchrig/pgpass"}
    assert run(clone, f"journalctl --quiet --output=cat | grep -cF -e '{password}' -e '{verifier}' || true") == "0\n"


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_what_differs_is_put_right_and_only_that(clone: Clone) -> None:
    for change, task in (
        ("INSERT INTO review VALUES (995, 4)", "Load the data sets"),
        ("DROP TABLE review, film", "Load the data sets"),
        ("ALTER ROLE films PASSWORD 'another'", "Create the database roles"),
    ):
        sql(clone, change)
        assert "changed=1 " in provision(clone, "--check"), change
        said = provision(clone)
        assert "changed=1 " in said, change
        assert f"changed: postgresql : {task}" in said
        assert "changed=0 " in provision(clone), change


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_a_setting_that_needs_a_restart_gets_one_and_is_in_force(clone: Clone) -> None:
    started = "SELECT pg_postmaster_start_time()"
    first = sql(clone, started)
    provision(clone, "-e", "postgresql_max_connections=60")
    assert sql(clone, "SHOW max_connections") == "60\n"
    second = sql(clone, started)
    assert second != first
    provision(clone, "-e", "postgresql_max_connections=60")
    assert sql(clone, started) == second
    provision(clone)
    assert sql(clone, "SHOW max_connections") == "100\n"


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_a_setting_that_needs_none_is_in_force_without(clone: Clone) -> None:
    started = "SELECT pg_postmaster_start_time()"
    first = sql(clone, started)
    provision(clone, "-e", "postgresql_ssl=on")
    assert (sql(clone, "SHOW ssl"), sql(clone, started)) == ("on\n", first)
    provision(clone)
    assert (sql(clone, "SHOW ssl"), sql(clone, started)) == ("off\n", first)


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (
            "shared_buffers=900GB",
            "PostgreSQL on lab1 does not start: could not map anonymous shared memory: Cannot allocate",
        ),
        ("max_connections=lots", "PostgreSQL on lab1 refuses max_connections = lots (integer from 1 to 262143)"),
    ],
)
def test_a_postgresql_that_cannot_run_so_is_one_line_with_its_own_reason(clone: Clone, setting: str, said: str) -> None:
    told = provision(clone, "-e", f"postgresql_{setting}", code=1)
    (failed,) = (line for line in told.splitlines() if line.startswith("failed: postgresql : "))
    assert said in failed
    provision(clone)
    assert "changed=0 " in provision(clone)


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_data_that_is_not_what_its_fingerprint_says_is_refused(clone: Clone) -> None:
    about = clone.root / "configs/data/films/data.yml"
    right = about.read_text()
    about.write_text(right.replace(FINGERPRINT, "999 films"))
    try:
        said = provision(clone, code=1)
    finally:
        about.write_text(right)
    told = f"data.yml says the fingerprint is '999 films', but the tables that load.sql made have '{FINGERPRINT}'"
    assert told in said
    provision(clone)


# Two machines: PostgreSQL on one, an app that asks it on the other.

TWO = """\
all:
  vars: {benchrig_machine: lab, ansible_user: root}
  children:
    servers: {hosts: {web1: {}}}
    loadgens: {hosts: {web1: {}}}
    databases: {hosts: {db1: {}}}
"""
ASKS = """\
title: Asks once
runtime: system
command: "{bin}/psql --no-psqlrc --tuples-only --no-align --no-password --command 'SELECT max(film_id) FROM film'"
database: {data: films}
routes: {none: {path: /}}
"""


@pytest.mark.lab
def test_an_app_on_another_machine_is_let_in_and_nobody_else(clone: Clone) -> None:
    (clone.root / "inventory/two.yml").write_text(TWO)
    (clone.root / "apps/asks").mkdir()
    (clone.root / "apps/asks/app.yml").write_text(ASKS)
    options = ("-i", "two", "--tags", "base,postgresql,app", "-e", '{"app_only": ["asks"]}')
    try:
        first = clone.inv("provision", *options)
        assert first.code == 0, first.stdout + first.stderr
        again = clone.inv("provision", *options)
        assert again.stderr.count("changed=0 ") == 2, again.stderr
        run(clone, "apt-get install -qq --no-install-recommends postgresql-client-15", inventory="two", host="web1")
        run(clone, "systemctl start benchrig-asks", inventory="two", host="web1")
        said = run(clone, "sleep 1; journalctl --quiet --output=cat --unit=benchrig-asks", inventory="two", host="web1")
        assert "1000" in said.splitlines()
        assert run(clone, "stat -c '%a %U' /etc/benchrig/pgpass", inventory="two", host="web1") == "600 benchrig\n"
        rules = run(clone, "grep -v '^#' /etc/postgresql/15/main/pg_hba.conf", inventory="two", host="db1")
        address = run(clone, "hostname -I", inventory="two", host="web1").split()[0]
        assert [line for line in rules.splitlines() if "127.0.0.1" not in line and "::1" not in line] == [
            "local all all peer",
            f"host films films {address}/32 scram-sha-256",
        ]
    finally:
        shutil.rmtree(clone.root / "apps/asks")
        clone.inv("destroy", "-i", "two")


@pytest.mark.lab
@pytest.mark.usefixtures("provisioned")
def test_on_one_machine_postgresql_listens_to_itself_alone(clone: Clone) -> None:
    assert sql(clone, "SHOW listen_addresses") == "localhost\n"
