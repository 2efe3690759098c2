"""Root through sudo with a password: asked for once, given to sudo alone, a wrong one told in a line."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig import inventory
from benchrig.errors import HostError, InputError
from benchrig.inventory import Host
from benchrig.machines.lab.kind import LabMachines
from benchrig.remote import become, ship, ssh
from tests.support.lab import run, write_inventory

PASSWORD = "s3cret $HOME 'and' \"quotes\" ü"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Yield a lab machine, reached as a user who must give a password to sudo."""
    root = tmp_path_factory.mktemp("clone")
    write_inventory(root, ["lab1"])
    lab = LabMachines(inventory.read("lab", root), root)
    host = lab.up().hosts["lab1"]
    run(host, "useradd -m -s /bin/sh -G sudo worker; install -o worker -D -t ~worker/.ssh .ssh/authorized_keys")
    with ssh.connect(host) as remote:
        assert remote.run(["chpasswd"], stdin=f"worker:{PASSWORD}\n".encode()).code == 0
    yield replace(host, variables={**host.variables, "ansible_user": "worker", "ansible_become": True})
    lab.destroy()


def given(host: Host, password: str) -> Host:
    return replace(host, become_password=password)


@pytest.mark.lab
def test_a_program_runs_as_root_with_its_input_whole(worker: Host) -> None:
    data = bytes(range(256)) * 4096
    with ssh.connect(given(worker, PASSWORD)) as remote:
        assert become.run(remote, ["id", "-un"]).stdout == b"root\n"
        assert become.run(remote, ["cat"], stdin=data).stdout == data
        done = become.run(remote, ["sh", "-c", "cat; echo wrong >&2; exit 7"], stdin=b"words")
    assert (done.code, done.stdout, done.stderr) == (7, b"words", b"wrong\n")


@pytest.mark.lab
def test_a_user_whom_sudo_does_not_ask_is_not_hindered_by_a_password(worker: Host) -> None:
    root = replace(worker, variables={**worker.variables, "ansible_user": "root"})
    run(root, "echo 'worker ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/worker")
    try:
        with ssh.connect(given(worker, PASSWORD)) as remote:
            assert become.run(remote, ["cat"], stdin=b"data").stdout == b"data"
    finally:
        run(root, "rm /etc/sudoers.d/worker")


@pytest.mark.lab
def test_a_wrong_password_is_one_line(worker: Host) -> None:
    with ssh.connect(given(worker, "wrong")) as remote, pytest.raises(HostError) as caught:
        ship.start(remote, "bench")
    assert str(caught.value) == "lab1: sudo rejected the password"
    assert "worker" in str(caught.value.hint)


@pytest.mark.lab
def test_without_a_password_the_flag_that_asks_for_it_is_told(worker: Host) -> None:
    with ssh.connect(worker) as remote, pytest.raises(HostError, match="a password is required") as caught:
        ship.start(remote, "bench")
    assert "--ask-become-pass" in str(caught.value.hint)


@pytest.mark.lab
def test_a_user_who_may_not_become_root_is_told_so(worker: Host) -> None:
    root = replace(worker, variables={**worker.variables, "ansible_user": "root"})
    run(root, "gpasswd -d worker sudo")
    try:
        with ssh.connect(given(worker, PASSWORD)) as remote, pytest.raises(HostError, match="not in the sudoers file"):
            become.start(remote, ["true"])
    finally:
        run(root, "gpasswd -a worker sudo")


@pytest.mark.lab
def test_the_password_is_in_no_command_line_no_environment_and_no_log(worker: Host) -> None:
    look = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl --no-pager; cat /var/log/* 2>/dev/null; true"
    host = given(worker, PASSWORD)
    with ssh.connect(host) as remote, ship.start(remote, "bench"), ssh.connect(host) as other:
        seen = become.run(other, ["sh", "-c", look]).stdout
    assert b"python3 -m agent bench" in seen.replace(b"\0", b" ")
    assert b"s3cret" not in seen


@pytest.mark.lab
def test_several_hosts_share_it_at_the_same_time(worker: Host) -> None:
    answers: list[bytes] = []

    def work() -> None:
        with ssh.connect(given(worker, PASSWORD)) as remote:
            answers.append(become.run(remote, ["id", "-un"]).stdout)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [b"root\n"] * 4


def read(folder: Path, host: str) -> inventory.Inventory:
    path = folder / "hosts.yml"
    path.write_text(f"all: {{hosts: {{web: {host}}}}}")
    return inventory.read(str(path), folder)


def test_the_password_is_asked_for_and_stands_in_no_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = read(tmp_path, "{ansible_become: true}")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    told = hosts.with_become_password(become.ask_password(hosts)).hosts["web"]
    assert told.become_password == PASSWORD
    assert "s3cret" not in repr(told)
    assert told == hosts.hosts["web"]


def test_without_a_host_that_needs_it_or_without_an_answer_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no host of inventory 'hosts' uses sudo"):
        become.ask_password(read(tmp_path, "{ansible_user: root}"))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(InputError, match="no password was given"):
        become.ask_password(read(tmp_path, "{ansible_become: true}"))
