"""One virtual machine in QEMU: make it from a box, start it, stop it.

benchrig makes its login key and its host key. They travel in the seed, a tar archive that the box unpacks before its SSH
server starts. So Vagrant's well-known key is never accepted, and no host key is trusted on first use.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from benchrig import reading
from benchrig.errors import Hint, Inv, MachineError
from benchrig.files import write
from benchrig.inventory import Host
from benchrig.machines import keys
from benchrig.machines.accelerator import QEMU, Accelerator, Name
from benchrig.machines.box import files
from benchrig.machines.box.files import SEED, USER
from benchrig.machines.command import run
from benchrig.machines.controller.settings import File, Settings
from benchrig.machines.folder import MachineFolder
from benchrig.machines.qemu import process
from benchrig.machines.qemu.qmp import Qmp
from benchrig.machines.sshd import wait_for_ssh
from benchrig.remote import ssh

GATEWAY = "10.0.2.2"
"""Address of the controller's loopback in a machine (QEMU's user networking)."""

BOOT_SECONDS = {"kvm": 180.0, "hvf": 180.0, "tcg": 900.0}
STOP_SECONDS = {"kvm": 60.0, "hvf": 60.0, "tcg": 180.0}
ASK_AGAIN_SECONDS = 5.0
ENDING_SECONDS = 10.0
LOG_LINES = 8

DISK = "disk"
"""QEMU's name of the node that is a machine's disk."""


@dataclass(frozen=True)
class Hardware:
    """The hardware of a machine. A snapshot can be loaded only into the same hardware."""

    cpus: int
    memory_mb: int
    accelerator: Name

    def __str__(self) -> str:
        return f"{self.cpus} CPUs, {self.memory_mb} MB, {self.accelerator}"


@dataclass(frozen=True)
class QemuState:
    """The file `machine.json`, written at each start: the port of the machine's SSH server on loopback, its hardware."""

    port: int = 0
    hardware: Hardware | None = None


def read_state(machine: MachineFolder) -> QemuState:
    """Read `machine.json`. Returns an empty state when it is missing or damaged."""
    try:
        state = reading.record(QemuState, machine.path / "machine.json")
    except reading.ReadError:
        return QemuState()
    return state if 0 <= state.port < 65536 else QemuState()


def write_state(machine: MachineFolder, values: QemuState) -> None:
    """Write `machine.json`."""
    write(machine.path / "machine.json", json.dumps(asdict(values), indent=2).encode())


def disk(machine: MachineFolder) -> Path:
    """Return the path of a machine's disk: everything in which it differs from its box, and its snapshots."""
    return machine.path / "disk.qcow2"


def make(machine: MachineFolder, base: Path) -> None:
    """Make a machine's host key, and its disk over that of a box. Raises MachineError."""
    machine.path.mkdir(parents=True, exist_ok=True, mode=0o700)
    keys.make_key(machine.host_key, machine.name)
    write(machine.image, str(base).encode())
    new = disk(machine).with_name(".disk.new")
    new.unlink(missing_ok=True)
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", str(base), str(new)]
    run(argv, f"{machine.name}: its disk cannot be made")
    new.replace(disk(machine))


def start(machine: MachineFolder, hardware: Hardware, settings: Settings, key: Path, snapshot: str = "") -> None:
    """Start a machine that does not run; `snapshot` names one to start from. Raises MachineError."""
    _check_disk(machine)
    write(machine.path / "seed.tar", files.archive(_seed(machine, settings, key)), 0o600)
    machine.ready.unlink(missing_ok=True)
    former = read_state(machine).port
    for port in (former if _is_free(former) else _free_port(), _free_port()):
        write_state(machine, QemuState(port, hardware))
        try:
            process.start(machine.name, machine.path, command(hardware, port, settings.search, snapshot))
            return
        except MachineError as error:
            # Another process took the port in the meantime.
            if "forwarding" not in str(error):
                raise
    raise MachineError(f"{machine.name}: no loopback port of this computer is free for its SSH server")


def command(hardware: Hardware, port: int, search: tuple[str, ...], snapshot: str = "") -> list[str]:
    """Return QEMU's command line for a machine, to be run in its folder. `port` on loopback leads to its SSH server."""
    domains = [f",dnssearch={domain}" for domain in search if "," not in domain]
    user = f"user,id=net,hostfwd=tcp:127.0.0.1:{port}-:22{''.join(domains)}"
    accelerator = Accelerator(hardware.accelerator)
    return [
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", *accelerator.options),
        *("-smp", str(hardware.cpus), "-m", str(hardware.memory_mb)),
        *("-blockdev", f"driver=qcow2,node-name={DISK},file.driver=file,file.filename=disk.qcow2"),
        *("-device", f"virtio-blk-pci,drive={DISK}"),
        *("-netdev", user, "-device", "virtio-net-pci,netdev=net"),
        *("-device", "virtio-rng-pci", "-serial", "file:console.log"),
        *("-fw_cfg", f"name={SEED},file=seed.tar"),
        *(["-loadvm", snapshot] if snapshot else []),
    ]


