"""ansible.builtin.template: a file of the role's `templates/`, rendered and put in its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import files
from .base import Context, ModuleError, Result, expand
from .contract import Module, reads_and_runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    src: str
    dest: str
    owner: str | None = None
    group: str | None = None
    mode: str | None = None
    validate: str = ""
    force: bool = True
    """If not, an existing file is left alone."""
    trim_blocks: bool = True
    lstrip_blocks: bool = False


def read(args: Args, context: Context) -> bytes:
    """Return the rendered template. Raises TemplateError."""
    try:
        source = context.bundle.find(args.src, "templates")
    except LookupError as error:
        raise ModuleError(str(error)) from None
    text = context.variables.templates.file(
        source.read_text(encoding="utf-8"),
        context.variables.resolve,
        trim_blocks=args.trim_blocks,
        lstrip_blocks=args.lstrip_blocks,
    )
    return text.encode()


def run(args: Args, context: Context, content: bytes) -> Result:
    """Put the rendered template in its place."""
    dest = Path(expand(args.dest))
    if args.dest.endswith("/") or dest.is_dir():
        dest /= Path(args.src).name.removesuffix(".j2")
    if not args.force and dest.exists():
        return Result(values=files.values(dest))
    wanted = files.attributes(context, args.owner, args.group, args.mode)
    return files.put(context, dest, content, wanted, args.validate)


MODULE = Module(Args, reads_and_runs(read, run))
