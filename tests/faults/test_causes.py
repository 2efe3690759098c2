"""Failed tasks name their cause, the host's state and the cure: disks, mirrors, clocks, locks, noexec."""

from __future__ import annotations

import hashlib
import os
import re
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from benchrig.agent.play.events import ItemDone
from tests.support.faults import fault
from tests.support.rig import Project

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or not Path("/usr/bin/apt-get").exists(), reason="apt acts as root")

REFRESH = "- name: Refresh\n  ansible.builtin.apt: {update_cache: true}\n  environment: {APT_CONFIG: '{{ dir }}/apt.conf'}\n"


class Mirror(BaseHTTPRequestHandler):
    """A package mirror that is dead in the way that its server's `how` says."""

    def do_GET(self) -> None:
        how = self.server.how  # type: ignore[attr-defined]
        if how in ("404", "500"):
            self.send_error(int(how))
        elif how == "silent":
            time.sleep(3)
        elif how == "trickle":
            self.send_response(200)
            self.end_headers()
            for _ in range(50):
                self.wfile.write(b"x")
                time.sleep(0.1)
        else:
            self._release(how)

    def _release(self, how: str) -> None:
        packages = b"Package: none\n\n"
        date = "Fri, 01 Jan 2100 00:00:00 UTC" if how == "clock" else "Fri, 01 Jan 2021 00:00:00 UTC"
        release = f"Suite: x\nDate: {date}\nSHA256:\n {hashlib.sha256(packages).hexdigest()} {len(packages)} Packages\n"
        content = {"Release": release.encode(), "Packages": packages}.get(self.path.rpartition("/")[2])
        if how == "clock" and self.path.endswith("/InRelease"):
            content = self.server.sign(release.encode())  # type: ignore[attr-defined]
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if how == "truncated" and b"Package" in content[:8] else content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project whose apt has a folder of its own and no package lists."""
    monkeypatch.setattr("benchrig.agent.play.modules.apt._LISTS", tmp_path / "lists")
    monkeypatch.setattr("benchrig.agent.play.modules.apt._STAMP", tmp_path / "stamp")
    made = Project(tmp_path)
    (tmp_path / "lists/partial").mkdir(parents=True)
    return made


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """Yield a server for a mirror."""
    socketserver.TCPServer.allow_reuse_address = True
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def configure(project: Project, port: int) -> None:
    """Let apt know one mirror."""
    here = project.dir
    (here / "sources.list").write_text(f"deb [trusted=yes] http://127.0.0.1:{port} ./\n", encoding="utf-8")
    (here / "apt.conf").write_text(
        f'Dir::Etc::sourcelist "{here}/sources.list"; Dir::Etc::sourceparts "/dev/null";\n'
        'Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null";\n'
        f'Dir::State::lists "{here.parent}/lists"; Dir::Cache "{here}/cache"; \n'
        'Acquire::http::Proxy::127.0.0.1 "DIRECT"; APT::Sandbox::User "root";\n',
        encoding="utf-8",
    )


def failed(project: Project) -> ItemDone:
    """Run the project and return its failed task."""
    (item,) = project.run().items("failed")
    return item


MIRRORS = {
    "404": "404  File not found|404  Not Found|does not have a Release file",
    "500": "500  Internal Server Error|does not have a Release file",
    "truncated": "Undetermined Error|Connection closed|unexpected size|Error reading|Hash Sum mismatch|Connection failed",
    "silent": "Connection timed out|does not have a Release file|Connection failed",
    "refused": "Could not connect to 127.0.0.1|Unable to connect to|Connection refused",
}


@fault(
    "Causes",
    done="a mirror that answers 404 or 500, cuts its files short, is silent, or refuses connections, when package "
    "lists are refreshed",
    promised="the task fails with apt's own reason and says what to check",
    seen="`Failed to fetch …/Packages  500  Internal Server Error`, and so on for each; `Check the package mirror …`",
)
@pytest.mark.parametrize("how", MIRRORS)
def test_dead_mirror(project: Project, server: ThreadingHTTPServer, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    server.how = how  # type: ignore[attr-defined]
    settings = ("Acquire::Retries=0", "Acquire::http::Timeout=1")
    monkeypatch.setattr("benchrig.agent.play.modules.aptget._SETTINGS", settings)
    configure(project, 9 if how == "refused" else server.server_port)
    project.tasks(REFRESH)
    item = failed(project)
    assert item.message.startswith("the package lists could not be refreshed: ")
    assert any(part in item.message for part in MIRRORS[how].split("|")), item.message
    assert item.hint.startswith("Check the package mirror of this host")


@fault(
    "Causes",
    done="a mirror's Release file of the year 2100, as if the host's clock were late",
    promised="the task says that the file is not valid yet, and what the host's clock says",
    seen="`Release file for … is not valid yet`; `Set the clock of this host, which says 2026-…`",
)
def test_wrong_clock(project: Project, server: ThreadingHTTPServer, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    gpg = [
        "gpg",
        "--homedir",
        str(tmp_path / "gpg"),
        "--batch",
        "--quiet",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "",
    ]
    (tmp_path / "gpg").mkdir(mode=0o700)
    subprocess.run(
        [*gpg, "--quick-generate-key", "mirror", "rsa3072", "sign", "never"], check=True, stderr=subprocess.DEVNULL
    )

    def sign(text: bytes) -> bytes:
        return subprocess.run([*gpg, "--clearsign"], input=text, check=True, capture_output=True).stdout

    server.how, server.sign = "clock", sign  # type: ignore[attr-defined]
    configure(project, server.server_port)
    key = project.dir / "key.gpg"
    key.write_bytes(subprocess.run([*gpg, "--export"], check=True, capture_output=True).stdout)
    # Otherwise its agent stays.
    request.addfinalizer(
        lambda: subprocess.run(["gpgconf", "--homedir", str(tmp_path / "gpg"), "--kill", "all"], check=True)
    )
    sources = project.dir / "sources.list"
    sources.write_text(sources.read_text().replace("trusted=yes", f"signed-by={key}"), encoding="utf-8")
    project.tasks(REFRESH)
    item = failed(project)
    assert "is not valid yet" in item.message
    assert item.hint.startswith(f"Set the clock of this host, which says {time.strftime('%Y-%m-%d')}")


@fault(
    "Causes",
    done="another program that holds the lock of the package lists, for 3 s and for more than the time limit",
    promised="the task waits for the lock; at the time limit it fails and names the process",
    seen="refreshed after 3 s; `Could not get lock …/lists/lock; it was held for 120 s by process 4006 (python3)`",
)
@pytest.mark.parametrize("longer", [False, True], ids=["3 seconds", "longer"])
def test_lock_of_another(
    project: Project, server: ThreadingHTTPServer, longer: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.how = "well"  # type: ignore[attr-defined]
    configure(project, server.server_port)
    project.tasks(REFRESH)
    lock = project.dir.parent / "lists/lock"
    hold = f"import fcntl,time; f=open({str(lock)!r},'w'); fcntl.lockf(f,fcntl.LOCK_EX); print(flush=True); time.sleep(3)"
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        holder.stdout.readline()
        if longer:
            monkeypatch.setattr("benchrig.agent.play.modules.aptget.LOCK_SECONDS", 1)
        ran = project.run()
    if not longer:
        assert ran.messages("changed") == ["package lists refreshed"]
        return
    (item,) = ran.items("failed")
    assert (
        f"Could not get lock {lock.resolve()}; it was held for 1 s by process {holder.pid} (python"
        in item.message.replace(str(lock), str(lock.resolve()))
    )
    assert item.hint.startswith("Another program installs packages on this host.")


@fault(
    "Causes",
    done="a server that sends a file byte by byte, without end",
    promised="after a minute at less than 1 kB/s the task fails and says how much came",
    seen="with the minute set to 1 s: `…: cannot be fetched: only 11 bytes came in 1 s`; no file was left",
)
def test_download_that_trickles(project: Project, server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    server.how = "trickle"  # type: ignore[attr-defined]
    monkeypatch.setattr("benchrig.agent.play.modules.get_url._PATIENCE_SECONDS", 1.0)
    url = f"http://127.0.0.1:{server.server_port}/file"
    project.tasks(f"- name: Get\n  ansible.builtin.get_url: {{url: '{url}', dest: '{{{{ dir }}}}/file', mode: '0644'}}\n")
    item = failed(project)
    assert re.fullmatch(rf"{url}: cannot be fetched: only \d+ bytes came in 1 s", item.message)
    assert item.hint.startswith("Check the address, the network of this host")
    assert not list(project.dir.glob("*file*"))


@pytest.fixture
def small(project: Project) -> Iterator[Project]:
    """Yield the project with a file system of 1 MB, which permits no programs, as its folder `small`."""
    folder = project.dir / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,noexec", "tmpfs", folder], check=True)
    yield project
    subprocess.run(["umount", folder], check=True)


@fault(
    "Causes",
    done="a full disk: for a program that a task runs, for a file that it copies, for one that it downloads",
    promised="the task says so, and names the full file system",
    seen="`exit code 1: dd: error writing '…': No space left on device`; `Make room on this host; full: …/small.`",
)
def test_full_disk(small: Project) -> None:
    small.write("roles/one/files/big", "x" * 2_000_000)
    for task in (
        "command: dd if=/dev/zero of={{ dir }}/small/a",
        "copy: {src: big, dest: '{{ dir }}/small/b', mode: '0644'}",
    ):
        small.tasks(f"- name: Write\n  ansible.builtin.{task}\n")
        item = failed(small)
        assert "no space left on device" in item.message.lower()
        assert f"{small.dir}/small" in item.hint


@fault(
    "Causes",
    done="a program on a file system that is mounted noexec",
    promised="the task says that the mount is the reason, not the file's permissions",
    seen="`…/small/run: cannot be started: permission denied`; `The file system of …/small/run is mounted noexec: …`",
)
def test_noexec(small: Project) -> None:
    program = small.dir / "small/run"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    for task in ("command: '{{ dir }}/small/run'", "shell: '{{ dir }}/small/run'"):
        small.tasks(f"- name: Run\n  ansible.builtin.{task}\n")
        item = failed(small)
        assert "permission denied" in item.message.lower()
        assert item.hint.startswith(f"The file system of {program} is mounted noexec")


@fault(
    "Causes",
    done="a task that needs a program that the host does not have; a read-only file system",
    promised="the task names the program; it says that the file system is read-only",
    seen="`sh: 1: benchrig-none: not found`; `Install benchrig-none on this host, …`; `… read-only file system`",
)
def test_missing_program_and_read_only_disk(small: Project) -> None:
    small.tasks("- name: Run\n  ansible.builtin.shell: benchrig-none --version\n")
    assert failed(small).hint.startswith("Install benchrig-none on this host")
    small.tasks("- name: Run\n  ansible.builtin.command: benchrig-none --version\n")
    item = failed(small)
    assert item.message == "benchrig-none: cannot be started: no such file or directory"
    assert item.hint.startswith("Install benchrig-none on this host")
    subprocess.run(["mount", "-o", "remount,ro", small.dir / "small"], check=True)
    small.tasks("- name: Copy\n  ansible.builtin.copy: {content: x, dest: '{{ dir }}/small/a', mode: '0644'}\n")
    item = failed(small)
    assert "read-only file system" in item.message
    assert item.hint.startswith("The disk of this host is read-only")
