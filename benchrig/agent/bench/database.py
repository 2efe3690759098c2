"""PostgreSQL during a bench: its settings, a data set put back into its first state, and what the load did to it.

All is asked through psql as the user `postgres`, on the machine itself, where that user needs no password.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .facts import DATA, read, shortage
from .ports import holder, listeners
from .processes import UnitProcesses
from .protocol import DatabaseCounters, DatabaseFacts, Loaded

USER = "postgres"
OURS = "benchrig"
"""The name by which our own sessions are known in PostgreSQL."""

PSQL_SECONDS = 120.0
LOCK_SECONDS = 10
STARTING_SECONDS = 60.0
"""How long PostgreSQL may take to start, as after a power cut, when it repeats what its log has."""

_COMING = (
    "the database system is starting up",
    "the database system is in recovery mode",
    "the database system is not yet accepting connections",
    "the database system is shutting down",
)
"""What PostgreSQL answers while it starts, recovers from the crash of a process, or is started anew."""

ENDED_SECONDS = 15.0
"""How long the sessions of an app that was stopped may take to end."""

SETTINGS = (
    "checkpoint_timeout",
    "effective_cache_size",
    "fsync",
    "full_page_writes",
    "jit",
    "max_connections",
    "max_wal_size",
    "shared_buffers",
    "ssl",
    "synchronous_commit",
    "wal_level",
    "work_mem",
)

# The client's sessions alone: autovacuum and replication come and go by themselves.
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = :'data' AND backend_type = 'client backend' AND (:'whose' IN ('', application_name));
"""

_COUNTERS = """
SELECT json_build_object('sessions', sessions, 'commits', xact_commit, 'rollbacks', xact_rollback)
FROM pg_stat_database WHERE datname = :'data';
"""

_ADDRESS = "SELECT current_setting('listen_addresses') || ' ' || current_setting('port');"

_FACTS = """
SELECT json_build_object(
  'version', current_setting('server_version'),
  'max_connections', current_setting('max_connections')::int,
  'reserved_connections', current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true)::int, 0),
  'settings', (SELECT json_object_agg(name, current_setting(name)) FROM pg_settings WHERE name = ANY(:'settings')));
"""


class DatabaseError(Exception):
    """PostgreSQL does not answer, or refuses what is asked."""


class StartingError(DatabaseError):
    """PostgreSQL starts, recovers or is restarted, and does not answer yet."""


def find(data: str) -> DatabaseFacts:
    """Look at PostgreSQL and a data set. Raises DatabaseError when it does not answer."""
    facts = json.loads(_ask(USER, _FACTS, settings=f"{{{','.join(SETTINGS)}}}"))
    _check_listens(_ask(USER, _ADDRESS))
    try:
        fingerprint = _fingerprint(data)
    except DatabaseError:
        # The database or its tables do not exist yet, or are damaged: loading will show it.
        fingerprint = ""
    return DatabaseFacts(
        version=facts["version"].partition(" ")[0],
        settings=dict(sorted(facts["settings"].items())),
        max_connections=facts["max_connections"],
        reserved_connections=facts["reserved_connections"],
        fingerprint=fingerprint,
    )


def reset(data: str) -> Loaded:
    """Put a data set back into its first state. Raises DatabaseError when PostgreSQL refuses, or no app can reach it."""
    _run(data, "load.sql")
    fingerprint = _fingerprint(data)
    # What loading has written is on the disk before the load comes, and not while it lasts.
    _check_listens(_ask(USER, f"CHECKPOINT; {_ADDRESS}"))
    return Loaded(fingerprint)


def _check_listens(address: str) -> None:
    """Check that PostgreSQL listens at its address: where its port is taken, it starts without. Raises DatabaseError."""
    hosts, _, port = address.rpartition(" ")
    uid, any_family = pwd.getpwnam(USER).pw_uid, hosts not in ("localhost", "*")
    if any(found.uid == uid and (found.ipv4 or any_family) for found in listeners(int(port))):
        return
    other = holder(int(port), besides=uid)
    who = f", which process {other.pid} has ({other.command})" if other.pid else ""
    raise DatabaseError(f"PostgreSQL runs, but does not listen on port {port}{who}: ./inv provision --tags postgresql")


def counters(data: str, table: str, ended: bool) -> DatabaseCounters:
    """Read PostgreSQL's counters. Raises DatabaseError when it does not answer.

    Rows are counted in a session of the same database. To stay out of the difference between a reading before the load and
    one when the app has `ended`, it comes before the first and after the second.
    """
    if ended:
        _await_end(data, "")
        found, cpu = _counters(data), _cpu_seconds()
        rows = _rows(data, table)
    else:
        rows = _rows(data, table)
        _await_end(data, OURS)
        found, cpu = _counters(data), _cpu_seconds()
    return DatabaseCounters(rows, found["sessions"], found["commits"], found["rollbacks"], cpu)


