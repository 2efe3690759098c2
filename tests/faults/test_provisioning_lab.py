"""Faults of a provision that need a machine: links that go down, sshd restarted, machines whose power is cut."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.machines import machines_of
from benchrig.machines.lab.kind import LabMachines
from tests.support.clone import Clone, Done
from tests.support.faults import fault
from tests.support.lab import nspawn_of
from tests.support.waiting import until

pytestmark = pytest.mark.lab

PLAYBOOK = "- name: Slow\n  hosts: servers\n  gather_facts: false\n  roles: [slow]\n"

SLOW = """
- name: First
  ansible.builtin.copy: {content: "{{ word }}", dest: /root/first, mode: "0644"}
- name: Slow
  ansible.builtin.shell:
    cmd: sleep 4; touch /root/{{ word }}-{{ item }}
    creates: /root/{{ word }}-{{ item }}
  loop: [a, b]
  notify: Handle
- name: Last
  ansible.builtin.copy: {content: "{{ word }}", dest: /root/last, mode: "0644"}
"""

HANDLE = "- name: Handle\n  ansible.builtin.shell: echo handled >> /root/{{ word }}-log\n"


@pytest.fixture
def slow(deployed: Clone) -> Clone:
    """Return the clone with a playbook whose second task takes 8 seconds."""
    for name, text in {"tasks": SLOW, "handlers": HANDLE}.items():
        path = deployed.root / "roles/slow" / name / "main.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (deployed.root / "slow.yml").write_text(PLAYBOOK, encoding="utf-8")
    assert deployed.inv("up").code == 0
    return deployed


def provision(clone: Clone, word: str, after: float, act: object) -> Done:
    """Run the slow playbook, and do something when it has run for some seconds."""
    timer = threading.Timer(after, act)  # type: ignore[arg-type]
    timer.start()
    done = clone.inv("provision", "--playbook", "slow.yml", "-e", f"word={word}")
    timer.join()
    return done


def whole(clone: Clone, done: Done, word: str) -> None:
    """Check that everything was done once, and counted."""
    assert "lab1 : ok=4 changed=4 unreachable=0 failed=0" in done.stderr, done.stderr
    # An item may end just before the connection does, or a short outage may not be noticed.
    told = [done.stderr.count(f"changed: slow : Slow ({items})") for items in ("a, b", "a", "b")]
    assert told in ([1, 0, 0], [0, 1, 1]), done.stderr
    assert clone.inv("ssh", "--run", f"cat /root/{word}-log").stdout == "handled\n"


@fault(
    "Provisioning",
    done="the link to the host down without a word for 5, 35 or 120 s while a task of 8 s runs",
    promised="the host finishes the task; the controller reconnects, tells what was done, and goes on",
    seen="noticed after 5 to 18 s, reconnected 1 to 105 s later; both items told, four tasks counted, the handler ran once",
)
@pytest.mark.parametrize("seconds", [5, 35, pytest.param(120, marks=pytest.mark.long)])
def test_link_is_down(slow: Clone, seconds: int) -> None:
    lab = machines_of(inventory.read("lab", slow.root), slow.root)
    assert isinstance(lab, LabMachines)

    def link(*words: str) -> None:
        subprocess.run(["nsenter", f"--net={lab.folder.namespace}", "ip", "link", "set", "outer", *words], check=True)

    def cut() -> None:
        link("nomaster")
        time.sleep(seconds)
        link("master", "bridge")

    done = provision(slow, f"link{seconds}", 4, cut)
    whole(slow, done, f"link{seconds}")
    assert seconds < 30 or "finished while the connection was lost: changed: slow : Slow (" in done.stderr


@fault(
    "Provisioning",
    done="sshd restarted and its sessions killed while a task runs",
    promised="as when the link is down",
    seen="reconnected after 1 s; the task was finished and told, and the run went on",
)
def test_sshd_is_restarted(slow: Clone) -> None:
    def restart() -> None:
        slow.inv("ssh", "--run", "systemd-run --quiet sh -c 'systemctl restart ssh; pkill -f ^sshd:.root'")

    whole(slow, provision(slow, "sshd", 4, restart), "sshd")


PACKAGES = """
- name: Install
  ansible.builtin.apt: {name: [gdb, tcl, mc, zsh], install_recommends: false}
