"""What a chain's tasks hand on, and the playbook that `provision` is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import Config

from benchrig.cli.arguments import find_playbook
from benchrig.cli.chain import ChainContext, ChainState
from benchrig.errors import InputError
from tests.support import ROOT
from tests.support.cli import inv


def test_password_is_not_shown() -> None:
    state = ChainState(run="20260101", become_password="hunter2")
    assert "20260101" in repr(state)
    assert "hunter2" not in repr(state)


def test_state_is_no_part_of_the_configuration() -> None:
    context = ChainContext(Config(), ChainState(become_password="hunter2"))
    assert context.chain.become_password == "hunter2"
    assert "chain" not in context.config
    assert "hunter2" not in repr(context)


def test_playbook_is_looked_for_where_the_user_is_and_then_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_playbook("site.yml") == ROOT / "site.yml"
    (tmp_path / "site.yml").touch()
    assert find_playbook("site.yml") == tmp_path / "site.yml"
    with pytest.raises(InputError, match=r"there is no playbook 'nosuch\.yml'"):
        find_playbook("nosuch.yml")


def test_missing_playbook_ends_with_bad_input(tmp_path: Path) -> None:
    done = inv("provision", "--playbook", "nosuch.yml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, f"error: there is no playbook 'nosuch.yml', neither here nor in {ROOT}\n")


def test_mistake_in_a_playbook_of_ones_own_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("- hosts: all\n  role: []\n")
    done = inv("provision", "--playbook", "mine.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert "mine.yml:2: unknown key 'role'; did you mean roles?" in done.stderr


def test_playbook_of_ones_own_runs_with_the_roles_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text("- hosts: all\n  roles: [{role: one, tags: [mine]}]\n")
    (tmp_path / "roles/one/tasks").mkdir(parents=True)
    (tmp_path / "roles/one/tasks/main.yml").write_text("- ansible.builtin.debug: {msg: hello}\n  name: Say it\n")
    done = inv("provision", "--playbook", "mine.yml", "--tags", "nosuch", cwd=tmp_path)
    assert done.stderr == "error: no task has the tag 'nosuch'; known: mine\n"


def test_without_the_flag_the_projects_playbook_runs_wherever_the_user_is(tmp_path: Path) -> None:
    (tmp_path / "site.yml").write_text("- hosts: all\n  role: []\n")
    done = inv("provision", "--tags", "nosuch", cwd=tmp_path)
    assert done.stderr.startswith("error: no task has the tag 'nosuch'")
