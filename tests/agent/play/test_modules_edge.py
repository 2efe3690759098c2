"""Modules where the host, the network or an archive is not as one would wish: links, cut-off data, odd line ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from benchrig.agent.play import modules
from benchrig.agent.play.modules import debug
from benchrig.agent.play.modules.base import Context, Result
from benchrig.agent.play.modules.contract import runs
from benchrig.agent.play.modules.files import difference
from tests.support import ROOT
from tests.support.rig import Project, Ran

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="modules act as root")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def link(name: str, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info


def folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def archive(*members: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as made:  # type: ignore[call-overload]
        for member in members:
            made.addfile(member, io.BytesIO(b"x" * member.size))
    return buffer.getvalue()


def file(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = 600
    return info


def unpacked(project: Project, content: bytes) -> Ran:
    (project.dir / "a.tar").write_bytes(content)
    (project.dir / "into").mkdir(exist_ok=True)
    project.tasks(
        '- name: Unpack\n  ansible.builtin.unarchive: {src: "{{ dir }}/a.tar", dest: "{{ dir }}/into", remote_src: true}\n'
    )
    return project.run()


@pytest.mark.parametrize(
    "members",
    [
        [folder("d"), link("d/up", ".."), link("s", "d/up/.."), file("s/evil")],
        [folder("d"), link("d/up", ".."), link("s", "d/up/..")],
        [link("d", "."), file("d/evil")],
        [link("d", "e"), file("d")],
    ],
)
def test_an_archive_is_refused_that_writes_through_its_own_links(project: Project, members: list[tarfile.TarInfo]) -> None:
    (message,) = unpacked(project, archive(*members)).messages("failed")
    assert "points outside the folder or through a link" in message
    assert list((project.dir / "into").iterdir()) == []


def test_links_to_links_and_up_and_down_again_are_unpacked(project: Project) -> None:
    members = [file("lib/real"), link("bin/a", "../lib/real"), link("bin/b", "a")]
    assert not unpacked(project, archive(*members)).messages("failed")
    assert (project.dir / "into/bin/b").read_bytes() == b"x" * 600


def test_an_archive_that_was_cut_off_or_damaged_is_refused(project: Project) -> None:
    plain, packed = archive(file("a"), file("b"), mode="w:"), archive(file("a"), file("b"))
    xz = archive(file("a"), mode="w:xz")
    damaged = [
        plain[:1536],
        plain[:1600],
        packed[:-12],
        packed[:40] + b"\xff" * 20 + packed[60:],
        xz[:60] + b"\0" * 20 + xz[80:],
    ]
    for content in damaged:
        (message,) = unpacked(project, content).messages("failed")
        assert "a.tar: cannot be unpacked" in message
        assert list((project.dir / "into").iterdir()) == []


def test_a_copy_takes_the_place_of_a_link_once(project: Project) -> None:
    (project.dir / "real").write_text("x", encoding="utf-8")
    (project.dir / "real").chmod(0o600)
    (project.dir / "a").symlink_to("real")
    project.tasks('- name: Copy\n  ansible.builtin.copy: {content: x, dest: "{{ dir }}/a", mode: "0644"}\n')
    assert project.run().messages("changed") == ["link replaced by a file"]
    assert not (project.dir / "a").is_symlink()
    assert (project.dir / "real").stat().st_mode & 0o777 == 0o600
    assert project.run().recap.changed == 0


def test_a_folders_attributes_go_to_what_a_link_points_to(project: Project) -> None:
    (project.dir / "real").mkdir()
    (project.dir / "a").symlink_to("real")
    project.tasks(
        '- name: Own\n  ansible.builtin.file: {path: "{{ dir }}/a", state: directory, owner: nobody, mode: "0750"}\n'
    )
    assert project.run().recap.changed == 1
    assert (project.dir / "real").owner() == "nobody"
    assert (project.dir / "a").lstat().st_uid == 0
    assert project.run().recap.changed == 0


def test_attributes_are_not_given_through_a_link_put_in_a_files_place(tmp_path: Path) -> None:
    from benchrig.agent.play.modules.files import Attributes

    (tmp_path / "real").touch(mode=0o600)
    (tmp_path / "a").symlink_to("real")
    Attributes(65534, None, 0o666).apply(tmp_path / "a")
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o600
    assert ((tmp_path / "real").stat().st_uid, (tmp_path / "a").lstat().st_uid) == (0, 65534)


def test_lineinfile_leaves_the_other_lines_as_they_are(project: Project) -> None:
    path = project.dir / "a"
    path.write_bytes(b"one\r\ntwo\x0cstill two\r\n\xffthree\n")
    project.tasks(
        '- name: Line\n  ansible.builtin.lineinfile: {path: "{{ dir }}/a", line: "{{ line }}", insertafter: "^one"}\n'
    )
    assert project.run(extra={"line": "one"}).recap.changed == 0
    assert project.run(extra={"line": "new"}).recap.changed == 1
    assert path.read_bytes() == b"one\r\nnew\ntwo\x0cstill two\r\n\xffthree\n"
    path.write_bytes(b"one\nlast")
    project.run(extra={"line": "new"})
    assert path.read_bytes() == b"one\nnew\nlast"


@contextmanager
def server(answer: bytes) -> Iterator[str]:
    """Serve one answer, byte for byte, and yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def handle(self) -> None:
            self.rfile.readline()
            self.wfile.write(answer)

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}/a"
        served.shutdown()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "the connection ended after 4 of 100 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf", "cannot be fetched"),
        (b"nonsense\r\n\r\n", "cannot be fetched"),
    ],
)
def test_a_download_that_was_cut_off_is_thrown_away(project: Project, answer: bytes, said: str) -> None:
    project.tasks('- name: Get\n  ansible.builtin.get_url: {url: "{{ url }}", dest: "{{ dir }}/a", mode: "0644"}\n')
    with server(answer) as url:
        (message,) = project.run(extra={"url": url}).messages("failed")
    assert said in message
    assert list(project.dir.iterdir()) == []


