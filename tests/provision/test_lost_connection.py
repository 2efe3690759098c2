"""A connection lost in a provision: the host finishes its task, is reached again, and nothing that it did is untold."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest

from benchrig.agent import lock
from benchrig.errors import ExitCode
from benchrig.provision.run import ProvisionError
from benchrig.remote import session
from tests.support.hosts import AGENT, MAKE, WRITE, Hosts, hosts, of_roles, project, run, written
from tests.support.rig import Project

__all__ = ["hosts", "project"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

SITE = "- name: Databases\n  hosts: databases\n  gather_facts: false\n  roles: [database]\n"

HANDLE = "- name: Handle\n  ansible.builtin.shell: echo handled >> {{ dir }}/log\n"

SLOW = """
- name: First
  ansible.builtin.copy: {content: x, dest: "{{ dir }}/first", mode: "0644"}
- name: Slow
  ansible.builtin.shell:
    cmd: sleep 1.5; touch {{ dir }}/{{ item }}
    creates: "{{ dir }}/{{ item }}"
  loop: [slow, slower]
  notify: Handle
- name: Last
  ansible.builtin.copy: {content: x, dest: "{{ dir }}/last", mode: "0644"}
"""

GROUP = {"databases": ["db1"]}


@pytest.fixture
def slow(project: Project) -> Project:
    """Return a project with a task of 3 seconds that changes something, between two others."""
    project.write("roles/database/handlers/main.yml", HANDLE)
    return of_roles(project, SITE, database=SLOW)


def when_slow(hosts: Hosts, act: object) -> None:
    """Do something when the slow task runs."""

    def wait() -> None:
        while "db1" not in hosts.channels or b'"Slow"' not in hosts.channels["db1"].told:
            time.sleep(0.02)
        time.sleep(0.2)
        act()  # type: ignore[operator]

    threading.Thread(target=wait, daemon=True).start()


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed by the host", "half-open"])
def test_host_finishes_its_task_and_the_run_goes_on_after_a_reconnection(
    hosts: Hosts, slow: Project, noticed: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    when_slow(hosts, lambda: hosts.channels["db1"].cut(noticed=noticed))
    recap = run(hosts, slow, GROUP)["db1"]
    said = capfd.readouterr().err
    assert (recap.ok, recap.changed, recap.failed, recap.unreachable) == (4, 4, 0, 0), said
    assert set(written(slow)) == {"first", "slow", "slower", "last", "log"}
    assert slow.log() == ["handled"]
    assert "db1: the connection was lost while 'database : Slow' ran; reconnecting" in said
    assert "waiting until the agent of the lost connection has finished its task" in said
    for item in ("slow", "slower"):
        assert said.count(f"finished while the connection was lost: changed: database : Slow ({item})") == 1
    assert said.count("database : First") == 1
    assert run(hosts, slow, GROUP)["db1"].changed == 0
    assert "finished" not in capfd.readouterr().err


def test_next_run_tells_what_was_done_after_the_controller_was_gone(
    hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    when_slow(hosts, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        hosts.run(slow.root / "site.yml", GROUP, extra_vars={"dir": str(slow.dir)})
    said = capfd.readouterr().err
    assert "interrupted; a host finishes its running task and stops: db1: 'database : Slow'" in said
    assert hosts.channels["db1"].agent.poll() is None, "it does not wait for the task"
    assert hosts.channels["db1"].agent.wait(10) == 1
    assert set(written(slow)) == {"first", "slow", "slower"}
    recap = run(hosts, slow, GROUP)["db1"]
    said = capfd.readouterr().err
    assert said.count("finished after the connection of ") == 2
    assert "was lost: changed: database : Slow (slower): command ran" in said
    assert "database : First" not in said
    assert recap.changed == 2, "the last task and the handler"
    run(hosts, slow, GROUP)
    assert "finished" not in capfd.readouterr().err


def test_host_that_is_not_reached_again_is_unreachable_with_its_counts(
    hosts: Hosts, slow: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> None:
        hosts.gone.add("db1")
        hosts.channels["db1"].cut()

    when_slow(hosts, lose)
    monkeypatch.setattr("benchrig.provision.work.RECONNECT_SECONDS", 0.0)
    with pytest.raises(
        ProvisionError, match="db1: cannot be reached: no route to host; the connection had been lost"
    ) as lost:
        run(hosts, slow, GROUP)
    (recap,) = lost.value.recaps
    assert (recap.unreachable, recap.ok, recap.changed) == (1, 1, 1)


def test_host_that_refuses_us_after_a_loss_is_given_up_at_once(hosts: Hosts, slow: Project) -> None:
    def lose() -> None:
        hosts.refusing.add("db1")
        hosts.channels["db1"].cut()

    when_slow(hosts, lose)
    # The time to be reached again is longer than the run may take.
    with pytest.raises(ProvisionError, match="db1: no key was accepted; the connection had been lost, and it was not"):
        run(hosts, slow, GROUP)


def test_agent_that_gets_sigterm_finishes_its_task_and_says_why_it_ends(
    hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    when_slow(hosts, lambda: hosts.channels["db1"].agent.terminate())
    with pytest.raises(ProvisionError, match="provisioning failed on db1"):
        run(hosts, slow, GROUP)
    said = capfd.readouterr().err
    assert "db1: a signal stopped the agent, after its running task" in said
    assert "changed: database : Slow (slow, slower): command ran" in said
    assert set(written(slow)) == {"first", "slow", "slower"}
    recap = run(hosts, slow, GROUP)["db1"]
    assert (recap.changed, slow.log()) == (2, ["handled"])


def test_second_run_waits_for_the_first_and_says_for_whom(
    tmp_path: Path, hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = threading.Thread(target=run, args=(hosts, slow, GROUP), daemon=True)
    first.start()
    while "db1" not in hosts.channels or b'"Slow"' not in hosts.channels["db1"].told:
        time.sleep(0.02)
    monkeypatch.setattr("benchrig.remote.session.session", lambda: "another")
    assert run(Hosts(tmp_path, monkeypatch), slow, GROUP)["db1"].changed == 0
    first.join(10)
    said = capfd.readouterr().err
    assert f", process {os.getpid()}, of db1 has had this host for " in said
    assert "waiting for its end, 10 minutes at most" in said


def test_reconnection_within_a_bench_waits_for_the_agent_of_the_lost_one(
    hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    bench = lock.Owner("bench", session.session(), session.who(), os.getpid(), time.time())
    counted = SLOW.replace("sleep 1.5;", "mkdir {{ dir }}/alone && sleep 3; rmdir {{ dir }}/alone;")
    of_roles(slow, SITE, database=counted)
    with lock.take(hosts.state("db1") / "lock", bench):
        when_slow(hosts, lambda: hosts.channels["db1"].cut(noticed=False))
        recap = run(hosts, slow, GROUP)["db1"]
        said = capfd.readouterr().err
        assert (recap.changed, recap.failed) == (4, 0), said
        assert "waiting until the agent of the lost connection has finished its task" in said
        assert "File exists" not in said, "two agents ran the task at once"
        assert said.count("finished while the connection was lost: changed: database : Slow (slower)") == 1


def test_second_provision_within_a_bench_waits_for_the_first(
    tmp_path: Path, hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = lock.Owner("bench", session.session(), session.who(), os.getpid(), time.time())
    with lock.take(hosts.state("db1") / "lock", bench):
        first = threading.Thread(target=run, args=(hosts, slow, GROUP), daemon=True)
        first.start()
        while "db1" not in hosts.channels or b'"Slow"' not in hosts.channels["db1"].told:
            time.sleep(0.02)
        assert run(Hosts(tmp_path, monkeypatch), slow, GROUP)["db1"].changed == 0
        first.join(10)
    assert f"a provision by {session.who()}, of db1 has had this host for " in capfd.readouterr().err


def test_a_quick_run_sends_no_sign_of_life(hosts: Hosts, slow: Project) -> None:
    of_roles(slow, SITE, database="- name: Quick\n  ansible.builtin.command: 'true'\n  changed_when: false\n")
    run(hosts, slow, GROUP)
    assert b'"Beat"' not in hosts.channels["db1"].told


def test_run_is_refused_when_another_session_does_not_leave_the_host(
    tmp_path: Path, hosts: Hosts, slow: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = threading.Thread(target=run, args=(hosts, slow, GROUP), daemon=True)
    first.start()
    while "db1" not in hosts.channels or b'"Slow"' not in hosts.channels["db1"].told:
        time.sleep(0.02)
    monkeypatch.setattr("benchrig.remote.session.session", lambda: "another")
    impatient = "serve.WAIT_SECONDS = 0.5\nsys.exit(serve.main())"
    monkeypatch.setattr("tests.support.hosts.AGENT", AGENT.replace("sys.exit(serve.main())", impatient))
    with pytest.raises(
        ProvisionError, match=r"^db1: a provision by .*, of db1 has had this host for .* end in 0 s$"
    ) as error:
        run(Hosts(tmp_path, monkeypatch), slow, GROUP)
    assert error.value.exit_code == ExitCode.UNREACHABLE
    assert str(error.value.hint) == "Wait for its end, or end it where it was started."
    first.join(10)


def test_other_hosts_get_the_variables_of_a_host_that_was_lost_and_is_back(hosts: Hosts, project: Project) -> None:
    sleep = "- name: Slow\n  ansible.builtin.command: sleep 2\n  changed_when: false\n"
    site = (project.root / "site.yml").read_text(encoding="utf-8")
    of_roles(project, site, database=MAKE + sleep, server=WRITE)
    when_slow(hosts, lambda: hosts.channels["db1"].cut())
    recaps = run(hosts, project)
    assert {recap.failed + recap.unreachable for recap in recaps.values()} == {0}
    assert set(written(project).values()) == {"made on db1 5432 hütte"}


def test_what_is_kept_for_the_next_run_is_redacted_and_only_for_root(hosts: Hosts, slow: Project) -> None:
    made = (
        "ansible.builtin.copy: {content: '{{ db_password }}', dest: '{{ dir }}/{{ item }}-{{ db_password }}', mode: '0600'}"
    )
    of_roles(slow, SITE, database=f"- name: Slow\n  {made}\n  loop: [a, b]\n" + SLOW)
    when_slow(hosts, lambda: hosts.channels["db1"].agent.kill())
    with pytest.raises(ProvisionError):
        run(hosts, slow, GROUP, extra={"db_password": "swordfish"})
    journal = hosts.state("db1") / "journal.jsonl"
    assert journal.stat().st_mode & 0o777 == 0o600
    assert b'"label":"a"' in journal.read_bytes()
    assert b"swordfish" not in journal.read_bytes()


def test_what_a_killed_agent_did_is_told_as_what_may_have_been_shown(
    hosts: Hosts, slow: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    when_slow(hosts, lambda: hosts.channels["db1"].agent.kill())
    with pytest.raises(ProvisionError):
        run(hosts, slow, GROUP)
    assert "changed: database : First" in capfd.readouterr().err
    run(hosts, slow, GROUP)
    said = capfd.readouterr().err
    assert re.search(
        r"finished in a run of .+ that was cut off; some of it may have been shown: changed: database : First", said
    )
    assert "after the connection" not in said


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\0" * 500,
        b'{"run":"x","who":"y"}\n{"event":"Earl',
        b'{"run":1}\n[]\n7\n',
        b"[]\n",
        b"[" * 100_000 + b"\n",
        b'{"run":"x","who":"y"}\n{"sent":Infinity}\n{"sent":-7}\n{"sent":[]}\n{"sent":' + b"[" * 100_000 + b"\n",
        None,
    ],
    ids=range(8),
)
def test_damaged_journal_is_no_obstacle(
    hosts: Hosts, slow: Project, damage: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    of_roles(slow, SITE, database="- name: Write\n  ansible.builtin.copy: {content: x, dest: '{{ dir }}/a', mode: '0644'}\n")
    hosts.state("db1").mkdir(parents=True)
    journal = hosts.state("db1") / "journal.jsonl"
    os.mkfifo(journal) if damage is None else journal.write_bytes(damage)
    assert run(hosts, slow, GROUP)["db1"].changed == 1
    assert "finished" not in capfd.readouterr().err
    assert not journal.exists()
