"""Faults while a host is provisioned: full disks, killed agents, damaged files."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchrig.agent.play.handlers import UnreadableError
from benchrig.errors import ExitCode
from benchrig.provision.run import ProvisionError
from tests.support.faults import fault
from tests.support.hosts import AGENT, Hosts, hosts, run
from tests.support.rig import Project

__all__ = ["hosts"]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")

HANDLE = "- name: Handle\n  ansible.builtin.shell: echo handled >> {{ dir }}/log\n"

CHANGE = "- name: Change\n  ansible.builtin.copy: {content: x, dest: '{{ dir }}/a', mode: '0644'}\n  notify: Handle\n"

FAIL = "- name: Fail\n  ansible.builtin.fail: {msg: on purpose}\n  when: broken | default(false)\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project with one handler."""
    made = Project(tmp_path)
    made.handlers(HANDLE)
    return made


@pytest.fixture
def small_state(project: Project) -> Iterator[Project]:
    """Yield that project with its state on a file system of 512 kB."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", project.state], check=True)
    yield project
    subprocess.run(["umount", project.state], check=True)


@fault(
    "Provisioning",
    done="`/var/lib/benchrig` full when a task that notifies a handler is about to change a file",
    promised="the task fails with that cause and changes nothing; with room again, the next run makes up for both",
    seen="`nothing was changed, because it cannot be noted that 'Handle' must run then: … no space left on "
    "device`; no file; the next run made it and ran the handler",
)
def test_full_disk_at_a_notification(small_state: Project) -> None:
    fill = "- name: Fill\n  ansible.builtin.shell: cat /dev/zero > {{ dir }}/../state/fill || true\n  changed_when: false\n"
    small_state.tasks(fill + CHANGE)
    (message,) = small_state.run().messages("failed")
    assert "cannot be noted that 'Handle' must run then" in message
    assert "no space left on device" in message
    assert not (small_state.dir / "a").exists()
    (small_state.state / "fill").unlink()
    small_state.tasks(CHANGE)
    assert small_state.run().recap.changed == 2
    assert small_state.log() == ["handled"]


@fault(
    "Provisioning",
    done="`/var/lib/benchrig` full, on a file system of 512 kB, when a bundle of 2 MB is stored there",
    promised="the line names the folder, the cause, and the file system to make room on",
    seen="`host1: …/bundles: no space left on device`, with `Make room on this host; full: …/state/host1.`",
)
def test_full_disk_at_the_bundle(hosts: Hosts, project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    project.tasks("- name: Nothing\n  ansible.builtin.debug: {msg: x}\n")
    project.write("files/large", "").write_bytes(os.urandom(2 << 20))
    state = hosts.state("host1")
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", state], check=True)
    try:
        with pytest.raises(ProvisionError) as caught:
            run(hosts, project, {"servers": ["host1"]})
        said = f"{caught.value} {caught.value.hint} {capfd.readouterr().err}"
        assert f"{state}/bundles: no space left on device" in said
        assert f"full: {state}" in said
        assert list((state / "bundles").iterdir()) == []
    finally:
        subprocess.run(["umount", state], check=True)


@fault(
    "Provisioning",
    done="the agent killed with -9 in a loop, after the item that changed something",
    promised="the next run runs the handler that the item notified",
    seen="killed at the second of three items: the next run said `handler 'Handle' of role one is pending` and ran it",
)
def test_agent_killed_within_a_loop(project: Project) -> None:
    project.tasks(
        "- name: Change\n  ansible.builtin.shell: '{{ item }}'\n"
        "  loop: ['touch {{ dir }}/made', kill -9 $PPID, 'true']\n  notify: Handle\n"
    )
    agent = multiprocessing.get_context("fork").Process(target=project.run)
    agent.start()
    agent.join(30)
    assert agent.exitcode == -signal.SIGKILL
    assert (project.dir / "made").exists()
    project.tasks("- name: Nothing\n  ansible.builtin.debug: {msg: x}\n")
    assert "it runs now" in project.run().notices()[0]
    assert project.log() == ["handled"]


@fault(
    "Provisioning",
    done="`pending.json` empty, cut short, full of zeros or of other bytes, nested 100,000 deep, or a FIFO",
    promised="the run stops before its first task; it names the file and says how to run all handlers or none",
    seen="`the list of pending handlers, …/pending.json, cannot be read: its 9 bytes are no list; it was cut "
    'short …`; with the text `"all"` in it, the next run ran every handler',
)
@pytest.mark.parametrize(
    "damage",
    [b"", b'[["one", ', bytes(40), b"{}", b'["one"]', b"\xff\xfe", b'[["one", 7]]', b"7" * 5000, b"[" * 100_000, None],
)
def test_damaged_list_of_handlers(project: Project, damage: bytes | None) -> None:
    project.tasks(CHANGE + FAIL)
    project.run(extra={"broken": True})
    pending = project.state / "pending.json"
    pending.unlink()
    os.mkfifo(pending) if damage is None else pending.write_bytes(damage)
    with pytest.raises(UnreadableError, match=f"the list of pending handlers, {pending}, cannot be read: it") as error:
        project.run()
    assert project.log() == []
    subprocess.run(error.value.cure.partition("do on the host: ")[2].partition(". To run none")[0], shell=True, check=True)
    assert project.run().recap.failed == 0
    assert project.log() == ["handled"]
    assert project.run().recap.changed == 0


@fault(
    "Provisioning",
    done="a playbook without the role of the pending handler, between a failed run and the next one",
    promised="a line says that the handler stays pending; it runs with the next playbook that has it",
    seen="`handler 'Handle' of role one stays pending: no play of this run has it (in …/pending.json)`; then it ran",
)
def test_another_playbook_in_between(project: Project) -> None:
    project.tasks(CHANGE + FAIL)
    assert project.run(extra={"broken": True}).recap.pending == ["Handle"]
    whole = (project.root / "site.yml").read_text(encoding="utf-8")
    project.write("roles/other/tasks/main.yml", "- name: Nothing\n  ansible.builtin.debug: {msg: x}\n")
    project.write("site.yml", whole.replace("role: one", "role: other"))
    for _ in range(2):
        between = project.run()
        assert between.notices()[0].startswith("handler 'Handle' of role one stays pending: no play of this run has it")
        assert between.recap.pending == ()
    assert project.log() == []
    project.write("site.yml", whole)
    project.run()
    assert project.log() == ["handled"]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a file cut short": lambda bundle: os.truncate(bundle / "plan.json", 10),
    "other bytes": lambda bundle: (bundle / "plan.json").write_bytes(bytes(reversed((bundle / "plan.json").read_bytes()))),
    "zeros": lambda bundle: (bundle / "plan.json").write_bytes(bytes((bundle / "plan.json").stat().st_size)),
    "a file gone": lambda bundle: (bundle / "yaml.json").unlink(),
    "a file too many": lambda bundle: (bundle / "files").mkdir() or (bundle / "files/more").touch(),
    "a file that is executable": lambda bundle: (bundle / "plan.json").chmod(0o755),
    "a folder in place of a file": lambda bundle: (bundle / "plan.json").unlink() or (bundle / "plan.json").mkdir(),
    "a link in place of a file": lambda bundle: (
        (bundle / "plan.json").rename(bundle / ".plan") and (bundle / "plan.json").symlink_to(".plan")
    ),
    "a FIFO": lambda bundle: (bundle / "yaml.json").unlink() or os.mkfifo(bundle / "yaml.json"),
    "a name that is not UTF-8": lambda bundle: (bundle / os.fsdecode(b"\xff")).touch(),
    "a file in place of the bundle": lambda bundle: shutil.rmtree(bundle) or bundle.touch(),
    "a link in place of the bundle": lambda bundle: (
        bundle.rename(bundle.parent / "away") and bundle.symlink_to(bundle.parent / "away")
    ),
    "a link that leads nowhere": lambda bundle: shutil.rmtree(bundle) or bundle.symlink_to("nowhere"),
    "a link beside the bundle": lambda bundle: (
        (bundle / "plan.json").unlink() or (bundle.parent / "more").symlink_to("nowhere")
    ),
}


@fault(
    "Provisioning",
    done="a damaged bundle on the host: files cut short, of the same size with other bytes or zeros, gone, "
    "too many, a FIFO, a name that is not UTF-8; a link or a file in place of a file, or of the whole bundle",
    promised="it is asked for anew and the run goes on; the check costs less than 5 ms",
    seen="each asked for anew, once; 1.0 ms to hash benchrig's own bundle (89 files, 382 kB)",
)
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_bundle(hosts: Hosts, project: Project, damage: str) -> None:
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: '{{ dir }}'}\n")
    asked = []
    for number in range(3):
        if number == 1:
            (bundle,) = (hosts.state("host1") / "bundles").iterdir()
            DAMAGES[damage](bundle)
        assert run(hosts, project, {"servers": ["host1"]})["host1"].ok == 1
        asked.append(hosts.channels["host1"].told.count(b"NeedBundle"))
    assert asked == [1, 1, 0]


def test_damaged_bundle_that_cannot_be_removed(hosts: Hosts, project: Project) -> None:
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: '{{ dir }}'}\n")
    run(hosts, project, {"servers": ["host1"]})
    bundles = hosts.state("host1") / "bundles"
    (bundle,) = bundles.iterdir()
    (bundle / "more").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", bundle / "more"], check=True)
    try:
        (bundle / "more" / "file").touch()
        for asked in (1, 0):
            assert run(hosts, project, {"servers": ["host1"]})["host1"].ok == 1
            assert hosts.channels["host1"].told.count(b"NeedBundle") == asked
    finally:
        (left,) = bundles.glob("*/more")
        subprocess.run(["umount", left], check=True)


@fault(
    "Provisioning",
    done="compiled templates on the host cut short, full of zeros or random bytes, or a FIFO",
    promised="they are compiled anew; damaged code is never read, because it can end Python itself",
    seen="exit code 0 of each run; the file was whole again",
)
@pytest.mark.parametrize(
    "content", [b"", b"\xe3", bytes(5000), os.urandom(5000), None], ids=["empty", "short", "zeros", "random", "FIFO"]
)
def test_damaged_templates(project: Project, content: bytes | None) -> None:
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: 'x {{ dir }}'}\n")
    project.run()
    (cache,) = (project.state / "bundles").glob("*/.templates-*")
    whole = cache.read_bytes()
    cache.unlink()
    os.mkfifo(cache) if content is None else cache.write_bytes(content)
    assert project.run().recap.ok == 1
    assert len(cache.read_bytes()) == len(whole)


@fault(
    "Provisioning",
    done="100,000 handlers in `pending.json` that no play of the run has",
    promised="20 of them are named, and the number of the others",
    seen="21 lines, the last: `99,980 more handlers stay pending: no play of this run has them (in …/pending.json)`",
)
def test_very_many_pending_handlers(project: Project) -> None:
    project.tasks("- name: Show\n  ansible.builtin.debug: {msg: '{{ dir }}'}\n")
    (project.state / "pending.json").write_text(json.dumps([["gone", f"h{number}"] for number in range(100_000)]))
    ran = project.run()
    assert ran.recap.ok == 1
    assert len(ran.notices()) == 21
    assert ran.notices()[-1].startswith("99,980 more handlers stay pending: no play of this run has them (in ")


@fault(
    "Provisioning",
    done="the host's clock set back by a year between two runs that have different bundles",
    promised="the bundle in use is not removed as the oldest one",
    seen="three bundles were kept, the run's own among them",
)
def test_clock_is_set_back(project: Project) -> None:
    for number in range(6):
        project.tasks(f"- name: Show\n  ansible.builtin.debug: {{msg: '{number}'}}\n")
        assert project.run().recap.ok == 1
        for bundle in (project.state / "bundles").iterdir():
            # What earlier runs used lies in the future now.
            os.utime(bundle, (4e9, 4e9))
    assert len(list((project.state / "bundles").iterdir())) == 3


@fault(
    "Provisioning",
    done="the agent stopped with `kill -STOP` while a task runs, with a limit of 3 s in place of 30 s",
    promised="its host is given up, with the reason; a task that only takes long is not",
    seen="on a lab machine, with 30 s: `the agent shows no sign of life for 30 s`, exit code 3; a task of 45 s ended well",
)
@pytest.mark.parametrize("hangs", [True, False], ids=["agent that hangs", "long task"])
def test_agent_without_sign_of_life_is_given_up(
    hosts: Hosts, project: Project, monkeypatch: pytest.MonkeyPatch, hangs: bool
) -> None:
    project.tasks("- name: Slow\n  ansible.builtin.command: sleep 4.5\n  changed_when: false\n")
    monkeypatch.setattr("benchrig.provision.conversation.SILENT_SECONDS", 3.0)
    monkeypatch.setattr(
        "tests.support.hosts.AGENT", AGENT.replace("serve.STATE =", "serve.beat.BEAT_SECONDS = 0.3; serve.STATE =", 1)
    )

    def stop() -> None:
        while "db1" not in hosts.channels or b'"Slow"' not in hosts.channels["db1"].told:
            time.sleep(0.02)
        hosts.channels["db1"].agent.send_signal(signal.SIGSTOP)

    if not hangs:
        assert run(hosts, project, {"all": ["db1"]})["db1"].ok == 1
        assert hosts.channels["db1"].told.count(b'"Beat"') > 5
        return
    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(ProvisionError, match="db1: the agent shows no sign of life for 3 s") as error:
        run(hosts, project, {"all": ["db1"]})
    hosts.channels["db1"].agent.kill()
    assert error.value.exit_code == ExitCode.UNREACHABLE
    assert "agent play" in str(error.value.hint)
