"""Secrets during a whole run: all that it leaves, and the arguments and environment of every process, are searched."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import pytest

from benchrig import inventory
from benchrig.machines import machines_of
from benchrig.machines.lab.kind import LabMachines
from tests.support.clone import Clone, copy_project
from tests.support.faults import fault

TOKEN = token_hex(16)

PLAYBOOK = """
- name: Secrets
  hosts: all
  roles:
    - role: secrets
"""

TASKS = """
- name: Store the token
  ansible.builtin.copy:
    content: "{{ site_token }}"
    dest: /root/token
    mode: "0600"
- name: Give the token to a program
  ansible.builtin.command:
    cmd: cat
    stdin: "{{ site_token }}"
- name: Print the token and fail
  ansible.builtin.shell:
    cmd: cat; cat /root/token >&2; exit 1
    stdin: "{{ site_token }}"
  environment:
    NOT_SECRET: "1"
  ignore_errors: true
- name: Show the token
  ansible.builtin.debug:
    msg: "it is {{ site_token }}"
"""

HOLDERS = ("etc/benchrig/pgpass", "etc/benchrig/postgresql/films", "root/token")
"""Files of the machine that must have the secrets."""


class Watch:
    """What the command lines and environments of all processes were."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self.processes: set[str] = set()

    def look(self) -> None:
        for process in os.scandir("/proc"):
            if process.name.isdigit():
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        self.seen.add(Path(process.path, name).read_bytes())
                self.processes.add(process.name)


@contextmanager
def watched() -> Iterator[Watch]:
    watch, ended = Watch(), threading.Event()

    def work() -> None:
        while not ended.wait(0.005):
            watch.look()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    """Yield a clone whose inventory has a secret, and a playbook that handles it in every way."""
    copied = copy_project(tmp_path)
    lab = tmp_path / "inventory/lab.yml"
    assert "  vars:\n" in lab.read_text()
    lab.write_text(lab.read_text().replace("  vars:\n", f"  vars:\n    site_token: {TOKEN}\n", 1))
    (tmp_path / "roles/secrets/tasks").mkdir(parents=True)
    (tmp_path / "roles/secrets/tasks/main.yml").write_text(TASKS)
    (tmp_path / "secrets.yml").write_text(PLAYBOOK)
    yield copied
    copied.inv("destroy")


def holding(folder: Path, secrets: list[bytes]) -> set[str]:
    """Return the files below a folder that have one of the secrets in them."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with contextlib.suppress(OSError):
                content = path.read_bytes()
                if any(secret in content for secret in secrets):
                    found.add(str(path.relative_to(folder)))
    return found


@fault(
    "Output and text from outside",
    done="a whole run with a token in the inventory and PostgreSQL's passwords, while all processes are watched",
    promised="no secret in any output, report, journal, argument or environment; on the host only in files that need it",
    seen="1,269 processes seen; the token in 1 file of the machine, the password in 2, nowhere else",
)
@pytest.mark.lab
@pytest.mark.slow
def test_secrets_stay_where_they_belong(clone: Clone) -> None:
    bench = ("bench", "--suite", "quart-vs-flask", "--only", "films-flask.film", "--duration", "1s", "--connections", "4")
    with watched() as watch:
        ran = [
            clone.inv(*bench, "report", timeout=1500),
            clone.inv("provision", "--playbook", "secrets.yml", "--diff"),
            clone.inv("provision", "--check", "--diff", "--tags", "postgresql"),
        ]
    assert [done.code for done in ran] == [0, 0, 0], [done.stderr[-2000:] for done in ran]
    lab = machines_of(inventory.read("lab", clone.root), clone.root)
    assert isinstance(lab, LabMachines)
    machine = lab.folder.machine("lab1").changes
    pgpass = (machine / HOLDERS[0]).read_bytes().splitlines()
    secrets = [TOKEN.encode(), *(line.rpartition(b":")[2] for line in pgpass if line)]
    assert all(len(secret) > 10 for secret in secrets)
    assert len(secrets) > 1
    # The watch sees what there is: the run's own command line and its app.
    assert any(b"films-flask.film" in text for text in watch.seen)
    assert len(watch.processes) > 50
    assert not [text for text in watch.seen if any(secret in text for secret in secrets)]
    for done in ran:
        assert not any(secret.decode() in done.stdout + done.stderr for secret in secrets)
    assert holding(clone.root, secrets) == {"inventory/lab.yml"}
    # A machine's file system is there twice: as it is seen, and what has changed of it.
    seen_at = [path.relative_to(lab.folder.path) for path in (machine, lab.folder.machine("lab1").root)]
    assert holding(lab.folder.path, secrets) == {str(path / name) for path in seen_at for name in HOLDERS}
    print(f"{len(watch.processes)} processes, {len(watch.seen)} command lines and environments")
