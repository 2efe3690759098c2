"""File systems without room: which ones are named, and which are not even asked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchrig.agent import causes, disks

MOUNTS = """\
/dev/vda1 / ext4 rw,relatime 0 0
server:/home /net/home nfs4 rw,relatime 0 0
/etc/auto.misc /misc autofs rw,relatime 0 0
sshfs#x /fuse fuse.sshfs rw 0 0
//server/share /share cifs rw 0 0
proc /proc proc rw 0 0
/dev/loop0 /snap squashfs ro 0 0
tmpfs /tmp tmpfs rw 0 0
"""


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder on a file system that is full."""
    folder = tmp_path / "full"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=True)
    (folder / "fill").write_bytes(bytes(60_000))
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_only_file_systems_of_this_machine_that_can_be_written_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(disks, "MOUNTS", tmp_path / "mounts")
    assert list(disks.mounted()) == ["/", "/tmp"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")
def test_full_file_system_is_named_once(full: Path) -> None:
    (full / "inner").mkdir()
    assert disks.full([str(full), str(full / "inner"), "/nowhere"]) == [str(full)]
    assert str(full) in disks.full(disks.mounted())
    assert str(full) in causes.cure("x: No space left on device")
