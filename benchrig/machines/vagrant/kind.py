"""Virtual machines made by Vagrant, with VirtualBox or libvirt: what the inventory says goes into a plan, which the
Vagrantfile reads; what Vagrant says comes back as data.

A machine is noted before it is made. So one whose making was interrupted is known for what it is, and made anew.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig import inventory as inventories
from benchrig.errors import Hint, Inv, MachineError
from benchrig.inventory import Inventory
from benchrig.machines import accelerator, clock
from benchrig.machines.base import MachineStatus, told_running, with_snapshot
from benchrig.machines.folder import cache
from benchrig.machines.parallel import each
from benchrig.machines.vagrant import libvirt, login, output, virtualbox
from benchrig.machines.vagrant import plan as vagrant_plan
from benchrig.machines.vagrant.folder import Known, VagrantFolder
from benchrig.machines.vagrant.plan import MachinePlan, Plan, Provider, hosts_of, names_of
from benchrig.machines.vagrant.program import LONG, Vagrant

SNAPSHOT = "benchrig"

ABSENT = "not_created"
BROKEN = {"inaccessible", "gurumeditation", "stuck", "crashed"}
"""States out of which Vagrant's own `up` does not help."""

HELD = {"saved", "paused", "pmsuspended"}
"""States in which a machine's clock stands still."""


