"""Handlers in awkward company: failures, loops, each other, and an earlier run's that are no more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from benchrig.agent.play.modules.base import ModuleError
from tests.support.ansible import ANSIBLE, ansible
from tests.support.modules import MODULES, prepare
from tests.support.rig import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

HANDLE = "- name: {0}\n  ansible.builtin.shell: echo {0} >> {{{{ dir }}}}/log\n"

CHANGING = [case for case in MODULES if case.get("changed") and "failed" not in case]

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


def test_a_task_that_failed_after_it_changed_something_leaves_its_handler_to_the_next_run(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    shell = "ansible.builtin.shell: {cmd: 'touch {{ dir }}/made; exit 1', creates: '{{ dir }}/made'}\n"
    project.tasks(f"- name: Make\n  {shell}  notify: a\n")
    ran = project.run()
    assert (ran.recap.failed, ran.recap.pending) == (1, ["a"])
    assert project.run().recap.failed == 0
    assert project.log() == ["a"], "the change was made, and is no change any more"


def test_a_task_that_failed_before_it_changed_anything_notifies_nobody(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks("- name: Copy\n  ansible.builtin.copy: {src: /nowhere, dest: '{{ dir }}/a', mode: '0644'}\n  notify: a\n")
    assert project.run().recap.pending == ()


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


def test_a_loop_whose_failure_is_ignored_notifies_for_the_items_that_changed_something(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks(
        "- name: Each\n  ansible.builtin.command: '{{ item }}'\n  loop: ['true', 'false']\n"
        "  ignore_errors: true\n  notify: a\n"
    )
    project.run()
    assert project.log() == ["a"]


def test_an_unchanged_run_writes_no_list_of_handlers(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.handlers(HANDLE.format("a"))
    copy = "ansible.builtin.copy: {content: x, dest: '{{ dir }}/{{ item }}', mode: '0644'}\n"
    project.tasks(
        f"- name: Copy\n  {copy}  loop: [x, y]\n  notify: a\n"
        "- name: Look\n  ansible.builtin.command: 'true'\n  changed_when: false\n  notify: a\n"
    )
    project.run()
    monkeypatch.setattr("benchrig.agent.play.handlers.replace", lambda *_: pytest.fail("the list was written"))
    assert project.run().recap.changed == 0
    assert project.log() == ["a"]


def test_a_handler_noted_for_a_command_that_changed_nothing_is_taken_back(project: Project) -> None:
    project.handlers(HANDLE.format("a"))
    project.tasks(
        "- name: Look\n  ansible.builtin.command: cat {{ dir }}/../state/pending.json\n  register: seen\n"
        "  changed_when: seen.stdout == 'no'\n  notify: a\n"
        "- name: Show\n  ansible.builtin.debug: {msg: '{{ seen.stdout }}'}\n"
    )
    ran = project.run()
    assert '"one"' in ran.text(), "it was noted while the command ran"
    assert project.log() == []
    assert not (project.state / "pending.json").exists()


@pytest.mark.parametrize("case", CHANGING, ids=[case["case"] for case in CHANGING])
def test_every_module_notes_the_handlers_before_its_first_change(
    project: Project, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(project, case)
    before = tree(project.dir)

    def note(*_: object) -> None:
        assert tree(project.dir) == before
        raise ModuleError("stopped before the change")

    monkeypatch.setattr("benchrig.agent.play.handlers.Notifications.before_change", note)
    assert "stopped before the change" in project.run().messages("failed")
    assert tree(project.dir) == before


def tree(folder: Path) -> list[tuple[str, int, int, str, bytes]]:
    """Return all that is in a folder: names, modes, owners, targets of links and contents."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(".new"):
            continue
        status = path.lstat()
        target = str(path.readlink()) if path.is_symlink() else ""
        content = path.read_bytes() if path.is_file() and not target else b""
        found.append((str(path), status.st_mode, status.st_uid, target, content))
    return found
