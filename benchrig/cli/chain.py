"""A chain of tasks, `./inv provision bench report --suite x`: a flag holds for all, and all check first."""

from __future__ import annotations

import inspect
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.config import Config
from invoke.context import Context
from invoke.exceptions import AmbiguousEnvVar, Exit, UncastableEnvVar
from invoke.executor import Executor
from invoke.tasks import Call

from benchrig import console
from benchrig.cli.task import ROOT, SHARED, render
from benchrig.errors import BenchrigError, ExitCode

if TYPE_CHECKING:
    from benchrig.bench.suite import Plan


@dataclass
class ChainState:
    """What the tasks of a chain hand to the ones behind them."""

    tasks: tuple[str, ...] = ()
    """The names of all tasks of the chain."""
    run: str = ""
    """The folder below reports/ of the run just made."""
    suite: str = ""
    """The suite of that run."""
    failure: BenchrigError | None = None
    """What failed without stopping the chain; it is said, and ends the program, after the last task."""
    planned: Plan | None = None
    """What `bench` will measure."""
    become_password: str | None = field(default=None, repr=False)
    """The password for sudo that the user typed."""


class ChainContext(Context):
    """Invoke's context of a task, with what the tasks of its chain hand on."""

    chain: ChainState

    def __init__(self, config: Config, chain: ChainState) -> None:
        super().__init__(config)
        # Invoke writes an attribute that is set on a context into its configuration.
        object.__setattr__(self, "chain", chain)


class ChainExecutor(Executor):
    """Runs the tasks of a chain. invoke.yaml names it for plain `invoke`; `./inv` has no other."""

    def execute(self, *tasks: Any) -> dict[Any, Any]:
        """Have every task check what it needs, then do their work in turn.

        A failure that a task leaves in the chain's state ends the program after the last task. Raises Exit.
        """
        calls = self.normalize(tasks)
        share(calls)
        self._read_variables()
        context = ChainContext(self.config, ChainState(tasks=tuple(call.task.name for call in calls)))
        begun = [call.task.body(context, **call.kwargs) for call in calls]
        for work in begun:
            next(work, None)
        for work in begun:
            next(work, None)
        if context.chain.failure:
            raise Exit(render(context.chain.failure, ""), context.chain.failure.exit_code)
        return {}

    def _read_variables(self) -> None:
        """Read settings from variables such as INVOKE_BENCHRIG_SUITE. Raises Exit for what none can have, as a list."""
        try:
            self.config.load_shell_env()
        except (AmbiguousEnvVar, UncastableEnvVar, TypeError, ValueError) as error:
            said = console.printable(f"error: Invoke's configuration, or a variable INVOKE_...: {error}")
            raise Exit(said, ExitCode.BAD_INPUT) from None


def share(calls: Sequence[Call]) -> None:
    """Give each task the values of the shared flags: its own, else the last one given before it, else the first after it."""
    for name in SHARED:
        value = next(filter(None, (call.kwargs.get(name) for call in calls)), None)
        for call in calls:
            value = call.kwargs.pop(name, None) or value
            if value and name in inspect.signature(call.task.body).parameters:
                call.kwargs[name] = _suite(value) if name == "suite" else value


def _suite(given: str) -> str:
    """Return the name of a suite, of which the path of its file was given perhaps, as a shell completes it."""
    path = Path(os.path.realpath(given))
    return path.stem if given.endswith(".yml") and path.parent == ROOT / "configs" / "suites" else given