def _rows(data: str, table: str) -> int | None:
    return int(_ask(data, 'SELECT count(*) FROM :"table";', table=table)) if table else None


def _counters(data: str) -> dict[str, int]:
    found = _ask(USER, _COUNTERS, data=data)
    if not found:
        raise DatabaseError(f"PostgreSQL has no database '{data}'")
    counted: dict[str, int] = json.loads(found)
    return counted


def _await_end(data: str, whose: str) -> None:
    """Wait until sessions have ended: those of one program, or all. A session that ends leaves its counts first."""
    deadline = time.monotonic() + ENDED_SECONDS
    while left := int(_ask(USER, _SESSIONS, data=data, whose=whose)):
        if time.monotonic() > deadline:
            raise DatabaseError(f"{left} sessions of the database '{data}' did not end within {ENDED_SECONDS:g} s")
        time.sleep(0.05)


def pids() -> list[int]:
    """Return the processes of the server; none when they cannot be seen. Raises DatabaseError when it does not answer."""
    found = _processes()
    return found.pids() if found else []


def _cpu_seconds() -> float:
    """Return the CPU time of the control group that the server is in; 0 when that cannot be seen."""
    found = _processes()
    return found.cpu_seconds() if found else 0.0


def _processes() -> UnitProcesses | None:
    """Return the control group that the server is in; None when that cannot be seen."""
    pid = read(Path(_ask(USER, "SHOW data_directory;")) / "postmaster.pid").partition("\n")[0]
    groups = read(f"/proc/{pid}/cgroup").splitlines()
    # Beside the hierarchies of cgroup v1 it is systemd's own that has the unit; with v2 alone there is only one.
    own = next((group for group in groups if ":name=systemd:" in group), groups[-1] if groups else "")
    return UnitProcesses(own.rpartition(":")[2]) if own else None


def _fingerprint(data: str) -> str:
    return _run(data, "fingerprint.sql")


def _run(data: str, name: str) -> str:
    """Run a file of a data set in its database, from the data set's folder, and return what it prints."""
    if not (DATA / data / name).is_file():
        raise DatabaseError(f"the data set '{data}' is not on this machine: there is no {DATA / data / name}")
    return _psql(data, ("-f", name), DATA / data)


def _ask(database: str, sql: str, **variables: str) -> str:
    """Return what a statement prints; psql puts `variables` into it, quoted as `:'value'` or `:"name"`."""
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    return _psql(database, given, Path("/"), sql)


def _psql(database: str, options: Sequence[str], folder: Path, stdin: str = "") -> str:
    """Return what psql prints. While PostgreSQL starts or recovers, wait for it. Raises DatabaseError."""
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return _once(database, options, folder, stdin)
        except StartingError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _once(database: str, options: Sequence[str], folder: Path, stdin: str) -> str:
    if not shutil.which("psql"):
        raise DatabaseError("PostgreSQL is not installed; the role 'postgresql' does it on hosts of the group 'databases'")
    argv = ("runuser", "-u", USER, "--", "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, *options)
    # A session that somebody forgot must not hold up a bench for ever.
    settings = f"-c lock_timeout={LOCK_SECONDS}s -c client_min_messages=error"
    own = {"LC_ALL": "C.UTF-8", "PGAPPNAME": OURS, "PGOPTIONS": settings}
    try:
        done = subprocess.run(
            argv,
            cwd=folder,
            input=stdin.encode(),
            capture_output=True,
            env={**os.environ, **own},
            timeout=PSQL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DatabaseError(f"PostgreSQL did not answer within {PSQL_SECONDS:.0f} s") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode and any(state in said for state in _COMING):
        raise StartingError(_reason(said))
    if done.returncode:
        raise DatabaseError(f"{_reason(said)}{shortage()}")
    return done.stdout.decode(errors="replace").strip()


_UNREACHED = {
    "No such file or directory": "it does not run, for its socket is not there",
    "Connection refused": "it does not run, or has just ended, for nobody listens on its socket",
    "Permission denied": "its socket may not be used by the user postgres",
    "Resource temporarily unavailable": "it runs, and too many programs wait for a connection",
}
"""What the system's words mean where a connection to PostgreSQL failed."""


def _reason(stderr: str) -> str:
    """Return in one line why psql failed."""
    said = " ".join(stderr.partition("\n")[0].split()) or "psql failed and gave no reason"
    if "connection to server" in said and "FATAL" not in said:
        why = said.rpartition("failed: ")[2]
        meaning = next((meaning for found, meaning in _UNREACHED.items() if found in why), why)
        return f"PostgreSQL does not answer: {meaning}; ./inv provision --tags postgresql starts it"
    return f"PostgreSQL refuses: {said.removeprefix('psql: error: ').rpartition('FATAL: ')[2]}"
