"""Server, database and load generator on three lab machines, from nothing to a table."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.support.clone import Clone, Done

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def job(clone: Clone) -> Iterator[Done]:
    """Yield how a bench with a database on a machine of its own ended."""
    arguments = ("--suite", "quart-vs-flask", "--only", "films-quart.review", "--duration", "1s")
    yield clone.inv("bench", "-i", "lab-three", *arguments, "report", timeout=900)
    clone.inv("destroy", "-i", "lab-three")


def test_a_database_of_its_own_serves_the_app_and_takes_what_the_load_stores(job: Done) -> None:
    assert job.code == 0, job.stderr
    assert "database on db1: PostgreSQL 15" in job.stdout
    row = next(line for line in job.stdout.splitlines() if line.startswith("Quart + asyncpg "))
    stored = re.search(r" 0 +(\d[\d,]*) +\d+ ", row)
    assert stored
    assert int(stored[1].replace(",", "")) > 0
    assert "not stored" not in job.stdout


def test_the_report_has_the_networks_between_the_three_and_says_what_they_share(job: Done) -> None:
    for between in ("load1 to server1", "server1 to db1"):
        assert re.search(rf"^{between}: round trip [\d.]+ [µm]s \(p99 .*\), .* [GM]bit/s$", job.stdout, re.MULTILINE)
    assert re.search(r"^server1, load1 and db1 are on one computer and share its \d+ CPU cores\. ", job.stdout, re.MULTILINE)


def test_a_provisioned_lab_is_back_in_no_time(clone: Clone, job: Done) -> None:
    assert job.code == 0
    assert clone.inv("snapshot", "-i", "lab-three").code == 0
    assert clone.inv("ssh", "-i", "lab-three", "--host", "server1", "--run", "rm -r /opt/benchrig").code == 0
    assert clone.inv("restore", "-i", "lab-three").code == 0
    done = clone.inv("provision", "-i", "lab-three", "--tags", "app", "--limit", "server1,db1", "--check")
    assert done.code == 0, done.stderr
    assert not re.search(r"^server1: .*changed: app : Copy the files of the apps .*films-quart:", done.stderr, re.MULTILINE)
