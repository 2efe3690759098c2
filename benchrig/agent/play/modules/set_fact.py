"""ansible.builtin.set_fact: variables for the tasks after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .base import Context, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    variables: dict[str, Any]


def check(args: Args) -> Iterator[str]:
    """Yield what is wrong with the arguments together."""
    for name in args.variables:
        if not name.isidentifier():
            yield f"'{name}' is not a variable name"
        if name == "cacheable":
            yield "'cacheable' is not supported"


def run(args: Args, context: Context) -> Result:  # noqa: ARG001 - every module takes a context
    """Set the variables."""
    return Result(values={"ansible_facts": args.variables}, set=args.variables)


MODULE = Module(Args, runs(run), check=check, free_names="variables")