class VagrantMachines:
    """The machines of an inventory of kind `vagrant`. `root` is the clone they belong to."""

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.root = root
        self.key = vagrant_plan.key_of(inventory, root)
        self.folder = VagrantFolder(root / ".benchrig" / "vagrant" / self.key)

    def up(self, *, tell: bool = False) -> Inventory:
        """Start what is not running, making it first. Raises MachineError, InputError."""
        names = list(self.inventory.hosts)
        if login.answer(self.folder, names):
            return told_running(login.reached(self.folder, self.inventory), tell)
        with self.folder.locked():
            plan = self._plan()
            vagrant = self._vagrant(plan)
            self._start(vagrant, plan, plan.only(names))
        return login.reached(self.folder, self.inventory)

    def down(self) -> None:
        """Halt every machine. Raises MachineError."""
        with self._made() as made:
            if made is None:
                return
            plan, vagrant = made
            states = _states(vagrant)
            stopping = [
                one for one in plan.machines if states.get(one.vagrant_name, ABSENT) not in (ABSENT, "poweroff", "shutoff")
            ]
            if not stopping:
                return
            names = ", ".join(one.name for one in stopping)
            vagrant.run(["halt", *names_of(stopping)], f"{names} cannot be stopped", timeout=LONG, show=console.status)
            console.status("")
            console.line(f"vagrant: stopped {names}")

    def destroy(self) -> None:
        """Remove every machine and what is kept about it, but no box. Raises MachineError."""
        with self._made() as made:
            if made is None:
                return
            plan, vagrant = made
            self._destroy(vagrant, plan.machines)
            self.folder.remove()
        console.line("vagrant: destroyed")

    def snapshot(self) -> None:
        """Keep every machine as it is, running or not. Raises MachineError, HostError."""
        plan = self._existing()
        vagrant = self._vagrant(plan)
        with self.folder.locked():
            # They stand still while their memory is written.
            running = [name for name in self.inventory.hosts if login.answer(self.folder, [name])]
            self._note_stale(running)
            for machine in plan.only(self.inventory.hosts):
                console.status(f"{machine.name}: keeping it as it is")
                # Vagrant removes the former snapshot first, so that there is none until the new one is whole.
                self._note_kept(machine, 0.0)
                arguments = ["snapshot", "save", machine.vagrant_name, SNAPSHOT, "--force"]
                vagrant.run(arguments, f"{machine.name}: cannot be kept", timeout=LONG)
                self._note_kept(machine, time.time())
            self._set_clocks(running)
            console.status("")
        console.line(f"vagrant: kept {', '.join(self.inventory.hosts)} as now; back to it: ./inv restore")

    def restore(self) -> Inventory:
        """Bring every machine back to its snapshot and start it. Raises MachineError, before all else, when one has none."""
        plan = self._existing()
        vagrant, known, machines = self._vagrant(plan), self.folder.known(), plan.only(self.inventory.hosts)
        if lacking := [name for name in self.inventory.hosts if name not in known or not known[name].kept]:
            raise MachineError(f"never kept: {', '.join(lacking)}", Hint("Keep them as they are: ", Inv("snapshot")))
        with self.folder.locked():
            plan = _driven(plan, machines, machines)
            self._note_stale(self.inventory.hosts)
            for machine in machines:
                console.status(f"{machine.name}: going back to its snapshot")
                arguments = ["snapshot", "restore", machine.vagrant_name, SNAPSHOT]
                vagrant.run(arguments, f"{machine.name}: cannot be restored", timeout=LONG)
            self._start(vagrant, plan, machines)
        return login.reached(self.folder, self.inventory)

    def status(self) -> tuple[MachineStatus, ...]:
        """Return how each machine is; also one that the inventory no longer names. Raises MachineError."""
        plan = self.folder.plan()
        states = _states(self._vagrant(plan)) if plan else {}
        known = self.folder.known()
        names = dict.fromkeys([*self.inventory.hosts, *(one.name for one in (plan.machines if plan else ()))])
        return tuple(self._status(name, plan, states, known.get(name, Known())) for name in names)

    def reach(self) -> Inventory:
        """Return the inventory with how to reach each machine. Raises MachineError when one is not running."""
        if not login.answer(self.folder, self.inventory.hosts):
            plan = self._having("not running", Hint("Bring it up: ", Inv("up")), lambda state: state == "running")
            with self.folder.locked():
                login.learn(self.folder, self._vagrant(plan), plan.only(self.inventory.hosts), restart=False)
        return login.reached(self.folder, self.inventory)

    # How they come up

    def _start(self, vagrant: Vagrant, plan: Plan, machines: tuple[MachinePlan, ...]) -> None:
        """Bring machines up from whatever state they are in, and learn how to reach them."""
        states = _states(vagrant)
        if half_made := self._half_made(machines, states):
            console.line(f"vagrant: making {hosts_of(half_made)} anew: an interrupted run had left it half made")
            self._destroy(vagrant, half_made)
            states |= dict.fromkeys(names_of(half_made), ABSENT)
        absent = [one for one in machines if states.get(one.vagrant_name, ABSENT) == ABSENT]
        starting = [one for one in machines if states.get(one.vagrant_name) != "running"]
        if starting:
            made = [one for one in plan.machines if states.get(one.vagrant_name, ABSENT) != ABSENT]
            plan = _driven(plan, starting, made)
        if absent:
            plan = self._prepare(plan, absent)
        if broken := [one for one in machines if states.get(one.vagrant_name) in BROKEN]:
            vagrant.run(["halt", "--force", *names_of(broken)], f"{hosts_of(broken)} cannot be stopped", timeout=LONG)
        self._note_stale(one.name for one in machines if states.get(one.vagrant_name) in HELD)
        if starting:
            self._warn(plan, starting)
            started = time.monotonic()
            arguments = ["up", *names_of(starting), "--provider", vagrant.provider, "--no-provision"]
            vagrant.run(arguments, f"{hosts_of(starting)} cannot be brought up", timeout=LONG, show=_show)
            console.status("")
            console.line(f"vagrant: {hosts_of(starting)} up in {time.monotonic() - started:.0f} s")
        login.learn(self.folder, vagrant, machines, restart=True)
        self._set_clocks(one.name for one in machines)

    def _note_kept(self, machine: MachinePlan, taken: float) -> None:
        known = self.folder.known()
        self.folder.note({**known, machine.name: replace(known.get(machine.name, Known()), kept=taken)})

    def _note_stale(self, names: Iterable[str]) -> None:
        """Note machines whose clocks are to be set: before these stand still or go on, so that no kill hides it."""
        known = self.folder.known()
        if stale := {name: replace(known.get(name, Known()), stale=True) for name in names}:
            self.folder.note({**known, **stale})

    def _set_clocks(self, names: Iterable[str]) -> None:
        """Set the clocks of those running machines that were noted so. Raises HostError."""
        known = self.folder.known()
        if stale := [name for name in names if known[name].stale]:
            hosts = login.reached(self.folder, self.inventory.limit(",".join(stale))).hosts
            each([*hosts.values()], clock.set_to_ours)
            self.folder.note({**known, **{name: replace(known[name], stale=False) for name in stale}})

    def _prepare(self, plan: Plan, absent: list[MachinePlan]) -> Plan:
        """Settle which box machines that are to be made are made of, and remove what stands in their way."""
        plan = vagrant_plan.with_boxes(plan, {one.name: self._box(plan.provider, one.name) for one in absent})
        self.folder.write_plan(plan)
        known = self.folder.known()
        self.folder.note({**known, **{one.name: Known(making=True) for one in absent}})
        for one in plan.only(machine.name for machine in absent):
            _remove_orphan(plan.provider, one)
            if plan.provider == "libvirt" and one.box:
                libvirt.remove_partial_box(one.box, libvirt.box_image(one.box))
        return plan

    def _box(self, provider: Provider, name: str) -> tuple[str, str | None]:
        """Return the box of a machine: name, and where Vagrant gets it."""
        if named := vagrant_plan.named_box(self.inventory.hosts[name], self.root):
            return named
        if provider == "virtualbox":
            return vagrant_plan.VIRTUALBOX_BOX, None
        from benchrig.machines.box import build

        built = build.build(cache())
        return f"benchrig-{built.folder.name}", built.vagrant.as_uri()

    def _warn(self, plan: Plan, starting: list[MachinePlan]) -> None:
        if plan.is_emulated:
            console.warn(f"{hosts_of(starting)} run without KVM, emulated: all works, slowly, and figures mean nothing")

    # What there is

    def _plan(self) -> Plan:
        """Return the plan, brought up to date with the inventory and written down."""
        old = self.folder.plan()
        # What is planned is the whole inventory, also where only some of its hosts are meant.
        everything = inventories.read(str(self.inventory.path), self.root)
        provider = self._provider(everything, old)
        if old:
            made = [
                one for one in old.machines if one.name in everything.hosts or self._vagrant(old).id_of(one.vagrant_name)
            ]
            old = replace(old, machines=tuple(made))
        plan = vagrant_plan.make(everything, self.root, self.key, provider, old)
        self.folder.write_plan(plan)
        return plan

    def _provider(self, everything: Inventory, old: Plan | None) -> Provider:
        """Return the provider: the one named, else the one used before, else VirtualBox, else libvirt where only that is."""
        named = vagrant_plan.named_provider(everything)
        if old and any(self._vagrant(old).id_of(one.vagrant_name) for one in old.machines):
            if named and named != old.provider:
                raise MachineError(
                    f"inventory '{self.inventory.name}' says {named}, and its machines were made with {old.provider}",
                    Hint("Remove them first, with the inventory as it was: ", Inv("destroy")),
                )
            return old.provider
        if named:
            return named
        return "libvirt" if libvirt.is_there() and not virtualbox.is_there() else "virtualbox"

    def _vagrant(self, plan: Plan) -> Vagrant:
        return Vagrant(self.root, self.key, plan.provider)

    @contextmanager
    def _made(self) -> Iterator[tuple[Plan, Vagrant] | None]:
        """Hold the machines for ourselves and yield their plan; None when there are none, which is told."""
        if not self.folder.path.is_dir():
            console.line("vagrant: there is no machine")
            yield None
            return
        with self.folder.locked():
            plan = self.folder.plan()
            if plan is None:
                self.folder.remove()
                console.line("vagrant: there is no machine")
            yield (plan, self._vagrant(plan)) if plan else None

    def _having(self, what: str, hint: Hint, test: Callable[[str], bool]) -> Plan:
        """Return the plan. Raises MachineError for those machines of the inventory whose state does not pass the test."""
        plan = self.folder.plan()
        states = _states(self._vagrant(plan)) if plan else {}
        machines = plan.only(self.inventory.hosts) if plan else ()
        if half_made := self._half_made(machines, states):
            raise MachineError(
                f"{hosts_of(half_made)}: an interrupted run has left it half made", Hint("Make it anew: ", Inv("up"))
            )
        good = {one.name for one in machines if test(states.get(one.vagrant_name, ABSENT))}
        lacking = [name for name in self.inventory.hosts if name not in good]
        if plan is None or lacking:
            raise MachineError(f"{what}: {', '.join(lacking)}", hint)
        return plan

    def _half_made(self, machines: Iterable[MachinePlan], states: Mapping[str, str]) -> list[MachinePlan]:
        """Return those of the machines that an interrupted run has begun to make."""
        known = self.folder.known()
        there = [one for one in machines if states.get(one.vagrant_name, ABSENT) != ABSENT]
        return [one for one in there if known.get(one.name, Known()).making]

    def _existing(self) -> Plan:
        return self._having("never made", Hint("Make it first: ", Inv("up")), lambda state: state != ABSENT)

    def _destroy(self, vagrant: Vagrant, machines: Iterable[MachinePlan]) -> None:
        machines = list(machines)
        vagrant.run(
            ["destroy", "--force", *names_of(machines)], f"{hosts_of(machines)} cannot be removed", show=console.status
        )
        console.status("")
        for machine in machines:
            _remove_orphan(vagrant.provider, machine)
            shutil.rmtree(vagrant.machines / machine.vagrant_name, ignore_errors=True)
        with suppress(OSError):
            vagrant.machines.rmdir()
            shutil.rmtree(vagrant.machines.parent)

    def _status(self, name: str, plan: Plan | None, states: Mapping[str, str], known: Known) -> MachineStatus:
        machine = plan.of(name) if plan else None
        state = states.get(machine.vagrant_name, ABSENT) if machine else ABSENT
        if plan is None or machine is None or state == ABSENT:
            return MachineStatus(name, "absent", "", "made by ./inv up")
        if known.making:
            return MachineStatus(name, "stopped", "", f"{state}, half made; ./inv up makes it anew")
        with_what = f"{plan.provider}, emulated" if plan.is_emulated else plan.provider
        sizes = with_snapshot(f"Vagrant with {with_what}, {machine.cpus} CPUs, {machine.memory_mb} MB", known.kept)
        if state == "running":
            return MachineStatus(
                name, "running", f"{known.address}:{known.port}" if known.port != 22 else known.address, sizes
            )
        return MachineStatus(name, "stopped", "", f"{state}; {sizes}")