"""

WHEN = {"unpacking": "status half-installed (mc|gdb|zsh):", "configuring": "status half-configured (mc|gdb|zsh):"}
"""When the power is cut: a line of dpkg's log since the test began."""


def cut_power(clone: Clone, now: Callable[[Path], bool]) -> None:
    """Kill a machine, with all its processes at once, as soon as its files say that it is time, and start it again."""
    nspawn, init = processes_of(clone)
    until(lambda: now(Path(f"/proc/{init}/root")), 120)
    # With process 1 of its namespace, the kernel kills all the others.
    for pid in (init, nspawn):
        os.kill(pid, signal.SIGKILL)
    time.sleep(1)
    up = clone.inv("up")
    assert up.code == 0, up.stderr


def processes_of(clone: Clone) -> tuple[int, int]:
    """Return a machine's systemd-nspawn and its process 1."""
    lab = machines_of(inventory.read("lab", clone.root), clone.root)
    assert isinstance(lab, LabMachines)
    nspawn = nspawn_of(lab, "lab1")
    is_init = re.compile(r"NSpid:.*\t1\n")
    return nspawn, next(pid for pid in children(nspawn) if is_init.search(Path(f"/proc/{pid}/status").read_text()))


def children(pid: int) -> Iterator[int]:
    """Yield the descendants of a process."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from children(child)


@fault(
    "Provisioning",
    done="the machine killed (-9 of its systemd-nspawn) while dpkg unpacks or configures packages, and started again",
    promised="the same run reconnects, completes the interrupted installation, says so, and ends well",
    seen="reconnected after 7 and 16 s: `an interrupted installation was completed (dpkg --configure -a), "
    "installed libgpm2, zsh-common, gdb, …`",
)
@pytest.mark.parametrize("when", WHEN)
def test_power_cut_in_an_installation(restored: Clone, when: str) -> None:
    (restored.root / "roles/slow/tasks").mkdir(parents=True, exist_ok=True)
    (restored.root / "roles/slow/tasks/main.yml").write_text(PACKAGES, encoding="utf-8")
    (restored.root / "slow.yml").write_text(PLAYBOOK, encoding="utf-8")
    assert restored.inv("up").code == 0
    assert restored.inv("ssh", "--run", "truncate --size=0 /var/log/dpkg.log").code == 0

    def now(root: Path) -> bool:
        return bool(re.search(WHEN[when], (root / "var/log/dpkg.log").read_text()))

    killer = threading.Thread(target=cut_power, args=(restored, now))
    killer.start()
    done = restored.inv("provision", "--playbook", "slow.yml")
    killer.join()
    assert done.code == 0, done.stderr
    assert "the connection was lost while 'slow : Install' ran" in done.stderr
    assert "(dpkg --configure -a)" in done.stderr or when == "unpacking"
    assert restored.inv("ssh", "--run", "dpkg --audit; gdb --version >/dev/null && zsh -c 'echo works'").stdout == "works\n"
    assert restored.inv("provision", "--playbook", "slow.yml").stderr.endswith("nothing changed\n")


@fault(
    "Provisioning",
    done="the machine killed (-9 of its systemd-nspawn) while a Python app's environment is made, and started again",
    promised="the same run reconnects and makes the environment anew",
    seen="killed when `venv-…/bin/python` was there: reconnected after 7 s, made anew in 4 s; then measured",
)
def test_power_cut_while_an_environment_is_made(restored: Clone) -> None:
    assert restored.inv("ssh", "--run", "rm -rf /opt/benchrig/apps/flask-sync/venv-*").code == 0

    def now(root: Path) -> bool:
        return any((root / "opt/benchrig/apps/flask-sync").glob("venv-*/bin/python*"))

    killer = threading.Thread(target=cut_power, args=(restored, now))
    killer.start()
    done = restored.inv("provision", "-e", '{"app_only": ["flask-sync"]}', "--tags", "app")
    killer.join()
    assert done.code == 0, done.stderr
    assert "the connection was lost while 'app : Install or build the programs of the apps' ran" in done.stderr
    again = restored.inv("bench", "--only", "flask-sync", "--duration", "1s", "--connections", "16")
    assert again.code == 0, again.stderr


RECOVERING = """
cd /
systemctl start postgresql@15-main
su postgres -c 'psql -qc "create table t as select generate_series(1, 300000)"'
pkill -9 -u postgres postgres
sleep 1
systemctl reset-failed postgresql@15-main
systemctl start --no-block postgresql@15-main
for i in $(seq 500); do pkill -STOP -f '[p]ostgres: .*startup' && break; sleep 0.01; done
systemd-run --quiet sh -c 'sleep 12; pkill -CONT -f "[p]ostgres: .*startup"'
pg_isready
"""


@fault(
    "Provisioning",
    done="PostgreSQL killed (-9), and still recovering for 12 s (its startup process is stopped) when a provision begins",
    promised="the provision waits until PostgreSQL accepts connections",
    seen="`rejecting connections` at the start; the provision took 12.7 s and changed nothing",
)
def test_postgresql_is_recovering(restored: Clone) -> None:
    first = restored.inv("provision", "--tags", "base,postgresql")
    assert first.code == 0, first.stderr
    assert "rejecting connections" in restored.inv("ssh", "--run", RECOVERING).stdout
    done = restored.inv("provision", "--tags", "postgresql")
    assert done.code == 0, done.stderr
    assert "failed=0" in done.stderr
    assert "changed=0" in done.stderr


@fault(
    "Provisioning",
    done="a provision while a bench measures on the same host",
    promised="it waits until the bench has ended, and a line says whose bench it is and since when",
    seen="`a bench by root@vm, process 9673 has had this host for 6 s …; waiting for its end, 10 minutes at most`",
)
def test_provision_during_a_bench(deployed: Clone) -> None:
    command = ["./inv", "bench", "--only", "flask-sync", "--duration", "15s", "--connections", "16"]
    with subprocess.Popen(command, cwd=deployed.root, stderr=subprocess.PIPE, text=True) as bench:
        time.sleep(6)
        done = deployed.inv("provision", "--tags", "app", "-e", '{"app_only": ["flask-sync"]}')
        # The host was given up when the bench had measured; the command itself ends a moment later.
        said = bench.communicate(timeout=10)[1]
    assert (bench.returncode, done.code) == (0, 0), said + done.stderr
    assert "a bench by " in done.stderr
    assert "has had this host for " in done.stderr
    assert "errors 0" in said


@fault(
    "Provisioning",
    done="Ctrl-C in a provision while a task runs, also with sshd on the host stopped (SIGSTOP)",
    promised="the command ends within 1 s; the host finishes the task, and the next run tells what it did",
    seen="ended in less than 0.1 s, both times; the next run told `finished after the connection of root@vm, "
    "process 1720 was lost: changed: …` and ran the handler",
)
@pytest.mark.parametrize("hung", [False, True], ids=["well", "hung sshd"])
def test_ctrl_c(slow: Clone, hung: bool) -> None:
    word = f"ctrlc{hung}"
    command = ["./inv", "provision", "--playbook", "slow.yml", "-e", f"word={word}"]
    with subprocess.Popen(command, cwd=slow.root, stderr=subprocess.PIPE, text=True) as run:
        time.sleep(4)
        if hung:
            stop = "systemd-run --quiet sh -c 'pkill -STOP -f ^sshd:.root; sleep 6; pkill -CONT -f ^sshd:.root'"
            slow.inv("ssh", "--run", stop)
            time.sleep(0.5)
        started = time.monotonic()
        run.send_signal(signal.SIGINT)
        said = run.communicate()[1]
    took = time.monotonic() - started
    assert run.returncode == 130
    assert took < 1.5, said
    assert "interrupted; a host finishes its running task and stops: lab1: 'slow : Slow'" in said
    until(lambda: "b" in slow.inv("ssh", "--run", f"ls /root/{word}-b").stdout, 30)
    done = slow.inv("provision", "--playbook", "slow.yml", "-e", f"word={word}")
    assert done.code == 0
    assert slow.inv("ssh", "--run", f"cat /root/{word}-log").stdout == "handled\n"
    assert done.stderr.count(": changed: slow : Slow (b)") == 1
    # With a hung sshd, the host could send all it did, and does not know who has read it.
    why = "that was cut off; some of it may have been shown" if hung else "was lost"
    assert f"{why}: changed: slow : Slow (b)" in done.stderr
