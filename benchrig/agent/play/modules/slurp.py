"""ansible.builtin.slurp: a file's content."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from .base import Context, Result, expand
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    src: str


def run(args: Args, context: Context) -> Result:
    """Return the content in base64."""
    path = Path(expand(args.src))
    if not path.is_file():
        context.missing(f"path {path}", f"there is no file {path}")
    content = base64.b64encode(path.read_bytes()).decode()
    return Result(values={"content": content, "encoding": "base64", "source": str(path)})


MODULE = Module(Args, runs(run), aliases={"path": "src"})
