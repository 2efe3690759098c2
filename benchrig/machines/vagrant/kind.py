"""Virtual machines made by Vagrant, with VirtualBox or libvirt.

benchrig writes the inventory's wishes into a plan that the Vagrantfile reads, and reads Vagrant's machine-readable output.
Each machine is noted before it is made. So one that an interrupted run left half made is recognised, and made again.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchrig import console
from benchrig import inventory as inventories
from benchrig.errors import Hint, Inv, MachineError
from benchrig.inventory import Inventory
from benchrig.machines import accelerator, clock
from benchrig.machines.base import MachineStatus, with_snapshot
from benchrig.machines.folder import cache
from benchrig.machines.lifecycle import MachineLifecycle, absent, no_snapshot
from benchrig.machines.parallel import each
from benchrig.machines.vagrant import libvirt, login, output, virtualbox
from benchrig.machines.vagrant import plan as vagrant_plan
from benchrig.machines.vagrant.folder import Known, VagrantFolder
from benchrig.machines.vagrant.plan import MachinePlan, Provider, VagrantPlan, hosts_of, names_of
from benchrig.machines.vagrant.program import LONG, Vagrant

SNAPSHOT = "benchrig"

ABSENT = "not_created"
BROKEN = {"inaccessible", "gurumeditation", "stuck", "crashed"}
"""States from which Vagrant's own `up` does not start a machine."""

SUSPENDED = {"saved", "paused", "pmsuspended"}
"""States in which a machine's clock stands still."""

OFF = {"poweroff", "shutoff"}


