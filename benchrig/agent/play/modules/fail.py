"""ansible.builtin.fail: a task that fails with a message."""

from __future__ import annotations

from dataclasses import dataclass

from .base import Context, ModuleError, Result
from .contract import Module, runs


@dataclass(frozen=True)
class Args:
    """Its arguments."""

    msg: str = "Failed as requested from task"


def run(args: Args, context: Context) -> Result:  # noqa: ARG001 - every module takes a context
    """Fail with the message."""
    raise ModuleError(args.msg)


MODULE = Module(Args, runs(run))
