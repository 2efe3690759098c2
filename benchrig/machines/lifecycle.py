"""The lifecycle of machines that benchrig makes: up, down, destroy, snapshot, restore, status, reach.

`MachineLifecycle` has what all kinds share: who waits for whom, in which order things happen, and what is printed.
`FolderLifecycle` adds what follows when each machine has a folder of its own below the cache. A kind writes the abstract
methods, each of which does one thing to its machines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from benchrig import console
from benchrig.errors import Hint, Inv, MachineError
from benchrig.inventory import Inventory
from benchrig.machines import users
from benchrig.machines.base import MachineStatus, tell_running, with_snapshot
from benchrig.machines.folder import Folder, M, MachinesFolder
from benchrig.machines.parallel import each

Power = Literal["up", "starting", "off"]
"""`up`: runs and can be used. `starting`: its process runs, but it has not been usable yet, or is suspended."""


class Snapshot(Protocol):
    """What a kind knows about a machine's snapshot."""

    @property
    def taken(self) -> float:
        """When it was taken, in seconds since 1970."""


S = TypeVar("S", bound=Snapshot)


class MachineLifecycle(ABC):
    """The lifecycle that all kinds share. Methods raise MachineError, and HostError when a machine refuses our login."""

    kind: ClassVar[str]
    """Name of the kind, which begins its messages."""

    inventory: Inventory
    folder: Folder

    def up(self, *, tell: bool = False) -> Inventory:
        """Start every machine that is not up, and make it first where needed; see `base.Machines.up`."""
        if self._all_up():
            if tell:
                tell_running(self._reached())
        else:
            with self._locked():
                # Another process may have started them while we waited for the lock.
                if not self._all_up():
                    self._start()
        return self._reached()

    def work(self, verb: str) -> None:
        """Note that this process works on the machines until it ends: others then do not stop, save or replace them."""
        with self.folder.locked():
            users.note(self.folder.path, verb)

    def down(self) -> None:
        """Stop every machine. What is on its disk stays."""
        if self._exist():
            with self._locked():
                self._require_unused("stopped")
                self._tell_stopped(self._stop())

    def destroy(self) -> None:
        """Stop every machine and remove everything that belongs to it, but no image or box that others may use."""
        if self._exist():
            with self._locked():
                self._require_unused("removed")
                self._remove()
                self.folder.remove()
            with suppress(OSError):
                self.folder.path.parent.rmdir()
            console.line(f"{self.kind}: destroyed")

    def snapshot(self) -> None:
        """Save the state of every machine, in place of the former snapshot."""
        if not self.folder.path.is_dir():
            raise not_made(self.inventory.hosts)
        with self._locked():
            self._require_unused("saved")
            self._take_snapshots()
        names = ", ".join(self.inventory.hosts)
        console.line(f"{self.kind}: took a snapshot of {names}; to go back to it: ./inv restore")

    def restore(self) -> Inventory:
        """Bring every machine back to its snapshot and start it. Changes nothing when a machine has no snapshot."""
        if not self.folder.path.is_dir():
            raise no_snapshot(self.inventory.hosts)
        with self._locked():
            self._require_unused("restored")
            self._restore()
        return self._reached()

    def reach(self) -> Inventory:
        """Return the inventory with how to reach each machine. Raises MachineError when one is not up."""
        self._require_up()
        return self._reached()

    @abstractmethod
    def status(self) -> tuple[MachineStatus, ...]:
        """Return the state of each machine, also of one that the inventory no longer names."""

    @abstractmethod
    def _not_up(self) -> list[str]:
        """Return the machines of the inventory that are not up."""

    def _all_up(self) -> bool:
        """Return whether `up` has nothing to do."""
        return not self._not_up()

    @abstractmethod
    def _reached(self) -> Inventory:
        """Return the inventory with how to reach each machine, all of which are up."""

    @abstractmethod
    def _start(self) -> None:
        """Make and start what is not up, and wait until it is."""

    @abstractmethod
    def _stop(self) -> list[str]:
        """Stop every machine, and return the names of those that ran."""

    @abstractmethod
    def _remove(self) -> None:
        """Stop and remove every machine, as far as it is not in the folder, which is removed afterwards."""

    @abstractmethod
    def _take_snapshots(self) -> None:
        """Take a snapshot of every machine of the inventory. Raises MachineError before anything is changed."""

    @abstractmethod
    def _restore(self) -> None:
        """Restore and start every machine of the inventory. Raises `no_snapshot` before anything is changed."""

    def _require_unused(self, action: str) -> None:
        """Raise MachineError when another process works on the machines. `action` is as in `base.lifecycle`."""
        if using := users.others(self.folder.path):
            wrong = f"{', '.join(self.inventory.hosts)} cannot be {action}: in use by {' and '.join(using)}"
            raise MachineError(wrong, "Wait for its end, or end it with Ctrl-C there.")

    def _require_up(self) -> None:
        if not_up := self._not_up():
            raise MachineError(f"not running: {', '.join(not_up)}", Hint("Start the machines: ", Inv("up")))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the folder, so that other processes wait; clear the status line at the end."""
        try:
            with self.folder.locked():
                yield
        finally:
            console.status("")

    def _exist(self) -> bool:
        """Return whether there may be machines; tell the user when there are none."""
        exist = self.folder.path.is_dir()
        if not exist:
            console.line(f"{self.kind}: there are no machines")
        return exist

    def _tell_stopped(self, names: Sequence[str]) -> None:
        if names:
            console.line(f"{self.kind}: stopped {', '.join(names)}")


class FolderLifecycle(MachineLifecycle, Generic[M, S]):
    """The lifecycle of machines that have a folder each. `M` is the folder's class, `S` what is known of a snapshot."""

    folder: MachinesFolder[M]

    def status(self) -> tuple[MachineStatus, ...]:
        """Return the state of each machine, also of one that the inventory no longer names."""
        names = dict.fromkeys([*self.inventory.hosts, *self.folder.names()])
        machines = [self.folder.machine(name) for name in names]
        powers = self._powers(machines)
        return tuple(self._status(machine, powers[machine.name]) for machine in machines)

    @abstractmethod
    def _check(self) -> None:
        """Check that this computer has what the kind needs, and install what is missing. Raises MachineError."""

    @abstractmethod
    def _powers(self, machines: Sequence[M]) -> Mapping[str, Power]:
        """Return which of the machines run, by name."""

    @abstractmethod
    def _exists(self, machine: M) -> bool:
        """Return whether a machine was made."""

    @abstractmethod
    def _running_at(self, machine: M) -> tuple[str, str]:
        """Return address and description of a running machine, for `status`."""

    @abstractmethod
    def _stop_machine(self, machine: M) -> None:
        """Stop a machine, and undo whatever an interrupted start left of it."""

    @abstractmethod
    def _snapshot_of(self, machine: M) -> S | None:
        """Return a machine's snapshot, or None when it has none."""

    @abstractmethod
    def _restore_machines(self, snapshots: Mapping[M, S]) -> None:
        """Bring machines back to their snapshots and have them run."""

    def _machines(self) -> list[M]:
        """Return the machines of the inventory, made or not."""
        return [self.folder.machine(name) for name in self.inventory.hosts]

    def _not_up(self) -> list[str]:
        return [name for name, power in self._powers(self._machines()).items() if power != "up"]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._check()
        with super()._locked():
            yield

    def _stop(self) -> list[str]:
        machines = self.folder.machines()
        running = [name for name, power in self._powers(machines).items() if power != "off"]
        if running:
            console.status(f"stopping {', '.join(running)}")
        each(machines, self._stop_machine)
        return running

    def _remove(self) -> None:
        self._tell_stopped(self._stop())
        console.status("removing the disks of the machines")

    def _restore(self) -> None:
        machines = self._machines()
        snapshots = {machine: snapshot for machine in machines if (snapshot := self._snapshot_of(machine))}
        if missing := [machine.name for machine in machines if machine not in snapshots]:
            raise no_snapshot(missing)
        self._restore_machines(snapshots)

    def _status(self, machine: M, power: Power) -> MachineStatus:
        snapshot = None
        with suppress(MachineError):  # a damaged disk must not hide the state of all machines
            snapshot = self._snapshot_of(machine)
        taken = snapshot.taken if snapshot else 0.0
        if power != "off":
            address, detail = self._running_at(machine)
            waiting = "" if power == "up" else "; does not accept logins yet, or is suspended: ./inv up"
            return MachineStatus(machine.name, "running", address, with_snapshot(f"{detail}{waiting}", taken))
        if self._exists(machine):
            return MachineStatus(machine.name, "stopped", "", with_snapshot(f"its files are in {machine.path}", taken))
        return absent(machine.name)


def absent(name: str) -> MachineStatus:
    """Return the status of a machine that was not made yet."""
    return MachineStatus(name, "absent", "", "made by ./inv up")


def not_made(names: Iterable[str]) -> MachineError:
    """Return the error for machines that do not exist."""
    return MachineError(f"not made yet: {', '.join(names)}", Hint("Make the machines: ", Inv("up")))


def no_snapshot(names: Iterable[str]) -> MachineError:
    """Return the error for machines that have no snapshot."""
    return MachineError(f"no snapshot of {', '.join(names)}", Hint("Take one: ", Inv("up", "provision", "snapshot")))
