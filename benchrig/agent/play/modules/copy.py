"""ansible.builtin.copy: a file of the project, of the host, or given as text, put in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import files
from .base import Context, ModuleError, Result, expand
from .contract import Module, reads_and_runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    dest: str
    src: str | None = None
    content: Any = None
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    validate: str = ""
    force: bool = True
    """If not, an existing file is left alone."""
    remote_src: bool = False
    """`src` is a file of the host."""


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if (args.src is None) == (args.content is None):
        yield "give either 'src' or 'content'"


def read(args: Args, context: Context) -> bytes | None:
    """Return the content, unless it is to be read on the host with the task's own rights."""
    if args.src is None:
        return (json.dumps(args.content) if isinstance(args.content, (dict, list)) else str(args.content)).encode()
    if args.remote_src:
        return None
    try:
        return _read(context.bundle.find(args.src))
    except LookupError as error:
        raise ModuleError(str(error)) from None


def run(args: Args, context: Context, content: bytes | None) -> Result:
    """Put the file in its place."""
    dest = Path(expand(args.dest))
    if args.src is not None and (args.dest.endswith("/") or dest.is_dir()):
        dest /= Path(args.src).name
    if not args.force and dest.exists():
        return Result(values=files.values(dest))
    if content is None:
        content = _remote(args, context)
    return files.put(context, dest, content, files.attributes(context, args.owner, args.group, args.mode), args.validate)


def _remote(args: Args, context: Context) -> bytes:
    source = Path(expand(args.src or ""))
    if not source.exists():
        context.missing(f"path {source}", f"there is no file {source}")
    return _read(source)


def _read(source: Path) -> bytes:
    if source.is_dir():
        raise ModuleError(f"src '{source.name}' is a folder; copy its files in a loop")
    return source.read_bytes()


MODULE = Module(Args, reads_and_runs(read, run), check=check)
