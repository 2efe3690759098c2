"""Secrets on the host: none is told, none is kept where another user could read it."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from benchrig.agent.play import events, serve
from benchrig.agent.redact import Redactor
from tests.support.rig import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

SECRET = "hunter22"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    # Each of pytest's folders may be entered by its user only; below a worker's there is one more.
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    return Project(tmp_path)


@pytest.mark.parametrize(
    "task",
    [
        "ansible.builtin.set_fact: {db_password: \"{{ word | replace('x', '') }}\"}",
        "ansible.builtin.debug: {msg: \"{{ db_password }}\"}\n  vars: {db_password: \"{{ word | replace('x', '') }}\"}",
        "ansible.builtin.command: sh -c 'echo $DB_PASSWORD; exit 1'\n"
        "  environment: {DB_PASSWORD: \"{{ word | replace('x', '') }}\"}\n  ignore_errors: true",
    ],
    ids=["set_fact", "task variable", "environment"],
)
def test_a_secret_that_a_task_makes_is_not_told(project: Project, task: str) -> None:
    project.tasks(f"- name: Make\n  {task}\n- name: Show\n  ansible.builtin.debug: {{msg: it is {SECRET}}}\n")
    ran = project.run(extra={"word": "hunxter22"})
    assert "********" in ran.text()
    assert SECRET not in ran.text()


def test_a_secret_made_of_what_a_task_found_out_is_not_told(project: Project) -> None:
    project.write("roles/one/defaults/main.yml", 'svc_password: "{{ made.stdout }}"\n')
    project.tasks(
        f"""
- name: Make
  ansible.builtin.command: echo {SECRET[:4]}{{{{ '' }}}}{SECRET[4:]}
  register: made
- name: Use
  ansible.builtin.debug: {{msg: "{{{{ svc_password }}}}"}}
"""
    )
    assert SECRET not in project.run().text()


def test_a_secret_is_known_when_json_has_escaped_it() -> None:
    redact = Redactor()
    redact.learn("api_token", 'ab"cd\\ü')
    for text in ('{"a": "ab\\"cd\\\\\\u00fc"}', '{"a": "ab\\"cd\\\\ü"}'):
        assert redact(text) == '{"a": "********"}'


def test_no_log_at_an_import_hides_what_its_tasks_say(project: Project) -> None:
    project.write("roles/one/tasks/more.yml", "- name: Say\n  ansible.builtin.fail: {msg: said}\n")
    project.tasks("- name: Import\n  ansible.builtin.import_tasks: more.yml\n  no_log: true\n")
    assert "said" not in project.run().text()


def test_nobody_else_can_read_what_came_with_a_play(project: Project) -> None:
    project.write("roles/one/files/key", SECRET)
    project.tasks('- name: Show\n  ansible.builtin.debug: {msg: "{{ url }} {{ 1 + 1 }}"}\n')
    project.run(variables={"url": f"postgres://user:{SECRET}@{{{{ inventory_hostname }}}}/"})
    bundles = project.state / "bundles"
    assert stat.S_IMODE(bundles.stat().st_mode) == 0o700
    (cache,) = bundles.glob("*/.templates-*")
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert b"1 + 1" in cache.read_bytes()
    assert SECRET.encode() not in cache.read_bytes()


def test_a_task_of_another_user_gets_the_files_of_the_project_all_the_same(project: Project) -> None:
    project.dir.chmod(0o777)
    project.write("roles/one/files/a", "a")
    project.write("roles/one/templates/b.j2", "{{ lookup('file', 'a') }}b")
    project.write("site.yml", "- name: T\n  hosts: all\n  become: true\n  gather_facts: false\n  roles: [one]\n")
    project.tasks(
        """
- name: Copy
  ansible.builtin.copy: {src: a, dest: "{{ dir }}/a", mode: "0644"}
  become_user: nobody
- name: Template
  ansible.builtin.template: {src: b.j2, dest: "{{ dir }}/b", mode: "0644"}
  become_user: nobody
- name: Look
  ansible.builtin.assert: {that: "lookup('file', 'a') == 'a'"}
  become_user: nobody
"""
    )
    ran = project.run()
    assert not ran.messages("failed")
    assert (project.dir / "b").read_text(encoding="utf-8") == "ab"
    assert (project.dir / "b").owner() == "nobody"


@pytest.mark.parametrize("no_log", [False, True])
def test_a_command_of_another_user_reads_what_it_is_given(project: Project, no_log: bool) -> None:
    project.tasks(
        f"""
- name: Ask
  ansible.builtin.command:
    argv: [sh, -c, 'id -un; pwd; echo $HOME; cat; echo said >&2; exit 3']
    stdin: |
      select 'a "quoted" word';
      select '{SECRET}';
  become: true
  become_user: nobody
  environment: {{PGDATABASE: films}}
  no_log: {str(no_log).lower()}
  register: got
  failed_when: got.rc != 3
  changed_when: false
- name: Look
  ansible.builtin.assert:
    that:
      - got.stdout_lines[0] == 'nobody' and got.stdout_lines[1] == '/' and got.stderr == 'said'
      - got.stdout.splitlines()[3:] == ['select \\'a "quoted" word\\';', "select '{SECRET}';"]
- name: Show
  ansible.builtin.debug: {{var: got}}
"""
    )
    ran = project.run()
    assert not ran.messages("failed")
    assert (SECRET in ran.text()) is not no_log
    assert ("quoted" in ran.text()) is not no_log


def test_without_roots_rights_the_agent_says_in_one_line_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    reading, writing = os.pipe()
    os.write(writing, b'{"bundle":"x","plays":[],"host":"h","groups":{},"hostvars":{}}\n')
    os.close(writing)
    monkeypatch.setattr(serve, "STATE", tmp_path / "file" / "state")
    monkeypatch.setattr(serve, "LOCK", tmp_path / "lock")
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with os.fdopen(reading, "rb") as pipe:
        monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": pipe}))
        assert serve.main() == 1
    (ended,) = [events.decode(line) for line in capfd.readouterr().out.encode().splitlines()]
    assert isinstance(ended, events.Ended)
    assert ended.reason == f"{tmp_path}/file/state: not a directory"
    assert ended.hint == "The agent needs root; set 'ansible_become: true' for this host."


def test_a_line_of_a_secret_is_hidden_whatever_is_taken_for_its_end() -> None:
    redact = Redactor()
    redact.learn("api_token", "first\u2028half\nsecond half")
    for shown in ("first\u2028half", "second half", "first", "half"):
        assert "*" in redact(f"+{shown}"), shown
        assert shown not in redact(f"+{shown}")
