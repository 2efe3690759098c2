"""A play on a host: what runs, in what order, what is registered, what is kept when it fails, what is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchrig.agent.play import events
from benchrig.agent.play.session import chosen
from tests.support.rig import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

CHANGE = """\
- name: Change
  ansible.builtin.copy: {content: "{{ text | default('x') }}", dest: "{{ dir }}/a", mode: "0644"}
  notify: Handle
"""

HANDLE = """\
- name: Handle
  ansible.builtin.shell: echo handled >> {{ dir }}/log
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_tasks_are_counted_as_ansible_counts_them(project: Project) -> None:
    project.tasks(
        """
- name: Ok
  ansible.builtin.command: "true"
  changed_when: false
- name: Changed, one of two items
  ansible.builtin.command: "true"
  changed_when: item == 2
  loop: [1, 2]
- name: Skipped
  ansible.builtin.command: "true"
  when: false
- name: Nothing to loop over
  ansible.builtin.command: "true"
  loop: []
- name: Ignored
  ansible.builtin.command: "false"
  ignore_errors: true
"""
    )
    recap = project.run().recap
    assert (recap.ok, recap.changed, recap.skipped, recap.failed, recap.ignored) == (3, 2, 2, 0, 1)


def test_a_failed_task_ends_the_play_and_is_told_with_its_place(project: Project) -> None:
    project.tasks(
        "- name: One\n  ansible.builtin.fail: {msg: on purpose}\n- name: Two\n  ansible.builtin.fail: {msg: never}\n"
    )
    ran = project.run()
    started = [event for event in ran.told if isinstance(event, events.TaskStarted)]
    assert [(task.name, Path(task.where).name) for task in started] == [("One", "main.yml:1")]
    assert ran.recap.failed == 1
    assert ran.messages("failed") == ["on purpose"]


def test_a_loop_goes_on_after_an_item_failed(project: Project) -> None:
    project.tasks("- name: Each\n  ansible.builtin.command: test {{ item }} = 2\n  loop: [1, 2, 3]\n  changed_when: false\n")
    ran = project.run()
    assert [(item.label, item.status) for item in ran.items()] == [("1", "failed"), ("2", "ok"), ("3", "failed")]


def test_a_loop_registers_the_results_of_its_items(project: Project) -> None:
    project.tasks(
        """
- name: Each
  ansible.builtin.command: echo {{ word.name }}
  loop: [{name: a}, {name: b}]
  loop_control: {loop_var: word, label: "word {{ word.name }}"}
  when: word.name != 'b'
  register: each
  changed_when: false
- name: Look
  ansible.builtin.assert:
    that:
      - each.results | map(attribute='word.name') == ['a', 'b']
      - each.results[0].stdout == 'a' and each.results[1] is skipped
      - each is not skipped and each is not changed
"""
    )
    ran = project.run()
    assert not ran.messages("failed")
    assert [item.label for item in ran.items()][:2] == ["word a", "word b"]


def test_the_list_of_a_task_that_is_not_to_run_need_not_be_there(project: Project) -> None:
    project.tasks('- name: Each\n  ansible.builtin.debug: {msg: x}\n  loop: "{{ nowhere }}"\n  when: false\n')
    assert project.run().recap.skipped == 1
    project.tasks('- name: Each\n  ansible.builtin.debug: {msg: x}\n  loop: "{{ nowhere }}"\n')
    assert "'nowhere' is undefined" in project.run().messages("failed")[0]


def test_a_handler_runs_once_at_the_end_of_the_play(project: Project) -> None:
    project.handlers(HANDLE)
    project.tasks(
        CHANGE + CHANGE.replace("/a", "/b") + "- name: Last\n  ansible.builtin.shell: echo last >> {{ dir }}/log\n"
    )
    assert project.run().recap.changed == 4
    assert project.log() == ["last", "handled"]


def test_handlers_run_in_the_order_they_are_written_in_and_may_be_flushed(project: Project) -> None:
    echo = "- name: {0}\n  listen: topic\n  ansible.builtin.shell: echo {0} >> {{{{ dir }}}}/log\n"
    project.handlers(echo.format("first") + echo.format("second"))
    project.tasks(
        """
- name: Notify
  ansible.builtin.command: "true"
  notify: [second, topic]
- name: Now
  ansible.builtin.meta: flush_handlers
- name: After
  ansible.builtin.shell: echo after >> {{ dir }}/log
"""
    )
    project.run()
    assert project.log() == ["first", "second", "after"]


def test_a_handler_may_notify_another(project: Project) -> None:
    project.handlers(HANDLE + "  notify: Next\n" + HANDLE.replace("Handle", "Next").replace("handled", "next"))
    project.tasks(CHANGE)
    project.run()
    assert project.log() == ["handled", "next"]


