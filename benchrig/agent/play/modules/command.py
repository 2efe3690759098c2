"""ansible.builtin.command: a program, run without a shell."""

from __future__ import annotations

import glob
import re
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ... import causes
from .base import Context, ModuleError, Result, expand
from .contract import Module, runs

_INLINE = re.compile(r"(?:^|\s)(creates|removes|chdir|executable|stdin)=")


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    cmd: str | None = None
    argv: tuple[str, ...] | None = None
    creates: str | None = None
    """It is not run when this file (or pattern) is there."""
    removes: str | None = None
    """It is not run when this file (or pattern) is not there."""
    chdir: str | None = None
    stdin: str | None = None
    expand_argument_vars: bool = True


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if (args.cmd is None) == (args.argv is None):
        yield "give either 'cmd' or 'argv'"
    if args.cmd and (found := _INLINE.search(args.cmd)):
        yield f"write '{found[1]}' as an argument of its own, not inside the command"


def run(args: Args, context: Context) -> Result:
    """Run the program. Raises ModuleError when it ends with another code than 0."""
    argv: Sequence[str] = args.argv if args.argv is not None else shlex.split(args.cmd or "")
    if args.expand_argument_vars:
        argv = [expand(part) for part in argv]
    return execute(context, list(argv), args)


class Conditions(Protocol):
    """When and where a command runs: arguments that `command` and `shell` share."""

    @property
    def creates(self) -> str | None: ...
    @property
    def removes(self) -> str | None: ...
    @property
    def chdir(self) -> str | None: ...
    @property
    def stdin(self) -> str | None: ...


def execute(context: Context, command: list[str] | str, args: Conditions, shell: str = "") -> Result:
    """Run a program or a line of shell under the conditions that `args` sets, and return what Ansible registers."""
    values: dict[str, Any] = {"cmd": command, "rc": 0, "stdout": "", "stderr": "", "start": None, "end": None, "delta": None}
    if reason := _not_needed(args):
        would = "Would" if context.check else "Did"
        return Result(message=f"{would} not run command since {reason}", values=_lines(values, f"skipped, since {reason}"))
    if context.check:
        known = args.creates is not None or args.removes is not None
        message = "Command would have run if not in check mode"
        return Result(changed=known, skipped=not known, message=message, values=_lines(values, ""), opaque=True)
    stdin = f"{args.stdin}\n" if args.stdin is not None else ""
    context.changing()
    started = time.time()
    done = context.run(command, stdin=stdin, cwd=args.chdir and expand(args.chdir), shell=shell)
    ended = time.time()
    values |= {"rc": done.rc, "start": _clock(started), "end": _clock(ended), "delta": f"{ended - started:.6f}"}
    values = _lines(values, done.stdout, done.stderr)
    if done.rc:
        reason = causes.line(done.stderr, done.stdout)
        said = f"exit code {done.rc}: {reason}" if reason else f"exit code {done.rc}, without a word"
        raise ModuleError(said, changed=True, msg="non-zero return code", **values)
    return Result(changed=True, message="command ran", values=values)


def _not_needed(args: Conditions) -> str:
    if args.creates is not None and _there(args.creates, args.chdir):
        return f"'{args.creates}' exists"
    if args.removes is not None and not _there(args.removes, args.chdir):
        return f"'{args.removes}' does not exist"
    return ""


def _there(pattern: str, folder: str | None) -> bool:
    """Return whether a file matches; a pattern without a folder is looked for where the command would run."""
    return bool(glob.glob(expand(pattern), root_dir=folder and expand(folder)))  # noqa: PTH207 - it may be absolute


def _lines(values: dict[str, Any], stdout: str, stderr: str = "") -> dict[str, Any]:
    stdout, stderr = stdout.rstrip("\r\n"), stderr.rstrip("\r\n")
    lines = {"stdout_lines": stdout.splitlines(), "stderr_lines": stderr.splitlines()}
    return {**values, "stdout": stdout, "stderr": stderr, **lines}


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds)) + f"{seconds % 1:.6f}"[1:]


MODULE = Module(Args, runs(run), check=check, free_form="cmd")
