"""A session of `./inv ab` on a real lab machine: boots, storage, report."""

from __future__ import annotations

import json

import pytest

from benchrig.results import sessions
from tests.support.clone import Clone, Done

pytestmark = pytest.mark.lab


def test_a_session_boots_the_machine_and_is_kept(clone: Clone, main_job: Done) -> None:
    assert main_job.code == 0
    before = {path.name for path in (clone.root / "reports").iterdir()}
    latest = (clone.root / "reports" / "latest").resolve()
    words = ("go-2000", "go-2000", "--connections", "20", "--duration", "1s", "--boots", "2", "--repeats", "2")
    done = clone.inv("ab", *words, "--json")
    assert done.code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["measured"], result["planned"]) == (8, 8)
    assert done.stderr.count("lab1: up at ") >= 2
    (folder,) = [path for path in (clone.root / "reports").iterdir() if path.name not in before]
    session = sessions.read(folder)
    assert (session.boot_by, session.is_same, bool(session.finished_at)) == ("restore", True, True)
    assert {one.metric for one in session.spreads} >= {"requests_per_second"}
    assert (clone.root / "reports" / "latest").resolve() == latest
    shown = clone.inv("ab", "--show", folder.name)
    assert shown.code == 0, shown.stderr
    assert "A and B are the same" in shown.stdout