def test_a_handler_that_a_failed_run_did_not_reach_runs_in_the_next(project: Project) -> None:
    project.handlers(HANDLE)
    project.tasks(CHANGE + "- name: Fail\n  ansible.builtin.fail: {msg: on purpose}\n  when: broken | default(false)\n")
    failed = project.run(extra={"broken": True})
    assert failed.recap.pending == ["Handle"]
    assert project.log() == []
    again = project.run()
    assert project.log() == ["handled"]
    assert again.recap.changed == 1, "the handler alone"
    assert "it runs now" in again.notices()[0]
    assert project.run().recap.changed == 0


def test_a_handler_that_failed_runs_again(project: Project) -> None:
    project.handlers(HANDLE.replace("echo", "test -e {{ dir }}/may && echo"))
    project.tasks(CHANGE)
    assert project.run().recap.pending == ["Handle"]
    (project.dir / "may").touch()
    project.run()
    assert project.log() == ["handled"]


def test_a_run_whose_controller_went_away_stops_and_keeps_its_handlers(project: Project) -> None:
    project.handlers(HANDLE)
    project.tasks(CHANGE + "- name: Never\n  ansible.builtin.file: {path: '{{ dir }}/never', state: touch, mode: '0644'}\n")
    project.run(stop_after=1)
    assert not (project.dir / "never").exists()
    project.run()
    assert project.log() == ["handled"]


def test_looking_neither_runs_nor_forgets_a_pending_handler(project: Project) -> None:
    project.handlers(HANDLE)
    project.tasks(CHANGE + "- name: Fail\n  ansible.builtin.fail: {msg: on purpose}\n  when: broken | default(false)\n")
    project.run(extra={"broken": True})
    project.run(check=True)
    assert project.log() == []
    project.run()
    assert project.log() == ["handled"]


def test_a_skipped_command_is_registered_as_ansible_does_when_it_only_looks(project: Project) -> None:
    project.tasks(
        """
- name: Skipped
  ansible.builtin.command: "false"
  register: got
- name: Look
  ansible.builtin.assert:
    that: got is skipped and got.rc == 0 and got.stdout_lines == [] and ansible_check_mode
- name: Run all the same
  ansible.builtin.command: echo ran
  check_mode: false
  changed_when: false
  register: ran
- name: Look again
  ansible.builtin.assert:
    that: ran.stdout == 'ran'
"""
    )
    assert not project.run(check=True).messages("failed")


def test_looking_says_what_is_unknown_until_an_earlier_task_runs(project: Project) -> None:
    project.tasks(
        """
- name: Make the folder
  ansible.builtin.file: {path: "{{ dir }}/new", state: directory, mode: "0755"}
- name: Copy into it
  ansible.builtin.copy: {content: x, dest: "{{ dir }}/new/a", mode: "0644"}
"""
    )
    assert project.run(check=True).messages("changed") == [
        "folder created",
        f"unknown until 'Make the folder' runs: the folder {project.dir}/new does not exist",
    ]
    assert not project.run().messages("failed")


def test_looking_finds_what_would_fail(project: Project) -> None:
    project.tasks('- name: Copy\n  ansible.builtin.copy: {content: x, dest: "{{ dir }}/new/a", mode: "0644"}\n')
    assert "does not exist" in project.run(check=True).messages("failed")[0]


def test_a_diff_is_told_when_asked_for(project: Project) -> None:
    (project.dir / "a").write_text("one\ntwo\n", encoding="utf-8")
    project.tasks(CHANGE.replace("  notify: Handle\n", ""))
    assert project.run(check=True).items("changed")[0].diff == ""
    diff = project.run(check=True, diff=True, extra={"text": "one\nthree\n"}).items("changed")[0].diff
    assert "-two\n+three\n" in diff


def test_no_secret_leaves_the_host(project: Project) -> None:
    project.tasks(
        """
- name: Show {{ database.password }}
  ansible.builtin.debug: {msg: "the password is {{ database.password }}"}
- name: Copy
  ansible.builtin.copy: {content: "key\\n{{ api_token }}\\n", dest: "{{ dir }}/a", mode: "0600"}
- name: Print
  ansible.builtin.command: sh -c 'echo {{ api_token }} >&2; exit 1'
"""
    )
    ran = project.run(
        diff=True, extra={"api_token": "first-line\nsecond-line"}, variables={"database": {"password": "hunter22"}}
    )
    assert "********" in ran.text()
    for part in ("hunter22", "first-line", "second-line"):
        assert part not in ran.text()


