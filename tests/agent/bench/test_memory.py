"""What the OOM killer did is counted in the app's control group, and above it only when that is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchrig.agent.bench import memory
from benchrig.agent.bench.memory import OomKills


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an app's control group; a test has neither the rights nor the memory for a real one."""
    made = tmp_path / "system.slice" / "app.service"
    made.mkdir(parents=True)
    for folder in (made, made.parent):
        count(folder, 0)
    monkeypatch.setattr(memory, "_group", lambda _pid: made)
    return made


def count(group: Path, kills: int) -> None:
    (group / "memory.events").write_text(f"oom {kills}\noom_kill {kills}\n")


def test_kills_in_the_apps_group_are_the_apps(group: Path) -> None:
    kills = OomKills([1])
    count(group, 2)
    count(group.parent, 5)
    assert kills.count() == (2, False)


def test_kills_of_others_beside_the_app_are_not_counted_while_its_group_is_there(group: Path) -> None:
    kills = OomKills([1])
    count(group.parent, 5)
    assert kills.count() == (0, False)


def test_kills_above_a_group_that_is_gone_may_be_those_of_others(group: Path) -> None:
    kills = OomKills([1])
    (group / "memory.events").unlink()
    group.rmdir()
    count(group.parent, 1)
    assert kills.count() == (1, True)
