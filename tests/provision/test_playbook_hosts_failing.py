"""Several hosts in one run, one of which fails, is lost or has secrets: none waits for ever, and none tells too much."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from benchrig import inventory as inventories
from benchrig.errors import ExitCode
from benchrig.provision.run import ProvisionError, prepare
from tests.support.hosts import GROUPS, MAKE, SHOW, WRITE, Hosts, hosts, of_roles, project, run, written
from tests.support.rig import Project

__all__ = ["hosts", "project"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")


@pytest.mark.parametrize("when", ["before", "after"])
def test_of_a_host_that_failed_what_it_had_is_known(
    hosts: Hosts, project: Project, when: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fail = "- name: Fail\n  ansible.builtin.fail: {msg: on purpose}\n"
    of_roles(project, database=fail + MAKE if when == "before" else MAKE + fail, server=WRITE)
    with pytest.raises(ProvisionError) as failed:
        run(hosts, project)
    if when == "after":
        assert str(failed.value) == "provisioning failed on db1"
        assert written(project)["web2"].startswith("made on db1 ")
    else:
        assert str(failed.value) == "provisioning failed on db1, web1, web2"
        said = "failed: server : Write: host 'db1' has no variable 'word' (in: {{ hostvars['db1'].word.stdout }}"
        assert said in capsys.readouterr().err


def test_nobody_waits_for_a_host_that_is_not_reached(hosts: Hosts, project: Project) -> None:
    of_roles(project, server=SHOW)
    with pytest.raises(ProvisionError, match="db1: cannot be reached") as failed:
        run(hosts, project, variables={"db1": {"away": True}})
    assert failed.value.exit_code == ExitCode.UNREACHABLE
    assert "it is not there" in hosts.channels["web1"].told.decode()


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_of_ours_in_a_hosts_thread_is_a_line_and_its_recap(
    hosts: Hosts, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    of_roles(project, server=SHOW)

    def broken(*_: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr("benchrig.provision.work.ssh.connect", broken)
    with pytest.raises(ProvisionError, match=r"^provisioning failed on db1, web1, web2$") as failed:
        run(hosts, project)
    said = capsys.readouterr().err
    assert failed.value.exit_code == ExitCode.FAILED
    assert "web1: ValueError: a mistake of ours\n" in said
    assert "Traceback" not in said
    assert "web1 : ok=0 changed=0 unreachable=0 failed=1" in said


@pytest.mark.parametrize("how", ["killed", "lost"])
def test_nobody_waits_for_a_host_that_is_lost(
    hosts: Hosts, project: Project, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = "- name: Sleep\n  ansible.builtin.command: sleep 3\n  changed_when: false\n"
    of_roles(project, database=MAKE + sleep, server=SHOW)

    def lose() -> None:
        while "db1" not in hosts.channels or "Sleep" not in hosts.channels["db1"].told.decode():
            time.sleep(0.02)
        hosts.gone.add("db1")
        hosts.channels["db1"].agent.kill() if how == "killed" else hosts.channels["db1"].cut()

    monkeypatch.setattr("benchrig.provision.work.RECONNECT_SECONDS", 0.0)
    threading.Thread(target=lose).start()
    with pytest.raises(ProvisionError):
        run(hosts, project)
    assert "it is made on db1" in hosts.channels["web1"].told.decode()


def test_ctrl_c_ends_those_that_wait_too(hosts: Hosts, project: Project) -> None:
    sleep = "- name: Sleep\n  ansible.builtin.command: sleep 1.5\n  changed_when: false\n"
    late = "- name: Late\n  ansible.builtin.file: {path: '{{ dir }}/late', state: touch, mode: '0644'}\n"
    of_roles(project, database=sleep + MAKE + late, server=WRITE)

    def interrupt() -> None:
        while "web1" not in hosts.channels or b"NeedFound" not in hosts.channels["web1"].told:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        hosts.run(project.root / "site.yml", GROUPS, extra_vars={"dir": str(project.dir)})
    for channel in hosts.channels.values():
        assert channel.agent.wait(10) == 1
    assert written(project) == {}


SECRETS = """
- name: Make
  ansible.builtin.command: echo hunter22
  register: word
  changed_when: false
  no_log: true
- name: Set
  ansible.builtin.set_fact: {db_password: swordfish}
