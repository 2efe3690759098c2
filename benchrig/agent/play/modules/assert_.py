"""ansible.builtin.assert: conditions that must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .base import Context, ModuleError, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    that: Any
    """A condition or a list of them."""
    fail_msg: str | None = None
    success_msg: str | None = None
    quiet: bool = False


def run(args: Args, context: Context) -> Result:
    """Fail unless every condition holds. Raises TemplateError."""
    for condition in args.that if isinstance(args.that, list) else [args.that]:
        if not context.variables.condition(condition):
            raise ModuleError(args.fail_msg or f"Assertion failed: {condition}", assertion=condition, evaluated_to=False)
    return Result(values={"msg": args.success_msg or "All assertions passed"})


MODULE = Module(Args, runs(run), aliases={"msg": "fail_msg"}, raw=frozenset({"that"}))
