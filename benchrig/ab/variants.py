"""Variants: what the words behind `./inv ab` mean, and the plan that measures each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchrig.ab import commits, varying
from benchrig.ab.varying import Setting
from benchrig.agent.text import short
from benchrig.bench import records
from benchrig.bench.app import Apps
from benchrig.bench.run import check_files, data_set
from benchrig.bench.suite import BenchRequest, Plan, plan
from benchrig.errors import InputError, unknown
from benchrig.inventory import Inventory
from benchrig.results.model.session import Side, Variant

SYNTAX = "[SUITE:]ROW[@COMMIT][%HOST]"


@dataclass(frozen=True)
class Asked:
    """A variant as the user named it; an empty part was left out."""

    named: str
    suite: str
    row: str
    commit: str
    host: str


@dataclass(frozen=True)
class Choice:
    """A variant that can be measured."""

    variant: Variant
    project: Path
    """The folder with its playbook, roles, suites and apps: the user's project, or a copy with the apps of a commit."""
    plan: Plan
    """Of its one row."""
    inventory: Inventory
    """With its server alone, and the load host of that."""
    variables: Mapping[str, object]
    """Role variables that are set before each measurement."""

    def on(self, reached: Inventory) -> Inventory:
        """Return an inventory of machines that are up, with the variant's server alone."""
        return with_server(reached, self.variant.host) if self.plan.rows[0].app.is_ours else reached


def parse(text: str) -> Asked:
    """Read the name of a variant. Raises InputError."""
    rest, at_host, host = text.partition("%")
    rest, at_commit, commit = rest.partition("@")
    suite, colon, row = rest.rpartition(":")
    for sign, part, what in ((at_host, host, "host"), (at_commit, commit, "commit"), (colon, suite, "suite")):
        if sign and not part:
            raise InputError(f"'{short(text)}' lacks the {what} at '{sign}'; a variant is {SYNTAX}")
    if not row:
        raise InputError(f"'{short(text)}' names no row; a variant is {SYNTAX}")
    return Asked(text, suite, row, commit, host)


def parse_two(texts: Sequence[str], vary: Sequence[str]) -> tuple[Asked, Asked]:
    """Return both variants of a command line. Raises InputError when there are not two, or more than one with --vary."""
    if len(vary) > 1:
        raise InputError("--vary is given twice: a session varies one setting")
    if len(texts) not in ((1,) if vary else (2,)):
        wanted = "--vary takes one variant, whose setting it varies" if vary else "a session compares two variants, A and B"
        raise InputError(
            f"{wanted}; {_counted(texts)}", "The same one twice is an A/A session: what the machine can tell apart."
        )
    asked = [parse(text) for text in texts]
    return asked[0], asked[-1]


def _counted(texts: Sequence[str]) -> str:
    names = ", ".join(short(text) for text in texts[:5])
    return f"{len(texts)} {'is' if len(texts) == 1 else 'are'} given{names and f': {names}'}"


def choose(
    root: Path,
    inventory: Inventory,
    asked: tuple[Asked, Asked],
    request: BenchRequest,
    setting: Setting | None,
    projects: commits.Projects,
) -> dict[Side, Choice]:
    """Return both variants, ready to be measured. `request` has the suite and what both have in common.

    Raises InputError: an unknown suite, row, commit or host, and two variants that would not be measured alike.
    """
    values = setting.values if setting else ("", "")
    sides: tuple[Side, Side] = ("A", "B")
    found = {
        side: _choice(root, inventory, one, request, setting, value, projects)
        for side, one, value in zip(sides, asked, values, strict=True)
    }
    _see_alike(found)
    return found


