"""The box: what lies before its partition, what is in it, what names it, and that no half one is ever taken for a box."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tarfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from benchrig.errors import MachineError
from benchrig.machines.box import build, files
from benchrig.machines.box import disk as box_disk
from benchrig.machines.controller.apt import Apt, Source
from benchrig.machines.controller.pip import Pip
from benchrig.machines.controller.settings import File, Settings
from tests.support import ROOT

SETTINGS = Settings((), (), {}, Apt((Source("http://mirror.test/debian", "bookworm", ("main",)),)), Pip())

needs_grub = pytest.mark.skipif(
    not shutil.which("grub-mkimage") or not (box_disk.GRUB / "boot.img").is_file(), reason="grub-pc-bin is not installed"
)

# In place of mmdebstrap, which takes a minute: it brings out a disk of a few bytes, as the last hook says.
STAND_IN = """\
#!/bin/sh
for word; do case "$word" in --customize-hook=download*) target=${word##* };; esac; done
echo half >"$target"
sleep ${SLEEP:-0}
exit ${CODE:-0}
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put stand-ins before the programs that make a box, and return their folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "mmdebstrap").write_text(STAND_IN)
    (folder / "grub-mkimage").write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; echo core >"$2"\n')
    for name in build.UNPRIVILEGED_PROGRAMS:
        (folder / name).write_text("#!/bin/sh\n")
    (folder / "boot.img").write_bytes(b"\xeb" * 512)
    for program in folder.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(box_disk, "GRUB", folder)
    monkeypatch.setattr(build, "PROGRAMS", {"mmdebstrap": "mmdebstrap", "grub-mkimage": "grub-common"})
    monkeypatch.setattr("benchrig.machines.controller.settings.read", lambda: SETTINGS)
    return folder


