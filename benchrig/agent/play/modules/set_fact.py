"""ansible.builtin.set_fact: variables for the tasks after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .base import Context, Result


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    variables: dict[str, Any]


def gathered(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments: every name is a variable's."""
    return {"variables": dict(arguments)}


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