def _choice(
    root: Path,
    inventory: Inventory,
    asked: Asked,
    request: BenchRequest,
    setting: Setting | None,
    value: str,
    projects: commits.Projects,
) -> Choice:
    wanted = replace(request, suite=asked.suite or request.suite, only=(asked.row,), repeats=1)
    planned = _of_row(plan(root, Apps(root), wanted), asked)
    app, project, commit = planned.rows[0].app, root, ""
    if asked.commit:
        if not app.is_ours:
            raise InputError(
                f"'{short(asked.named)}': the app '{app.name}' runs already ('address'): no commit can be deployed"
            )
        commit = commits.resolve(root, asked.commit)
        project = projects.of(commit, app.name)
        planned = _of_row(plan(project, Apps(project), wanted), asked)
    check_files(project, planned, None)
    servers = _servers(inventory, asked, planned)
    return Choice(
        variant=Variant(
            suite=planned.suite,
            row=planned.rows[0].name,
            host=servers,
            named=asked.named,
            commit=commit,
            variable=setting.variable if setting else "",
            value=value,
            digests=records.digests(planned, data_set(project, planned)),
        ),
        project=project,
        plan=planned,
        inventory=with_server(inventory, servers) if planned.rows[0].app.is_ours else inventory,
        variables=setting.variables(value) if setting else {},
    )


def _of_row(planned: Plan, asked: Asked) -> Plan:
    """Return a plan with the one row that is meant. Raises InputError when several may be."""
    exact = [row for row in planned.rows if row.name == asked.row]
    rows = exact or list(planned.rows)
    if len(rows) > 1:
        names = ", ".join(row.name for row in rows[:10])
        raise InputError(f"'{short(asked.named)}' may be any of {len(rows)} rows: {names}; name one")
    return replace(planned, rows=tuple(rows))


def _servers(inventory: Inventory, asked: Asked, planned: Plan) -> str:
    """Return the server of a variant: the named one, else the inventory's first; empty of a service that runs already."""
    servers = inventory.groups.get("servers", ())
    if not planned.rows[0].app.is_ours:
        if asked.host:
            raise InputError(f"'{short(asked.named)}': its app runs already, at its own address: leave out %{asked.host}")
        return ""
    if asked.host and asked.host not in servers:
        raise unknown(f"server of inventory '{inventory.name}'", asked.host, servers)
    if not servers:
        raise InputError(
            f"the inventory '{inventory.name}' has no host in the group 'servers', which '{short(asked.row)}' needs"
        )
    return asked.host or servers[0]


def with_server(inventory: Inventory, name: str) -> Inventory:
    """Return an inventory whose only server is `name`, loaded by the load host that a bench would take for it."""
    servers, generators = (inventory.groups.get(group, ()) for group in ("servers", "loadgens"))
    at = servers.index(name) if len(generators) == len(servers) else 0
    groups = {**inventory.groups, "servers": (name,)}
    return replace(inventory, groups=groups | ({"loadgens": generators[at : at + 1]} if generators else {}))


def _see_alike(choices: Mapping[Side, Choice]) -> None:
    """Raise InputError when two variants would be measured for other times, or by other load generators."""
    one, other = choices["A"].plan, choices["B"].plan
    for name in ("duration_seconds", "warm_up_seconds", "effective_timeout", "threads"):
        if (a := getattr(one, name)) != (b := getattr(other, name)):
            what = name.removesuffix("_seconds").replace("_", " ")
            raise InputError(
                f"A and B would not be measured alike: {what} {a:g} and {b:g}",
                f"Their suites' profiles '{one.profile}' differ. Set it for both, or choose another --profile.",
            )
    if one.generator.name != other.generator.name:
        raise InputError(f"A and B would not be measured alike: by {one.generator.name} and by {other.generator.name}")


def of_session(variant: Variant) -> Asked:
    """Return a variant of a stored session as it was asked for, its commit in full."""
    return Asked(variant.named, variant.suite, variant.row, variant.commit, variant.host)


def setting_of(root: Path, a: Variant, b: Variant) -> Setting | None:
    """Return the setting that a stored session varies. Raises InputError when no role has it any more."""
    return varying.of(root, a.variable, (a.value, b.value)) if a.variable else None
