"""The disk of a box: boot sector, boot loader and one ext4 partition, written into a file without mounting anything."""

from __future__ import annotations

import json
import struct
import tarfile
from pathlib import Path

from benchrig.errors import MachineError
from benchrig.machines.box.files import CONFIGURATION
from benchrig.machines.command import run

GIGABYTES = 20
"""Virtual size. The file takes only the space that is used."""

GRUB = Path("/usr/lib/grub/i386-pc")
"""Where Debian's package grub-pc-bin has the boot loader's parts."""

SECTOR = 512
FIRST_SECTOR = 2048
"""Of the partition: what lies before it is the boot loader's."""

# Named one by one: what a newer mkfs.ext4 adds by itself, the boot loader or an older kernel may not know.
_FEATURES = "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file"

# A bind mount leaves out what mmdebstrap has mounted in the system: /proc, /sys, /dev.
WRITE = f"""\
set -eu
mv "$1/boot.new" "$1.disk"
truncate -s {GIGABYTES}G "$1.disk"
mkdir "$1.root"
mount --bind "$1" "$1.root"
mkfs.ext4 -q -F -O {_FEATURES} -m 1 -E offset={FIRST_SECTOR * SECTOR} -d "$1.root" "$1.disk" \
    {(GIGABYTES << 20) - FIRST_SECTOR * SECTOR // 1024}k
umount "$1.root"
rmdir "$1.root"
qemu-img convert -c -W -o compression_type=zstd -f raw -O qcow2 "$1.disk" "$1/box.new"
rm "$1.disk"
"""
"""mmdebstrap's hook: makes the disk of the system in the folder $1, from the boot sectors in it."""

_VAGRANTFILE = """\
Vagrant.configure("2") do |config|
  config.ssh.username = "vagrant"
  config.vm.provider :libvirt do |libvirt|
    libvirt.disk_bus = "virtio"
  end
end
"""


def boot_sectors(work: Path) -> bytes:
    """Return what lies before the partition: the boot sector with the partition table, and GRUB. Raises MachineError.

    GRUB's boot sector loads sector 1 unless it is told otherwise, where grub-mkimage's first sector loads the rest from
    sector 2 on: so written one after the other, they work as they are (GRUB's manual, "Images").
    """
    (work / "grub.cfg").write_text(CONFIGURATION, encoding="ascii")
    modules = ["biosdisk", "part_msdos", "ext2", "linux", "boot"]
    options = {"-O": "i386-pc", "-d": GRUB, "-p": "/boot/grub", "-c": work / "grub.cfg", "-o": work / "core"}
    run(
        ["grub-mkimage", *(str(word) for option in options.items() for word in option), *modules],
        "the boot loader cannot be made",
    )
    core = (work / "core").read_bytes()
    if len(core) > (FIRST_SECTOR - 1) * SECTOR:
        raise MachineError(f"the boot loader takes {len(core)} bytes, more than there is room for before the partition")
    sector = (GRUB / "boot.img").read_bytes()[:440]
    # Status bootable; type Linux; first sector and number of sectors. Cylinders and heads mean nothing on such disks.
    size = GIGABYTES * (1 << 30) // SECTOR - FIRST_SECTOR
    entry = struct.pack("<B3sB3sII", 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff", FIRST_SECTOR, size)
    table = sector.ljust(446, b"\0") + entry.ljust(64, b"\0") + b"\x55\xaa"
    return table + core


def pack(disk: Path, target: Path, work: Path) -> None:
    """Write a disk as a box for Vagrant's provider libvirt; `work` is a folder for what goes into it besides."""
    metadata = {"provider": "libvirt", "format": "qcow2", "virtual_size": GIGABYTES}
    (work / "metadata.json").write_text(json.dumps(metadata), encoding="ascii")
    (work / "Vagrantfile").write_text(_VAGRANTFILE, encoding="ascii")
    # The disk is compressed already, but Vagrant requires gzip.
    with tarfile.open(target, "w:gz", compresslevel=1) as tar:
        tar.add(work / "metadata.json", "metadata.json")
        tar.add(work / "Vagrantfile", "Vagrantfile")
        tar.add(disk, "box.img")
