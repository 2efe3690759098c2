"""Provisioning over SSH, on the lab machine: what is sent, what is told, and what becomes of a run that is cut short."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig import inventory as inventories
from benchrig.errors import ExitCode, InputError
from benchrig.inventory import Host, Inventory
from benchrig.machines import machines_of
from benchrig.provision import HostRecap, prepare, provision
from benchrig.provision.run import ProvisionError
from benchrig.remote import ssh
from tests.support.clone import Clone
from tests.support.rig import Project

pytestmark = pytest.mark.lab

CHANGE_AND_SLEEP = """
- name: Change
  ansible.builtin.copy: {content: "{{ text }}", dest: "{{ dir }}/a", mode: "0644"}
  notify: Handle
- name: Sleep
  ansible.builtin.command: sleep {{ seconds }}
  changed_when: false
- name: After
  ansible.builtin.file: {path: "{{ dir }}/after", state: touch, mode: "0644"}
"""

HANDLE = "- name: Handle\n  ansible.builtin.shell: echo handled >> {{ dir }}/log\n"


@pytest.fixture
def there(lab1: Host, request: pytest.FixtureRequest) -> str:
    """Return a new folder on the lab machine."""
    folder = f"/var/tmp/{request.node.name}"
    on(lab1, f"rm -rf {folder} /var/lib/benchrig/pending.json; mkdir {folder}")
    return folder


def on(host: Host, command: str) -> str:
    with ssh.connect(host) as remote:
        return remote.run(["sh", "-c", command]).stdout.decode()


def inventory(*hosts: Host) -> Inventory:
    names = tuple(host.name for host in hosts)
    return Inventory("test", Path("test.yml"), "lab", {host.name: host for host in hosts}, {"all": names})


def run(project: Project, *hosts: Host, **variables: object) -> tuple[HostRecap, ...]:
    hosts_of = inventory(*hosts)
    return provision(hosts_of, prepare(hosts_of, project.root / "site.yml", extra_vars=variables))


def test_every_run_is_one_exec_also_the_one_that_sends_the_bundle(lab1: Host, there: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks('- name: Copy\n  ansible.builtin.copy: {content: x, dest: "{{ dir }}/a", mode: "0644"}\n')
    run(project, lab1, dir=there)
    project.write("apps/new", str(time.time()))
    first, second = run(project, lab1, dir=there)[0], run(project, lab1, dir=there)[0]
    assert [(recap.execs, recap.changed, recap.ok) for recap in (first, second)] == [(1, 0, 1), (1, 0, 1)]


def test_it_says_what_changed_and_that_nothing_did(
    lab1: Host, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.tasks('- name: Copy\n  ansible.builtin.copy: {content: x, dest: "{{ dir }}/a", mode: "0644"}\n')
    run(project, lab1, dir=there)
    said = capsys.readouterr().err
    assert "changed: one : Copy: created\n" in said
    assert "lab1 : ok=1 changed=1 unreachable=0 failed=0 skipped=0 rescued=0 ignored=0 (" in said
    run(project, lab1, dir=there)
    said = capsys.readouterr().err
    assert "lab1 : ok=1 changed=0 " in said
    assert said.endswith("\nnothing changed\n")


def test_a_failed_task_is_told_with_its_error_and_its_place(
    lab1: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.tasks("- name: Break\n  ansible.builtin.command: sh -c 'echo the reason >&2; exit 3'\n")
    with pytest.raises(ProvisionError, match=r"^provisioning failed on lab1$") as failed:
        run(project, lab1)
    assert failed.value.exit_code == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "failed: one : Break: exit code 3: the reason\n  at " in said
    assert "main.yml:1, exit code 3\n" in said
    assert "failed=1" in said


def test_a_host_that_is_not_reached_does_not_hold_up_the_others(
    lab1: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: here}\n")
    away = Host("away", (), {**lab1.variables, "ansible_host": "127.0.0.1", "ansible_port": 1})
    with pytest.raises(ProvisionError, match=r"away.*cannot be reached") as failed:
        run(project, lab1, away)
    assert failed.value.exit_code == ExitCode.UNREACHABLE
    assert [(recap.host, recap.ok, recap.unreachable) for recap in failed.value.recaps] == [("lab1", 1, 0), ("away", 0, 1)]
    assert "lab1: one : Show: here" in capsys.readouterr().err


def test_ctrl_c_stops_the_host_before_its_next_task_and_keeps_its_handlers(
    lab1: Host, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.tasks(CHANGE_AND_SLEEP)
    project.handlers(HANDLE)
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run(project, lab1, dir=there, text="x", seconds=3)
    time.sleep(3)
    assert on(lab1, f"ls {there}; pgrep -f '[a]gent play'") == "a\n"
    capsys.readouterr()
    (recap,) = run(project, lab1, dir=there, text="x", seconds=0)
    assert on(lab1, f"cat {there}/log") == "handled\n"
    assert recap.changed == 2, "the handler, and the task that was not reached"
    assert "handler 'Handle' of role one is pending" in capsys.readouterr().err


def test_an_agent_that_is_killed_keeps_its_handlers(lab1: Host, there: str, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks(CHANGE_AND_SLEEP)
    project.handlers(HANDLE)
    threading.Timer(1.5, on, (lab1, "pkill -KILL -f '[a]gent play'")).start()
    with pytest.raises(ProvisionError) as failed:
        run(project, lab1, dir=there, text="x", seconds=5)
    assert failed.value.recaps[0].failure == "lab1: the agent ended early: it was killed"
    run(project, lab1, dir=there, text="x", seconds=0)
    assert on(lab1, f"cat {there}/log") == "handled\n"


def test_a_second_run_on_a_host_waits_for_the_first(
    lab1: Host, there: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.tasks(CHANGE_AND_SLEEP.replace("  notify: Handle\n", ""))
    first = threading.Thread(target=run, args=(project, lab1), kwargs={"dir": there, "text": "first", "seconds": 2})
    first.start()
    time.sleep(1)
    run(project, lab1, dir=there, text="second", seconds=0)
    first.join()
    assert on(lab1, f"cat {there}/a") == "second"
    assert "has had this host for" in capsys.readouterr().err


BROKEN = """
- name: Make a service
  ansible.builtin.copy:
    content: |
      [Service]
      Type=oneshot
      ExecStart=/bin/sh -c "echo starting; echo {{ reason }} >&2; exit 1"
    dest: /etc/systemd/system/benchrig-broken.service
    mode: "0644"