def test_a_module_that_breaks_is_a_failed_task(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_args: debug.Args, _context: Context) -> Result:
        raise AttributeError("no such thing")

    load, breaks = modules.load, replace(debug.MODULE, start=runs(broken))
    monkeypatch.setattr(modules, "load", lambda name: breaks if name == "ansible.builtin.debug" else load(name))
    project.tasks("- name: One\n  ansible.builtin.set_fact: {a: 1}\n- name: Two\n  ansible.builtin.debug: {msg: x}\n")
    ran = project.run()
    assert (ran.recap.ok, ran.recap.failed) == (1, 1)
    assert ran.messages("failed") == ["ansible.builtin.debug: AttributeError: no such thing"]


def test_looking_knows_that_the_folders_above_a_new_one_will_be_there(project: Project) -> None:
    project.tasks(
        """
- name: Make
  ansible.builtin.file: {path: "{{ dir }}/a/b/c", state: directory, mode: "0755"}
- name: Copy
  ansible.builtin.copy: {content: x, dest: "{{ dir }}/a/b/d", mode: "0644"}
"""
    )
    assert not project.run(check=True).messages("failed")
    assert not project.run().messages("failed")


@pytest.mark.skipif(not Path("/usr/bin/apt-get").exists(), reason="Debian only")
def test_looking_knows_that_refreshed_package_lists_may_have_a_package(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchrig.agent.play.modules.apt._refreshed_at", lambda: 0.0)
    project.tasks(
        """
- name: Refresh
  ansible.builtin.apt: {update_cache: true, cache_valid_time: 60}
- name: Install
  ansible.builtin.apt: {name: benchrig-not-yet-known}
"""
    )
    ran = project.run(check=True)
    expected = "would install benchrig-not-yet-known (versions unknown until Refresh)"
    assert ran.messages("changed") == ["package lists refreshed", expected]


def test_package_lists_that_were_looked_at_are_fresh_even_if_no_mirror_had_anything_new(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apt = "benchrig.agent.play.modules.apt"
    lists = tmp_path / "lists"
    lists.mkdir()
    os.utime(lists, (0, 0))
    monkeypatch.setattr(f"{apt}._LISTS", lists)
    monkeypatch.setattr(f"{apt}._STAMP", tmp_path / "none")
    monkeypatch.setattr(f"{apt}.aptget.change", lambda *_, **__: None)
    project.tasks("- name: Refresh\n  ansible.builtin.apt: {update_cache: true, cache_valid_time: 60}\n")
    assert project.run().messages("changed") == ["package lists refreshed"]
    assert project.run().messages("changed") == []


def test_a_unit_that_is_masked_may_stay_so(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    systemctl = tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    said = 'LoadState=masked\\nLoadError=org.freedesktop.systemd1.UnitMasked \\"Unit is masked.\\"\\n'
    said += "ActiveState=inactive\\nUnitFileState=masked\\nNeedDaemonReload=no\\n"
    systemctl.write_text(
        f'#!/bin/sh\nfor unit; do case $unit in *.service) printf "{said}\\n";; esac; done\n', encoding="ascii"
    )
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{systemctl.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("benchrig.agent.play.modules.systemd_service._local_units", list)
    project.tasks(
        "- name: Mask\n  ansible.builtin.systemd_service: {name: x, state: stopped, enabled: false, masked: true}\n"
    )
    ran = project.run()
    assert ran.messages("failed") == []
    assert ran.recap.changed == 0


def test_commands_do_not_start_in_the_agents_folder(tmp_path: Path) -> None:
    shown = "import os, runpy, sys; sys.argv = ['agent', 'play']; runpy.run_module('benchrig.agent', run_name='__main__')"
    code = f"import atexit, os; atexit.register(lambda: print(os.getcwd())); {shown}"
    root = ROOT
    environ = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    assert done.stdout.decode().strip() == os.path.expanduser("~root"), done.stderr  # noqa: PTH111


def test_copy_writes_yes_and_no_as_ansible_does(project: Project) -> None:
    project.tasks('- name: Copy\n  ansible.builtin.copy: {content: "{{ true }}", dest: "{{ dir }}/a", mode: "0644"}\n')
    project.run()
    assert (project.dir / "a").read_text(encoding="utf-8") == "True"


def test_keys_that_are_numbers_stay_numbers(project: Project) -> None:
    project.write("roles/one/defaults/main.yml", "ports: {80: {on: web}, a: 1}\n")
    project.tasks(
        """
- name: Look
  ansible.builtin.assert:
    that: ports[80] == names[1] and given[8] == 'x' and ports.a == 1
  vars: {names: {1: {true: web}}}
"""
    )
    ran = project.run(variables={"given": {8: "x"}})
    assert ran.messages("failed") == []


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("a\nb\n", "a\nc\n", ["-b", "+c"]),
        ("a\u2028b\n", "a\nb\n", ["-a\u2028b", "+a", "+b"]),
        ("a\x85b", "a\u2029b", ["-a\x85b", "+a\u2029b"]),
        ("", "a\n", ["+a"]),
    ],
)
def test_a_difference_is_by_the_lines_that_a_newline_ends(before: str, after: str, changed: list[str]) -> None:
    lines = difference(Path("/etc/x"), before.encode(), after.encode()).split("\n")
    assert [line for line in lines[2:] if line[:1] in ("-", "+")] == changed
