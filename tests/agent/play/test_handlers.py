"""Handlers in awkward company: failures, loops, each other, and an earlier run's that are no more."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.ansible import ANSIBLE, ansible
from tests.support.rig import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

HANDLE = "- name: {0}\n  ansible.builtin.shell: echo {0} >> {{{{ dir }}}}/log\n"

MUTUAL = HANDLE.format("a") + "  notify: b\n" + HANDLE.format("b") + "  notify: a\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_task_whose_failure_is_ignored_notifies_nobody(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks('- name: Fail\n  ansible.builtin.command: "false"\n  ignore_errors: true\n  notify: a\n')
    project.run()
    assert project.log() == []


def test_a_loop_that_changed_something_before_it_failed_leaves_its_handler_to_the_next_run(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks(
        """
- name: Make
  ansible.builtin.file: {path: "{{ dir }}/{{ item }}", state: directory, mode: "0755"}
  loop: [new, "{{ second }}"]
  notify: a
"""
    )
    (project.dir / "file").touch()
    assert project.run(extra={"second": "file"}).recap.pending == ["a"]
    assert project.run(extra={"second": "new"}).recap.failed == 0
    assert project.log() == ["a"]


def test_handlers_that_notify_each_other_end(project: Project) -> None:
    project.handlers(MUTUAL)
    project.tasks('- name: Change\n  ansible.builtin.command: "true"\n  notify: a\n')
    ran = project.run(stop_after=20)
    ours = project.log()
    assert ours == ["a", "b", "a", "b"]
    assert not ran.recap.pending
    if Path(ANSIBLE).exists():
        (project.dir / "log").unlink()
        ansible(project.root, "-e", f"dir={project.dir}")
        assert project.log() == ours


def test_a_pending_handler_that_is_no_more_is_dropped_and_that_is_said_once(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks(
        '- name: Change\n  ansible.builtin.command: "true"\n  notify: a\n- name: Fail\n  ansible.builtin.fail: {msg: x}\n'
    )
    assert project.run().recap.pending == ["a"]
    project.handlers("[]")
    project.tasks('- name: Nothing\n  ansible.builtin.debug: {msg: "x"}\n')
    first = project.run()
    assert first.recap.pending == ()
    assert "'a' of role one" in first.notices()[0]
    assert project.run().notices() == []