- name: Start it
  ansible.builtin.systemd_service: {name: benchrig-broken, state: "{{ state }}", daemon_reload: true}
"""


@pytest.mark.parametrize("state", ["started", "restarted"])
def test_a_service_that_does_not_start_is_told_in_one_line_with_its_own_last_words(
    lab1: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    project = Project(tmp_path)
    project.tasks(BROKEN)
    with pytest.raises(ProvisionError):
        run(project, lab1, reason=f"no configuration for {state}", state=state)
    said = capsys.readouterr().err.splitlines()
    (failed,) = [number for number, line in enumerate(said) if line.startswith("failed: ")]
    assert said[failed].startswith("failed: one : Start it: benchrig-broken.service: cannot start: ")
    assert said[failed].endswith(f"; its last line: no configuration for {state}")
    assert said[failed + 1].startswith("  at ")
    assert said[failed + 2].startswith("lab1 : ")


PAIR = """
all:
  vars: {benchrig_machine: lab, ansible_user: root}
  children:
    databases: {hosts: {db1: {}}}
    servers: {hosts: {web1: {}}}
"""

PAIR_SITE = """
- {name: All, hosts: all, gather_facts: true, roles: []}
- {name: The databases, hosts: databases, gather_facts: false, roles: [database]}
- {name: The servers, hosts: servers, gather_facts: false, roles: [one]}
"""

PASSWORD = """
- name: Make a password
  ansible.builtin.shell:
    cmd: umask 077; head -c 12 /dev/urandom | od -An -tx1 | tr -d ' ' > /etc/benchrig-password
    creates: /etc/benchrig-password
- name: Read the password
  ansible.builtin.slurp: {src: /etc/benchrig-password}
  register: password
  no_log: true
"""

USE = """
- name: Keep the password
  ansible.builtin.copy:
    content: "{{ hostvars[groups.databases[0]].password.content | b64decode }}
      of {{ hostvars[groups.databases[0]].ansible_facts.hostname }}"
    dest: /etc/benchrig-pgpass
    mode: "0600"
"""


@pytest.fixture
def pair(clone: Clone) -> Iterator[Inventory]:
    """Yield two lab machines, a database host and a server."""
    (clone.root / "inventory/pair.yml").write_text(PAIR, encoding="utf-8")
    assert clone.inv("up", "-i", "pair").code == 0
    yield machines_of(inventories.read("pair", clone.root), clone.root).reach()
    clone.inv("destroy", "-i", "pair")


def test_a_password_made_on_one_machine_is_used_on_another_and_told_nowhere(
    pair: Inventory, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.write("site.yml", PAIR_SITE)
    project.write("roles/database/tasks/main.yml", PASSWORD)
    project.tasks(USE)
    prepared = prepare(pair, project.root / "site.yml", diff=True)
    first, second = provision(pair, prepared), provision(pair, prepared)
    password = on(pair.hosts["db1"], "cat /etc/benchrig-password").strip()
    assert len(password) == 24
    assert on(pair.hosts["web1"], "cat /etc/benchrig-pgpass") == f"{password}\n of db1"
    assert [(recap.execs, recap.changed) for recap in second] == [(1, 0), (1, 0)]
    assert sum(recap.changed for recap in first) == 2
    said = capsys.readouterr().err
    assert "+********" in said
    assert password not in said
    assert on(pair.hosts["web1"], f"grep -rl {password} /var/lib/benchrig /var/log /run || true") == ""


def test_a_tag_or_group_that_nobody_knows_is_named_before_anything_runs(lab1: Host, tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: here}\n  tags: tuning\n")
    with pytest.raises(InputError, match="no task has the tag 'tunin'; did you mean tuning"):
        prepare(inventory(lab1), project.root / "site.yml", tags=("tunin",))
    project.write("site.yml", "- hosts: webservers\n  roles: [one]\n")
    with pytest.raises(InputError, match=r"no play of site\.yml matches a host of inventory 'test'"):
        run(project, lab1)
