"""What makes a function an Invoke task: it checks before it works, and an error is one line, a hint and an exit code."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task
from invoke.tasks import task as invoke_task

from benchrig import console
from benchrig.agent.text import short
from benchrig.cli import signals
from benchrig.cli.sections import anchor
from benchrig.errors import BenchrigError, ExitCode
from benchrig.yamlfile import shown

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder: where site.yml, roles/, apps/ and reports/ lie."""

LONGEST_ERROR = 50_000
"""Characters of an error: a hundred mistakes have fewer, and the last words of a host may have more."""

SHARED = ("inventory", "suite", "profile", "ask_become_pass")
"""The parameters that all tasks of a chain share, wherever in it their flags are given."""


class Command(Task[Any]):
    """A task; `words` are the parameters that words after its name are handed to, in their order, each optional.

    One with `takes_rest` is handed all words after its name, also such as are names of tasks: it is the last of a chain.
    """

    def __init__(self, *args: Any, words: tuple[str, ...] = (), takes_rest: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.words = words
        self.takes_rest = takes_rest

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse to run outside of a chain, where nothing would be done. Raises Exit."""
        said = "plain invoke needs the project's invoke.yaml with tasks.executor_class: benchrig.cli.chain.ChainExecutor"
        raise Exit(f"error: {said}", ExitCode.BAD_INPUT)

    def arg_opts(self, name: str, default: Any, taken_names: set[str]) -> dict[str, Any]:
        """Return Invoke's options of a parameter. A short form is its first letter, and never that of a shared one."""
        options = super().arg_opts(name, default, taken_names)
        full, *short = options["names"]
        if name not in SHARED:
            taken = {shared[0] for shared in SHARED}
            options["names"] = [full, *(letter for letter in short if letter == name[0] and letter not in taken)]
        return options


def command(help: Mapping[str, str] | None = None, **options: Any) -> Callable[[Callable[..., object]], Command]:
    """Make a function an Invoke task. A BenchrigError ends it with one line, its hint and its exit code; Ctrl-C too.

    A function that has a `yield` does what stands above it before the first task of a chain begins to work.
    """

    def wrap(function: Callable[..., Any]) -> Command:
        @functools.wraps(function)
        def run(ctx: Context, *args: Any, **kwargs: Any) -> Iterator[None]:
            with _report_errors(str(kwargs.get("inventory") or "")):
                if inspect.isgeneratorfunction(function):
                    yield from function(ctx, *args, **kwargs)
                else:
                    yield
                    function(ctx, *args, **kwargs)

        made: Command = invoke_task(help=dict(help or {}), klass=Command, **options)(run)
        return made

    return wrap


@contextmanager
def _report_errors(inventory: str) -> Iterator[None]:
    try:
        yield
    except BenchrigError as error:
        raise Exit(render(error, inventory), error.exit_code) from None
    except KeyboardInterrupt:
        raise Exit(signals.said(), signals.exit_code()) from None
    except RuntimeError as error:
        # Python 3.11 makes this of a signal that comes while it makes a class.
        if not (signals.received() and isinstance(error.__cause__, KeyboardInterrupt)):
            raise
        raise Exit(signals.said(), signals.exit_code()) from None
    except OSError as error:
        raise refused(error) from None
    finally:
        console.status("")


def refused(error: OSError) -> Exit:
    """Return how to end after what the system refuses, such as a full disk: with one line."""
    where = f"{shown(Path(os.fsdecode(error.filename)))}: " if error.filename else ""
    return Exit(console.printable(f"error: {where}{error.strerror or error}"), ExitCode.FAILED)


def render(error: BenchrigError, inventory: str) -> str:
    """Return the text of an error: what is wrong, its hint with commands for the `inventory`, and where to read more."""
    page = ROOT / "docs" / "troubleshooting.md"
    more = f"More: docs/troubleshooting.md#{anchor(page, error.section, str(error))}" if error.section else ""
    said = short(f"error: {error}", LONGEST_ERROR)
    return console.printable("\n".join(filter(None, [said, error.hint.text(inventory), more])))