class VagrantMachines(MachineLifecycle):
    """The machines of an inventory of kind `vagrant`. `root` is the clone that they belong to."""

    kind = "vagrant"

    def __init__(self, inventory: Inventory, root: Path) -> None:
        self.inventory = inventory
        self.root = root
        self.key = vagrant_plan.key_of(inventory, root)
        self.folder: VagrantFolder = VagrantFolder(root / ".benchrig" / "vagrant" / self.key)

    def status(self) -> tuple[MachineStatus, ...]:
        """Return the state of each machine, also of one that the inventory no longer names. Raises MachineError."""
        plan = self.folder.plan()
        states = _states(self._vagrant(plan)) if plan else {}
        known = self.folder.known()
        names = dict.fromkeys([*self.inventory.hosts, *(one.name for one in (plan.machines if plan else ()))])
        return tuple(self._status(name, plan, states, known.get(name, Known())) for name in names)

    def reach(self) -> Inventory:
        """Return the inventory with how to reach each machine. Raises MachineError when one is not running."""
        if self._not_up():
            plan = self._require("not running", Hint("Start the machines: ", Inv("up")), lambda state: state == "running")
            with self._locked():
                login.learn(self.folder, self._vagrant(plan), plan.only(self.inventory.hosts), restart=False)
        return self._reached()

    def _not_up(self) -> list[str]:
        return login.not_answering(self.folder, self.inventory.hosts)

    def _reached(self) -> Inventory:
        return login.reached(self.folder, self.inventory)

    def _start(self) -> None:
        plan = self._plan()
        self._start_machines(self._vagrant(plan), plan, plan.only(self.inventory.hosts))

    def _stop(self) -> list[str]:
        plan = self.folder.plan()
        if plan is None:
            return []
        vagrant = self._vagrant(plan)
        states = _states(vagrant)
        running = [one for one in plan.machines if states.get(one.vagrant_name, ABSENT) not in (ABSENT, *OFF)]
        if running:
            purpose = f"{hosts_of(running)} cannot be stopped"
            vagrant.run(["halt", *names_of(running)], purpose, timeout=LONG, show=console.status)
        return [one.name for one in running]

    def _remove(self) -> None:
        plan = self.folder.plan()
        if plan is not None:
            self._destroy(self._vagrant(plan), plan.machines)

    def _take_snapshots(self) -> None:
        plan = self._require_made()
        vagrant = self._vagrant(plan)
        # Machines stand still while their memory is written.
        not_up = self._not_up()
        running = [name for name in self.inventory.hosts if name not in not_up]
        self._note_stale(running)
        for machine in plan.only(self.inventory.hosts):
            console.status(f"{machine.name}: taking a snapshot")
            # Vagrant removes the former snapshot first, so there is none until the new one is complete.
            self._note_snapshot(machine, 0.0)
            arguments = ["snapshot", "save", machine.vagrant_name, SNAPSHOT, "--force"]
            vagrant.run(arguments, f"{machine.name}: the snapshot failed", timeout=LONG)
            self._note_snapshot(machine, time.time())
        self._set_clocks(running)

    def _restore(self) -> None:
        plan = self._require_made()
        vagrant, known, machines = self._vagrant(plan), self.folder.known(), plan.only(self.inventory.hosts)
        if missing := [name for name in self.inventory.hosts if name not in known or not known[name].kept]:
            raise no_snapshot(missing)
        plan = _with_working_driver(plan, machines, machines)
        self._note_stale(self.inventory.hosts)
        for machine in machines:
            console.status(f"{machine.name}: going back to its snapshot")
            arguments = ["snapshot", "restore", machine.vagrant_name, SNAPSHOT]
            vagrant.run(arguments, f"{machine.name}: cannot be restored", timeout=LONG)
        self._start_machines(vagrant, plan, machines)

    # Starting

    def _start_machines(self, vagrant: Vagrant, plan: VagrantPlan, machines: tuple[MachinePlan, ...]) -> None:
        """Start machines from any state, and ask Vagrant how to reach them."""
        states = _states(vagrant)
        if half_made := self._half_made(machines, states):
            console.line(f"vagrant: making {hosts_of(half_made)} anew: an interrupted run left it half made")
            self._destroy(vagrant, half_made)
            states |= dict.fromkeys(names_of(half_made), ABSENT)
        absent = [one for one in machines if states.get(one.vagrant_name, ABSENT) == ABSENT]
        starting = [one for one in machines if states.get(one.vagrant_name) != "running"]
        if starting:
            made = [one for one in plan.machines if states.get(one.vagrant_name, ABSENT) != ABSENT]
            plan = _with_working_driver(plan, starting, made)
        if absent:
            plan = self._prepare(plan, absent)
        if broken := [one for one in machines if states.get(one.vagrant_name) in BROKEN]:
            vagrant.run(["halt", "--force", *names_of(broken)], f"{hosts_of(broken)} cannot be stopped", timeout=LONG)
        self._note_stale(one.name for one in machines if states.get(one.vagrant_name) in SUSPENDED)
        if starting:
            self._warn(plan, starting)
            started = time.monotonic()
            arguments = ["up", *names_of(starting), "--provider", vagrant.provider, "--no-provision"]
            vagrant.run(arguments, f"{hosts_of(starting)} cannot be brought up", timeout=LONG, show=_show)
            console.status("")
            console.line(f"vagrant: {hosts_of(starting)} up in {time.monotonic() - started:.0f} s")
        login.learn(self.folder, vagrant, machines, restart=True)
        self._set_clocks(one.name for one in machines)

    def _note_snapshot(self, machine: MachinePlan, taken: float) -> None:
        known = self.folder.known()
        self.folder.write_known({**known, machine.name: replace(known.get(machine.name, Known()), kept=taken)})

    def _note_stale(self, names: Iterable[str]) -> None:
        """Note that machines need their clocks set. Done before the clocks stop, so that a kill cannot hide it."""
        known = self.folder.known()
        if stale := {name: replace(known.get(name, Known()), stale=True) for name in names}:
            self.folder.write_known({**known, **stale})

    def _set_clocks(self, names: Iterable[str]) -> None:
        """Set the clocks of running machines that were noted as stale. Raises HostError."""
        known = self.folder.known()
        if stale := [name for name in names if known[name].stale]:
            hosts = login.reached(self.folder, self.inventory.limit(",".join(stale))).hosts
            each([*hosts.values()], clock.set_to_ours)
            self.folder.write_known({**known, **{name: replace(known[name], stale=False) for name in stale}})

    def _prepare(self, plan: VagrantPlan, absent: list[MachinePlan]) -> VagrantPlan:
        """Choose the boxes of machines that are to be made, and remove leftovers that Vagrant would trip over."""
        plan = vagrant_plan.with_boxes(plan, {one.name: self._box(plan.provider, one.name) for one in absent})
        self.folder.write_plan(plan)
        known = self.folder.known()
        self.folder.write_known({**known, **{one.name: Known(making=True) for one in absent}})
        for one in plan.only(machine.name for machine in absent):
            _remove_orphan(plan.provider, one)
            if plan.provider == "libvirt" and one.box:
                libvirt.remove_partial_box(one.box, libvirt.box_image(one.box))
        return plan

    def _box(self, provider: Provider, name: str) -> tuple[str, str | None]:
        """Return the box of a machine: its name, and where Vagrant gets it."""
        if named := vagrant_plan.named_box(self.inventory.hosts[name], self.root):
            return named
        if provider == "virtualbox":
            return vagrant_plan.VIRTUALBOX_BOX, None
        from benchrig.machines.box import build

        built = build.build(cache())
        return f"benchrig-{built.folder.name}", built.vagrant.as_uri()

    def _warn(self, plan: VagrantPlan, starting: list[MachinePlan]) -> None:
        if plan.is_emulated:
            console.warn(
                f"without KVM, these machines are emulated: {hosts_of(starting)}. "
                "They are slow, and their figures mean nothing"
            )

    # Plan and state

    def _plan(self) -> VagrantPlan:
        """Bring the plan up to date with the inventory, write it, and return it."""
        old = self.folder.plan()
        # The plan is that of the whole inventory, also when the command is limited to some of its hosts.
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

    def _provider(self, everything: Inventory, old: VagrantPlan | None) -> Provider:
        """Return the provider: the inventory's, else the one used before, else VirtualBox, or libvirt where only that is."""
        named = vagrant_plan.named_provider(everything)
        if old and any(self._vagrant(old).id_of(one.vagrant_name) for one in old.machines):
            if named and named != old.provider:
                raise MachineError(
                    f"inventory '{self.inventory.name}' says {named}, but its machines were made with {old.provider}",
                    Hint("Remove them first: ", Inv("destroy")),
                )
            return old.provider
        if named:
            return named
        return "libvirt" if libvirt.is_there() and not virtualbox.is_there() else "virtualbox"

    def _vagrant(self, plan: VagrantPlan) -> Vagrant:
        return Vagrant(self.root, self.key, plan.provider)

    def _require(self, problem: str, hint: Hint, test: Callable[[str], bool]) -> VagrantPlan:
        """Return the plan. Raises MachineError with `problem` for machines whose state does not pass the test."""
        plan = self.folder.plan()
        states = _states(self._vagrant(plan)) if plan else {}
        machines = plan.only(self.inventory.hosts) if plan else ()
        if half_made := self._half_made(machines, states):
            raise MachineError(
                f"{hosts_of(half_made)}: an interrupted run left it half made", Hint("Make it anew: ", Inv("up"))
            )
        good = {one.name for one in machines if test(states.get(one.vagrant_name, ABSENT))}
        missing = [name for name in self.inventory.hosts if name not in good]
        if plan is None or missing:
            raise MachineError(f"{problem}: {', '.join(missing)}", hint)
        return plan

    def _require_made(self) -> VagrantPlan:
        return self._require("not made yet", Hint("Make the machines: ", Inv("up")), lambda state: state != ABSENT)

    def _half_made(self, machines: Iterable[MachinePlan], states: Mapping[str, str]) -> list[MachinePlan]:
        """Return the machines that an interrupted run began to make."""
        known = self.folder.known()
        there = [one for one in machines if states.get(one.vagrant_name, ABSENT) != ABSENT]
        return [one for one in there if known.get(one.name, Known()).making]

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

    def _status(self, name: str, plan: VagrantPlan | None, states: Mapping[str, str], known: Known) -> MachineStatus:
        machine = plan.of(name) if plan else None
        state = states.get(machine.vagrant_name, ABSENT) if machine else ABSENT
        if plan is None or machine is None or state == ABSENT:
            return absent(name)
        if known.making:
            return MachineStatus(name, "stopped", "", f"{state}, half made; ./inv up makes it anew")
        with_what = f"{plan.provider}, emulated" if plan.is_emulated else plan.provider
        sizes = with_snapshot(f"Vagrant with {with_what}, {machine.cpus} CPUs, {machine.memory_mb} MB", known.kept)
        if state == "running":
            return MachineStatus(
                name, "running", f"{known.address}:{known.port}" if known.port != 22 else known.address, sizes
            )
        return MachineStatus(name, "stopped", "", f"{state}; {sizes}")