def wait_for_login(machine: MachineFolder, host: Host) -> None:
    """Wait until a running machine accepts our login. Raises MachineError; HostError where waiting does not help."""
    values = read_state(machine)
    seconds = BOOT_SECONDS[values.hardware.accelerator if values.hardware else "tcg"]

    def check() -> None:
        if process.find(machine.path) is None:
            raise MachineError(f"{machine.name}: QEMU ended while the machine booted{_console(machine)}")

    reason = wait_for_ssh(host.address, values.port, seconds, login=lambda: ssh.connect(host).close(), check=check)
    if reason:
        raise MachineError(
            f"{machine.name}: runs, but within {seconds:.0f} s {reason}{_console(machine)}",
            Hint("Start it anew: ", Inv("down", "up")),
        )


def stop(machine: MachineFolder) -> None:
    """Power a machine off, or kill it when it does not obey. Raises MachineError when it still runs."""
    values = read_state(machine)
    patience = STOP_SECONDS[values.hardware.accelerator if values.hardware else "tcg"]
    with suppress(MachineError):
        if process.find(machine.path) is not None:
            _power_off(machine, patience)
    if process.find(machine.path) is not None:
        process.kill(machine.path)
    machine.ready.unlink(missing_ok=True)


def is_up(machine: MachineFolder) -> bool:
    """Return whether a machine runs, is not suspended, has accepted our login since its start, and has the right time."""
    if process.find(machine.path) is None or not machine.ready.exists():
        return False
    with suppress(MachineError), Qmp(machine.name, machine.path) as qmp:
        return bool(qmp.execute("query-status")["running"])
    return False


def resume(machine: MachineFolder) -> None:
    """Resume a machine if it is suspended. Raises MachineError."""
    with Qmp(machine.name, machine.path) as qmp:
        if not qmp.execute("query-status")["running"]:
            qmp.execute("cont")


def _seed(machine: MachineFolder, settings: Settings, key: Path) -> list[File]:
    """Return the files of the seed, which the machine unpacks at each start."""
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {machine.name}\n::1 localhost ip6-localhost ip6-loopback\n"
    public = machine.host_key.with_suffix(".pub")
    return [
        File("etc/hostname", f"{machine.name}\n".encode()),
        File("etc/hosts", hosts.encode()),
        File("etc/ssh/ssh_host_ed25519_key", machine.host_key.read_bytes(), 0o600),
        File("etc/ssh/ssh_host_ed25519_key.pub", public.read_bytes()),
        File(f"home/{USER}/.ssh/authorized_keys", key.with_suffix(".pub").read_bytes(), 0o600),
        *settings.files(GATEWAY),
    ]


def _check_disk(machine: MachineFolder) -> None:
    """Check a machine's disk, and repair what a killed QEMU left in it. Raises MachineError."""
    base = Path(machine.made_from())
    if not base.exists():
        raise MachineError(f"{machine.name}: its box is gone: {base}", Hint("Make the machine anew: ", Inv("destroy", "up")))
    if process.pid_file(machine.path).exists():
        # QEMU removes the file when it ends by itself. A killed one may still hold the disk for a moment.
        process.wait(machine.path, ENDING_SECONDS)
        argv = ["qemu-img", "check", "-q", "-r", "leaks", str(disk(machine))]
        run(
            argv,
            f"{machine.name}: its disk is damaged",
            timeout=600,
            hint=Hint("Make the machine anew: ", Inv("destroy", "up")),
        )


def _power_off(machine: MachineFolder, patience: float) -> None:
    with Qmp(machine.name, machine.path) as qmp:
        if machine.ready.exists():
            qmp.execute("cont")
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                # A machine that is still booting ignores its power button.
                qmp.execute("system_powerdown")
                if process.wait(machine.path, ASK_AGAIN_SECONDS):
                    return
        qmp.execute("quit")
    process.wait(machine.path, ASK_AGAIN_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    if not port:
        return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _console(machine: MachineFolder) -> str:
    """Return the last lines of the machine's console."""
    try:
        text = (machine.path / "console.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "".join(f"\n    {line}" for line in lines[-LOG_LINES:])
