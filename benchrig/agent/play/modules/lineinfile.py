"""ansible.builtin.lineinfile: a line of a file added, replaced or removed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from . import files
from .base import Context, Result, expand
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    path: str
    line: str | None = None
    regexp: str | None = None
    """The last line it matches is replaced, or all are removed."""
    state: Literal["present", "absent"] = "present"
    insertafter: str | None = None
    """`EOF`, or the last line that matches; a new line goes after it."""
    insertbefore: str | None = None
    """`BOF`, or the last line that matches; a new line goes before it."""
    backrefs: bool = False
    """`line` refers to the groups of `regexp`; where nothing matches, nothing is inserted."""
    create: bool = False
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    validate: str = ""


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if args.state == "present" and args.line is None:
        yield "'line' is missing"
    if args.state == "absent" and args.line is None and args.regexp is None:
        yield "give 'line' or 'regexp'"
    if args.backrefs and args.regexp is None:
        yield "'backrefs' needs 'regexp'"
    if args.insertafter is not None and args.insertbefore is not None:
        yield "give either 'insertafter' or 'insertbefore'"


def run(args: Args, context: Context) -> Result:
    """Bring the line into the requested state."""
    path = Path(expand(args.path)).resolve()
    exists = path.exists()
    if not exists and args.state == "absent":
        return Result(message="file not present")
    if not exists and not args.create:
        context.missing(f"path {path}", f"{path} does not exist; 'create: true' creates it")
    text = path.read_bytes().decode(errors="surrogateescape") if exists else ""
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    after = _absent(args, lines) if args.state == "absent" else _present(args, lines)
    # A last line without an end gets one when another follows it.
    content = "".join(_ended(line) for line in after[:-1]) + "".join(after[-1:])
    wanted = files.attributes(context, args.owner, args.group, args.mode)
    return files.put(context, path, content.encode(errors="surrogateescape"), wanted, args.validate)


def _absent(args: Args, lines: list[str]) -> list[str]:
    if args.regexp is not None:
        return [line for line in lines if not re.search(args.regexp, line)]
    return [line for line in lines if line.rstrip("\r\n") != args.line]


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n"


def _present(args: Args, lines: list[str]) -> list[str]:
    assert args.line is not None
    at, match = _last(args.regexp, lines)
    if match is not None:
        new = match.expand(args.line) if args.backrefs else args.line
        return [*lines[:at], _ended(new), *lines[at + 1 :]]
    if args.backrefs or args.line in (line.rstrip("\r\n") for line in lines):
        return lines
    if "BOF" in (args.insertbefore, args.insertafter):
        return [_ended(args.line), *lines]
    at, anchor = _last(args.insertbefore or args.insertafter, lines)
    if anchor is None or args.insertafter == "EOF":
        at = len(lines)
    elif args.insertbefore is None:
        at += 1
    return [*lines[:at], _ended(args.line), *lines[at:]]


def _last(pattern: str | None, lines: list[str]) -> tuple[int, re.Match[str] | None]:
    """Return the last line that a pattern matches: its position and the match."""
    if pattern is not None:
        for at in range(len(lines) - 1, -1, -1):
            if match := re.search(pattern, lines[at]):
                return at, match
    return -1, None


MODULE = Module(Args, runs(run), check=check, aliases={"dest": "path", "name": "path", "regex": "regexp", "value": "line"})