def _with_working_driver(plan: VagrantPlan, starting: Sequence[MachinePlan], made: Sequence[MachinePlan]) -> VagrantPlan:
    """Return the plan with a driver that works here: KVM, or emulation. `starting` are to be started, `made` exist.

    A machine keeps the driver that it was made with. Raises MachineError when that is KVM and KVM does not work now.
    """
    if plan.provider != "libvirt" or (made and plan.driver == "qemu"):
        return plan
    fastest = accelerator.probe()
    if fastest.name == "kvm":
        return vagrant_plan.with_driver(plan, "kvm")
    if made:
        raise MachineError(
            f"{hosts_of(starting)} cannot be started: the machines were made to run with KVM, which does not work here:"
            f" {fastest.reason}",
            Hint("Make them anew, emulated: ", Inv("destroy", "up")),
        )
    console.line(f"vagrant: no virtualisation by the processor here: {fastest.reason}")
    return vagrant_plan.with_driver(plan, "qemu")


def _remove_orphan(provider: Provider, machine: MachinePlan) -> None:
    """Remove what the provider still has of a machine that Vagrant does not know."""
    if provider == "libvirt":
        libvirt.remove_orphan(machine.unique_name)
    else:
        virtualbox.remove_orphan(machine.unique_name)


def _states(vagrant: Vagrant) -> dict[str, str]:
    return output.states(vagrant.run(["status"], "the machines' state cannot be read"))


def _show(text: str) -> None:
    """Show a message of Vagrant's progress. Where there is no terminal, leave out repeated ones."""
    if console.is_terminal():
        console.status(text)
    elif not any(word in text for word in ("Progress:", "Retrying...", ": -- ")):
        console.line(text, "faint")
