"""Every error a user can meet, and the exit code it ends the program with.

An error says what is wrong and where, in one line, and in its hint what to do. Nothing here is ever shown as a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from benchrig.agent.nearest import nearest
from benchrig.agent.text import one_line
from benchrig.shell import quote


class ExitCode(IntEnum):
    """What the process ends with; docs/exit-codes.md says the same to users."""

    OK = 0
    FAILED = 1
    BAD_INPUT = 2
    UNREACHABLE = 3
    NO_MACHINE = 4
    UNWRITTEN = 5
    INVALID = 6
    UNFIT = 7
    EXCEEDED = 8
    HUNG_UP = 129
    INTERRUPTED = 130
    TERMINATED = 143


@dataclass(frozen=True, init=False)
class Inv:
    """A command line of benchrig's own in a hint, such as `./inv destroy up`.

    `on_inventory` says whether its tasks work on the machines of an inventory, and so take `-i`.
    """

    words: tuple[str, ...]
    on_inventory: bool

    def __init__(self, *words: str, on_inventory: bool = True) -> None:
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "on_inventory", on_inventory)

    def text(self, inventory: str = "") -> str:
        """Return the command line as shell text. It names `inventory`, unless that is empty or it names one already."""
        names_it = bool(inventory) and self.on_inventory and "-i" not in self.words
        return quote(["./inv", *self.words, *(("-i", inventory) if names_it else ())])


@dataclass(frozen=True, init=False)
class Hint:
    """What to do about an error: text and commands, put together as they stand. An empty hint is false."""

    parts: tuple[str | Inv | Hint, ...]

    def __init__(self, *parts: str | Inv | Hint) -> None:
        object.__setattr__(self, "parts", tuple(part for part in parts if part))

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __str__(self) -> str:
        return self.text()

    def text(self, inventory: str = "") -> str:
        """Return the hint as the user reads it: its commands name `inventory`, unless that is empty."""
        return "".join(part if isinstance(part, str) else part.text(inventory) for part in self.parts)


class BenchrigError(Exception):
    """Something the user has to know. `str()` is what is wrong; `hint` is what to do about it, or empty."""

    exit_code = ExitCode.FAILED
    section = ""
    """Section of docs/troubleshooting.md about it; empty where the message says everything."""

    def __init__(self, message: str, hint: str | Hint = "") -> None:
        super().__init__(message)
        self.hint = Hint(hint)


class HostError(BenchrigError):
    """A host cannot be reached, does not let us in, or shows another key than the pinned one."""

    exit_code = ExitCode.UNREACHABLE
    section = "hosts"


class MachineError(BenchrigError):
    """A machine cannot be brought up, found or taken down."""

    exit_code = ExitCode.NO_MACHINE
    section = "machines"


class UnfitError(BenchrigError):
    """Machines are not fit for a run: it would be spoiled, or could not be measured."""

    exit_code = ExitCode.UNFIT
    section = "doctor"


class ResultsError(BenchrigError):
    """Results cannot be written where they belong. What was measured is elsewhere, or printed: the message says it."""

    exit_code = ExitCode.UNWRITTEN
    section = "results"


class LimitError(BenchrigError):
    """A figure exceeds a limit that the user set for it."""

    exit_code = ExitCode.EXCEEDED


class FiguresError(BenchrigError):
    """Figures that were to be audited must not be used."""

    exit_code = ExitCode.INVALID


@dataclass(frozen=True)
class Problem:
    """One mistake in the user's files: where (`file:line`), and what is wrong and allowed."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


MOST_PROBLEMS = 100
"""Mistakes that are shown at once: a file that is wrong throughout has no end of them."""


class InputError(BenchrigError):
    """A mistake in what the user typed or wrote; carries every problem found, not only the first."""

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, message: str = "", hint: str | Hint = "", problems: Sequence[Problem] = ()) -> None:
        # A mistake in a file that several others use, such as a file of routes, is said once.
        self.problems = tuple(dict.fromkeys(problems))[:MOST_PROBLEMS]
        lines = [*map(str, self.problems)]
        if len(lines) == MOST_PROBLEMS:
            lines.append("there may be more: fix these first")
        super().__init__(message or "\n".join(lines), hint)
        # Without a hint, the message names the place and what is valid there.
        self.section = "input" if hint else ""


def unknown(kind: str, name: str, known: Iterable[str]) -> InputError:
    """Return the error for a name nobody knows: its kind, the name and the nearest valid ones."""
    return InputError(f"unknown {kind} '{one_line(name, 100)}'; {nearest(name, known)}")