def test_no_log_hides_what_a_task_says_and_loops_over(project: Project) -> None:
    project.tasks(
        """
- name: Print
  ansible.builtin.command: sh -c 'echo said; exit {{ item }}'
  loop: [0, 77]
  no_log: true
  register: got
  ignore_errors: true
- name: Look
  ansible.builtin.assert: {that: "got.results[1].stdout == 'said' and got.results[1].rc == 77"}
"""
    )
    ran = project.run(diff=True)
    assert "said" not in ran.text()
    assert "77" not in [item.label for item in ran.items()]
    assert not ran.messages("failed")


def test_tags_choose_tasks_and_imports_hand_theirs_on(project: Project) -> None:
    project.write(
        "roles/one/tasks/more.yml",
        "- name: In more\n  ansible.builtin.debug: {msg: 'more {{ given }}'}\n  when: given == 1\n",
    )
    project.tasks(
        """
- name: Import
  ansible.builtin.import_tasks: more.yml
  tags: [more]
  vars: {given: 1}
  when: given < 2
- name: Always
  ansible.builtin.debug: {msg: always}
  tags: always
- name: Never
  ansible.builtin.debug: {msg: never}
  tags: [never, rare]
- name: Plain
  ansible.builtin.debug: {msg: plain}
"""
    )

    def shown(**options: tuple[str, ...]) -> list[str]:
        return [item.output for item in project.run(**options).items() if item.output]  # type: ignore[arg-type]

    assert shown() == ["more 1", "always", "plain"]
    assert shown(tags=("more",)) == ["more 1", "always"]
    assert shown(tags=("rare",)) == ["always", "never"]
    assert shown(skip_tags=("more", "always")) == ["plain"]


@pytest.mark.parametrize(
    ("tags", "wanted", "unwanted", "runs"),
    [
        ((), (), (), True),
        (("a",), ("a",), (), True),
        (("a",), ("b",), (), False),
        ((), ("untagged",), (), True),
        (("a",), ("untagged",), (), False),
        (("a",), ("tagged",), (), True),
        ((), ("tagged",), (), False),
        (("never",), ("all",), (), False),
        (("never", "a"), ("a",), (), True),
        (("always",), ("b",), (), True),
        (("always",), ("b",), ("always",), False),
        (("a",), (), ("a",), False),
        (("a",), (), ("tagged",), False),
        (("a",), (), ("all",), False),
        (("always",), (), ("all",), True),
        (("always",), (), ("all", "always"), False),
    ],
)
def test_tags_follow_ansibles_rules(
    tags: tuple[str, ...], wanted: tuple[str, ...], unwanted: tuple[str, ...], runs: bool
) -> None:
    assert chosen(tags, wanted, unwanted) is runs


def test_an_argument_that_is_wrong_once_rendered_fails_the_task(project: Project) -> None:
    project.tasks('- name: File\n  ansible.builtin.file: {path: "{{ dir }}/a", state: "{{ wrong }}", mode: "0644"}\n')
    assert "state: expected one of" in project.run(extra={"wrong": "folder"}).messages("failed")[0]


def test_an_omitted_argument_is_as_if_it_were_not_there(project: Project) -> None:
    project.tasks(
        "- name: Copy\n  ansible.builtin.copy: {content: x, dest: '{{ dir }}/a', mode: '{{ mode | default(omit) }}'}\n"
    )
    project.run()
    assert (project.dir / "a").stat().st_mode & 0o777 == 0o644


def test_the_magic_variables_are_there(project: Project) -> None:
    project.tasks(
        """
- name: Look
  ansible.builtin.assert:
    that:
      - inventory_hostname == 'host1' and groups['all'] == ['host1'] and hostvars['host1'].mine == 1
      - role_name == 'one' and role_path == playbook_dir ~ '/roles/one'
      - not ansible_check_mode
"""
    )
    assert not project.run(variables={"mine": 1}).messages("failed")


def test_facts_are_gathered_where_the_play_says_so(tmp_path: Path) -> None:
    project = Project(tmp_path, facts=True)
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: \"{{ ansible_facts['kernel'] }}\"}\n")
    ran = project.run()
    assert ran.recap.ok == 2
    assert os.uname().release in ran.text()


def test_a_bundle_is_kept_while_it_is_used_and_old_ones_go(project: Project) -> None:
    for number in range(5):
        project.tasks(f"- name: Number {number}\n  ansible.builtin.debug: {{msg: x}}\n")
        project.run()
    assert len(list((project.state / "bundles").iterdir())) == 3


def test_events_survive_the_wire() -> None:
    for event in (
        events.NeedBundle(),
        events.TaskStarted("a", "b", "c:1", handler=True),
        events.ItemDone("failed", "x", rc=0, seconds=0.5),
        events.Recap(ok=3, pending=("a",)),
    ):
        read = events.decode(events.encode(event))
        assert events.encode(read) == events.encode(event)
    with pytest.raises(ValueError, match="not an event"):
        events.decode(json.dumps({"event": "Nonsense"}).encode())