def contents(archive: bytes) -> Mapping[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {entry.name: entry for entry in tar}


@needs_grub
def test_the_disk_begins_with_a_boot_sector_one_partition_and_grub_behind_it(tmp_path: Path) -> None:
    made = box_disk.boot_sectors(tmp_path)
    assert made[510:512] == b"\x55\xaa"
    bootable, kind, first, sectors = struct.unpack("<B3xB3xII", made[446:462])
    assert (bootable, kind, first) == (0x80, 0x83, 2048)
    assert (first + sectors) * 512 == box_disk.GIGABYTES << 30
    assert made[462:510] == bytes(48)
    # The boot sector loads this sector, and the first sector behind it loads the rest, from the next one on.
    assert struct.unpack("<Q", made[0x5C:0x64]) == (1,)
    start, length = struct.unpack("<QH", made[512 + 500 : 512 + 510])
    assert start == 2
    assert length == -(-(len(made) - 1024) // 512)
    assert len(made) <= 2048 * 512


def test_what_goes_into_a_box_belongs_to_root_with_the_mode_it_needs() -> None:
    found = contents(files.archive([*files.EARLY_FILES, *files.LATE_FILES]))
    assert {(entry.uid, entry.gid) for entry in found.values()} == {(0, 0)}
    assert found["etc/sudoers.d/vagrant"].mode == 0o440
    assert found["home/vagrant/.ssh/authorized_keys"].mode == 0o600
    assert found["usr/local/sbin/box-start"].mode == 0o755


def test_scripts_of_the_box_are_shell_that_can_be_read() -> None:
    (start,) = [file for file in files.LATE_FILES if file.path.endswith("box-start")]
    for text in (start.content.decode(), files.FINISH, box_disk.WRITE):
        subprocess.run(["sh", "-n", "-c", text], check=True)


@pytest.mark.usefixtures("programs")
def test_a_box_of_other_authorities_is_another_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = build.build(tmp_path)
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    monkeypatch.setattr("benchrig.machines.controller.settings.read", lambda: replace(SETTINGS, authorities=(pem,)))
    assert build.build(tmp_path).folder != first.folder


def test_no_login_for_mirrors_stays_in_a_box() -> None:
    secret = replace(SETTINGS, apt=replace(SETTINGS.apt, logins="machine mirror.test login me password geheim\n"))
    with tarfile.open(fileobj=io.BytesIO(files.archive(build.late_files(secret)))) as tar:
        texts = [found.read() for entry in tar if (found := tar.extractfile(entry))]
    assert any(b"http://mirror.test/debian" in text for text in texts)
    assert not any(b"geheim" in text for text in texts)


def test_a_box_is_made_once_and_packed_for_vagrant(tmp_path: Path, programs: Path) -> None:
    made = build.build(tmp_path)
    (programs / "mmdebstrap").write_text("#!/bin/sh\nexit 1\n")
    assert build.build(tmp_path) == made
    assert sorted(path.name for path in made.folder.iterdir()) == ["box.qcow2", "libvirt.box"]
    with tarfile.open(made.vagrant) as tar:
        assert tar.getnames() == ["metadata.json", "Vagrantfile", "box.img"]
        metadata = tar.extractfile("metadata.json")
        assert metadata is not None
        assert json.load(metadata) == {"provider": "libvirt", "format": "qcow2", "virtual_size": box_disk.GIGABYTES}
        disk = tar.extractfile("box.img")
        assert disk is not None
        assert hashlib.sha256(disk.read()).digest() == hashlib.sha256(made.disk.read_bytes()).digest()


@pytest.mark.usefixtures("programs")
def test_a_failed_box_gives_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODE", "1")
    with pytest.raises(MachineError, match=r"^the box cannot be made: "):
        build.build(tmp_path)
    assert list((tmp_path / "boxes").iterdir()) == []


def test_killed_in_the_middle_it_leaves_no_half_box(tmp_path: Path, programs: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.machines.box import test_box as t;"
        "from benchrig.machines.box import build, disk; from benchrig.machines.controller import settings;"
        "disk.GRUB = Path(sys.argv[2]); build.PROGRAMS = {}; settings.read = lambda: t.SETTINGS;"
        "build.build(Path(sys.argv[1]))"
    )
    argv = [sys.executable, "-c", code, str(tmp_path), str(programs)]
    process = subprocess.Popen(argv, cwd=ROOT, env={**os.environ, "SLEEP": "2"}, start_new_session=True)
    half = tmp_path / "boxes/.new/box.qcow2"
    deadline = time.monotonic() + 30
    while not half.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert half.exists()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    # mmdebstrap itself goes on, and holds the lock until it has ended: so this one waits for it.
    made = build.build(tmp_path)
    assert [path.name for path in (tmp_path / "boxes").iterdir()] == [made.folder.name]
    assert made.vagrant.exists()


@pytest.mark.usefixtures("programs")
def test_old_boxes_go_unless_a_machine_stands_on_them(tmp_path: Path) -> None:
    for name in ("old", "used"):
        (tmp_path / "boxes" / name).mkdir(parents=True)
    image = tmp_path / "qemu/lab-1/machines/vm1/image"
    image.parent.mkdir(parents=True)
    image.write_text(str(tmp_path / "boxes/used/box.qcow2"))
    made = build.build(tmp_path)
    assert {path.name for path in (tmp_path / "boxes").iterdir()} == {"used", made.folder.name}


def test_a_user_who_is_not_root_makes_it_in_namespaces_of_their_own(
    tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (programs / "mmdebstrap").write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/said\n{STAND_IN}')
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    build.build(tmp_path)
    assert "--mode=unshare" in (tmp_path / "said").read_text()


def test_without_linux_the_hint_says_where_to_make_a_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(MachineError, match="a box cannot be made on darwin") as caught:
        build.build(tmp_path)
    assert "benchrig_box: /path/to/box.qcow2" in str(caught.value.hint)


def test_a_file_in_an_archive_is_what_it_was() -> None:
    with tarfile.open(fileobj=io.BytesIO(files.archive([File("a/b", b"text", 0o600)]))) as tar:
        found = tar.extractfile("a/b")
        assert found is not None
        assert found.read() == b"text"
