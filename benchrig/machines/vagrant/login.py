"""How to reach Vagrant's machines. Vagrant is asked when one comes up; its shared key is never accepted."""

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
"""Names of Vagrant's shared keys in its home: a file, and since 2.3.8 a folder."""

QUICK_SECONDS = 3.0


def learn(folder: VagrantFolder, vagrant: Vagrant, machines: Iterable[MachinePlan], *, restart: bool) -> None:
    """Ask Vagrant how to reach running machines, note it, and pin new host keys.

    `restart` allows a restart of machines with Vagrant's shared key, because Vagrant replaces the key then. Raises HostError
    for a changed host key, MachineError when a machine cannot be reached or keeps the shared key.
    """
    machines = list(machines)
    logins = _logins(vagrant, machines)
    insecure = [one for one in machines if _is_insecure(logins[one.vagrant_name])]
    if insecure and not restart:
        raise MachineError(
            f"{hosts_of(insecure)}: accepts Vagrant's shared key, which everybody has",
            Hint("Restart it, so that Vagrant replaces the key: ", Inv("up")),
        )
    if insecure:
        purpose = f"{hosts_of(insecure)} cannot be restarted"
        vagrant.run(["reload", *names_of(insecure), "--no-provision"], purpose, timeout=LONG)
        logins |= _logins(vagrant, insecure)
    known = folder.known()
    for machine in machines:
        login = logins[machine.vagrant_name]
        if _is_insecure(login):
            raise MachineError(
                f"{machine.name}: still accepts Vagrant's shared key, which everybody has: Vagrant did not replace it",
                Hint("Make it anew: ", Inv("destroy", "up")),
            )
        known[machine.name] = _known(vagrant, machine, login, known.get(machine.name, Known()))
    folder.write_known(known)


def not_answering(folder: VagrantFolder, names: Iterable[str]) -> list[str]:
    """Return the machines that do not answer where they did last, with their pinned host key, or have a wrong clock.

    When there are none, Vagrant need not be asked.
    """
    known = folder.known()
    machines = {name: known.get(name, Known()) for name in names}
    with ThreadPoolExecutor() as pool:
        return [name for name, good in zip(machines, pool.map(_answers, machines.values()), strict=True) if not good]


def _answers(machine: Known) -> bool:
    if not machine.host_key or machine.stale:
        return False
    return pin.host_key(machine.address, machine.port, QUICK_SECONDS, machine.host_key) == machine.host_key


def reached(folder: VagrantFolder, inventory: Inventory) -> Inventory:
    """Return the inventory with how to reach each of its machines, all of which are in `known.json`."""
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
    shown = pin.wait_for_host_key(machine.name, login.address, login.port, pinned)
    if pinned and pinned != shown:
        raise HostError(
            f"{machine.name} ({login.address}:{login.port}): the host key has changed: this is another machine",
            Hint("If you know why, make it anew: ", Inv("destroy", "up")),
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
    logins = output.logins(vagrant.run(["ssh-config", *names_of(machines)], purpose))
    if missing := [one for one in machines if not (one.vagrant_name in logins and logins[one.vagrant_name].address)]:
        raise MachineError(f"{hosts_of(missing)}: Vagrant does not say how to reach it", "See vagrant ssh-config.")
    return logins


def _is_insecure(login: Login) -> bool:
    return any(INSECURE_KEYS & set(path.parts[-2:]) for path in login.keys)
