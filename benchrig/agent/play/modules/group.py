"""ansible.builtin.group: groups of users."""

from __future__ import annotations

import grp
from dataclasses import dataclass
from typing import Literal

from .base import Context, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    name: str
    state: Literal["present", "absent"] = "present"
    gid: int | None = None
    system: bool = False


def run(args: Args, context: Context) -> Result:
    """Bring the group into the requested state."""
    try:
        found = grp.getgrnam(args.name)
    except KeyError:
        found = None
    argv, message = _needed(args, found)
    if argv and not context.check:
        context.changing()
        context.must(argv, f"group '{args.name}' could not be changed")
    values = {"name": args.name, "state": args.state, "system": args.system}
    makes = (f"group {args.name}",) if argv and found is None else ()
    return Result(changed=bool(argv), message=message, values=values, makes=makes)


def _needed(args: Args, found: grp.struct_group | None) -> tuple[list[str], str]:
    """Return the command that brings the group into the requested state, and what it changes; empty if it is there."""
    if args.state == "absent":
        return (["groupdel", args.name], "removed") if found else ([], "")
    number = [] if args.gid is None else ["--gid", str(args.gid)]
    if found is None:
        return ["groupadd", *number, *(["--system"] if args.system else []), args.name], "created"
    if args.gid is not None and found.gr_gid != args.gid:
        return ["groupmod", *number, args.name], f"gid {found.gr_gid} -> {args.gid}"
    return [], ""


MODULE = Module(Args, runs(run))
