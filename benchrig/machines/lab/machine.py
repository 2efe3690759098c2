"""One machine of the lab: mount its file system, set up its network, start and stop systemd-nspawn."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchrig.errors import Hint, Inv, MachineError
from benchrig.machines.command import run
from benchrig.machines.controller import settings as controller
from benchrig.machines.controller.settings import Settings
from benchrig.machines.folder import cache, write_below
from benchrig.machines.lab import image as lab_image
from benchrig.machines.lab import network as lab_network
from benchrig.machines.lab import process
from benchrig.machines.lab.folder import WHOLE, LabFolder, LabMachine, Network
from benchrig.machines.sshd import wait_for_ssh

BOOT_SECONDS = 90.0
STOP_SECONDS = 20.0
LOG_LINES = 8


@dataclass(frozen=True)
class Setup:
    """What the machines of a lab are started with."""

    lab: LabFolder
    network: Network
    numbers: dict[str, int]
    """The last octet of the address of each machine of the lab."""
    settings: Settings

    def address(self, name: str) -> str:
        """Return the address of a machine."""
        return str(self.network.machine(self.numbers[name]))


def mark(machine: LabMachine) -> str:
    """Return the command-line word that shows in the process list that a machine runs."""
    return f"--directory={machine.root}"


def start(machine: LabMachine, setup: Setup) -> None:
    """Boot a machine and wait until its SSH server answers. It must have its image and its host key.

    Raises MachineError with the end of its log when it does not come up; then nothing of it runs.
    """
    stop(machine)
    try:
        mount(machine)
        _furnish(machine, setup)
        lab_network.open_machine(setup.lab, machine, setup.network, setup.numbers[machine.name])
        process.start(_program(machine))
        _wait(machine, setup.address(machine.name))
        machine.ready.touch()
    except BaseException:
        stop(machine)
        raise


def write_hosts(machine: LabMachine, setup: Setup) -> None:
    """Write the names and addresses of all machines of the lab into a machine's /etc/hosts."""
    hosts = "".join(f"{setup.address(name)} {name}\n" for name in setup.numbers)
    write_below(
        machine.root, "etc/hosts", f"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n{hosts}".encode()
    )


def stop(machine: LabMachine) -> None:
    """Power a machine off and undo what `start` did, however far it got. Raises MachineError when something stays."""
    # Early in its boot a machine ignores the request to power off, and has nothing to lose.
    patience = STOP_SECONDS if machine.ready.exists() else 1.0
    machine.ready.unlink(missing_ok=True)
    # systemd-nspawn turns the first SIGTERM into a request to power off, and kills the machine at the second.
    for sign, seconds in ((signal.SIGTERM, patience), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0)):
        if process.stop(lambda: _nspawn(machine), sign, seconds):
            break
    lab_network.close_machine(machine)
    if lab_network.is_mounted(machine.root):
        # When systemd-nspawn was killed, the processes of its machine still run.
        process.stop(lambda: process.inside(machine.root), signal.SIGKILL, 5.0)
        _forget(machine)
        unmount(machine.root)
    process.remove_groups(machine.unique_name)


def mount(machine: LabMachine) -> None:
    """Mount a stopped machine's file system at its `root`. Raises MachineError."""
    name = machine.made_from()
    image = lab_image.find(name)
    if image is None:
        raise MachineError(
            f"{machine.name}: its root image {name} is no longer in the cache",
            Hint("Make the machine anew: ", Inv("destroy", "up")),
        )
    for folder in (machine.changes, machine.work, machine.root):
        folder.mkdir(parents=True, exist_ok=True)
        # The mode of the upper layer is that of the machine's /, whatever our umask.
        folder.chmod(0o755)
    # Relative to the machine's folder: the cache's path may hold characters that mean something to overlayfs, and the
    # kernel takes only so much text.
    layers = [f"{layer.parent.name}/{layer.name}" for layer in machine.layers()]
    lower = layers if layers and layers[-1].endswith(WHOLE) else [*layers, os.path.relpath(image, machine.path)]
    # With an index, overlayfs would tie `work` to the layers that it was first used with.
    options = f"index=off,lowerdir={':'.join(lower)},upperdir={machine.changes.name},workdir={machine.work.name}"
    hint = f"Overlays need a file system such as ext4, xfs or tmpfs: set XDG_CACHE_HOME to one (now {cache().parent})."
    argv = ["mount", "-t", "overlay", "overlay", "-o", options, str(machine.root)]
    run(argv, f"{machine.name}: its file system cannot be mounted", cwd=machine.path, hint=hint)


