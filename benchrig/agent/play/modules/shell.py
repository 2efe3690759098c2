"""ansible.builtin.shell: a line, or several, of shell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import command
from .base import Context, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    cmd: str
    executable: str = "/bin/sh"
    creates: str | None = None
    """It is not run when this file (or pattern) is there."""
    removes: str | None = None
    """It is not run when this file (or pattern) is not there."""
    chdir: str | None = None
    stdin: str | None = None


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if not args.cmd.strip():
        yield "'cmd' is empty"


def run(args: Args, context: Context) -> Result:
    """Run the text with the shell. Raises ModuleError when it ends with another code than 0."""
    return command.execute(context, args.cmd, args, args.executable)


MODULE = Module(Args, runs(run), check=check, free_form="cmd")
