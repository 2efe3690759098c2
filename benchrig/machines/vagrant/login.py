"""How Vagrant's machines are reached: learnt from Vagrant when one comes up, then known. Its shared key never stays."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from benchrig.errors import Hint, HostError, Inv, MachineError
from benchrig.inventory import Inventory
from benchrig.machines.vagrant import output, pin
from benchrig.machines.vagrant.folder import Known, VagrantFolder
from benchrig.machines.vagrant.output import Login
from benchrig.machines.vagrant.plan import MachinePlan, hosts_of, names_of
from benchrig.machines.vagrant.program import LONG, Vagrant

INSECURE_KEYS = {"insecure_private_key", "insecure_private_keys"}
"""Vagrant's shared keys, in its home: a file, and since 2.3.8 a folder of them."""

QUICK_SECONDS = 3.0


def learn(folder: VagrantFolder, vagrant: Vagrant, machines: Iterable[MachinePlan], *, restart: bool) -> None:
    """Note how running machines are reached, and pin host keys not seen before.

    `restart` says whether those that have Vagrant's shared key may be restarted, which is when Vagrant replaces it. Raises
    HostError for a host key that has changed, MachineError when a machine cannot be reached or keeps the shared key.
    """
    machines = list(machines)
    found = _logins(vagrant, machines)
    insecure = [one for one in machines if _is_insecure(found[one.vagrant_name])]
    if insecure and not restart:
        raise MachineError(
            f"{hosts_of(insecure)}: still lets everybody in with Vagrant's shared key",
            Hint("Have Vagrant replace it, with a restart: ", Inv("up")),
        )
    if insecure:
        purpose = f"{hosts_of(insecure)} cannot be restarted"
        vagrant.run(["reload", *names_of(insecure), "--no-provision"], purpose, timeout=LONG)
        found |= _logins(vagrant, insecure)
    known = folder.known()
    for machine in machines:
        login = found[machine.vagrant_name]
        if _is_insecure(login):
            raise MachineError(
                f"{machine.name}: still lets everybody in with Vagrant's shared key, which Vagrant did not replace",
                Hint("Begin anew: ", Inv("destroy", "up")),
            )
        known[machine.name] = _known(vagrant, machine, login, known.get(machine.name, Known()))
    folder.note(known)


def answer(folder: VagrantFolder, names: Iterable[str]) -> bool:
    """Return whether machines are where they were, each with its pinned host key, and tell the right time.

    Then Vagrant need not be asked.
    """
    known = folder.known()
    found = [known.get(name, Known()) for name in names]
    if not all(one.host_key and not one.stale for one in found):
        return False
    with ThreadPoolExecutor() as pool:
        shown = pool.map(lambda one: pin.host_key(one.address, one.port, QUICK_SECONDS, one.host_key), found)
        return all(key == one.host_key for key, one in zip(shown, found, strict=True))


def reached(folder: VagrantFolder, inventory: Inventory) -> Inventory:
    """Return the inventory with how to reach each of its machines, all of which are known."""
    known, plan = folder.known(), folder.plan()
    for name in inventory.hosts:
        one, planned = known[name], plan.of(name) if plan else None
        variables: dict[str, object] = {
            "ansible_host": one.address,
            "ansible_port": one.port,
            "ansible_user": one.user,
            "ansible_become": True,
            "ansible_ssh_private_key_file": one.key_file,
            "benchrig_known_hosts": str(folder.known_hosts),
            "benchrig_emulated": plan.is_emulated if plan else False,
        }
        if planned and planned.address:
            variables["benchrig_address"] = planned.address
        inventory = inventory.with_variables(name, variables)
    return inventory


def _known(vagrant: Vagrant, machine: MachinePlan, login: Login, before: Known) -> Known:
    number = vagrant.id_of(machine.vagrant_name)
    pinned = before.host_key if before.id == number else ""
    shown = pin.awaited_host_key(machine.name, login.address, login.port, pinned)
    if pinned and pinned != shown:
        raise HostError(
            f"{machine.name} ({login.address}:{login.port}): the host key has changed: not the machine that was pinned",
            Hint("If you know why, begin anew: ", Inv("destroy", "up")),
        )
    return Known(
        id=number,
        host_key=shown,
        address=login.address,
        port=login.port,
        user=login.user,
        key_file=str(login.keys[0]) if login.keys else "",
        kept=before.kept if before.id == number else 0.0,
        stale=before.stale,
    )


def _logins(vagrant: Vagrant, machines: Iterable[MachinePlan]) -> dict[str, Login]:
    machines = list(machines)
    purpose = f"how to reach {hosts_of(machines)} cannot be read"
    found = output.logins(vagrant.run(["ssh-config", *names_of(machines)], purpose))
    if silent := [one for one in machines if one.vagrant_name not in found]:
        raise MachineError(f"{hosts_of(silent)}: Vagrant does not say how to reach it", "See vagrant ssh-config.")
    return found


def _is_insecure(login: Login) -> bool:
    return any(INSECURE_KEYS & set(path.parts[-2:]) for path in login.keys)
