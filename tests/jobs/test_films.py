"""The films apps under their own servers, on a PostgreSQL of the tests' own with the data set of `configs/data/films`."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchrig.bench import suite
from benchrig.bench.app import App, read_app, read_apps
from benchrig.bench.suite import BenchRequest
from benchrig.bench.traffic import Route
from benchrig.cli.bootstrap import make_environment
from tests.support import ROOT

APPS = ROOT / "apps"
DATA = ROOT / "configs" / "data" / "films"
FILMS = json.loads((DATA / "films.json").read_text())
PROGRAMS = Path("/usr/lib/postgresql/15/bin")
SERVED = (
    "films-flask-published",
    "films-flask",
    "films-flask-gthread",
    "films-quart",
    "films-quart-fetch",
    "films-quart-hypercorn",
)


@dataclass(frozen=True)
class Database:
    """A PostgreSQL server of our own: its superuser comes in by the socket, apps by TCP and with a password."""

    folder: Path
    port: int

    @property
    def superuser(self) -> dict[str, str]:
        return {**os.environ, "PGHOST": str(self.folder), "PGPORT": str(self.port), "PGUSER": "postgres"}

    @property
    def app(self) -> dict[str, str]:
        own = {"PGUSER": "films", "PGDATABASE": "films", "PGPASSFILE": str(self.folder / "pgpass")}
        return {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), **own}

    def sql(self, *commands: str, database: str = "films") -> str:
        argv = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, *(f"-c{command}" for command in commands)]
        done = subprocess.run(argv, env=self.superuser, cwd=DATA, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def reset(self) -> None:
        subprocess.run(["psql", "-Xq", "-d", "films", "-f", "load.sql"], env=self.superuser, cwd=DATA, check=True)

    def reviews(self) -> list[str]:
        return self.sql("SELECT film_id, rating FROM review ORDER BY 1, 2").splitlines()

    def sessions(self, condition: str = "true") -> int:
        """Count the apps' sessions that meet a condition."""
        return int(self.sql(f"SELECT count(*) FROM pg_stat_activity WHERE usename = 'films' AND {condition}"))

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Let nobody else read or write a table meanwhile."""
        with subprocess.Popen(
            ["psql", "-XqAt", "-d", "films"], env=self.superuser, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdin
            assert holder.stdout
            holder.stdin.write(f"BEGIN; LOCK TABLE {table};\n\\echo locked\n")
            holder.stdin.flush()
            assert holder.stdout.readline() == "locked\n"
            yield
            holder.stdin.close()


@dataclass(frozen=True)
class Reply:
    """What an app answered."""

    status: int
    json: object


@dataclass(frozen=True)
class Service:
    """An app that runs, and the database it has."""

    app: App
    port: int
    database: Database

    @property
    def commits(self) -> bool:
        return (self.app.file.environment or {}).get("FILMS_COMMIT") != "no"

    @property
    def pool(self) -> tuple[int, int]:
        """Connections that it keeps, and the most it opens."""
        assert self.app.file.database
        return self.app.file.database.pool_min, self.app.file.database.pool_max

    def send(self, route: Route) -> Reply:
        """Send a route's request as it is written, on a connection of its own."""
        return self.request(route.method, route.path, "".join(route.bodies), **route.headers)

    def request(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return Reply(response.status, json.loads(response.read()))
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port: int = server.getsockname()[1]
        return port


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that has to come true."""
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    if os.geteuid() != 0 or not PROGRAMS.is_dir():
        pytest.skip("needs root, and PostgreSQL 15: apt-get install postgresql-15")
    folder = Path(tempfile.mkdtemp(prefix="benchrig-films-"))
    shutil.chown(folder, "postgres", "postgres")
    folder.chmod(0o755)
    made = Database(folder, free_port())
    options = f"-p {made.port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    control = ["pg_ctl", "--silent", "--wait", "-D", str(folder / "data"), "-l", str(folder / "log")]

    def run(program: str, *arguments: str) -> None:
        argv = ["runuser", "-u", "postgres", "--", str(PROGRAMS / program), *arguments]
        subprocess.run(argv, cwd="/", stdout=subprocess.DEVNULL, check=True)

    run("initdb", "-D", str(folder / "data"), "--encoding=UTF8", "--auth-local=trust", "--auth-host=scram-sha-256")
    run(*control, "-o", options, "start")
    try:
        password = secrets.token_hex(8)
        (folder / "pgpass").write_text(f"*:*:*:*:{password}\n")
        (folder / "pgpass").chmod(0o600)
        made.sql(f"CREATE ROLE films LOGIN PASSWORD '{password}'", "CREATE DATABASE films OWNER films", database="postgres")
        yield made
    finally:
        run(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the apps' environments, which those with the same requirements share."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module", params=SERVED)
def running(request: pytest.FixtureRequest, database: Database, environments: Path) -> Iterator[Service]:
    """Run an app as its `app.yml` has it, but for its address."""
    app = read_app(APPS / request.param)
    requirements = (app.folder / app.file.requirements).resolve()
    shutil.copy(requirements, environments / f"{requirements.parent.name}.txt")
    programs = make_environment(environments, requirements.parent.name, f"{requirements.parent.name}.txt") / "bin"
    source = environments / f"{request.param}-source"
    source.mkdir()
    for name in app.file.source:
        shutil.copy(app.folder / name, source)
    service = Service(app, free_port(), database)
    environ = {**os.environ, **database.app, **(app.file.environment or {})}
    environ |= {f"DATABASE_POOL_{name}": str(size) for name, size in zip(("MIN", "MAX"), service.pool, strict=True)}
    command = app.file.command.replace("{bin}", str(programs)).replace("0.0.0.0:8080", f"127.0.0.1:{service.port}")
    database.reset()
    with (
        (source / "log").open("w") as log,
        subprocess.Popen(command.split(), cwd=source, env=environ, stderr=log) as process,
    ):
        try:
            until(lambda: process.poll() is not None or answers(service.port), "the app answers or ends")
            assert process.poll() is None, (source / "log").read_text()
            yield service
        finally:
            process.terminate()
    until(lambda: database.sessions() == 0, "the app's sessions have ended")


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def service(running: Service) -> Service:
    running.database.reset()
    return running


def test_every_route_answers_what_the_data_set_says(service: Service) -> None:
    routes = service.app.routes
    assert {name: route.json for name, route in routes.items()} == {
        "film": FILMS["995"],
        "films": FILMS,
        "review": {"film_id": 995, "rating": 4},
    }
    for route in routes.values():
        assert service.send(route) == Reply(200, route.json)


def test_only_films_after_the_year_2000_are_listed(service: Service) -> None:
    service.database.sql("INSERT INTO film VALUES (1001, 'Of 2000', 2000), (1002, 'It''s of 2001', 2001)")
    films = service.request("GET", "/films/")
    assert films.json == {**FILMS, "1002": {"film_id": 1002, "title": "It's of 2001", "release_year": 2001}}
    assert service.request("GET", "/films/1001/").json == {"film_id": 1001, "title": "Of 2000", "release_year": 2000}


@pytest.mark.parametrize("film", ["0", "1001", "2147483647", "2147483648", "99999999999999999999", "-1", "x"])
def test_a_film_that_does_not_exist_is_not_found(service: Service, film: str) -> None:
    reply = service.request("GET", f"/films/{film}/")
    assert reply.status == 404
    assert isinstance(reply.json, dict)
    assert reply.json["error"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body must be JSON"),
        (b"film_id=995&rating=4", "the body must be JSON"),
        (b'{"film_id": 995, "rating": 4', "the body must be JSON"),
        (b'{"film_id": 995, "rating": "\xff"}', "the body must be JSON"),
        (b"[" * 100_000, "the body must be JSON"),
        (b"[995, 4]", "the body must be a JSON object"),
        (b"null", "the body must be a JSON object"),
        (b'{"rating": 4}', "'film_id' must be there"),
        (b'{"film_id": 995}', "'rating' must be there"),
        (b'{"film_id": "995", "rating": 4}', "'film_id' must be there and be an integer"),
        (b'{"film_id": 995, "rating": 4.0}', "'rating' must be there and be an integer"),
        (b'{"film_id": 995, "rating": true}', "'rating' must be there and be an integer"),
        (b'{"film_id": 995, "rating": 2147483648}', "'rating' must be there and be an integer of 32 bits"),
        (b'{"film_id": -2147483649, "rating": 4}', "'film_id' must be there and be an integer of 32 bits"),
        (b'{"film_id": 1001, "rating": 4}', "there is no film 1001"),
    ],
    ids=lambda value: "" if isinstance(value, str) else repr(value[:40]),
)
def test_a_bad_review_is_refused_with_the_reason_and_not_stored(service: Service, body: bytes, reason: str) -> None:
    reply = service.request("POST", "/reviews/", body)
    assert reply.status == 400
    assert isinstance(reply.json, dict)
    assert reason in reply.json["error"]
    assert service.database.reviews() == []


def test_a_review_is_stored_unless_the_commit_is_left_out(service: Service) -> None:
    assert service.send(service.app.routes["review"]).status == 200
    extreme = '{"film_id": 1, "rating": -2147483648}'
    assert service.request("POST", "/reviews/", extreme).status == 200
    assert service.database.reviews() == (["1|-2147483648", "995|4"] if service.commits else [])


def test_requests_share_the_pool_and_wait_for_it(service: Service) -> None:
    """Twice as many requests as the pool has connections, each held up by a lock: all it has are at work, no more."""
    least, most = service.pool
    database = service.database
    with ThreadPoolExecutor(2 * most) as clients:
        with database.locked("film"):
            replies = [clients.submit(service.send, service.app.routes["film"]) for _ in range(2 * most)]
            until(lambda: database.sessions("wait_event_type = 'Lock'") >= most, "the pool's connections are all at work")
            assert database.sessions() == most
        assert [reply.result() for reply in replies] == [Reply(200, FILMS["995"])] * (2 * most)
    kept = 1 if least == 1 else most
    until(lambda: database.sessions() == kept, f"{kept} connections are kept")


def test_only_the_app_as_published_and_its_half_mended_kin_leave_a_flaw_in() -> None:
    apps = [read_app(path.parent) for path in APPS.glob("films-flask*/app.yml")]
    flaws = {app.name: (app.file.database.pool_min, app.file.environment) for app in apps if app.file.database}
    assert flaws == {
        "films-flask-published": (1, {"FILMS_COMMIT": "no"}),
        "films-flask-pool": (20, {"FILMS_COMMIT": "no"}),
        "films-flask-commit": (1, {"FILMS_COMMIT": "yes"}),
        "films-flask": (20, {"FILMS_COMMIT": "yes"}),
        "films-flask-gthread": (20, {"FILMS_COMMIT": "yes"}),
    }


def test_the_suite_measures_every_variant_on_every_route_with_as_many_connections_as_the_pool_has() -> None:
    apps = read_apps(ROOT)
    plan = suite.plan(ROOT, apps, BenchRequest("quart-vs-flask", "paper"))
    variants = {name: app for name, app in apps.items() if name.startswith("films-")}
    every = {f"{name}.{route}" for name, app in variants.items() for route in app.routes}
    # How the list is fetched shows in the list alone.
    assert {row.name for row in plan.rows} == every - {"films-quart-fetch.film", "films-quart-fetch.review"}
    assert {row.connections for row in plan.rows} == {20}
    assert {app.file.database.pool_max for app in variants.values() if app.file.database} == {20}
    assert (plan.duration_seconds, plan.threads, plan.timeout_seconds) == (300, 2, None)