def _furnish(machine: LabMachine, setup: Setup) -> None:
    """Write a machine's own files: names, keys, and the settings copied from the controller."""
    search = f"search {' '.join(setup.settings.search)}\n" if setup.settings.search else ""
    write_hosts(machine, setup)
    write_below(machine.root, "etc/hostname", f"{machine.name}\n".encode())
    write_below(machine.root, "etc/resolv.conf", f"nameserver {setup.network.resolver}\n{search}".encode())
    write_below(machine.root, "etc/ssh/ssh_host_ed25519_key", machine.host_key.read_bytes(), 0o600)
    write_below(machine.root, "root/.ssh/authorized_keys", setup.lab.key.with_suffix(".pub").read_bytes(), 0o600)
    for file in setup.settings.files(str(setup.network.gateway)):
        write_below(machine.root, file.path, file.content, file.mode)
    controller.take_authorities(machine.root, setup.settings.authorities)


def _program(machine: LabMachine) -> process.Program:
    argv = (
        "systemd-nspawn",
        "--quiet",
        "--settings=no",
        mark(machine),
        f"--machine={machine.unique_name}",
        f"--hostname={machine.name}",
        f"--network-namespace-path={machine.namespace}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--capability=CAP_NET_ADMIN",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
    )
    # Lets the machine set sysctls of its own network, and no others; and leaves /tmp on its disk, where builds have room.
    environ = {"SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network", "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}
    return process.Program(machine.unique_name, argv, machine.log, environ)


def _nspawn(machine: LabMachine) -> list[int]:
    return process.find("systemd-nspawn", mark(machine))


def _wait(machine: LabMachine, address: str) -> None:
    def check() -> None:
        if not _nspawn(machine):
            raise MachineError(f"{machine.name}: did not boot: systemd-nspawn ended{_log(machine)}")

    if reason := wait_for_ssh(address, 22, BOOT_SECONDS, check=check):
        raise MachineError(f"{machine.name}: started, but within {BOOT_SECONDS:.0f} s {reason}{_log(machine)}")


def _log(machine: LabMachine) -> str:
    """Return the last lines of systemd-nspawn's output and of the warnings in the machine's journal."""
    texts = [machine.log.read_text(encoding="utf-8", errors="replace")] if machine.log.exists() else []
    with suppress(MachineError):
        journal = f"--directory={machine.root}/var/log/journal"
        options = ["--boot", "--priority=warning", "--output=cat", "--no-pager", "--quiet"]
        texts.append(run(["journalctl", journal, *options], f"{machine.name}: its journal cannot be read"))
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    return "".join(f"\n    {line}" for line in lines[-LOG_LINES:])


def _forget(machine: LabMachine) -> None:
    """Remove the lock and the folders that systemd-nspawn leaves in /run."""
    place = machine.root.stat()
    state = Path("/run/systemd/nspawn")
    (state / f"locks/inode-{place.st_dev}:{place.st_ino}").unlink(missing_ok=True)
    machine.root.with_name(f".#{machine.root.name}.lck").unlink(missing_ok=True)
    for folder in ("propagate", "unix-export"):
        with suppress(OSError):
            (state / folder / machine.unique_name).rmdir()


def unmount(root: Path) -> None:
    """Unmount a machine's file system. Raises MachineError."""
    try:
        run(["umount", root], "")
    except MachineError:
        run(["umount", "--lazy", root], f"{root} cannot be unmounted")
