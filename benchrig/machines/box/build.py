"""Build a box: the disk of a Debian 12 virtual machine, made from Debian packages, for QEMU and for Vagrant with libvirt.

mmdebstrap makes the system, mkfs.ext4 puts it into a file, and GRUB's two parts are written before it. Nothing is mounted
on the controller and no loop device is needed, so root is not needed either.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from benchrig import console, shell
from benchrig.errors import Hint, Inv, MachineError
from benchrig.files import write
from benchrig.machines.box import disk as box_disk
from benchrig.machines.box import files as box_files
from benchrig.machines.box.files import BOX_PACKAGES, EARLY_FILES, LATE_FILES
from benchrig.machines.command import run
from benchrig.machines.controller import apt, packages
from benchrig.machines.controller import settings as controller
from benchrig.machines.controller.apt import SUITE
from benchrig.machines.controller.settings import File, Settings
from benchrig.machines.debian import APT_OPTIONS, MIRRORS_HINT
from benchrig.machines.folder import remove
from benchrig.machines.once import Product, make_once

PROGRAMS = {
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
    "qemu-img": "qemu-utils",
    "grub-mkimage": "grub-common",
    str(box_disk.GRUB / "boot.img"): "grub-pc-bin",
    "unshare": "util-linux",
}

UNPRIVILEGED_PROGRAMS = {"newuidmap": "uidmap"}
"""What mmdebstrap also needs when an ordinary user runs it."""

RECIPE = 1
"""Raise this when a change of this file or of disk.py makes another box from the same packages and files."""

LOGINS = "/etc/apt/auth.conf.d/outer.conf"

BUILD_SECONDS = 1800.0

INSTEAD = Hint(
    "A box is made on Linux. Make it there with ",
    Inv("box", on_inventory=False),
    ", copy it here, and name it in the inventory: `benchrig_box: /path/to/box.qcow2`.",
)


@dataclass(frozen=True)
class Box:
    """A box that was made."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The disk, in QEMU's format qcow2. It must stay as it is while a machine's own disk refers to it."""
        return self.folder / "box.qcow2"

    @property
    def vagrant(self) -> Path:
        """The same as Vagrant takes it, for its provider libvirt."""
        return self.folder / "libvirt.box"


def build(cache: Path) -> Box:
    """Return the box. Makes it in the folder `boxes` of the cache if it is not there (a minute). Raises MachineError."""
    _check()
    settings = controller.read()
    product = Product("box", "Debian 12 box", "about a minute", lambda new, lock: _make(Box(new), settings, lock))
    return Box(make_once(cache / "boxes" / _name(settings), product))


def _check() -> None:
    if sys.platform != "linux":
        raise MachineError(f"a box cannot be made on {sys.platform}", INSTEAD)
    programs = PROGRAMS if os.geteuid() == 0 else {**PROGRAMS, **UNPRIVILEGED_PROGRAMS}
    packages.ensure(programs, "making a box", INSTEAD)


def _name(settings: Settings) -> str:
    """Return the box's name, with a hash of everything that it is made of."""
    files = [astuple(file) for file in (*EARLY_FILES, *LATE_FILES)]
    parts = [BOX_PACKAGES, SUITE, files, box_files.FINISH, box_files.CONFIGURATION, RECIPE, sorted(settings.authorities)]
    return f"{SUITE}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _make(box: Box, settings: Settings, lock: int) -> None:
    """Make the folder of a box, with its disk and its package for Vagrant."""
    work = box.folder / "work"
    work.mkdir(parents=True)
    console.status("box: installing Debian packages, and writing its disk")
    argv = _mmdebstrap(_inputs(work, settings), box.disk)
    run(
        argv if settings.apt.sources else argv[:-1],
        "the box cannot be made",
        stdin="".join(source.line() for source in settings.apt.sources),
        cwd=Path("/"),
        timeout=BUILD_SECONDS,
        environ={"TMPDIR": str(work)} if os.geteuid() == 0 else {},
        pass_fds=(lock,),
        hint=MIRRORS_HINT,
    )
    console.status("box: packing it for Vagrant")
    box_disk.pack(box.disk, box.vagrant, work)
    remove(work)
    console.status("")


def _inputs(work: Path, settings: Settings) -> dict[str, Path]:
    """Write what goes into the box to files, and return them."""
    options = APT_OPTIONS + settings.apt.options_text(settings.proxies)
    contents = {
        "options": options.encode(),
        "logins": settings.apt.logins.encode(),
        "early": box_files.archive(EARLY_FILES),
        "late": box_files.archive(late_files(settings)),
        "boot": box_disk.boot_sectors(work),
    }
    for name, content in contents.items():
        write(work / name, content, 0o600)
    return {name: work / name for name in contents}


def late_files(settings: Settings) -> tuple[File, ...]:
    """Return what goes into a box once its packages are there. No login for mirrors: a box may be handed on."""
    own = settings.files("")
    sources = [file for file in own if file.path.startswith(("etc/apt/sources.list", apt.KEYRINGS))]
    return (*LATE_FILES, *sources, *controller.authority_files(settings.authorities, Path("/")))


def _mmdebstrap(inputs: Mapping[str, Path], disk: Path) -> list[str]:
    """Return the command that makes the system in a folder that goes away again, and brings its disk out of it.

    tar-in, upload and download read and write as the user who runs it; all other hooks run as the system's root.
    """
    quoted = {name: shell.quote([path]) for name, path in inputs.items()}
    hooks = [
        ("setup", f'mkdir -p "$(dirname "$1{LOGINS}")"'),
        ("setup", f"upload {quoted['logins']} {LOGINS}"),
        ("essential", f"tar-in {quoted['early']} /"),
        ("customize", f"tar-in {quoted['late']} /"),
        ("customize", f'chroot "$1" sh -c {shell.quote([f"rm -f {LOGINS}; {box_files.FINISH}"])}'),
        ("customize", f"upload {quoted['boot']} /boot.new"),
        ("customize", box_disk.WRITE),
        ("customize", f"download /box.new {shell.quote([disk])}"),
    ]
    return [
        # In namespaces of its own, so that nothing it mounts or starts is left behind, however it ends.
        *(["unshare", "--mount", "--pid", "--fork", "--kill-child"] if os.geteuid() == 0 else []),
        "mmdebstrap",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        "--variant=apt",
        "--format=null",
        f"--include={','.join(BOX_PACKAGES)}",
        "--skip=cleanup/apt/lists",
        f"--aptopt={inputs['options']}",
        *(f"--{stage}-hook={command}" for stage, command in hooks),
        SUITE,
        "/dev/null",
        "-",
    ]
