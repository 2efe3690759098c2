"""ansible.builtin.user: users and the groups they are in."""

from __future__ import annotations

import grp
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .base import Context, ModuleError, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    name: str
    state: Literal["present", "absent"] = "present"
    uid: int | None = None
    group: str | None = None
    """Primary group."""
    groups: tuple[str, ...] | None = None
    """Further groups."""
    append: bool = False
    """Groups it is in beyond these are left."""
    home: str | None = None
    shell: str | None = None
    comment: str | None = None
    system: bool = False
    create_home: bool = True
    remove: bool = False
    """With the user goes its home."""


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if args.append and not args.groups:
        yield "'append' needs 'groups'"


def run(args: Args, context: Context) -> Result:
    """Bring the user into the requested state."""
    try:
        found = pwd.getpwnam(args.name)
    except KeyError:
        found = None
    _need_groups(args, context)
    argv, message = _absent(args, found) if args.state == "absent" else _present(args, found)
    if argv and not context.check:
        context.changing()
        context.must(argv, f"user '{args.name}' could not be changed")
    makes = (f"user {args.name}", f"group {args.name}") if argv and found is None else ()
    return Result(changed=bool(argv), message=message, values=_values(args), makes=makes)


def _need_groups(args: Args, context: Context) -> None:
    if args.state == "absent":
        return
    for name in (args.group, *(args.groups or ())):
        if name is not None and not name.isdigit():
            try:
                grp.getgrnam(name)
            except KeyError:
                context.missing(f"group {name}", f"there is no group '{name}'")


def _absent(args: Args, found: pwd.struct_passwd | None) -> tuple[list[str], str]:
    if found is None:
        return [], ""
    return ["userdel", *(["--remove"] if args.remove else []), args.name], "removed"


def _present(args: Args, found: pwd.struct_passwd | None) -> tuple[list[str], str]:
    """Return the command that brings the user into the requested state, and what it changes; empty if it is there."""
    if found is None:
        return _create(args), "created"
    options, changes = _modify(args, found)
    return (["usermod", *options, args.name], ", ".join(changes)) if options else ([], "")


def _create(args: Args) -> list[str]:
    argv = ["useradd", "--create-home" if args.create_home else "--no-create-home"]
    if args.system:
        argv.append("--system")
    for option, value in (
        ("--uid", args.uid),
        ("--gid", args.group),
        ("--home-dir", args.home),
        ("--shell", args.shell),
        ("--comment", args.comment),
        ("--groups", ",".join(args.groups) if args.groups else None),
    ):
        if value is not None:
            argv += [option, str(value)]
    if args.group is None and _group_exists(args.name):
        argv += ["--gid", args.name]
    return [*argv, args.name]


def _group_exists(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _modify(args: Args, found: pwd.struct_passwd) -> tuple[list[str], list[str]]:
    options: list[str] = []
    changes: list[str] = []
    for option, wanted, now in (
        ("--uid", args.uid, found.pw_uid),
        ("--gid", None if args.group is None else _gid(args.group), found.pw_gid),
        ("--home", args.home, found.pw_dir),
        ("--shell", args.shell, found.pw_shell),
        ("--comment", args.comment, found.pw_gecos),
    ):
        if wanted is not None and str(wanted) != str(now):
            options += [option, str(wanted)]
            changes.append(f"{option.strip('-')} {now} -> {wanted}")
    if args.groups is not None:
        now_in = {group.gr_name for group in grp.getgrall() if args.name in group.gr_mem}
        wanted_in = set(args.groups) | (now_in if args.append else set())
        if wanted_in != now_in:
            options += ["--groups", ",".join(sorted(wanted_in))]
            changes.append(f"groups {','.join(sorted(now_in))} -> {','.join(sorted(wanted_in))}")
    return options, changes


def _gid(name: str) -> int:
    if name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ModuleError(f"there is no group '{name}'") from None


def _values(args: Args) -> dict[str, Any]:
    values: dict[str, Any] = {"name": args.name, "state": args.state}
    try:
        found = pwd.getpwnam(args.name)
    except KeyError:
        return values
    return {**values, "uid": found.pw_uid, "group": found.pw_gid, "home": str(Path(found.pw_dir)), "shell": found.pw_shell}


MODULE = Module(Args, runs(run), check=check)
