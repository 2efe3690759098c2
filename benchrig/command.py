"""An Invoke task as benchrig has them: its errors are told in a line, and a choice it makes holds for the tasks after it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from benchrig import console
from benchrig.errors import BenchrigError, ExitCode, InputError

ROOT = Path(__file__).resolve().parent.parent
"""The project's folder: where site.yml, roles/, apps/ and reports/ lie."""

_choices: dict[str, str] = {}


def command(help: Mapping[str, str] | None = None, **options: Any) -> Callable[[Callable[..., None]], Task[Any]]:
    """Make a function an Invoke task. A BenchrigError ends it with one line, its hint and its exit code; Ctrl-C with 130."""

    def wrap(function: Callable[..., None]) -> Task[Any]:
        @functools.wraps(function)
        def run(ctx: Context, *args: Any, **kwargs: Any) -> None:
            try:
                function(ctx, *args, **kwargs)
            except BenchrigError as error:
                raise Exit("\n".join(filter(None, [f"error: {error}", error.hint])), error.exit_code) from None
            except KeyboardInterrupt:
                raise Exit("interrupted", ExitCode.INTERRUPTED) from None
            except BrokenPipeError:
                # Whoever read our output has closed it; keep Python from failing on it again at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                raise Exit("", ExitCode.OK) from None
            finally:
                console.status("")

        task: Task[Any] = invoke_task(help=dict(help or {}), **options)(run)
        return task

    return wrap


def choose(ctx: Context, name: str, given: str) -> str:
    """Return the choice of `name`: this task's flag, else that of a task before it, else Invoke's configuration."""
    if given:
        _choices[name] = given
    defaults = ctx.config.get("benchrig", {})
    if not hasattr(defaults, "get"):
        raise InputError(f"'benchrig' in Invoke's configuration is {defaults!r}; it must be a mapping, as in invoke.yaml")
    return _choices.get(name) or str(defaults.get(name, ""))


def remember(name: str, value: str) -> None:
    """Make a choice for the tasks that follow, such as the run that `bench` has just made."""
    _choices[name] = value


def follows(task: str, after: str) -> bool:
    """Return whether `task` is asked for on the command line behind `after`, so that it can have the last word."""
    words = sys.argv[1:]
    return after in words and task in words[words.index(after) :]
