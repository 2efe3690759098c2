"""ansible.builtin.debug: a message or a value shown to the user."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .base import Context, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    msg: Any = None
    var: str | None = None
    """An expression whose value is shown."""
    verbosity: int = 0


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    if args.msg is not None and args.var is not None:
        yield "give either 'msg' or 'var'"


def run(args: Args, context: Context) -> Result:
    """Show the message or value. Raises TemplateError."""
    if args.verbosity:
        return Result(skipped=True, message="hidden: benchrig has only verbosity 0")
    if args.var is None:
        message = "Hello world!" if args.msg is None else args.msg
        return Result(output=_text(message), values={"msg": message})
    value = context.variables.templates.expression(args.var, context.variables.resolve)
    return Result(output=f"{args.var}: {_text(value)}", values={args.var: value})


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, indent=2, default=str)


MODULE = Module(Args, runs(run), check=check, raw=frozenset({"var"}))