- name: Set quietly
  ansible.builtin.set_fact: {quiet: open-sesame}
  no_log: true
- name: Read
  ansible.builtin.slurp: {src: "{{ dir }}/key"}
  register: key
  no_log: true
"""

USE = """
- name: Use
  ansible.builtin.copy:
    content: "{{ hostvars.db1.word.stdout }}\\n{{ hostvars.db1.db_password }} {{ hostvars.db1.quiet }}
      {{ hostvars.db1.key.content | b64decode }}"
    dest: "{{ dir }}/{{ inventory_hostname }}"
    mode: "0600"
- name: Break
  ansible.builtin.command: sh -c 'echo {{ hostvars.db1.word.stdout }} >&2; exit 1'
"""


def test_secrets_of_another_host_are_used_and_not_told_and_not_kept(
    hosts: Hosts, project: Project, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = ("hunter22", "swordfish", "open-sesame", "rosebud")
    (project.dir / "key").write_text("rosebud", encoding="utf-8")
    of_roles(project, database=SECRETS.replace("hunter22", "hun''ter22"), server=USE)
    with pytest.raises(ProvisionError) as failed:
        run(hosts, project, diff=True)
    used = written(project)
    assert all(secret in used["web1"] for secret in secrets)
    said = capfd.readouterr()
    text = said.out + said.err + str(failed.value) + "".join(recap.failure for recap in failed.value.recaps)
    assert "********" in text
    for secret in secrets:
        assert secret not in text
        assert secret.encode() not in hosts.channels["web1"].told
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept for secret in ("hunter22", "rosebud") if secret.encode() in path.read_bytes()]


def test_what_is_cut_short_with_a_secret_in_it_is_not_shown(
    hosts: Hosts, project: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = b'{"event":"Found","name":"word","value":{"stdout":"hunter22'
    monkeypatch.setattr("tests.support.hosts.AGENT", f"import os; os.read(0, 1 << 20); os.write(1, {half!r}); os._exit(1)")
    with pytest.raises(ProvisionError):
        run(hosts, project)
    said = capfd.readouterr().err
    assert "the agent ended early" in said
    assert "hunter22" not in said


def test_a_failed_task_is_told_once(hosts: Hosts, project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    of_roles(project, database="- name: Fail\n  ansible.builtin.fail: {msg: on purpose}\n")
    with pytest.raises(ProvisionError) as failed:
        run(hosts, project, {"databases": ["db1"], "servers": ["db1"]})
    assert str(failed.value) == "provisioning failed on db1"
    assert capfd.readouterr().err.count("on purpose") == 1


def test_a_play_for_no_host_is_skipped_and_said_to_be(
    hosts: Hosts, project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    show = "- name: Show\n  ansible.builtin.debug: {msg: \"{{ groups['databases'] | default([]) }}\"}\n"
    of_roles(project, server=show)
    run(hosts, project, {"servers": ["web1"]})
    said = capfd.readouterr().err
    assert "skipped: The databases: inventory 'test' has no host in 'databases'\n" in said
    run(hosts, project, {"servers": ["web1"], "databases": []})
    assert "skipped: The databases" in capfd.readouterr().err
    of_roles(project, "- name: Some\n  hosts: servers:!weeb1\n  gather_facts: false\n  roles: [server]\n")
    run(hosts, project, {"servers": ["web1"]})
    assert "site.yml:1: no group or host 'weeb1' in inventory 'test'; did you mean web1?" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("group", "told"),
    [("database", ["misspelt.yml:2: no play matches group 'database'; did you mean 'databases'?"]), ("caches", [])],
)
def test_group_that_looks_like_one_of_the_plays_misspelt_is_told_with_its_line(
    project: Project, tmp_path: Path, group: str, told: list[str]
) -> None:
    (tmp_path / "misspelt.yml").write_text(f"servers: {{hosts: {{web1: }}}}\n{group}: {{hosts: {{db1: }}}}\n")
    prepared = prepare(inventories.read(str(tmp_path / "misspelt.yml"), tmp_path), project.root / "site.yml")
    assert [warning.removeprefix(f"{tmp_path}/") for warning in prepared.warnings] == told
    assert [*prepared.skipped] == ["skipped: The databases: inventory 'misspelt' has no host in 'databases'"]