def _driven(plan: Plan, starting: Sequence[MachinePlan], made: Sequence[MachinePlan]) -> Plan:
    """Return the plan with the driver that works here, of machines that are about to be started and those that are `made`.

    A machine keeps the driver that it was made with. Raises MachineError when that is KVM, and KVM does not work (any more).
    """
    if plan.provider != "libvirt" or (made and plan.driver == "qemu"):
        return plan
    found = accelerator.probe()
    if found.name == "kvm":
        return vagrant_plan.with_driver(plan, "kvm")
    if made:
        raise MachineError(
            f"{hosts_of(starting)} cannot be started: the machines were made to run with KVM, which does not work here:"
            f" {found.reason}",
            Hint("Make them anew, to run emulated: ", Inv("destroy", "up")),
        )
    console.line(f"vagrant: no virtualisation by the processor here: {found.reason}")
    return vagrant_plan.with_driver(plan, "qemu")


def _remove_orphan(provider: Provider, machine: MachinePlan) -> None:
    """Remove what the provider has of a machine that Vagrant knows nothing of."""
    if provider == "libvirt":
        libvirt.remove_orphan(machine.unique_name)
    else:
        virtualbox.remove_orphan(machine.unique_name)


def _states(vagrant: Vagrant) -> dict[str, str]:
    return output.states(vagrant.run(["status"], "the machines' state cannot be read"))


def _show(text: str) -> None:
    """Show a message of Vagrant's progress; of a long wait, only what is new."""
    if console.is_terminal():
        console.status(text)
    elif not any(word in text for word in ("Progress:", "Retrying...", ": -- ")):
        console.line(text, "faint")
